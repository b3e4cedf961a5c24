"""What Pydantic found wrong with the values of a file becomes problems: line, column, place, and one plain English sentence."""

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from newsletter.issue.markdown import Markdown
from newsletter.issue.nodes import Mapping, Node, Scalar, Sequence, child
from newsletter.issue.parts import Loc, Model
from newsletter.issue.source import Source
from newsletter.problem import Problem


def problems_of(error: ValidationError, kind: type[Model], source: Source) -> list[Problem]:
    """One problem for each thing that ``kind`` could not take from ``source``."""
    found = []
    for details in error.errors(include_url=False, include_input=False):
        loc = _without_tag(details["loc"])
        if details["type"] == "extra_forbidden":
            found.append(source.problem(loc, _unknown_key(loc, kind, source), at_key=True))
            continue
        if details["type"] == "union_tag_invalid":
            loc = (*loc, "type")
        context = details.get("ctx", {})
        cause = context.get("error")
        if key := getattr(cause, "key", None):  # a model that judges two of its keys together names the one to mend
            loc = (*loc, key)
        offset = context.get("offset", getattr(cause, "offset", None))
        found.append(source.problem(loc, _sentence(details, loc, kind, source), offset))
    return found


def nearest(word: str, known: list[str]) -> str:
    """``did you mean …?``, or all there are."""
    folded = {name.casefold(): name for name in known}
    if near := difflib.get_close_matches(word.casefold(), folded, 1):
        return f"did you mean {folded[near[0]]}?"
    return f"there are: {', '.join(known)}"


def _without_tag(loc: Loc) -> Loc:
    """Pydantic puts the type of a block behind its position; nobody wrote it there."""
    return loc[:2] + loc[3:] if loc[:1] == ("blocks",) and len(loc) > 2 else loc


def _sentence(details: ErrorDetails, loc: Loc, kind: type[Model], source: Source) -> str:
    match details["type"]:
        case "missing":
            return f"missing; {_need(loc, kind, source)}"
        case "union_tag_invalid" | "union_tag_not_found":
            return _block_type(source.node(loc if loc[-1] == "type" else (*loc, "type")), kind)
        case "string_type" | "list_type" | "model_type" | "model_attributes_type" | "bool_type" | "day_type" | "moment_type":
            return _wrong_kind(details, loc, kind, source)
        case "bool_parsing":
            return "must be true or false"
        case "too_short" if details["ctx"]["min_length"] > 1:
            return f"has {details['ctx']['actual_length']} of the {details['ctx']['min_length']} entries that it needs"
        case "too_short":
            return "is an empty list; write at least one entry, or leave the key out"
        case "too_long":
            return f"has {details['ctx']['actual_length']} entries; {details['ctx']['max_length']} are the most"
        case _:
            return details["msg"].removeprefix("Value error, ")


def _wrong_kind(details: ErrorDetails, loc: Loc, kind: type[Model], source: Source) -> str:
    node = source.node(loc)
    if isinstance(node, Scalar) and node.empty:
        return f"is empty; {_need(loc, kind, source)}"
    names = {Mapping: "has keys of its own", Sequence: "is a list", Scalar: "is one line of text"}
    return f"{names[type(node)] if node else 'is wrong'}; {_wanted(details, loc, kind, source)}"


def _wanted(details: ErrorDetails, loc: Loc, kind: type[Model], source: Source) -> str:
    match details["type"]:
        case "string_type":
            long = _annotation(loc, kind, source) in (Markdown, Markdown | None)
            return "it must be text" if long else "it must be one line of text"
        case "list_type":
            return "it must be a list, each entry on a line of its own that begins with '- '"
        case "bool_type":
            return "it must be true or false"
        case "day_type" | "moment_type":
            return f"it {details['msg']}"
        case _:
            models = _models_at(loc, kind, source)
            keys = ", ".join(models[0].model_fields) if len(models) == 1 else "type: …, and what that block needs"
            return f"it must have keys of its own: {keys}"


def _block_type(node: Node | None, kind: type[Model]) -> str:
    known = [get_args(model.model_fields["type"].annotation)[0] for model in _choices(kind.model_fields["blocks"].annotation)]
    if not isinstance(node, Scalar) or node.empty:
        return f"type is missing; a block begins with its type: {', '.join(known)}"
    near = difflib.get_close_matches(node.value.casefold(), known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f'there is no block type "{ascii(node.value[:40])[1:-1]}"; {hint}there are: {", ".join(known)}'


def _unknown_key(loc: Loc, kind: type[Model], source: Source) -> str:
    owners = _models_at(loc[:-1], kind, source)
    owner = owners[0] if owners else kind
    noun = f"{owner.noun.removesuffix(' block')} block" if "type" in owner.model_fields else owner.noun
    return f"is not a key of {noun}; {nearest(str(loc[-1]), list(owner.model_fields))}"


def _need(loc: Loc, kind: type[Model], source: Source) -> str:
    """``an interview question needs an answer``."""
    owners = _models_at(loc[:-1], kind, source)
    key = str(loc[-1]) if loc else ""
    if not loc or isinstance(loc[-1], int) or not owners:
        return "write something, or leave the whole entry out"
    article = "" if key.endswith("s") else "an " if key[0] in "aeio" else "a "
    return f"{owners[0].noun} needs {article}{key}"


def _annotation(loc: Loc, kind: type[Model], source: Source) -> Any:
    for owner in _models_at(loc[:-1], kind, source):
        if (field := owner.model_fields.get(str(loc[-1]))) is not None:
            return field.annotation
    return None


def _models_at(loc: Loc, kind: type[Model], source: Source) -> list[type[Model]]:
    """The model that the mapping at ``loc`` is to become; several where its type does not tell which."""
    models = [kind]
    node: Node | None = source.root
    for part in loc:
        if isinstance(part, str):
            fields = [model.model_fields.get(part) for model in models]
            models = [below for field in fields if field is not None for below in _choices(field.annotation)]
        node = child(node, part) if node is not None else None
        if len(models) > 1 and isinstance(node, Mapping) and isinstance(named := node.entries.get("type"), Scalar):
            models = [model for model in models if get_args(model.model_fields["type"].annotation) == (named.value,)] or models
    return models


def _choices(annotation: Any) -> Iterator[type[Model]]:
    """The models inside ``list[…]``, ``… | None`` and ``Annotated[…]``."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for inner in get_args(annotation):
        yield from _choices(inner)
