"""Markdown that staff wrote becomes a stream of markdown-it tokens, merge fields among them.

Merge fields are taken out first, each replaced by a word of noncharacters, so that markdown-it sees an ordinary word: emphasis
around it works, a ``|`` inside it splits no table cell, and its offset is known exactly. Where the word comes back as text it
becomes a ``merge_field`` token; where it does not (code, the address or title of a link), a merge field cannot stand.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from newsletter.issue.address import check_url
from newsletter.issue.mark import marked_language, match_mark
from newsletter.issue.text import FieldSyntaxError, MergeField, TextError, check_characters, match_field, text_schema
from newsletter.issue.typography import Typography, set_type

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
    Words in another language stand between ``passage_open``, whose ``attrs["lang"]`` is their tag, and ``passage_close`` (A2).
    The ``href`` of a link is checked and as it goes into the mail (H13).
    """

    raw: str
    tokens: tuple[Token, ...]
    fields: tuple[MergeField, ...]

    @classmethod
    def parse(cls, raw: str, typography: Typography | None = None) -> "Markdown":
        """Read what staff wrote; ``typography`` sets quotation marks, dashes and blanks, else they stay as written.

        Raises :class:`FieldSyntaxError` or :class:`TextError`: control characters (S1), no words at all, a picture, a link that
        is not allowed (H13), a merge field where none can stand (L11), no language in a mark, lists and quotes nested too deep.
        """
        check_characters(raw)
        source = _Source.of(raw)
        tokens = _parser().parse(source.text, {"typography": typography})
        if not tokens:
            raise TextError("is empty; write some text or leave the whole key out")
        if any(token.level > _DEEPEST for token in _all(tokens)):
            raise TextError(f"lists, quotes or links stand too deep inside each other; {_DEEPEST // 2} levels are the most")
        _refuse_pictures(tokens, source)
        _check_passages(tokens, source)
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
    parser = _Parser("commonmark", options).enable(["table", "strikethrough"])
    parser.inline.ruler.before("link", "passage", _passage)
    parser.core.ruler.before("text_join", "typography", _typography)  # before \\" becomes a text like any other
    return parser


def _passage(state: StateInline, silent: bool) -> bool:
    """``[words]{lang=en}``, a rule of markdown-it's; :func:`_check_passages` judges what the braces say."""
    end = state.md.helpers.parseLinkLabel(state, state.pos) if state.src[state.pos] == "[" else -1
    mark = match_mark(state.src, end + 1) if end >= 0 else None
    if mark is None:
        return False
    if not silent:
        start, maximum = state.pos + 1, state.posMax
        opened = state.push("passage_open", "span", 1)
        opened.meta["written"] = opened.attrs["lang"] = mark[0]
        with suppress(ValueError):
            opened.attrs["lang"] = marked_language(mark[0])
        state.pos, state.posMax = start, end
        state.md.inline.tokenize(state)
        state.push("passage_close", "span", -1)
        state.posMax = maximum
    state.pos = mark.end()
    return True


def _typography(state: StateCore) -> None:
    """A core rule of markdown-it's: running text by the rules of its language."""
    typography = state.env["typography"]
    if isinstance(typography, Typography):
        for token in state.tokens:
            if token.type == "inline":
                token.children = set_type(token.children or (), typography)


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


def _check_passages(tokens: list[Token], source: _Source) -> None:
    """The mark of every passage names a language and stands behind words; its ``lang`` becomes the tag (A2)."""
    cursor = 0
    for token in _all(tokens):
        children = token.children or []
        for place, child in enumerate(children):
            before = children[place - 1] if place else None
            if (
                child.type == "text"
                and before is not None
                and before.nesting == -1
                and (mark := _misplaced(before, child.content))
            ):
                at = source.find(f"(?P<at>{re.escape(mark)})", cursor)
                problem = f"a language goes around a whole link or word: [[words](https://…)]{{lang=en}}, not {mark}"
                raise TextError(problem, at if at is None else source.offset(at))
            if child.type != "passage_open":
                continue
            written = child.meta["written"]
            found = source.find(rf"\](?P<at>{re.escape(written)})", cursor)
            cursor = cursor if found is None else found
            offset = _line_offset(token, source) if found is None else source.offset(found)
            if children[place + 1].type == "passage_close":
                raise TextError("these brackets hold no words; write [words]{lang=en}", offset)
            try:
                marked_language(written)
            except ValueError as error:
                raise TextError(str(error), offset) from None


def _misplaced(before: Token, text: str) -> str | None:
    """What stands at the start of ``text`` where somebody marked a link or emphasis, or put the mark into a link's words."""
    if before.type == "passage_close" and text.startswith("]("):
        return "]("
    mark = match_mark(text, 0)
    return mark[0] if mark else None


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
