"""What stands in a mail is led back to the line of the issue file or the publication file that says it."""

import html
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from markdown_it.token import Token

from newsletter.compose.templates import template_file, template_folders
from newsletter.issue import Issue, Line, Markdown, Picture
from newsletter.issue.nodes import Scalar
from newsletter.issue.parts import Loc
from newsletter.problem import Problem

_WORDS = re.compile(r"\w+")
#: What holds text in an ``mjml`` block: the smallest first.
_PASSAGES = tuple(
    re.compile(rf"<({names})\b[^>]*>(.*?)</\1\s*>", re.DOTALL)
    for names in ("p|li|h[1-6]|td|th|mj-button", "table|ul|ol|blockquote|mj-text", "mj-section")
)
_MJML_LINK = re.compile(r"""\bhref\s*=\s*(["'])(.*?)\1[^>]*>([^<]*(?:<(?!/(?:a|mj-button)>)[^<]*)*)""", re.DOTALL)
_MJML_PICTURE = re.compile(r"""\b(?:src|background-url)\s*=\s*(["'])(.*?)\1""", re.DOTALL)
#: Stands for a recipient's value: a word that nobody writes.
_VALUE = "qxzvaluezxq"
_TAG = re.compile(r"<[^>]*>")


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


@dataclass(frozen=True, slots=True)
class Passage:
    """A line or a paragraph that staff wrote: the value it stands in, the offset of its beginning there, its words.

    ``marked`` says that words in it are marked as those of another language.
    """

    loc: Loc
    offset: int
    text: str
    marked: bool


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
        self._pictures: dict[str, list[tuple[Loc, str]]] = defaultdict(list)
        self._varying: list[tuple[re.Pattern[str], Loc, int | None]] = []
        self._passages: list[Passage] = []
        self._sources: list[tuple[Loc, str]] = []
        self._names = pictures
        for loc, value in issue.content.walk():
            self._add(loc, value)

    def key(self, *loc: str | int) -> Place:
        """A value of the issue file; what is not there is dated to what it is missing from."""
        return _place(self._issue.problem(loc, ""))

    def publication(self, *loc: str | int) -> Place:
        """A value of ``publication.yaml``, in the same way."""
        return _place(self._issue.publication_source.problem(loc, ""))

    def layout(self, template: str = "layout.mjml.j2") -> Place:
        """The layout, as a whole, or one of its templates."""
        folder = self._issue.workspace.layout_folder(self._issue.layout)
        return Place(str(template_file(folder, template)) if folder else self._issue.layout)

    def markup(self, written: str) -> Place:
        """Where an ``mjml`` block has these characters; the layout where none has them."""
        for loc, source in self._sources:
            if (offset := source.find(written)) >= 0:
                return self._at(loc, offset)
        return self.layout()

    @property
    def mjml(self) -> Sequence[tuple[Loc, str]]:
        """The author's own MJML, with the way to it (:meth:`inside`)."""
        return self._sources

    def inside(self, loc: Loc, offset: int) -> Place:
        """A character of a value of the issue file."""
        return self._at(loc, offset)

    @cached_property
    def templates(self) -> list[tuple[Path, str]]:
        """The files of the layout that make HTML, and what stands in them."""
        folder = self._issue.workspace.layout_folder(self._issue.layout)
        files: dict[Path, Path] = {}
        for place in template_folders(folder) if folder else ():
            for file in sorted(place.rglob("*.mjml.j2")):
                files.setdefault(file.relative_to(place), file)
        return [(file, file.read_text(encoding="utf-8")) for file in files.values()]

    def address(self, url: str, label: str = "") -> Place | None:
        """The place of a link's address, of several the one with this label; None where the issue has none such."""
        known = self._addresses.get(url.strip(), [])
        wanted = _key(label)
        for loc, offset, words in known:
            if words and words == wanted:
                return self._at(loc, offset)
        return self._at(*known[0][:2]) if known else self._in_publication(url)

    def picture(self, src: str, alt: str | None = None) -> Place | None:
        """The place of a picture, by its address in the mail; None where the issue has none such.

        With ``alt`` it is the place of these words about it, for one that is shown more than once.
        """
        known = self._pictures.get(self._names.get(_file_name(src), ""), [])
        if not known:
            found = (
                (loc, match.start(2))
                for loc, source in self._sources
                for match in _MJML_PICTURE.finditer(source)
                if html.unescape(match[2]) == src
            )
            return next((self._at(*place) for place in found), None)
        if alt is None:
            return self._at((*known[0][0], "src"), None)
        wanted = _key(alt)
        loc = next((loc for loc, words in known if words == wanted), known[0][0])
        return self._at((*loc, "alt"), None)

    def text(self, words: str) -> Place | None:
        """The place of a text: the whole of a value, else the first that holds it; None where nobody wrote it."""
        wanted = _key(words)
        if not wanted:
            return None
        for exact in (True, False):
            for text, loc, offset in self._texts:
                if text == wanted if exact else f" {wanted} " in f" {text} ":
                    return self._at(loc, offset)
        for pattern, loc, offset in self._varying:
            if pattern.fullmatch(wanted):
                return self._at(loc, offset)
        return self._in_publication(words)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Every line, paragraph, heading and item of the issue's texts, in its order; not the markup of ``mjml`` blocks."""
        return tuple(self._passages)

    def at(self, passage: Passage) -> Place:
        """Where a passage begins."""
        return self._at(passage.loc, passage.offset)

    def _at(self, loc: Loc, offset: int | None) -> Place:
        return _place(self._issue.source.problem(loc, "", offset))

    def _in_publication(self, words: str) -> Place | None:
        wanted = _key(words)
        same = (loc for loc, value in self._issue.publication.walk() if isinstance(value, str) and _key(value) == wanted)
        loc = next(same, None) if wanted else None
        return None if loc is None else self.publication(*loc)

    def _vary(self, text: str, loc: Loc, offset: int | None) -> None:
        """Remember a text that has other words for each recipient."""
        if _VALUE in text and _key(text.replace(_VALUE, "")):
            self._varying.append((re.compile(re.escape(_key(text)).replace(_VALUE, ".*")), loc, offset))

    def _add(self, loc: Loc, value: Any) -> None:
        match value:
            case Line():
                self._texts.append((_key(value.sample()), loc, None))
                self._passages.append(Passage(loc, 0, value.sample(), value.unmarked != value.parts))
                self._vary("".join(part if isinstance(part, str) else _VALUE for part in value.unmarked), loc, None)
            case Markdown():
                for offset, text, _ in _paragraphs(value, _VALUE):
                    self._vary(text, loc, offset)
                for offset, text, marked in _paragraphs(value):
                    self._texts.append((_key(text), loc, offset))
                    self._passages.append(Passage(loc, offset, text, marked))
                for address, offset, label in _links(value):
                    self._addresses[address].append((loc, offset, _key(label)))
            case Picture():
                self._pictures[value.src].append((loc, _key(value.alt.sample()) if value.alt else ""))
            case str() if loc[-1] == "source":
                self._sources.append((loc, value))
                for offset, text in _mjml_texts(value):
                    self._texts.append((_key(text), loc, offset))
                for match in _MJML_LINK.finditer(value):
                    self._addresses[html.unescape(match[2])].append((loc, match.start(2), _key(_untagged(match[3]))))
            case str() if loc[-1] == "url":
                written = self._issue.source.node((*loc[:-1], "label"))
                self._addresses[value].append((loc, None, _key(written.value) if isinstance(written, Scalar) else ""))


def _mjml_texts(source: str) -> Iterator[tuple[int, str]]:
    """Each text of an ``mjml`` block with the offset of the element that holds it."""
    for passage in _PASSAGES:
        for match in passage.finditer(source):
            yield match.start(), _untagged(match[2])


def _untagged(markup: str) -> str:
    return html.unescape(_TAG.sub(" " if "</td>" in markup or "</p>" in markup else "", markup))


def _file_name(src: str) -> str:
    """``3f….jpg`` of an address on the web or inside the message (``cid:3f….jpg@…``)."""
    return src.removeprefix("cid:").partition("@")[0].rpartition("/")[2]


def _plain(tokens: tuple[Token, ...] | list[Token], value: str | None = None) -> str:
    """The words of inline tokens; a merge field as ``value``, else by its default or its name, as :meth:`Line.sample` has it."""
    said = []
    for token in tokens:
        if token.type == "merge_field":
            field = token.meta["field"]
            said.append(value or (field.default if field.default is not None else f"{{{field.name}}}"))
        elif token.type in ("text", "code_inline"):
            said.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            said.append(" ")
    return "".join(said)


def _paragraphs(value: Markdown, field: str | None = None) -> Iterator[tuple[int, str, bool]]:
    """Each paragraph, heading or list item with the offset of its line, and whether words in it are marked."""
    starts = [0, *(match.end() for match in re.finditer("\n", value.raw))]
    for token in value.tokens:
        if token.type == "inline" and token.map is not None:
            children = token.children or []
            start = starts[min(token.map[0], len(starts) - 1)]
            rest = value.raw[start:]
            yield (
                start + len(rest) - len(rest.lstrip(" >#-*+\t")),
                _plain(children, field),
                any(child.type == "passage_open" for child in children),
            )


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
