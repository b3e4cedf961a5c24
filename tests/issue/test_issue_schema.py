"""The JSON Schemas: what an editor needs, closed, described, and of one mind with the models."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.issue import json_schema, publication_schema
from newsletter.issue.blocks import Block

SCHEMAS = [json_schema(), publication_schema()]
TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


@pytest.mark.parametrize("schema", SCHEMAS, ids=["issue", "publication"])
def test_the_schema_is_whole(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema
    for part in parts(schema):
        if isinstance(part.get("$ref"), str):
            assert part["$ref"].removeprefix("#/$defs/") in schema["$defs"]
        if isinstance(kinds := part.get("type"), str | list):
            assert set([kinds] if isinstance(kinds, str) else kinds) <= TYPES


@pytest.mark.parametrize("schema", SCHEMAS, ids=["issue", "publication"])
def test_every_object_is_closed_and_every_key_described(schema: dict[str, Any]) -> None:
    objects = [part for part in parts(schema) if part.get("type") == "object"]
    assert len(objects) >= 3
    for part in objects:
        if "properties" not in part:  # names of rules and providers, each with a closed object
            assert part["additionalProperties"] in (
                {"$ref": "#/$defs/Lowered"},
                {"$ref": "#/$defs/Provider"},
                {"minLength": 1, "type": "string"},
            )
            continue
        assert part["additionalProperties"] is False
        for key, value in part["properties"].items():
            assert value.get("description"), (part["title"], key)


def test_every_block_type_is_in_it() -> None:
    schema = json_schema()
    choices = schema["properties"]["blocks"]["items"]["oneOf"]
    named = {schema["$defs"][choice["$ref"].removeprefix("#/$defs/")]["properties"]["type"]["const"] for choice in choices}
    models = Block.__origin__.__args__  # type: ignore[attr-defined]
    assert named == {model.model_fields["type"].annotation.__args__[0] for model in models}


def test_texts_are_strings() -> None:
    letter = json_schema()["$defs"]["Letter"]["properties"]
    assert letter["body"]["type"] == "string"
    assert letter["title"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert json_schema()["$defs"]["Letter"]["required"] == ["type", "body"]
