"""Merge fields and links travel through MJML and CSS inlining as sentinels, and come out as slots.

A sentinel is letters and digits only, with a nonce of this one compile, so neither mrml nor lxml changes it and no text of
an author can be one (rendering.md §3).
"""

import html
import re
import secrets
from collections.abc import Iterator
from html.parser import HTMLParser

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Part, Place, Slot
from newsletter.issue.text import Line, MergeField

#: What is not text: comments, elements whose content is no text, declarations, tags with their quoted attributes.
_TOKEN = re.compile(
    r"""<!--.*?--> | <(style|script|textarea)\b.*?</\1\s*> | <[!?][^>]*> | </?[A-Za-z](?:"[^"]*"|'[^']*'|[^"'>])*>""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


class SlotError(Exception):
    """A layout puts a slot where no value can be escaped safely, or leaves a needed one out. The message says which and where."""


class Sentinels:
    """The sentinels of one compile: :meth:`mark` hands them out, the ``split`` methods turn them into slots."""

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(6)
        self._slots: dict[tuple[str, str | None], str] = {}
        self._by_token: dict[str, tuple[str, str | None]] = {}
        self._pattern = re.compile(f"S{self._nonce}x[0-9]+E")

    def mark(self, name: str, default: str | None = None) -> str:
        """The sentinel of a slot; the same one for the same name and default."""
        key = (name, default)
        if key not in self._slots:
            token = f"S{self._nonce}x{len(self._slots)}E"
            self._slots[key] = token
            self._by_token[token] = key
        return self._slots[key]

    def field(self, field: MergeField) -> str:
        """The sentinel of a merge field."""
        return self.mark(field.name, field.default)

    def line(self, line: Line) -> str:
        """A line of text with sentinels in place of its merge fields, without its marks of language."""
        return "".join(part if isinstance(part, str) else self.field(part) for part in line.unmarked)

    def sample(self, text: str) -> str:
        """Plain text with each sentinel's default in its place, or ten letters, to measure lines by."""
        if self._nonce not in text:
            return text
        return "".join(piece if isinstance(piece, str) else piece.default or "x" * 10 for piece in self.split_plain(text).pieces)

    def split_plain(self, text: str) -> Part:
        """Cut plain text (the text part, the subject) at its sentinels."""
        return self._split(text, "plain")

    def split_html(self, document: str) -> Part:
        """Cut HTML at its sentinels; each slot knows whether it stands in text, in an attribute or as an address.

        Raises :class:`SlotError` for a slot in a comment, a style, a tag's or attribute's name, or an attribute other than the
        quoted ones that hold text, and for an address slot that is not the whole of its attribute.
        """
        pieces: list[str | Slot] = []
        position = 0
        for match, place in self._places(document):
            name, default = self._by_token[match[0]]
            check_place(name, place)
            pieces += [document[position : match.start()], Slot(name, default, place)]
            position = match.end()
        pieces.append(document[position:])
        return Part(tuple(piece for piece in pieces if piece != ""))

    def _places(self, document: str) -> Iterator[tuple[re.Match[str], Place]]:
        """Every sentinel with its place: in a tag, or in the text between tags."""
        tokens = _TOKEN.finditer(document)
        token = next(tokens, None)
        for match in self._pattern.finditer(document):
            while token is not None and token.end() <= match.start():
                token = next(tokens, None)
            if token is None or match.start() < token.start():
                yield match, "text"
            else:
                yield match, _place_in(token[0], match[0])

    def _split(self, text: str, place: Place) -> Part:
        pieces: list[str | Slot] = []
        position = 0
        for match in self._pattern.finditer(text):
            name, default = self._by_token[match[0]]
            pieces += [text[position : match.start()], Slot(name, default, place)]
            position = match.end()
        pieces.append(text[position:])
        return Part(tuple(piece for piece in pieces if piece != ""))


def check_place(name: str, place: Place) -> None:
    """Refuse a link slot outside of an address, and any other slot inside one. Raises :class:`SlotError`."""
    if (name in (VIEW, UNSUBSCRIBE)) != (place == "url"):
        wanted = "only as a whole address (href)" if name in (VIEW, UNSUBSCRIBE) else "not in an address"
        raise SlotError(f"the slot {name!r} can stand {wanted}; mend the layout")


def _place_in(token: str, sentinel: str) -> Place:
    """The place of a sentinel inside a comment, a style, a declaration or a tag. Raises :class:`SlotError` for an unsafe one."""
    if token.startswith(("<!", "<?")):
        raise SlotError("a slot cannot stand in a comment, also not in one for Outlook, nor in a declaration; mend the layout")
    tag = _Tag(token)
    if tag.name in ("style", "script", "textarea"):
        raise SlotError(f"a slot cannot stand inside <{tag.name}>; mend the layout")
    for name, value in tag.attributes:
        if sentinel not in (value or ""):
            continue
        if name in ("href", "src"):
            if value != sentinel:
                raise SlotError(
                    f"a slot must be the whole of an address, not a part of it: {name}= in <{tag.name}>; mend the layout"
                )
            return "url"
        if name in ("alt", "title", "aria-label", "content") and f'{name}="' in token:
            return "attribute"
        raise SlotError(f"a slot cannot stand in the attribute {name} of <{tag.name}>; mend the layout")
    raise SlotError(f"a slot cannot be the name of a tag or attribute: <{tag.name}>; mend the layout")


class _Tag(HTMLParser):
    """The name and the attributes of one start tag."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self.name = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the first; what follows is the content of a style."""
        if not self.name:
            self.name, self.attributes = tag, attrs


def escape(text: str) -> str:
    """Text as it stands in MJML or HTML."""
    return html.escape(text, quote=True)
