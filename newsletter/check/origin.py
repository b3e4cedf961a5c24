"""What stands in a mail is led back to the line of the issue file or the publication file that says it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markdown_it.token import Token

from newsletter.issue import Issue, Line, Markdown, Picture
from newsletter.issue.nodes import Scalar
from newsletter.issue.parts import Loc
from newsletter.problem import Problem

_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A file as people are shown it, line and column from 1 (0: the whole file), the place inside it (``blocks[3].title``)."""

    path: str
    line: int = 0
    column: int = 0
    where: str = ""

    def __str__(self) -> str:
        position = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.path}{position}"


def _place(problem: Problem) -> Place:
    return Place(problem.path, problem.line, problem.column, problem.where)


def _key(text: str) -> str:
    """A text by its words alone: blanks, quotation marks and case do not count."""
    return " ".join(_WORDS.findall(text.lower()))


class Origin:
    """The index of an issue's words, addresses and pictures, and of its publication's.

    ``pictures`` says which prepared file (``3f….jpg``) was made of which ``src`` (``Edition.sources``).
    """

    def __init__(self, issue: Issue, pictures: Mapping[str, str]) -> None:
        self._issue = issue
        self._addresses: dict[str, list[tuple[Loc, int | None, str]]] = defaultdict(list)
        self._texts: list[tuple[str, Loc, int | None]] = []
        self._pictures: dict[str, Loc] = {}
        self._names = pictures
        for loc, value in issue.content.walk():
            self._add(loc, value)

    def key(self, *loc: str | int) -> Place:
        """A value of the issue file; what is not there is dated to what it is missing from."""
        return _place(self._issue.problem(loc, ""))

    def publication(self, *loc: str | int) -> Place:
        """A value of ``publication.yaml``, in the same way."""
        return _place(self._issue.publication_source.problem(loc, ""))

    def layout(self) -> Place:
        """The layout, as a whole."""
        folder = self._issue.workspace.layout_folder(self._issue.layout)
        return Place(str(folder / "layout.mjml.j2") if folder else self._issue.layout)

    def address(self, url: str, label: str = "") -> Place | None:
        """The place of a link's address, of several the one with this label; None where the issue has none such."""
        known = self._addresses.get(url.strip(), [])
        wanted = _key(label)
        for loc, offset, words in known:
            if words and words == wanted:
                return self._at(loc, offset)
        return self._at(*known[0][:2]) if known else self._in_publication(url)

    def picture(self, src: str) -> Place | None:
        """The place of a picture, by its address in the mail; None where the issue has none such."""
        loc = self._pictures.get(self._names.get(_file_name(src), ""))
        return None if loc is None else self._at(loc, None)

    def text(self, words: str) -> Place | None:
        """The place of a text: the whole of a value, else the first that holds it; None where nobody wrote it."""
        wanted = _key(words)
        if not wanted:
            return None
        for exact in (True, False):
            for text, loc, offset in self._texts:
                if text == wanted if exact else f" {wanted} " in f" {text} ":
                    return self._at(loc, offset)
        return self._in_publication(words)

    def _at(self, loc: Loc, offset: int | None) -> Place:
        return _place(self._issue.source.problem(loc, "", offset))

    def _in_publication(self, words: str) -> Place | None:
        wanted = _key(words)
        same = (loc for loc, value in self._issue.publication.walk() if isinstance(value, str) and _key(value) == wanted)
        loc = next(same, None) if wanted else None
        return None if loc is None else self.publication(*loc)

    def _add(self, loc: Loc, value: Any) -> None:
        match value:
            case Line():
                self._texts.append((_key(value.sample()), loc, None))
            case Markdown():
                for offset, text in _paragraphs(value):
                    self._texts.append((_key(text), loc, offset))
                for address, offset, label in _links(value):
                    self._addresses[address].append((loc, offset, _key(label)))
            case Picture():
                self._pictures.setdefault(value.src, (*loc, "src"))
            case str() if loc[-1] == "url":
                written = self._issue.source.node((*loc[:-1], "label"))
                self._addresses[value].append((loc, None, _key(written.value) if isinstance(written, Scalar) else ""))


def _file_name(src: str) -> str:
    """``3f….jpg`` of an address on the web or inside the message (``cid:3f….jpg@…``)."""
    return src.removeprefix("cid:").partition("@")[0].rpartition("/")[2]


def _plain(tokens: tuple[Token, ...] | list[Token]) -> str:
    """The words of inline tokens; a merge field by its default or its name, as :meth:`Line.sample` has it."""
    said = []
    for token in tokens:
        if token.type == "merge_field":
            field = token.meta["field"]
            said.append(field.default if field.default is not None else f"{{{field.name}}}")
        elif token.type in ("text", "code_inline"):
            said.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            said.append(" ")
    return "".join(said)


def _paragraphs(value: Markdown) -> Iterator[tuple[int, str]]:
    """Each paragraph, heading or list item with the offset of its line in what was written."""
    starts = [0, *(match.end() for match in re.finditer("\n", value.raw))]
    for token in value.tokens:
        if token.type == "inline" and token.map is not None:
            start = starts[min(token.map[0], len(starts) - 1)]
            rest = value.raw[start:]
            yield start + len(rest) - len(rest.lstrip(" >#-*+\t")), _plain(token.children or [])


def _links(value: Markdown) -> Iterator[tuple[str, int, str]]:
    """Each link's address as the mail has it, with the offset of the address (else of its paragraph) and its words."""
    starts = [0, *(match.end() for match in re.finditer("\n", value.raw))]
    for token in value.tokens:
        children = token.children or []
        for number, child in enumerate(children):
            if child.type != "link_open":
                continue
            words = []
            for inner in children[number + 1 :]:
                if inner.type == "link_close":
                    break
                words.append(inner)
            address = str(child.attrs.get("href", ""))
            line = starts[min(token.map[0], len(starts) - 1)] if token.map else 0
            position = value.raw.find(address, line)
            yield address, position if position >= 0 else line, _plain(words)
