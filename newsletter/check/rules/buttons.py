"""Buttons: seen in every program, large enough for a finger, apart from their ground (H8, A8, A11)."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.check.look import Look, colour, style
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page
from newsletter.compose.contrast import contrast

_HEIGHT, _FACE = 44, 3.0


@rule(
    "H8-button-not-in-cell",
    "error",
    "the button “{label}” has its colour and its padding on the link; Outlook on Windows shows bare words",
    "use mj-button, or put colour and padding on the table cell around the link",
    "caniemail: padding",
    Page,
)
def button_not_in_cell(page: Page) -> Iterator[Found]:
    """The Word engine knows padding on cells alone; ``mso-padding-alt`` on the cell is its own way."""
    for link, own in _padded(page):
        around = link.getparent()
        if colour(own.get("background-color") or own.get("background", "")) is None:
            continue
        if around is None or around.tag != "td" or not (around.get("bgcolor") or "background" in around.get("style", "")):
            yield found(page.place(link), label=_words(link))


@rule(
    "H8-link-in-drawing",
    "error",
    "a link stands inside a drawing for Outlook (<{name}>), where the keyboard does not reach it",
    "use mj-button, which is a plain cell with a link",
    "WCAG 2.2 SC 2.1.1; parcel.io (critical)",
    Page,
)
def link_in_drawing(page: Page) -> Iterator[Found]:
    """``v:roundrect`` with an address: a "bulletproof button"."""
    for element in page.outlook.iter("*"):
        name = str(element.tag)
        if name.startswith("v:") and (element.get("href") or next(element.iter("a"), None) is not None):
            yield found(page.place(element), name=name)


@rule(
    "A11-button-low",
    "warning",
    "the button “{label}” is {height} pixels high; fingers need 44",
    "raise inner-padding or line-height of the button",
    "WCAG 2.2 SC 2.5.8",
    Page,
)
def button_low(page: Page) -> Iterator[Found]:
    """The line and the padding above and below it."""
    for link, own in _padded(page):
        look = page.looks[0][link]
        around = link.getparent()
        if around is None or colour(around.get("bgcolor") or own.get("background", "")) is None:
            continue
        top, bottom = _paddings(own["padding"])
        height = round((look.line or look.size * 1.2) + top + bottom)
        if height < _HEIGHT:
            yield found(page.place(link), label=_words(link), height=height)


@rule(
    "A8-button-unseen",
    "error",
    "the button “{label}” hardly stands out: {face} on {ground} has a contrast of {ratio}, and needs 3",
    "give the button a darker face or a border",
    "WCAG 2.2 SC 1.4.11",
    Page,
)
def button_unseen(page: Page) -> Iterator[Found]:
    """Its face or its border."""
    looks = page.looks[0]
    for link, _ in _padded(page):
        cell = link.getparent()
        if cell is None or not cell.get("bgcolor") or cell.getparent() is None:
            continue
        ground = looks[cell.getparent()].ground
        ratio = max(contrast(face, ground) for face in _faces(cell, looks[cell]))
        if ratio < _FACE:
            yield found(page.place(link), label=_words(link), face=looks[cell].ground, ground=ground, ratio=f"{ratio:.1f}")


def _faces(cell: HtmlElement, look: Look) -> list[str]:
    border = style(cell).get("border", "")
    edge = colour(re.sub(r"\b(?:solid|none|dashed|dotted|double)\b", "", border))
    return [look.ground, *([edge] if edge else [])]


def _padded(page: Page) -> Iterator[tuple[HtmlElement, dict[str, str]]]:
    """Every link that is drawn as a button."""
    for link in page.modern.iter("a"):
        own = style(link)
        if link.get("href") and own.get("padding", "0") not in ("0", "0px"):
            yield link, own


def _paddings(value: str) -> tuple[float, float]:
    """Above and below."""
    sides = [float(number) for number in re.findall(r"([\d.]+)", value)] or [0.0]
    return sides[0], sides[2] if len(sides) > 2 else sides[0]


def _words(link: HtmlElement) -> str:
    return " ".join(link.text_content().split())
