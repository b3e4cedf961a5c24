"""The HTML of a mail becomes that of a page on the web: with a bar above and below it, or filled for nobody in particular."""

import re
from collections.abc import Callable, Iterable
from html import escape, unescape
from typing import NamedTuple

from newsletter.compose.edition import LEAVING, UNSUBSCRIBE, VIEW, Edition, Part, PictureFile, Slot
from newsletter.issue.only import primary

#: Stand for the two links, and for a slot, while a page is made; noncharacters, which no text of an issue holds.
_VIEW_MARK, _LEAVE_MARK = "\ufdd0view\ufdd1", "\ufdd0leave\ufdd1"
_LINKS = {VIEW: _VIEW_MARK, UNSUBSCRIBE: _LEAVE_MARK, LEAVING: _LEAVE_MARK}
_SLOT_MARK = re.compile("\ufdd2(\\d+)\ufdd3")
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
_BODY = re.compile(r"<body\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_CLOSED_UP = (" ", ",", ".", ";", ":", "!", "?")
#: Pixels that a picture has at least to be shown where somebody shares the page.
_SHARED_FROM = 200


def framed(html: str, above: str, below: str = "", head: str | None = None) -> str:
    """The page with ``above`` as the first thing of its body and ``below`` as the last, and the mail as ``main`` between them.

    ``head`` takes the place of its title and stands at the end of its head. Nothing else of it is changed.
    """
    cut = html.find("</head>")
    start = _BODY.search(html, max(cut, 0))
    end = html.rfind("</body>")
    if start is None or end < start.end():  # a layout of one's own without a body: browsers make one
        return above + html + below
    before = html[: start.start()]
    if head is not None and cut >= 0:
        before = _TITLE.sub("", html[:cut], count=1) + head + html[cut : start.start()]
    return f"{before}{start[0]}{above}<main>{html[start.end() : end]}</main>{below}{html[end:]}"


def framed_part(part: Part, above: str) -> Part:
    """:func:`framed` for a part whose slots are still open."""
    slots = list(part.slots())
    numbers = iter(range(len(slots)))
    html = "".join(piece if isinstance(piece, str) else f"\ufdd2{next(numbers)}\ufdd3" for piece in part.pieces)
    pieces = _SLOT_MARK.split(framed(html, above))
    return Part(tuple(slots[int(piece)] if number % 2 else piece for number, piece in enumerate(pieces)))


def unframed(page: str) -> str:
    """The reverse of :func:`framed` for a recipient's own page: the mail as it was sent."""
    page = re.sub(r'<aside id="newsletter-share".*?</aside>(?=<main>)', "", page, count=1, flags=re.DOTALL)
    return "".join("".join(page.split("<main>", 1)).rsplit("</main>", 1))


def for_everyone(part: Part) -> str:
    """The part filled with the merge fields' defaults, or nothing, and closed up where nothing stands; no link to leave or view.

    The paragraph that is there for such a link goes with it: nobody is to be unsubscribed from here, and this is the browser.
    """
    text = _filled(part)
    for mark in (_LEAVE_MARK, _VIEW_MARK):
        while (without := _without_link(text, mark)) is not None:
            text = without
        text = text.replace(mark, "")
    return text


def line_for_everyone(part: Part) -> str:
    """A line such as the subject, in the same way."""
    return " ".join(_filled(part).split())


def _filled(part: Part) -> str:
    out: list[str] = []
    gap = False
    for piece in part.pieces:
        if isinstance(piece, Slot):
            value = _LINKS.get(piece.name) or ("" if piece.default is None else piece.fill({}))
            gap = not value
            out.append(value)
            continue
        if gap:
            piece = _closed_up(out, piece)
        gap = False
        out.append(piece)
    return "".join(out)


def _closed_up(out: list[str], after: str) -> str:
    """``Liebe , …`` becomes ``Liebe, …``; where nothing stands before the gap, the comma after it goes."""
    before = out[-2] if len(out) > 1 else ""
    if not before or before.endswith(">"):
        return after.lstrip(" ,;:")
    if before.endswith(" ") and after.startswith(_CLOSED_UP):
        out[-2] = before.rstrip(" ")
    return after


def _without_link(html: str, mark: str) -> str | None:
    """The HTML without the first link to the mark, and without its paragraph where it has no other link; None: there is none."""
    found = re.search(rf"<a\b[^>]*{mark}[^>]*>.*?</a>", html, re.DOTALL)
    if found is None:
        return None
    start, end = found.span()
    begin, close = html.rfind("<p", 0, start), html.find("</p>", end)
    if begin >= 0 and close >= 0 and re.match(r"<p[\s>]", html[begin:]) and "</p>" not in html[begin:start]:
        paragraph = html[begin:close]
        if paragraph.count("<a ") == 1 and "<img" not in paragraph:
            start, end = begin, close + len("</p>")
    return html[:start] + html[end:]


def with_pictures_at(html: str, names: Iterable[str], picture_url: Callable[[str], str]) -> str:
    """The HTML with each picture shown from ``picture_url(name)``, wherever the mail has it: inside, or on another server."""
    any_name = "|".join(map(re.escape, names))
    if not any_name:
        return html
    address = re.compile(rf"(?:https?:|cid:)[^\"'()\s<>]*?({any_name})(?:@[^\"'()\s<>]*)?")
    return address.sub(lambda found: escape(picture_url(found[1])), html)


def forms_of(edition: Edition) -> dict[str, str | None]:
    """The languages in which somebody without tags gets the issue, each with its variant; the issue's own language first.

    Only what was made when the issue was sent is there: a variant that nobody got does not exist.
    """
    own = edition.headers.language
    forms: dict[str, str | None] = {own: edition.open_variant}
    for language in sorted({language for condition in edition.conditions for language in condition.languages}):
        name = edition.choice({"language": language})
        if name in edition.variant_names and name not in forms.values() and language != primary(own):
            forms[language] = name
    return forms


class Shown(NamedTuple):
    """A picture that stands for a page where somebody shares it."""

    file: PictureFile
    alt: str


def picture_to_share(html: str, pictures: Iterable[PictureFile]) -> Shown | None:
    """The first picture of the page that is large enough, with its description; None where there is none."""
    large = {file.name: file for file in pictures if min(file.width, file.height) >= _SHARED_FROM}
    for tag in re.findall(r"<img\b[^>]*>", html):
        for name, file in large.items():
            if name in tag:
                alt = re.search(r'\balt="([^"]*)"', tag)
                return Shown(file, unescape(alt[1]) if alt else "")
    return None
