"""HTML loses the bytes that say nothing new: blanks, last semicolons, repeated colours and sides in its CSS, and repetitions.

Mail clients cut long mails off (Gmail at about 102 kB, rendering.md §8). Comments for Outlook are read like the rest; text and
all other attributes stay letter by letter.
"""

import re
from functools import lru_cache

from newsletter.compose.repeats import drop_repeats

_TAG = re.compile(r"""<[A-Za-z][^"'<>]*(?:(?:"[^"]*"|'[^']*')[^"'<>]*)*>""")
_ATTRIBUTE = re.compile(r"""(?<=\s)([^\s"'<>/=]+)=(?:"([^"]*)"|'([^']*)')""")
_SHEET = re.compile(r"(<style\b[^>]*>)(.*?)(?=</style)", re.DOTALL | re.IGNORECASE)
#: What blanks mean something in: strings, functions such as url(…), comments.
_OPAQUE = r"""("[^"]*"|'[^']*'|\([^)]*\)|/\*.*?\*/)"""
_STYLE_BLANKS = re.compile(rf"{_OPAQUE}|\s*([;:,])\s*", re.DOTALL)
#: MJML says a colour of a background twice, for clients of long ago.
_TWICE = re.compile(r"background:(#[0-9a-fA-F]{6});(?=background-color:\1(?:;|$))")
#: Up to four lengths, of which an opposite side may be left out where it is the same, and a zero needs no unit.
_SIDE = r"(?:0|auto|-?\d+px)"
_LENGTHS = re.compile(
    rf"{_OPAQUE}|(?<![^;])(?:((?:padding|margin):)({_SIDE}(?: {_SIDE}){{0,3}})|(font-size:0)px)(?=;|$)", re.DOTALL
)
_SHEET_BLANKS = re.compile(rf"{_OPAQUE}|\s*;?\s*(\}})\s*|\s*([;{{,])\s*|(:)\s+|(\s)\s+", re.DOTALL)


def tighten(document: str) -> str:
    """The same HTML, shorter: every parser reads the same elements, texts and declarations in it.

    ``style`` attributes come out in double quotes, whatever stood there (font names are in single ones then). What an element
    inherits anyway goes, too (:func:`drop_repeats`).
    """
    shorter = _TAG.sub(lambda match: _tag(match[0]) if "style=" in match[0] else match[0], document)
    return drop_repeats(_SHEET.sub(lambda match: match[1] + _sheet(match[2]), shorter))


@lru_cache(maxsize=4096)
def _tag(tag: str) -> str:
    return _ATTRIBUTE.sub(_attribute, tag)


def _attribute(match: re.Match[str]) -> str:
    if match[1] != "style":
        return match[0]
    style = match[2] if match[2] is not None else match[3].replace('"', "'")
    if "&" not in style:  # a semicolon there can be the end of a character reference
        style = _TWICE.sub("", _STYLE_BLANKS.sub(lambda found: found[1] or found[2], style).strip().removesuffix(";"))
        style = _LENGTHS.sub(lambda found: found[1] or found[4] or found[2] + _sides(found[3]), style)
    return f'style="{style}"'


def _sides(lengths: str) -> str:
    """Top, right, bottom, left in as few words as CSS reads the same in."""
    sides = ["0" if length in ("0px", "-0px") else length for length in lengths.split()]
    for side, opposite in ((3, 1), (2, 0), (1, 0)):
        if len(sides) == side + 1 and sides[side] == sides[opposite]:
            sides.pop()
    return " ".join(sides)


@lru_cache(maxsize=64)
def _sheet(css: str) -> str:
    return _SHEET_BLANKS.sub(lambda found: next(filter(None, found.groups())), css).strip()
