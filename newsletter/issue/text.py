"""A text that staff wrote becomes literal pieces and merge fields, each with its offset in what was written.

Content is data: ``{{ field }}`` and ``{{ field | default('…') }}`` are read here, by this grammar, and never by Jinja (S5).
"""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from newsletter.issue.mark import marked_language, match_mark

#: Names that the program itself fills in; no column of a list may take them.
RESERVED = frozenset({"view_url", "unsubscribe_url", "unsubscribe_subject"})

_FIELD = re.compile(
    r"""\{\{ \s* (?P<name>[A-Za-z_][A-Za-z0-9_]*) \s*
        (?: \| \s* default \( \s* (?: '(?P<single>[^'\n]*)' | "(?P<double>[^"\n]*)" ) \s* \) \s* )?
        \}\}""",
    re.VERBOSE,
)
#: S1: C0 but tab and line feed, DEL, C1, line and paragraph separator; and what no text can hold: surrogates, noncharacters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_BRACKETS = re.compile(r"\[[^\[\]]*\](?=\{)")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[BbQq]\?[^?]*\?=")


@dataclass(frozen=True, slots=True)
class MergeField:
    """``{{ name | default('…') }}``; ``default`` is None where none was given, ``offset`` counts characters of the text."""

    name: str
    default: str | None
    offset: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Words in another language than those around them, ``[…]{lang=en}`` (A2). ``language`` is a BCP 47 tag."""

    language: str
    parts: tuple[str | MergeField, ...]


#: What a line is made of.
LinePart = str | MergeField | Passage


class TextError(ValueError):
    """A text that cannot be used. ``offset`` is the character it is about, None where it is about the whole text."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class FieldSyntaxError(TextError):
    """A ``{{`` that is no merge field, or one where none can stand. ``offset`` is where it stands in the text."""


def check_characters(text: str) -> None:
    """Raise :class:`TextError` at the first control character (S1); tab and line feed pass."""
    if match := _CONTROL.search(text):
        raise TextError(f"holds the control character U+{ord(match[0]):04X}; delete it", match.start())


def check_line(text: str) -> None:
    """Raise :class:`TextError` for what may not stand in a title or a header: control characters, encoded words (S1)."""
    check_characters(text)
    if match := _ENCODED_WORD.search(text):
        raise TextError("holds an encoded mail header (=?…?=); write the words themselves", match.start())


def plain_text(value: str) -> str:
    """A one-line text without merge fields, as it goes into headers and titles. Raises :class:`TextError`."""
    check_line(value)
    if (brace := value.find("{{")) >= 0:
        raise FieldSyntaxError("merge fields cannot stand here: this text is the same for everyone", brace)
    if (mark := value.find("]{lang")) >= 0:
        raise TextError("a language cannot be marked here; leave out the braces and brackets", mark + 1)
    text = _one_line(value).strip()
    if not text:
        raise TextError("is empty; write some text or leave the whole line out")
    return text


def match_field(text: str, offset: int) -> tuple[MergeField, int]:
    """Read the merge field whose ``{{`` stands at ``offset``; gives the field and the offset behind its ``}}``.

    Raises :class:`FieldSyntaxError` for anything else that starts with ``{{``.
    """
    match = _FIELD.match(text, offset)
    if match is None:
        raise FieldSyntaxError(
            "this is no merge field; write {{ field }} or {{ field | default('…') }}, or \\{{ for plain braces", offset
        )
    name = match["name"]
    if name in RESERVED:
        raise FieldSyntaxError(f"{name} is filled in by the layout and cannot be used as a merge field", offset)
    default = match["single"] if match["single"] is not None else match["double"]
    return MergeField(name, default, offset), match.end()


def split_fields(text: str, start: int = 0, end: int | None = None) -> tuple[str | MergeField, ...]:
    """Cut ``text``, from ``start`` to ``end``, into literal pieces and merge fields; ``\\{{`` gives plain braces.

    Raises :class:`FieldSyntaxError` where a ``{{`` is no merge field.
    """
    parts: list[str | MergeField] = []
    literal = ""
    position = start
    end = len(text) if end is None else end
    while (brace := text.find("{{", position, end)) >= 0:
        if brace > position and text[brace - 1] == "\\":
            literal += text[position : brace - 1] + "{{"
            position = brace + 2
            continue
        literal += text[position:brace]
        field, position = match_field(text, brace)
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(field)
    literal += text[position:end]
    if literal:
        parts.append(literal)
    return tuple(parts)


def split_line(text: str) -> tuple[LinePart, ...]:
    """Cut ``text`` into literal pieces, merge fields and passages in another language.

    Raises :class:`FieldSyntaxError` as :func:`split_fields` does, and :class:`TextError` for a mark that names no language.
    """
    if "]{" not in text:
        return split_fields(text)
    bare = text  # with fillers for the merge fields, so that no bracket of theirs counts
    for field in (part for part in split_fields(text) if isinstance(part, MergeField)):
        end = match_field(text, field.offset)[1]
        bare = bare[: field.offset] + " " * (end - field.offset) + bare[end:]
    parts: list[LinePart] = []
    position = 0
    for words in _BRACKETS.finditer(bare):
        if (mark := match_mark(bare, words.end())) is None:
            continue
        inside = split_fields(text, words.start() + 1, words.end() - 1)
        if not "".join(map(str, inside)).strip():
            raise TextError("these brackets hold no words; write [words]{lang=en}", words.start())
        try:
            passage = Passage(marked_language(mark[0]), inside)
        except ValueError as error:
            raise TextError(str(error), mark.start()) from None
        parts += [*split_fields(text, position, words.start()), passage]
        position = mark.end()
    return (*parts, *split_fields(text, position))


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ")  # one for one, so that offsets stay


def _trimmed(parts: tuple[LinePart, ...]) -> tuple[LinePart, ...]:
    found = list(parts)
    if isinstance(first := found[0], str):
        found[0] = first.lstrip()
    if isinstance(last := found[-1], str):
        found[-1] = last.rstrip()
    return tuple(part for part in found if part)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of plain text with merge fields and passages in other languages: a title, a caption, a subject."""

    raw: str
    parts: tuple[LinePart, ...]

    @classmethod
    def parse(cls, raw: str) -> "Line":
        """Read what staff wrote; a line break counts as a blank.

        Raises :class:`FieldSyntaxError`, or :class:`TextError` for an empty text or one with control characters (S1).
        """
        check_line(raw)
        if not raw.strip():
            raise TextError("is empty; write some text or leave the whole line out")
        return cls(raw, _trimmed(split_line(_one_line(raw))))

    @property
    def unmarked(self) -> tuple[str | MergeField, ...]:
        """The parts without marks of language, as plain text shows them."""
        nested = (part.parts if isinstance(part, Passage) else (part,) for part in self.parts)
        return tuple(part for parts in nested for part in parts)

    @property
    def fields(self) -> tuple[MergeField, ...]:
        """The merge fields in it, in order."""
        return tuple(part for part in self.unmarked if isinstance(part, MergeField))

    def sample(self) -> str:
        """The text with each merge field's default in its place, or its name in braces: for titles of pages and lists."""
        return "".join(
            part if isinstance(part, str) else (part.default if part.default is not None else f"{{{part.name}}}")
            for part in self.unmarked
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return text_schema(cls)


def text_schema(kind: Any) -> CoreSchema:
    """The Pydantic schema of a text type with a ``parse`` classmethod.

    In its errors ``ctx["offset"]`` is the offset of what is wrong, or None.
    """

    def read(value: str) -> Any:
        try:
            return kind.parse(value)
        except FieldSyntaxError as error:
            raise PydanticCustomError("merge_field", "{reason}", {"reason": str(error), "offset": error.offset}) from None
        except ValueError as error:
            offset = getattr(error, "offset", None)
            raise PydanticCustomError("text", "{reason}", {"reason": str(error), "offset": offset}) from None

    return core_schema.no_info_after_validator_function(
        read,
        core_schema.str_schema(),
        serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.raw),
    )
