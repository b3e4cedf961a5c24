"""The models become JSON Schemas, with which an editor completes and checks an issue while it is written."""

from typing import Any

from newsletter.issue.model import IssueFile, Publication
from newsletter.issue.parts import Model

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of an issue file, JSON Schema 2020-12; for ``# yaml-language-server: $schema=../issue.schema.json``."""
    return _schema(IssueFile)


def publication_schema() -> dict[str, Any]:
    """The schema of ``publication.yaml``."""
    return _schema(Publication)


def _schema(kind: type[Model]) -> dict[str, Any]:
    tidied = _tidied(kind.model_json_schema(mode="validation"))
    return {"$schema": DIALECT, **tidied}


def _tidied(part: Any) -> Any:
    """Without OpenAPI's ``discriminator`` and with no ``null`` default, which an editor would offer to write."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _tidied(value) for key, value in part.items() if key != "discriminator"}
    if kept.get("default", "") is None:
        del kept["default"]
    if "properties" in kept:
        for value in kept["properties"].values():
            value.pop("title", None)  # Pydantic's "Alt" for alt says nothing
    return kept
