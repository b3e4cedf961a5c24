"""Words in another language than the issue's get their ``lang``, and ``dir`` where that differs (A2), in the MJML of a layout.

A passage goes through the templates between marks, for they may put it into text or into an attribute, which takes no element;
a block goes through them in an element of its own, whose texts and pictures are given the language one by one.
"""

import re
from html import escape

from lxml import etree

from newsletter.language import Language, language

#: Noncharacters, which no text of an author's holds: around the language of a passage, and behind the passage.
OPEN, MIDDLE, CLOSE = "\ufdd3", "\ufdd4", "\ufdd5"
#: The element around a block that is in a language of its own; it is gone before the MJML is compiled.
_BLOCK = "mj-spoken"
_MARK = re.compile(f"{OPEN}([^{MIDDLE}]*){MIDDLE}|{CLOSE}")
#: What takes no element (comments, the page's title, the line behind the subject, attributes), and the marks elsewhere.
_TOKEN = re.compile(
    r"""<!--.*?-->|<(mj-title|mj-preview)\b.*?</\1>|</?[A-Za-z](?:"[^"]*"|'[^']*'|[^"'>])*>"""
    rf"|{OPEN}(?P<tag>[^{MIDDLE}]*){MIDDLE}|{CLOSE}",
    re.DOTALL,
)
_DIRECTION = re.compile(rf'<{_BLOCK} [^>]*dir="(\w+)"')
_WHOLE_ALT = re.compile(f' alt="{OPEN}([^{MIDDLE}]*){MIDDLE}([^{CLOSE}"]*){CLOSE}"')
_SIGN, _STOP = f"(?:{OPEN}|&#{ord(OPEN)};)", f"(?:{MIDDLE}|&#{ord(MIDDLE)};)"
_COMPILED_ALT = re.compile(f' alt="{_SIGN}([A-Za-z0-9-]+){_STOP}')


def opened(tag: str) -> str:
    """The mark in front of words in the language ``tag``; behind them stands :data:`CLOSE`."""
    return f"{OPEN}{tag}{MIDDLE}"


def marked(tag: str, html: str) -> str:
    """HTML between the marks of its language."""
    return f"{opened(tag)}{html}{CLOSE}"


def spoken_in(spoken: Language, mjml: str) -> str:
    """The MJML of a block in its language, for :func:`give_languages`."""
    return f'<{_BLOCK} lang="{escape(spoken.tag)}" dir="{spoken.direction}">{mjml}</{_BLOCK}>'


def place_marks(mjml: str, direction: str) -> str:
    """MJML with a ``span`` for each marked passage; an ``alt`` that is one passage keeps its mark for :func:`name_pictures`.

    ``direction`` is that of the issue.
    """
    if OPEN not in mjml:
        return mjml
    directions = [direction]

    def place(match: re.Match[str]) -> str:
        token = match[0]
        if (tag := match["tag"]) is not None:
            directions.append(language(tag).direction)
            return f"<span{_attributes(tag, directions[-1], directions[-2])}>"
        if token == CLOSE:
            directions.pop()
            return "</span>"
        if block := _DIRECTION.match(token):
            directions.append(block[1])
        elif token == f"</{_BLOCK}>":
            directions.pop()
        return _unmarked(token) if OPEN in token else token

    return _TOKEN.sub(place, mjml)


def give_languages(root: etree._Element) -> None:
    """Give every text, button and picture of a block in another language that language, and take the block's element away."""
    issue = root.get("dir", "ltr")
    for block in list(root.iter(_BLOCK)):
        given = {"lang": block.get("lang", "")}
        if (direction := block.get("dir", issue)) != issue:
            given["dir"] = direction
        for element in list(block.iter("mj-text", "mj-button", "mj-table", "mj-image")):
            if "dir" in given:
                _turn(element, direction)
            match element.tag:
                case "mj-image":
                    if (alt := element.get("alt", "")) and not alt.startswith(OPEN):
                        element.set("alt", f"{opened(given['lang'])}{alt}")
                case "mj-button":
                    _wrap(element, "span", given)
                case _ if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
                    _wrap(element, "div", given)
                case _:
                    _give(element, given)
        _unwrap(block)


def name_pictures(html: str) -> str:
    """Compiled HTML in which the ``alt`` of a picture that kept its mark has its language beside it."""
    return _COMPILED_ALT.sub(r' lang="\1" alt="', html)


def _attributes(tag: str, direction: str, around: str) -> str:
    return f' lang="{escape(tag)}"' + (f' dir="{direction}"' if direction != around else "")


def _unmarked(token: str) -> str:
    """A tag, comment or title without marks, but for that at the start of an ``alt`` which is a passage as a whole."""
    kept = _WHOLE_ALT.search(token) if token.startswith("<mj-image") else None
    plain = _MARK.sub("", token)
    return plain.replace(' alt="', f' alt="{opened(kept[1])}', 1) if kept else plain


def _turn(element: etree._Element, direction: str) -> None:
    """What stands where its lines begin stands where the lines of its own language begin."""
    starts = {"ltr": "left", "rtl": "right"}
    if element.get("align") in (None, *starts.values()) and (element.tag != "mj-image" or element.get("align")):
        element.set("align", starts[direction])


def _give(element: etree._Element, given: dict[str, str]) -> None:
    for child in element:
        if isinstance(child.tag, str) and child.get("lang") is None:
            for name, value in given.items():
                child.set(name, value)


def _wrap(element: etree._Element, tag: str, given: dict[str, str]) -> None:
    inner = etree.Element(tag, given)
    inner.text, element.text = element.text, None
    inner.extend(list(element))
    element.append(inner)


def _unwrap(block: etree._Element) -> None:
    parent = block.getparent()
    if parent is not None:
        place = parent.index(block)
        parent[place : place + 1] = list(block)
