"""The elements of a page become what readers see of them: colour and ground, size, height of line, alignment."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from lxml.html import HtmlElement
from PIL import ImageColor

_COLOUR = re.compile(r"#[0-9a-fA-F]+|(?:rgb|hsl)a?\([^)]*\)|[A-Za-z]+")
_URL = re.compile(r"url\([^)]*\)?", re.IGNORECASE)
_LENGTH = re.compile(r"(\d*\.?\d+)\s*(px|pt|em|rem|%|)")
_UNSEEN = frozenset({"head", "style", "script", "noscript", "template", "title", "xml"})
_BOLD = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_SIZES = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83}
_POINT = 4 / 3
#: What a text has that shows nothing: the hair space of a spacer and its like.
_NOTHING = " \t\n\r\f\u00a0\u200a\u200b\u200c\u00ad\ufeff"


@dataclass(frozen=True, slots=True)
class Look:
    """How a text looks: colours ``#rrggbb``, lengths in CSS pixels; ``line`` is the height of a line, None for the program's own.

    ``bare`` says that it stands on a picture, with no colour behind it.
    """

    colour: str = "#000000"
    ground: str = "#ffffff"
    size: float = 16
    line: float | None = None
    bold: bool = False
    align: str = ""
    bare: bool = False
    shown: bool = True


Looks = Mapping[HtmlElement, Look]


@dataclass(frozen=True, slots=True)
class Text:
    """A text that readers see, the element it stands in and its look."""

    words: str
    element: HtmlElement
    look: Look


def style(element: HtmlElement) -> dict[str, str]:
    """The declarations of an element's ``style`` attribute, names in small letters."""
    return declarations(element.get("style") or "")


def looks(root: HtmlElement) -> Looks:
    """The look of every element, from its own attributes and ``style`` and from what it stands in; ``<style>`` does not count."""
    found: dict[HtmlElement, Look] = {}
    for element in root.iter("*"):
        parent = element.getparent()
        above = found[parent] if parent is not None and parent in found else Look()
        given = (element.get("style", ""), element.get("bgcolor", ""), element.get("color", ""), element.get("align", ""))
        found[element] = _derived(above, str(element.tag), *given, "background" in element.attrib)
    return found


def texts(known: Looks) -> Iterator[Text]:
    """Every text that readers see, in the order of the page."""
    for element, look in known.items():
        if look.shown and look.size > 1 and (words := (element.text or "").strip(_NOTHING)):
            yield Text(words, element, look)
        parent = element.getparent()
        if parent is not None and parent in known and (words := (element.tail or "").strip(_NOTHING)):
            look = known[parent]
            if look.shown and look.size > 1:
                yield Text(words, parent, look)


@lru_cache(maxsize=4096)
def colour(value: str) -> str | None:
    """The colour that CSS text names first, as ``#rrggbb``; None where it names none, or one that shows through."""
    for match in _COLOUR.finditer(_URL.sub("", value)):
        try:
            channels = ImageColor.getrgb(match[0])
        except ValueError:
            continue
        if len(channels) == 3 or channels[3] == 255:
            return "#{:02x}{:02x}{:02x}".format(*channels[:3])
    return None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[tuple[str, str], ...]:
    parts = (declaration.partition(":") for declaration in text.split(";"))
    return tuple((name.strip().lower(), value.strip()) for name, colon, value in parts if colon)


def declarations(text: str) -> dict[str, str]:
    """The declarations of CSS text, names in small letters."""
    return dict(_parsed(text))


@lru_cache(maxsize=8192)
def _derived(above: Look, tag: str, css: str, bgcolor: str, font: str, align: str, picture: bool) -> Look:  # noqa: PLR0913, PLR0917
    own = declarations(css)
    given = _length(own.get("font-size", ""), above.size)
    size = above.size * _SIZES.get(tag, 1) if given is None else given
    look = replace(
        above,
        colour=colour(own.get("color", "")) or (colour(font) if tag == "font" else None) or above.colour,
        size=size,
        line=_line(own.get("line-height", ""), size, above.line),
        bold=_bold(own.get("font-weight", ""), above.bold or tag in _BOLD),
        align=(
            own.get("text-align") or (align if tag in ("p", "td", "th", "div", "h1", "h2", "h3") else "") or above.align
        ).lower(),
        shown=above.shown and tag not in _UNSEEN and not _hidden(own),
    )
    return _on_ground(look, own, bgcolor, picture)


def _on_ground(look: Look, own: Mapping[str, str], bgcolor: str, picture: bool) -> Look:
    css = f"{own.get('background-color', '')} {own.get('background', '')}"
    ground = colour(css) or colour(bgcolor)
    covered = picture or "url(" in css or "url(" in own.get("background-image", "")
    if ground is not None:
        return replace(look, ground=ground, bare=False)
    return replace(look, bare=True) if covered else look


def _hidden(own: Mapping[str, str]) -> bool:
    return own.get("display") == "none" or own.get("visibility") == "hidden" or own.get("opacity") == "0"


def _bold(weight: str, inherited: bool) -> bool:
    if weight.isdigit():
        return int(weight) >= 600
    return {"bold": True, "bolder": True, "normal": False, "lighter": False}.get(weight, inherited)


def _line(value: str, size: float, inherited: float | None) -> float | None:
    match = _LENGTH.fullmatch(value)
    if match is None:
        return None if value == "normal" else inherited
    return float(match[1]) * size if match[2] == "" else _length(value, size)


def _length(value: str, base: float) -> float | None:
    match = _LENGTH.fullmatch(value)
    if match is None:
        return None
    factor = {"px": 1, "": 1, "pt": _POINT, "em": base, "rem": 16, "%": base / 100}[match[2]]
    return float(match[1]) * factor
