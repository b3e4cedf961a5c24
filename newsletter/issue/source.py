"""A YAML file becomes a tree of nodes that knows line and column of every value. All that is wrong is one :class:`InputError`.

YAML is read by ruamel.yaml's event stream; what a newsletter never needs and an attacker likes is refused (S20): anchors and
aliases, tags, directives, several documents, duplicate keys, files over 1 MB, more than 20 levels.
"""

import bisect
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from newsletter.issue.nodes import Mapping, Node, Scalar, Sequence, child, plain_data, shown_place
from newsletter.issue.parts import Loc
from newsletter.issue.yaml_mistakes import explain
from newsletter.problem import InputError, Problem, complaint

#: Bytes that a file may have, and levels that its values may be nested.
LARGEST_FILE = 1_000_000
DEEPEST = 20

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_DIRECTIVE = re.compile(r"(?:[ \t]*(?:#.*)?\n)*(?=%)")
_SWALLOWED = re.compile(r"[ \t]+(?=#[^\s#!])")


@dataclass(frozen=True)
class Source:
    """A YAML file as read: ``name`` as people are shown it, its ``text``, and the tree of its values."""

    name: str
    text: str
    root: Mapping

    def data(self) -> dict[str, Any]:
        """The values for Pydantic: strings as written, so that ``01067`` keeps its zero; None for null."""
        return {key: plain_data(value) for key, value in self.root.entries.items()}

    def node(self, loc: Loc) -> Node | None:
        """The node at a place, or None."""
        found: Node | None = self.root
        for part in loc:
            found = child(found, part) if found is not None else None
        return found

    def problem(self, loc: Loc, message: str, offset: int | None = None, *, at_key: bool = False) -> Problem:
        """A problem at a place: at the value, at character ``offset`` of it, or at the key. What is not there is dated to what it
        is missing from."""
        line, column = line_and_column(self._starts, self._index(loc, offset, at_key))
        return Problem(self.name, line, column, shown_place(loc), message)

    def _index(self, loc: Loc, offset: int | None, at_key: bool) -> int:
        node: Node = self.root
        key = self.root.start
        for part in loc:
            below = child(node, part)
            if below is None:
                return node.start
            key = node.keys[str(part)] if isinstance(node, Mapping) else below.start
            node = below
        if at_key or (isinstance(node, Scalar) and node.empty):
            return key
        if isinstance(node, Scalar) and offset is not None:
            return node.index(self.text, offset)
        return node.start

    @cached_property
    def _starts(self) -> list[int]:
        return line_starts(self.text)


def line_starts(text: str) -> list[int]:
    """The offset of the first character of every line."""
    return [0, *(match.end() for match in re.finditer("\n", text))]


def line_and_column(starts: list[int], index: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset."""
    line = bisect.bisect_right(starts, index)
    return line, index - starts[line - 1] + 1


def shown_path(file: Path) -> str:
    """A path relative to the current folder when below it, else as given."""
    try:
        return str(Path(os.path.abspath(file)).relative_to(Path.cwd()))  # noqa: PTH100 - resolve() would follow links
    except ValueError:
        return str(file)


def read_source(file: Path) -> Source:
    """Read a YAML file. Raises :class:`InputError` with path, line and column."""
    name = shown_path(file)
    try:
        if not file.is_file():
            raise complaint("there is no such file", name)
        if file.stat().st_size > LARGEST_FILE:
            raise complaint("is larger than 1 MB; an issue holds text only, pictures are files of their own", name)
        content = file.read_bytes()
    except OSError as error:
        raise complaint(f"cannot be read: {error.strerror}", name) from None
    return parse_source(_decoded(content, name), name)


def _decoded(content: bytes, name: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(Problem(name, 1, 1, "", "is saved as UTF-16; save it as UTF-8"))
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line, column = line_and_column(line_starts(before), len(before))
        wrong = content[error.start : error.start + 1].decode("cp1252", errors="replace")
        hint = f" (it is {wrong!r} as older Windows programs save it)" if wrong.isalpha() else ""
        message = f"this byte is not UTF-8{hint}; save the file as UTF-8"
        raise InputError(Problem(name, line, column, "", message)) from None


def parse_source(text: str, name: str) -> Source:
    """Read YAML text. Raises :class:`InputError` with all problems that can be told at once."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    reading = _Reading(text)
    try:
        reading.check_text()
        root = reading.document()
    except _Unreadable as error:
        reading.add(error.index, str(error))
    except MarkedYAMLError as error:
        reading.add(*explain(text, error, reading.last))
    except (YAMLError, ValueError, OverflowError, TypeError, LookupError, AttributeError, AssertionError):
        # ruamel.yaml lets some out of broken escapes, directives and tags
        read = reading.last.end if reading.last else 0
        reading.add(max(text.find("\\", read), read), "cannot be read from here on; look for a stray \\ or %")
    if reading.problems:
        raise InputError(
            Problem(name, *line_and_column(reading.starts, index), place, message) for index, place, message in reading.problems
        )
    return Source(name, text, root)


class _Unreadable(Exception):
    """Something that makes reading on pointless. ``index`` is where."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


class _Reading:
    """One pass over the events of a text. ``last`` is the last scalar that was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[tuple[int, str, str]] = []
        self.last: Scalar | None = None
        self._events: Iterator[Any] = iter(())

    @cached_property
    def starts(self) -> list[int]:
        return line_starts(self.text)

    def add(self, index: int, message: str, loc: Loc = ()) -> None:
        self.problems.append((min(index, len(self.text)), shown_place(loc), message))

    def check_text(self) -> None:
        if match := _UNPRINTABLE.search(self.text):
            raise _Unreadable(match.start(), f"here is the control character U+{ord(match[0]):04X}, which nobody sees; delete it")
        if (match := _DIRECTIVE.match(self.text)) is not None:
            raise _Unreadable(match.end(), "a line cannot begin with %; leave it out, or put the text in quotation marks")

    def document(self) -> Mapping:
        self._events = YAML(typ="safe", pure=True).parse(self.text)
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), StreamEndEvent):
            raise _Unreadable(0, "is empty; 'newsletter new SLUG' writes an issue with a sample of each block")
        root = self._node(next(self._events), (), 0)
        next(self._events)  # the end of the document
        after = next(self._events)
        if isinstance(after, DocumentStartEvent):
            raise _Unreadable(after.start_mark.index, "a second document begins here; delete this line, one file is one issue")
        if not isinstance(root, Mapping):
            raise _Unreadable(root.start, "must begin with keys, each on a line of its own: title: …")
        return root

    def _node(self, event: Any, loc: Loc, depth: int) -> Node:
        start = event.start_mark.index
        if isinstance(event, AliasEvent):
            raise _Unreadable(start, "a text that begins with * must stand in quotation marks (YAML aliases are not allowed)")
        if event.anchor is not None:
            raise _Unreadable(start, "a text that begins with & must stand in quotation marks (YAML anchors are not allowed)")
        if event.tag is not None:
            raise _Unreadable(start, "a text that begins with ! must stand in quotation marks (YAML tags are not allowed)")
        if depth > DEEPEST:
            raise _Unreadable(start, f"values stand more than {DEEPEST} levels deep inside each other; nothing here needs that")
        if isinstance(event, SequenceStartEvent):
            return self._sequence(start, loc, depth)
        if isinstance(event, MappingStartEvent):
            return self._mapping(start, loc, depth)
        return self._scalar(event, loc)

    def _scalar(self, event: ScalarEvent, loc: Loc) -> Scalar:
        end = event.end_mark.index
        self.last = Scalar(event.start_mark.index, end, event.value, event.style)
        if event.style is None and event.value and (swallowed := _SWALLOWED.match(self.text, end)):
            self.add(swallowed.end(), _COMMENT, loc)
        return self.last

    def _sequence(self, start: int, loc: Loc, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, (*loc, len(items)), depth + 1))
        return Sequence(start, tuple(items))

    def _mapping(self, start: int, loc: Loc, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, int] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, loc, depth)
            value = self._node(next(self._events), (*loc, key.value), depth + 1)
            if isinstance(value, Scalar) and value.empty and (found := _SWALLOWED.match(self.text, key.end + 1)):
                self.add(found.end(), _COMMENT, (*loc, key.value))
            if key.value in entries:
                first, _ = line_and_column(self.starts, keys[key.value])
                message = f"stands here a second time; the first is in line {first}, keep one of them"
                self.add(key.start, message, (*loc, key.value))
                continue
            entries[key.value], keys[key.value] = value, key.start
        return Mapping(start, entries, keys)

    def _key(self, event: Any, loc: Loc, depth: int) -> Scalar:
        start = event.start_mark.index
        if self.text.startswith("{{", max(0, start - 1)):
            raise _Unreadable(start - 1, 'a text that begins with {{ must stand in quotation marks: "{{ field }} …"')
        key = self._node(event, loc, depth + 1)
        if not isinstance(key, Scalar) or key.empty:
            raise _Unreadable(start, "a key must be one word before a colon, such as title:")
        return key


_COMMENT = "what follows # is a comment and would be lost; put the whole text in quotation marks, or write a blank after the #"
