"""HTML loses the bytes that say nothing new: in ``style`` attributes and elements blanks, last semicolons, repeated colours.

Mail clients cut long mails off (Gmail at about 102 kB, rendering.md §8). Comments for Outlook are read like the rest; text and
all other attributes stay letter by letter.
"""

import re
from functools import lru_cache

_TAG = re.compile(r"""<[A-Za-z][^"'<>]*(?:(?:"[^"]*"|'[^']*')[^"'<>]*)*>""")
_ATTRIBUTE = re.compile(r"""(?<=\s)([^\s"'<>/=]+)=(?:"([^"]*)"|'([^']*)')""")
_SHEET = re.compile(r"(<style\b[^>]*>)(.*?)(?=</style)", re.DOTALL | re.IGNORECASE)
#: What blanks mean something in: strings, functions such as url(…), comments.
_OPAQUE = r"""("[^"]*"|'[^']*'|\([^)]*\)|/\*.*?\*/)"""
_STYLE_BLANKS = re.compile(rf"{_OPAQUE}|\s*([;:,])\s*", re.DOTALL)
#: MJML says a colour of a background twice, for clients of long ago.
_TWICE = re.compile(r"background:(#[0-9a-fA-F]{6});(?=background-color:\1(?:;|$))")
_SHEET_BLANKS = re.compile(rf"{_OPAQUE}|\s*;?\s*(\}})\s*|\s*([;{{,])\s*|(:)\s+|(\s)\s+", re.DOTALL)


def tighten(document: str) -> str:
    """The same HTML, shorter: every parser reads the same elements, texts and declarations in it.

    ``style`` attributes come out in double quotes, whatever stood there (font names are in single ones then).
    """
    shorter = _TAG.sub(lambda match: _tag(match[0]) if "style=" in match[0] else match[0], document)
    return _SHEET.sub(lambda match: match[1] + _sheet(match[2]), shorter)


@lru_cache(maxsize=4096)
def _tag(tag: str) -> str:
    return _ATTRIBUTE.sub(_attribute, tag)


def _attribute(match: re.Match[str]) -> str:
    if match[1] != "style":
        return match[0]
    style = match[2] if match[2] is not None else match[3].replace('"', "'")
    if "&" not in style:  # a semicolon there can be the end of a character reference
        style = _TWICE.sub("", _STYLE_BLANKS.sub(lambda found: found[1] or found[2], style).strip().removesuffix(";"))
    return f'style="{style}"'


@lru_cache(maxsize=64)
def _sheet(css: str) -> str:
    return _SHEET_BLANKS.sub(lambda found: next(filter(None, found.groups())), css).strip()
