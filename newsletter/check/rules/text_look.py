"""The look of texts: size, lines, colours and their contrast, also where a program turns the mail dark (H9, H10, H11, A8, A9)."""

import re
from collections.abc import Iterator
from functools import lru_cache

from lxml.html import HtmlElement

from newsletter.check.look import Look, Text, style
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page
from newsletter.compose.contrast import contrast, inverted

_SMALLEST, _BODY, _LINE = 14, 16, 1.4
#: From how many characters a text is read, not glanced at: about four lines of a mail.
_LONG = 240
_CENTRED = 120
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PASSAGES = ("p", "li", "td", "div", "blockquote", "dd")
_ODD_COLOUR = re.compile(
    r"#(?![0-9a-fA-F]{6}(?![0-9a-fA-F]))[0-9a-fA-F]+|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch|color)a?\([^)]*\)?", re.IGNORECASE
)
_URL = re.compile(r"url\([^)]*\)?", re.IGNORECASE)


def _short(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= 40 else f"{flat[:40].rstrip()} …"


def _passages(page: Page) -> Iterator[tuple[HtmlElement, str, Look]]:
    """Every element that itself holds running text, its words and its look."""
    for element, look in page.looks[0].items():
        if element.tag in _PASSAGES and look.shown and (element.text or any(child.tail for child in element)):
            if any(str(child.tag) in (*_PASSAGES, *_HEADINGS, "table", "ul", "ol") for child in element):
                continue
            yield element, " ".join(element.text_content().split()), look


@rule(
    "H9-too-small",
    "warning",
    "“{words}” is set in {size} pixels; below 14 many cannot read it",
    "raise font-size to 14 pixels at least",
    "house rule H9",
    Page,
)
def too_small(page: Page) -> Iterator[Found]:
    """In both views."""
    for text in _all(page):
        if text.look.size < _SMALLEST:
            yield found(page.place(text.element), words=_short(text.words), size=f"{text.look.size:g}")


@rule(
    "H9-long-text-small",
    "warning",
    "a long text is set in {size} pixels (“{words}”)",
    "raise font-size to 16 pixels; smaller letters are for captions",
    "house rule H9",
    Page,
)
def long_text_small(page: Page) -> Iterator[Found]:
    """A caption may be small, a report not; lines that are broken on purpose are those of an address."""
    for element, words, look in _passages(page):
        if len(words) > _LONG and _SMALLEST <= look.size < _BODY and element.find("br") is None:
            yield found(page.place(element), words=_short(words), size=f"{look.size:g}")


@rule(
    "H9-tight-lines",
    "warning",
    "the lines of “{words}” stand too close: {line} pixels at letters of {size}",
    "raise line-height to at least 1.4 times the size of the letters",
    "house rule H9; WCAG 2.2 SC 1.4.12",
    Page,
)
def tight_lines(page: Page) -> Iterator[Found]:
    """Of texts of more than a line."""
    for element, words, look in _passages(page):
        if len(words) > _CENTRED and look.line is not None and look.line < _LINE * look.size:
            yield found(page.place(element), words=_short(words), line=f"{look.line:g}", size=f"{look.size:g}")


@rule(
    "H9-not-at-the-edge",
    "warning",
    "a long text is centred or justified (“{words}”); the eye loses the next line, and narrow columns get holes",
    "align it with the edge at which its lines begin",
    "WCAG 2.2 SC 1.4.8",
    Page,
)
def not_at_the_edge(page: Page) -> Iterator[Found]:
    """A line or two may stand in the middle."""
    for element, words, look in _passages(page):
        if look.align in ("center", "justify") and len(words) > _CENTRED:
            yield found(page.place(element), words=_short(words))


@rule(
    "H10-odd-colour",
    "error",
    "Outlook does not understand the colour “{colour}”",
    "write it with six digits, e.g. #0b4a57",
    "caniemail; react-email #2947",
    Page,
)
def odd_colour(page: Page) -> Iterator[Found]:
    """In attributes and inline styles; a colour's English name is understood everywhere."""
    for view in page.views:
        for element in view.iter("*"):
            for colour in _odd(element.get("bgcolor", ""), element.get("color", ""), element.get("style", "")):
                yield found(page.place(element), colour=colour)


@lru_cache(maxsize=4096)
def _odd(bgcolor: str, font: str, css: str) -> tuple[str, ...]:
    return tuple(match[0] for match in _ODD_COLOUR.finditer(f"{bgcolor} {font} {_URL.sub('', css)}"))


@rule(
    "H11-no-colour-scheme",
    "warning",
    "the mail does not say that it can be shown dark; Apple Mail then turns its colours by itself",
    'put <meta name="color-scheme" content="light dark"> into the layout\'s head',
    "Apple Mail",
    Page,
)
def no_colour_scheme(page: Page) -> Iterator[Found]:
    """A wish only: other programs turn the colours anyway."""
    if not any(meta.get("name") == "color-scheme" for meta in page.modern.iter("meta")):
        yield found(page.origin.layout())


@rule(
    "A8-faint",
    "error",
    "“{words}” is hard to read: {colour} on {ground} has a contrast of {ratio}, and needs {least}",
    "make the text darker or its ground lighter (or the reverse)",
    "WCAG 2.2 SC 1.4.3",
    Page,
)
def faint(page: Page) -> Iterator[Found]:
    """In both views; on a picture nothing can be said."""
    for text in _all(page):
        ratio, least = contrast_of(text.look.colour, text.look.ground, dark=False), _least(text.look)
        if ratio < least and not text.look.bare:
            yield _faint(page, text, text.look.colour, text.look.ground, ratio)


@rule(
    "H11-faint-in-the-dark",
    "warning",
    "“{words}” is hard to read where a program turns it dark: {colour} on {ground} has a contrast of {ratio}, and needs {least}",
    "move the colours of text and ground further apart",
    "WCAG 2.2 SC 1.4.3 under forced inversion (Outlook, Thunderbird)",
    Page,
)
def faint_in_the_dark(page: Page) -> Iterator[Found]:
    """Light grounds become dark and dark texts light, each by itself; only for what is readable by day."""
    for text in _all(page):
        look = text.look
        if look.bare or contrast_of(look.colour, look.ground, dark=False) < _least(look):
            continue
        ratio = contrast_of(look.colour, look.ground, dark=True)
        if ratio < _least(look):
            yield _faint(page, text, inverted(look.colour, ground=False), inverted(look.ground, ground=True), ratio)


def _faint(page: Page, text: Text, colour: str, ground: str, ratio: float) -> Found:
    return found(
        page.place(text.element),
        words=_short(text.words),
        colour=colour,
        ground=ground,
        ratio=f"{int(ratio * 10) / 10:g}",
        least=f"{_least(text.look):g}",
    )


def _all(page: Page) -> Iterator[Text]:
    """The texts of both views, those of the second only where they look different."""
    modern, outlook = page.texts
    yield from modern
    known = {(text.words, text.look) for text in modern}
    yield from (text for text in outlook if (text.words, text.look) not in known)


def _least(look: Look) -> float:
    """Large text, 24 pixels or bold 18.66, needs less."""
    return 3.0 if look.size >= 24 or (look.bold and look.size >= 18.66) else 4.5


@lru_cache(maxsize=1024)
def contrast_of(colour: str, ground: str, *, dark: bool) -> float:
    """The contrast of a text with its ground, as written or under forced inversion."""
    return contrast(inverted(colour, ground=False), inverted(ground, ground=True)) if dark else contrast(colour, ground)


@rule(
    "A9-not-underlined",
    "error",
    "the link “{label}” stands in a sentence and is not underlined; who does not see its colour misses it",
    "take text-decoration:none off the link",
    "WCAG 2.2 SC 1.4.1",
    Page,
)
def not_underlined(page: Page) -> Iterator[Found]:
    """A link that stands alone is told by its place."""
    for view in page.views:
        for link in view.iter("a"):
            label = " ".join(link.text_content().split())
            if label and link.get("href") and not _underlined(link) and _in_running_text(link):
                yield found(page.place(link), label=_short(label))


def _underlined(link: HtmlElement) -> bool:
    own = style(link)
    decoration = own.get("text-decoration", own.get("text-decoration-line", "underline"))
    edge = own.get("border-bottom", "0")
    below = (style(child).get("text-decoration", "underline" if child.tag == "u" else "") for child in link.iter("*"))
    return "underline" in decoration or not edge.startswith(("0", "none")) or any("underline" in value for value in below)


def _in_running_text(link: HtmlElement) -> bool:
    """Whether words stand around it that are no links themselves."""
    around = next(link.iterancestors(*_PASSAGES, *_HEADINGS, "th"), None)
    if around is None:
        return False
    linked = sum(len(other.text_content().split()) for other in around.iter("a") if other.get("href"))
    return len(around.text_content().split()) - linked >= 3
