"""The small tree that a YAML text becomes: mappings, lists and scalars, each knowing where it stands in the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from newsletter.issue.parts import Loc

_BLANK = " \t\n"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: its text, where it starts and ends (offsets in the file's text), and its YAML style (``None`` for plain)."""

    start: int
    end: int
    value: str
    style: str | None

    @property
    def empty(self) -> bool:
        """Whether it says that there is no value (YAML 1.2 core schema, null)."""
        return self.style is None and self.value in _NULL

    def index(self, text: str, offset: int) -> int:
        """Where the character ``offset`` of the value stands in ``text``; of a blank, where the next word stands.

        Blanks are what YAML adds, folds and strips; everything else stands in the file in the same order, so it is counted.
        """
        rank = sum(char not in _BLANK for char in self.value[:offset])
        for number, index in enumerate(self._ink(text)):
            if number == rank:
                return index
        return max(self.start, self.end - 1)

    def _ink(self, text: str) -> Iterator[int]:
        """The places in ``text`` of the value's characters other than blanks, in order."""
        start, end = self.start, self.end
        if self.style in ("|", ">"):
            start = text.find("\n", start, end) + 1 or end
        elif self.style is not None:
            start, end = start + 1, end - 1
        position = start
        while position < end:
            width, visible = 1, text[position] not in _BLANK
            if self.style == "'" and text[position] == "'":
                width = 2
            elif self.style == '"' and (match := _ESCAPE.match(text, position)):
                width, visible = len(match[0]), not _is_blank(match[0])
            if visible:
                yield position
            position += width


def _is_blank(escape: str) -> bool:
    if escape[1] in "xuU" and len(escape) > 2:
        return int(escape[2:], 16) in (0x09, 0x0A, 0x20)
    return escape[1] in " tn\t\n"  # an escaped line break joins two lines


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values."""

    start: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values; ``keys`` gives where each key starts."""

    start: int
    entries: dict[str, "Node"]
    keys: dict[str, int]


Node = Scalar | Sequence | Mapping


def plain_data(node: Node) -> Any:
    """The tree as Pydantic reads it: dicts, lists, and strings exactly as they were written; None where there is no value."""
    match node:
        case Mapping():
            return {key: plain_data(value) for key, value in node.entries.items()}
        case Sequence():
            return [plain_data(item) for item in node.items]
        case Scalar():
            return None if node.empty else node.value


def child(node: Node, part: str | int) -> Node | None:
    """What stands under a key or at a position of a list, or None."""
    if isinstance(node, Mapping) and isinstance(part, str):
        return node.entries.get(part)
    if isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None


def shown_place(loc: Loc) -> str:
    """``blocks[3].questions[0].answer``."""
    place = ""
    for part in loc:
        if isinstance(part, int):
            place += f"[{part}]"
        else:
            name = part if re.fullmatch(r"[^\W\d][\w-]{0,60}", part) else ascii(part[:60])
            place += f".{name}" if place else name
    return place
