"""What the parts of an issue are: headings, lists and quotes that are marked as such (A4, A13)."""

import re
from collections.abc import Iterator
from itertools import pairwise

from lxml.html import HtmlElement

from newsletter.check.look import style
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page
from newsletter.issue import Line, Markdown
from newsletter.issue.blocks import Contents, Interview, News, Quote
from newsletter.issue.parts import Loc

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LONGEST_HEADING = 80
_LARGE = 18
_BULLET = re.compile(r"\s*(?:[•·▪▫‣◦●○■□➢➤✓✔]|[-–—*]\s)")
_SURE_BULLET = re.compile(r"\s*[•▪▫‣◦●○■□➢➤✓✔]")


def _words(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _headings(page: Page) -> list[HtmlElement]:
    return list(page.modern.iter(*_HEADINGS))


@rule(
    "A4-no-main-heading",
    "error",
    "the mail has no main heading (<h1>); who listens cannot jump to its beginning",
    "let the layout set the issue's title as <h1>",
    "WCAG 2.2 SC 1.3.1, 2.4.6; EMC",
    Page,
)
def no_main_heading(page: Page) -> Iterator[Found]:
    """Three of four mails have none."""
    if not any(heading.tag == "h1" for heading in _headings(page)):
        yield found(page.origin.layout())


@rule(
    "A4-two-main-headings",
    "error",
    "“{words}” is a second main heading (<h1>); a mail has one",
    "make it an <h2>",
    "WCAG 2.2 SC 1.3.1",
    Page,
)
def two_main_headings(page: Page) -> Iterator[Found]:
    """The first one counts."""
    for heading in [heading for heading in _headings(page) if heading.tag == "h1"][1:]:
        yield found(page.place(heading), words=_words(heading))


@rule(
    "A4-level-left-out",
    "error",
    "below a heading of level {above}, “{words}” has level {level}; the level between them is missing",
    "make it a heading of level {wanted}",
    "WCAG 2.2 SC 1.3.1, technique G141",
    Page,
)
def level_left_out(page: Page) -> Iterator[Found]:
    """A listener looks for the missing heading in vain."""
    for upper, lower in pairwise(_headings(page)):
        above, level = int(upper.tag[1]), int(lower.tag[1])
        if level > above + 1:
            yield found(page.place(lower), words=_words(lower), above=above, level=level, wanted=above + 1)


@rule(
    "A4-empty-heading",
    "error",
    "a heading (<{name}>) has no words",
    "write words into it or take it out",
    "WCAG 2.2 SC 2.4.6",
    Page,
)
def empty_heading(page: Page) -> Iterator[Found]:
    """A picture with alt text has words."""
    for heading in _headings(page):
        if not _words(heading) and not any(image.get("alt", "").strip() for image in heading.iter("img")):
            yield found(page.origin.markup(f"<{heading.tag}"), name=heading.tag)


@rule(
    "A4-bold-instead-of-heading",
    "warning",
    "“{words}” looks like a heading, but is a bold paragraph; screen readers cannot jump to it",
    "write it as a heading: ## before it in place of the ** around it, or <h2> in an mjml block",
    "WCAG 2.2 SC 1.3.1, failure F2",
    Page,
)
def bold_instead_of_heading(page: Page) -> Iterator[Found]:
    """A short bold paragraph with text below it, or one in large letters. A whole sentence is a stress, no heading."""
    looks = page.looks[0]
    for paragraph in page.modern.iter("p"):
        words = _words(paragraph)
        if not 0 < len(words) <= _LONGEST_HEADING or words[-1] in ".!?…:;," or not re.search(r"[^\W\d]{2,}", words):
            continue
        if (
            next(paragraph.iterancestors("blockquote", "li", "a", *_HEADINGS), None) is not None
            or paragraph.find(".//a") is not None
        ):
            continue
        look = looks[paragraph]
        if (_all_strong(paragraph, words) and paragraph.getnext() is not None) or (look.bold and look.size >= _LARGE):
            yield found(page.place(paragraph), words=words)


def _all_strong(paragraph: HtmlElement, words: str) -> bool:
    return any(_words(child) == words and _is_strong(child) for child in paragraph)


def _is_strong(child: HtmlElement) -> bool:
    return child.tag in ("strong", "b") or style(child).get("font-weight", "") in ("bold", "700", "800", "900")


@rule(
    "A13-list-by-hand",
    "error",
    "a list is made of characters (“{words}”); screen readers do not say that it is one, nor how long",
    "begin each line with - and a blank, and leave an empty line above the first",
    "WCAG 2.2 SC 1.3.1, technique H48",
    Page,
)
def list_by_hand(page: Page) -> Iterator[Found]:
    """Lines within a paragraph, or paragraphs in a row, that begin with a bullet."""
    for paragraph in page.modern.iter("p"):
        lines = _lines(paragraph)
        sure = [line for line in lines if _SURE_BULLET.match(line)]
        dashes = [line for line in lines if _BULLET.match(line)]
        before = paragraph.getprevious()
        follows = bool(sure) and before is not None and before.tag == "p" and bool(_SURE_BULLET.match(_words(before)))
        if len(sure) > 1 or follows or (len(dashes) > 1 and dashes == lines):
            yield found(page.place(paragraph), words=_words(paragraph)[:40])


def _lines(paragraph: HtmlElement) -> list[str]:
    """The lines as they were written: broken by ``<br>`` or by the author."""
    parts = [paragraph.text or ""]
    for child in paragraph:
        parts += ["\n" if child.tag == "br" else str(child.text_content()), child.tail or ""]
    return [line for line in "".join(parts).split("\n") if line.strip()]


@rule(
    "A13-title-is-no-heading",
    "error",
    "“{words}” is a title of the issue, but no heading in the mail; screen readers cannot jump to it",
    "set it in an <h2> or <h3> in the layout",
    "WCAG 2.2 SC 1.3.1",
    Page,
)
def title_is_no_heading(page: Page) -> Iterator[Found]:
    """Titles of blocks and news, questions of an interview; those with merge fields differ."""
    shown = {_words(heading) for heading in _headings(page)}
    everything = _words(page.modern)
    for loc, title in _titles(page):
        words = " ".join(title.sample().split())
        if words in everything and words and not title.fields and not any(words in heading for heading in shown):
            yield found(page.origin.key(*loc), words=words)


def _titles(page: Page) -> Iterator[tuple[Loc, Line]]:
    for number, block in page.blocks:
        loc: Loc = ("blocks", number)
        title = getattr(block, "title", None)
        if isinstance(title, Line) and not isinstance(block, Contents):
            yield (*loc, "title"), title
        if isinstance(block, News):
            yield from (((*loc, "items", place, "title"), item.title) for place, item in enumerate(block.items))
        if isinstance(block, Interview):
            yield from (((*loc, "questions", place, "question"), item.question) for place, item in enumerate(block.questions))


@rule(
    "A13-quote-is-no-quote",
    "error",
    "the quote “{words}” is not marked as one; screen readers read it as the newsletter's own words",
    "set it in a <blockquote> in the layout",
    "WCAG 2.2 SC 1.3.1, technique H49",
    Page,
)
def quote_is_no_quote(page: Page) -> Iterator[Found]:
    """The words of each quote block."""
    marked = [set(re.findall(r"\w+", quote.text_content())) for quote in page.modern.iter("blockquote")]
    everything = set(re.findall(r"\w+", " ".join(page.modern.itertext())))
    for number, block in page.blocks:
        if isinstance(block, Quote):
            words = _first_words(block.text)
            shown = set(words) <= everything
            if words and shown and not any(set(words) <= known for known in marked):
                yield found(page.origin.key("blocks", number, "text"), words=" ".join(words[:8]))


def _first_words(text: Markdown) -> list[str]:
    first = next((token for token in text.tokens if token.type == "inline"), None)
    children = (first.children or []) if first is not None else []
    return [word for child in children if child.type == "text" for word in re.findall(r"\w+", child.content)]
