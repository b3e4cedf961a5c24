"""A mail becomes what a mail program makes of it that forces dark mode: its colours are written anew (H11).

The colours are changed in the HTML, as Gmail and Outlook do it, and not by a filter over the page, which would turn pictures.
"""

import re

from lxml.html import HtmlElement
from PIL import ImageColor

from newsletter.compose.contrast import inverted

_COLOUR = re.compile(r"#[0-9a-f]{6}\b|#[0-9a-f]{3}\b|\brgba?\([^)]*\)|\b(?:white|black|gr[ae]y|silver)\b", re.IGNORECASE)
_DECLARATION = re.compile(r"(?<![\w-])((?:background|border|outline|color)[\w-]*)(\s*:\s*)([^;{}]+)", re.IGNORECASE)
_TEXT = ("color", "-webkit-text-fill-color")


def _turned(colour: str, *, name: str) -> str:
    try:
        red, green, blue = ImageColor.getrgb(colour)[:3]
    except ValueError:
        return colour
    written = f"#{red:02x}{green:02x}{blue:02x}"
    if name.startswith(("border", "outline")):  # lines are turned whichever way they stand out
        light = inverted(written, ground=True)
        return light if light != written else inverted(written, ground=False)
    return inverted(written, ground=name not in _TEXT)


def _declarations(css: str) -> str:
    def turn(found: re.Match[str]) -> str:
        name = found[1].lower()
        return found[1] + found[2] + _COLOUR.sub(lambda colour: _turned(colour[0], name=name), found[3])

    return _DECLARATION.sub(turn, css)


def force_dark(document: HtmlElement) -> None:
    """Change every colour of the document: in attributes, in ``style`` attributes and in ``<style>``; what has none gets one."""
    for element in document.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag == "style" and element.text:
            element.text = _declarations(element.text)
        if element.get("style"):
            element.set("style", _declarations(element.get("style", "")))
        for name, meant in (("bgcolor", "background"), ("color", "color")):
            if element.get(name):
                element.set(name, _turned(element.get(name, ""), name=meant))


#: What a mail that says nothing of its own colours looks like then: paper, ink and links as a browser has them, turned.
DARK_CANVAS = (
    f"html{{background:{inverted('#ffffff', ground=True)};color:{inverted('#000000', ground=False)}}}"
    f"a{{color:{inverted('#0000ee', ground=False)}}}"
)
