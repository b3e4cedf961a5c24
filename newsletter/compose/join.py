"""Neighbouring MJML sections that look like one become one: the same ground, the same margins, one column each.

A section costs about 1 kB of HTML, most of it tables for Outlook, and Gmail cuts long mails off (rendering.md §8). The space
between the two goes into the padding above the second one's first element, so that everything stays where it was.
"""

import re
from itertools import pairwise

from lxml import etree

_PIXELS = re.compile(r"(\d+)px (\d+)px (\d+)px (\d+)px")
_PADDED = {"mj-text", "mj-image", "mj-button", "mj-divider", "mj-spacer"}

#: What would grow with the padding, or what would win over it.
_WITH_THE_PADDING = {"container-background-color", "padding-top", "padding-bottom", "mj-class"}


def join_sections(root: etree._Element) -> None:
    """Join the sections of each body and wrapper in place, as far as they say all of their paddings in pixels."""
    for parent in root.iter("mj-body", "mj-wrapper"):
        for upper, lower in reversed(list(pairwise(parent))):
            if _alike(upper, lower):
                _join(upper, lower)
                parent.remove(lower)


def _alike(upper: etree._Element, lower: etree._Element) -> bool:
    one, other = _sides(upper), _sides(lower)
    if one is None or one != other or (upper.tail or "").strip() or (lower.tail or "").strip():
        return False
    first = lower[0][0]
    if first.tag not in _PADDED or set(first.attrib) & _WITH_THE_PADDING:
        return False
    return _PIXELS.fullmatch(first.get("padding", "")) is not None


def _sides(section: etree._Element) -> tuple[str | None, str, str, str] | None:
    """Ground, left and right padding and width of a section of one plain column that has something in it; None for any other."""
    if section.tag != "mj-section" or not set(section.attrib) <= {"background-color", "padding"} or len(section) != 1:
        return None
    column = section[0]
    padding = _PIXELS.fullmatch(section.get("padding", ""))
    if column.tag != "mj-column" or set(column.attrib) != {"width"} or len(column) == 0 or padding is None:
        return None
    return section.get("background-color"), padding[2], padding[4], column.get("width", "")


def _join(upper: etree._Element, lower: etree._Element) -> None:
    above, below = _paddings(upper), _paddings(lower)
    first = lower[0][0]
    inner = _paddings(first)
    first.set("padding", _written([above[2] + below[0] + inner[0], *inner[1:]]))
    upper.set("padding", _written([above[0], above[1], below[2], above[3]]))
    upper[0].extend(list(lower[0]))


def _paddings(element: etree._Element) -> list[int]:
    return [int(value.removesuffix("px")) for value in element.get("padding", "").split()]


def _written(paddings: list[int]) -> str:
    return " ".join(f"{value}px" for value in paddings)
