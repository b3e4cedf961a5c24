"""An issue as it was read becomes the issue as it is set: its lines and Markdown by the rules of the language they are in."""

import re
from typing import Any, TypeVar

from markdown_it.token import Token

from newsletter.issue.blocks import OwnBlock
from newsletter.issue.markdown import Markdown
from newsletter.issue.model import IssueFile, Publication
from newsletter.issue.parts import Model
from newsletter.issue.text import Line, LinePart, MergeField, Passage
from newsletter.issue.typography import Typography, set_type

_M = TypeVar("_M", bound=Model)
#: A subject has no lines to break, and no-break blanks would only hinder searching for it.
_BLANKS = str.maketrans("\u00a0\u202f", "  ")


def typeset(content: IssueFile, publication: Publication) -> IssueFile:
    """The issue with quotation marks, dashes and blanks set; as it is where ``typography: false`` says so.

    Merge fields, their defaults and offsets, addresses and names of files stay what they are.
    """
    wanted = publication.typography if content.typography is None else content.typography
    if not wanted:
        return content
    typography = Typography(content.language or publication.language)
    title = set_line(Line(content.title, (content.title,)), typography).sample()
    subject = set_line(content.subject, typography, blanks=True)
    return _set_model(content, typography).model_copy(update={"title": title, "subject": subject})


def _set_model(model: _M, typography: Typography) -> _M:
    if isinstance(model, OwnBlock) and model.language is not None:
        typography = typography.within(model.language)
    values = {name: getattr(model, name) for name in type(model).model_fields}
    changed = {name: new for name, value in values.items() if (new := _set(value, typography)) is not value}
    return model.model_copy(update=changed) if changed else model


def _set(value: Any, typography: Typography) -> Any:
    match value:
        case Line():
            return set_line(value, typography)
        case Markdown():
            return Markdown.parse(value.raw, typography)
        case Model():
            return _set_model(value, typography)
        case list():
            return [_set(item, typography) for item in value]
    return value


def set_line(line: Line, typography: Typography, *, blanks: bool = False) -> Line:
    """The line by the rules of its language; with ``blanks``, lines may break at all of them."""
    fields: list[MergeField] = []
    tokens: list[Token] = []
    for part in line.parts:
        if isinstance(part, Passage):
            tokens.append(Token("passage_open", "span", 1, attrs={"lang": part.language}))
            tokens.append(_text(part.parts, fields))
            tokens.append(Token("passage_close", "span", -1))
        else:
            tokens.append(_text((part,), fields))
    parts: list[LinePart] = []
    language: str | None = None
    for token in set_type(_joined(tokens), typography):
        if token.type == "text":
            content = token.content.translate(_BLANKS) if blanks else token.content
            pieces = _pieces(content, fields)
            parts += pieces if language is None else [Passage(language, pieces)]
        else:
            language = str(token.attrs["lang"]) if token.nesting == 1 else None
    return Line(line.raw, tuple(parts))


#: A merge field is a word like any other to the rules: noncharacters around its number.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_FIELD = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


def _text(parts: tuple[str | MergeField, ...], fields: list[MergeField]) -> Token:
    content = ""
    for part in parts:
        if isinstance(part, MergeField):
            content += f"{_OPEN}{len(fields)}{_CLOSE}"
            fields.append(part)
        else:
            content += part
    return Token("text", "", 0, content=content)


def _joined(tokens: list[Token]) -> list[Token]:
    """Neighbouring texts as one."""
    joined: list[Token] = []
    for token in tokens:
        if joined and token.type == joined[-1].type == "text":
            joined[-1].content += token.content
        else:
            joined.append(token)
    return joined


def _pieces(content: str, fields: list[MergeField]) -> tuple[str | MergeField, ...]:
    cut = _FIELD.split(content)  # text, number, text, number, … text
    found = (fields[int(piece)] if place % 2 else piece for place, piece in enumerate(cut))
    return tuple(piece for piece in found if piece != "")
