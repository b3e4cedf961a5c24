"""A layout's Jinja templates and an issue become MJML and plain text, with sentinels where recipients differ."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from newsletter.compose.edition import LEAVING, UNSUBSCRIBE, VIEW
from newsletter.compose.foreign import place_marks
from newsletter.compose.pictures import Shown
from newsletter.compose.plain import PlainText
from newsletter.compose.sentinel import Sentinels
from newsletter.compose.templates import Compiling, run
from newsletter.compose.theme import load_theme
from newsletter.issue import Issue, Line, Logo, Picture
from newsletter.issue.blocks import Columns, Contents, Interview, OwnBlock
from newsletter.issue.parts import Link
from newsletter.issue.text import Passage
from newsletter.language import Language, language

#: A6: labels that say nothing without their object; the layout adds the title that they are about.
_GENERIC = re.compile(
    r"(?:(?:hier )?klicken(?: sie)?(?: bitte)?(?: hier)?|hier|mehr|mehr erfahren|mehr lesen|mehr infos?|mehr information(?:en)?"
    r"|weitere informationen|weiter|weiterlesen|zum artikel|details|download|website|link|click here|here|more|read more"
    r"|learn more|more info(?:rmation)?|continue|read on|to the article)\s*[.…»>→]*",
    re.IGNORECASE,
)
_BREAK = re.compile(r"\n*(?:\f\n*)+")
_BLANK_LINES = re.compile(r"\n{3,}")


class PictureMaker(Protocol):
    """Gives the file and address of a picture, or of the logo, for a width in CSS pixels.

    ``grounds`` are the ground that it stands on and that of a plate, where it needs one; ``play`` draws a play mark into it.
    """

    def __call__(self, picture: Picture | Logo, width: int, *grounds: str, play: bool = False) -> Shown:
        """The picture as the layout places it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the contents: a title and the anchor of its block."""

    anchor: str
    title: Line


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the templates of a layout made of an issue."""

    mjml: str
    text: str
    subject: str


def render(issue: Issue, folder: Path, sentinels: Sentinels, picture: PictureMaker) -> Rendered:
    """Render ``layout.mjml.j2`` and ``text.j2`` of the layout in ``folder``.

    Raises :class:`~newsletter.compose.templates.LayoutError`.
    """
    theme = load_theme(folder)
    words = language(issue.language, issue.workspace.catalogues)

    def language_of(block: OwnBlock) -> Language:
        return language(block.language, issue.workspace.catalogues) if block.language else words

    context = {
        "issue": issue.content,
        "publication": issue.publication,
        "blocks": issue.content.blocks,
        "contents": contents(issue),
        "language": words,
        "language_of": language_of,
        **sides(words.direction),
        "theme": theme,
        "logo": issue.publication.logo or theme.logo,
        "picture": picture,
        "label": label,
        "shown_address": shown_address,
        "view_url": sentinels.mark(VIEW),
        "unsubscribe_url": sentinels.mark(UNSUBSCRIBE),
        "unsubscribe_subject": sentinels.mark(LEAVING),
    }
    compiling = Compiling(sentinels, words, PlainText(sentinels))
    return Rendered(
        mjml=place_marks(run(folder, "layout.mjml.j2", context, compiling), words.direction),
        text=_tidy(run(folder, "text.j2", context, compiling)),
        subject=sentinels.line(issue.content.subject),
    )


def sides(direction: str) -> dict[str, object]:
    """Where a line starts and ends, as CSS says it, and ``pad(top, end, bottom, start)``: a padding in pixels that knows it."""
    start, end = ("right", "left") if direction == "rtl" else ("left", "right")

    def pad(top: int, at_end: int, bottom: int, at_start: int) -> str:
        right, left = (at_start, at_end) if direction == "rtl" else (at_end, at_start)
        return f"{top}px {right}px {bottom}px {left}px"

    return {"start": start, "end": end, "pad": pad}


def contents(issue: Issue) -> list[Entry]:
    """The titles of the issue's own blocks, an interview without one under the name of its person, columns under theirs."""
    entries = []
    for number, block in enumerate(issue.content.blocks, 1):
        title = getattr(block, "title", None) or (block.person.name if isinstance(block, Interview) else None)
        if title is not None and not isinstance(block, Contents):
            entries.append(Entry(f"block-{number}", _marked(title, block.language)))
        elif isinstance(block, Columns):
            entries.extend(
                Entry(f"block-{number}-{column}", _marked(item.title, block.language))
                for column, item in enumerate(block.items, 1)
            )
    return entries


def _marked(title: Line, tag: str | None) -> Line:
    """A title outside of its block keeps the block's language (A2)."""
    if tag is None:
        return title
    return Line(title.raw, tuple(part if isinstance(part, Passage) else Passage(tag, (part,)) for part in title.parts))


def label(link: Link, title: Line | None) -> Line:
    """The author's label, with the title it is about where it says nothing alone: "Mehr Information: <title>" (A6, A7)."""
    written = link.label
    if title is None or not _GENERIC.fullmatch(written.sample().strip()):
        return written
    return Line(f"{written.raw.strip()}: {title.raw.strip()}", (*written.parts, ": ", *title.parts))


def shown_address(url: str) -> str:
    """An address as people write it: without scheme and last slash."""
    return re.sub(r"^(https?://|mailto:|tel:)", "", url).rstrip("/")


def _tidy(text: str) -> str:
    """At most one blank line in a row, but two where the template puts a form feed: between blocks."""
    lines = "\n".join(line.rstrip(" ") for line in text.replace("\r\n", "\n").split("\n"))
    return _BREAK.sub("\n\n\n", _BLANK_LINES.sub("\n\n", lines)).strip("\n") + "\n"
