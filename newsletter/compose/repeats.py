"""HTML of MJML loses what its elements would have without saying so: by inheritance, or because every parser adds it.

MJML writes each cell as if it stood alone. What goes here is the same in a browser's computed styles; Word, which inherits little
into a table, reads it from the attributes of the cell (``align``), has it as its default (``direction``) or never knew it.
"""

import re
from functools import lru_cache

#: The one element around the whole mail.
_MAIL = re.compile(r'<div\b[^<>]* role="article"[^<>]*>')
#: Whatever sets one of the two properties anywhere (in small letters), and to what. In bytes, because that is much quicker.
_SETS_DIRECTION = (
    re.compile(rb"direction\s*:\s*([^\s;\"'}]*)"),
    re.compile(rb"dir\s*=\s*[\"']?([^\s\"'>]*)"),
    re.compile(rb"<bd[io]()"),
)
_SETS_BREAK = (re.compile(rb"word-break\s*:\s*([^;\"'}]*)"),)
_TABLE = re.compile(r"(<table\b[^<>]*>)<tbody>(?=<tr\b)")
#: An element with a style of its own, together with the ``div`` that is the first thing in it.
_CELL = re.compile(r'<(?:td|div)\b[^<>]* style="[^<>]*>(?:<div\b[^<>]*>)?')
_LEFT = re.compile(r'<td\b[^<>]* align="left"')
_TO_THE_LEFT = frozenset({"text-align:left"})
_STYLE = re.compile(r' style="([^"]*)"')
#: A semicolon that ends no declaration: in a function, a string, a comment, a character reference.
_NO_END = re.compile(r"""\([^)]*;|^[^']*(?:'[^']*'[^']*)*'[^';]*;|/\*|&""")


def drop_repeats(document: str) -> str:
    """The same document without the repetitions of ``tbody``, ``word-break``, ``direction`` and ``text-align``.

    It takes ``style`` attributes in double quotes without blanks around colons and semicolons, and leaves HTML as it is that has
    not MJML's ``<div role="article">`` around all. A declaration goes only where nothing in the document says anything else. Mail
    that is written from right to left keeps its own: there Word needs them.
    """
    mail = _MAIL.search(document)
    if mail is None:
        return document
    small, inherited = document.encode().lower(), set()
    if "word-break:break-word" in mail[0] and _values(small, _SETS_BREAK) == {b"break-word"}:
        inherited.add("word-break:break-word")
    if ' dir="ltr"' in mail[0] and _values(small, _SETS_DIRECTION) == {b"ltr"}:
        inherited.add("direction:ltr")
    said = frozenset(inherited)
    body = _CELL.sub(lambda cell: _cell(cell[0], said), document[mail.end() :])
    return document[: mail.end()] + _TABLE.sub(r"\1", body).replace("</tbody></table>", "</table>")


def _values(small: bytes, patterns: tuple[re.Pattern[bytes], ...]) -> set[bytes]:
    return {found[1] for pattern in patterns for found in pattern.finditer(small)}


@lru_cache(maxsize=4096)
def _cell(tags: str, inherited: frozenset[str]) -> str:
    """``align`` of a cell also moves the blocks in it: none where they stand on that side anyway, as with all text ``ltr``."""
    first, bracket, second = tags.partition(">")
    aligned = _TO_THE_LEFT if "direction:ltr" in inherited and _LEFT.match(first) else frozenset()
    return _without(first, inherited) + bracket + _without(second, inherited | aligned)


def _without(tag: str, repeated: frozenset[str]) -> str:
    style = _STYLE.search(tag)
    if style is None or _NO_END.search(style[1]):
        return tag
    left = ";".join(part for part in style[1].split(";") if part not in repeated)
    return tag[: style.start()] + (f' style="{left}"' if left else "") + tag[style.end() :]
