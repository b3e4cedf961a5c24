"""Markdown that staff wrote becomes a stream of markdown-it tokens, merge fields among them.

Merge fields are taken out first, each replaced by a word of noncharacters, so that markdown-it sees an ordinary word: emphasis
around it works, a ``|`` inside it splits no table cell, and its offset is known exactly. Where the word comes back as text it
becomes a ``merge_field`` token; where it does not (code, the address or title of a link), a merge field cannot stand.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from newsletter.issue.address import check_url
from newsletter.issue.text import FieldSyntaxError, MergeField, TextError, check_characters, match_field, text_schema

#: Noncharacters, which :func:`check_characters` keeps out of every text: around a field's number, and for plain braces.
_OPEN, _CLOSE, _BRACES = "\ufdd0", "\ufdd1", "\ufdd2"
_WORD = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
#: Deeper lists and quotes have no room in a mail. markdown-it counts two levels a list and would drop what is beyond its limit.
_DEEPEST = 12
_LIMIT = 60
_MISPLACED = (
    "a merge field cannot stand in code or in a link's address or title (links are the same for everyone);"
    " write \\{{ for plain braces"
)


@dataclass(frozen=True, slots=True)
class Markdown:
    """Paragraphs, lists, quotes, tables, emphasis and links. ``tokens`` is what markdown-it made of ``raw``.

    A merge field is an inline token of type ``merge_field`` whose ``meta["field"]`` is the :class:`MergeField`. Raw HTML is text.
    The ``href`` of a link is checked and as it goes into the mail (H13). Quotation marks stay as the author wrote them.
    """

    raw: str
    tokens: tuple[Token, ...]
    fields: tuple[MergeField, ...]

    @classmethod
    def parse(cls, raw: str) -> "Markdown":
        """Read what staff wrote.

        Raises :class:`FieldSyntaxError` or :class:`TextError`: control characters (S1), no words at all, a picture, a link that
        is not allowed (H13), a merge field where none can stand (L11), lists and quotes nested too deep.
        """
        check_characters(raw)
        source = _Source.of(raw)
        tokens = _parser().parse(source.text)
        if not tokens:
            raise TextError("is empty; write some text or leave the whole key out")
        if any(token.level > _DEEPEST for token in _all(tokens)):
            raise TextError(f"lists, quotes or links stand too deep inside each other; {_DEEPEST // 2} levels are the most")
        _refuse_pictures(tokens, source)
        fields = _place_fields(tokens, source)
        _check_links(tokens, source)
        return cls(raw, tuple(tokens), fields)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return text_schema(cls)


class _Parser(MarkdownIt):
    """CommonMark that makes a token of every address just as it was written: check_url judges it, nothing is shown as text."""

    def validateLink(self, url: str) -> bool:  # noqa: N802, ARG002
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


@cache
def _parser() -> MarkdownIt:
    options = {"html": False, "xhtmlOut": True, "typographer": False, "maxNesting": _LIMIT}
    return _Parser("commonmark", options).enable(["table", "strikethrough"])


@dataclass(frozen=True, slots=True)
class _Source:
    """``raw`` with a word in place of each merge field; ``cuts`` pairs the offsets in ``text`` and ``raw`` behind each."""

    raw: str
    text: str
    fields: tuple[MergeField, ...]
    written: tuple[str, ...]
    cuts: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, raw: str) -> "_Source":
        fields: list[MergeField] = []
        written: list[str] = []
        cuts = [(0, 0)]
        text, position = "", 0
        while (brace := raw.find("{{", position)) >= 0:
            text += raw[position:brace]
            if _escaped(raw, brace):
                text, position = text[:-1] + _BRACES, brace + 2
            else:
                field, position = match_field(raw, brace)
                if "\n" in raw[brace:position]:
                    raise FieldSyntaxError("write the merge field on one line", brace)
                text += f"{_OPEN}{len(fields)}{_CLOSE}"
                fields.append(field)
                written.append(raw[brace:position])
            cuts.append((len(text), position))
        return cls(raw, text + raw[position:], tuple(fields), tuple(written), tuple(cuts))

    def offset(self, found: int) -> int:
        """The offset in ``raw`` of an offset in ``text``."""
        text, raw = max(cut for cut in self.cuts if cut[0] <= found)
        return raw + found - text

    def restored(self, text: str) -> str:
        """``text`` as the author wrote it, with plain braces for ``\\{{``."""
        return _WORD.sub(lambda match: self.written[int(match[1])], text).replace(_BRACES, "{{")

    def find(self, pattern: str, start: int = 0) -> int | None:
        """The offset in ``text`` of the group ``at`` of a pattern, from ``start`` on, else from the beginning."""
        match = re.compile(pattern).search(self.text, start) or re.compile(pattern).search(self.text)
        return match.start("at") if match else None


def _escaped(raw: str, brace: int) -> bool:
    start = brace
    while start and raw[start - 1] == "\\":
        start -= 1
    return (brace - start) % 2 == 1


def _all(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


def _refuse_pictures(tokens: list[Token], source: _Source) -> None:
    for token in _all(tokens):
        if token.type == "image":
            at = source.find(f"(?P<at>!\\[{re.escape(token.content)}\\])")
            raise TextError(
                "pictures are blocks of their own: add a block 'type: image'", None if at is None else source.offset(at)
            )


def _place_fields(tokens: list[Token], source: _Source) -> tuple[MergeField, ...]:
    """Turn the words in running text into tokens, and plain braces back into braces; every field must have found its place."""
    placed: list[MergeField] = []
    for token in tokens:
        if token.type == "inline":
            children: list[Token] = []
            for child in token.children or ():
                children += _cut(child, source, placed) if child.type == "text" else [_restore(child, source)]
            token.children = children
        _restore(token, source)
    found = {field.offset for field in placed}
    for field in source.fields:
        if field.offset not in found:
            raise FieldSyntaxError(_MISPLACED, field.offset)
    return tuple(placed)


def _cut(token: Token, source: _Source, placed: list[MergeField]) -> Iterator[Token]:
    pieces = _WORD.split(token.content)  # text, number, text, number, … text
    for place, piece in enumerate(pieces):
        if place % 2:
            field = source.fields[int(piece)]
            placed.append(field)
            content = source.written[int(piece)]
            yield Token("merge_field", "", 0, content=content, level=token.level, meta={"field": field})
        elif piece:
            yield replace(token, content=piece.replace(_BRACES, "{{"))


def _restore(token: Token, source: _Source) -> Token:
    token.content = source.restored(token.content)
    token.info = source.restored(token.info)
    for name, value in token.attrs.items():
        if isinstance(value, str):
            if match := _WORD.search(value):  # the shown text of <https://…> holds it too, so it would count as placed
                raise FieldSyntaxError(_MISPLACED, source.fields[int(match[1])].offset)
            token.attrs[name] = source.restored(value)
    return token


def _check_links(tokens: list[Token], source: _Source) -> None:
    """Every link leads to an allowed address and has words; its ``href`` becomes the checked one (H13)."""
    cursor = 0
    for token in tokens:
        children = token.children or []
        for place, child in enumerate(children):
            if child.type != "link_open":
                continue
            written = str(child.attrs.get("href", ""))
            found = _find_link(written, source, cursor)
            cursor = cursor if found is None else found
            offset = _line_offset(token, source) if found is None else source.offset(found)
            if children[place + 1].type == "link_close":
                raise TextError("this link has no words; write [what readers click on](https://…)", offset)
            try:
                child.attrs["href"] = check_url(written)
            except ValueError as error:
                raise TextError(f"link: {error}", offset) from None


def _find_link(written: str, source: _Source, cursor: int) -> int | None:
    """Where a link's address stands in the text: ``[words](address)``, ``<address>`` or ``[name]: address``."""
    if not written:
        return source.find(r"\]\((?P<at>)\s*\)", cursor)
    address = re.escape(written)
    if written.startswith("mailto:"):
        address = f"(?:mailto:)?{re.escape(written[7:])}"  # <name@example.org>
    return source.find(rf"(?:\]\(\s*<?|\]:\s*<?|<)(?P<at>{address})", cursor)


def _line_offset(token: Token, source: _Source) -> int:
    line = token.map[0] if token.map else 0
    start = 0
    for _ in range(line):
        start = source.text.find("\n", start) + 1
    return source.offset(start)
