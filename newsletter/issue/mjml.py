"""The raw MJML of an ``mjml`` block, checked: whole elements that may stand in a mail's body, and nothing that loads or runs."""

import html.entities
import re
from typing import Annotated

from lxml import etree
from pydantic import AfterValidator

from newsletter.issue.address import check_url
from newsletter.issue.text import TextError, check_characters

_TOP = ("mj-section", "mj-wrapper", "mj-hero")
#: What is not for an issue: files from elsewhere, what belongs into the layout's head, scripts.
_REFUSED = {
    "mj-include": "files cannot be included; write the sections here",
    "mj-head": "belongs into the layout",
    "mj-style": "belongs into the layout; use the attributes of the elements",
    "mj-attributes": "belongs into the layout",
    "mj-body": "comes from the layout; begin with mj-section",
    "mjml": "comes from the layout; begin with mj-section",
    "script": "no mail program runs scripts",
    "style": "belongs into the layout; use the attributes of the elements",
    "iframe": "no mail program shows frames",
    "object": "no mail program shows it",
    "embed": "no mail program shows it",
}
_OPEN = "<root>"
_FORBIDDEN = re.compile(r"\{\{|<!DOCTYPE|<!ENTITY|<!\[CDATA\[|<\?|@import", re.IGNORECASE)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")


def check_mjml(source: str) -> str:
    """Give the MJML back unchanged. Raises :class:`TextError` with the offset of the first thing that cannot stand in it."""
    check_characters(source)
    if not source.strip():
        raise TextError("is empty; write at least one <mj-section>")
    if match := _FORBIDDEN.search(source):
        raise TextError(f"{match[0]} cannot stand in raw MJML{_why(match[0])}", match.start())
    root = _parsed(source)
    lines = source.split("\n")
    for element in root.iter():
        if not isinstance(element.tag, str):  # a comment
            continue
        if element is not root:
            _check_element(element, lines, top=element.getparent() is root)
    _check_loose_text(root, lines)
    return source


def _why(found: str) -> str:
    return ": it is the same for everyone" if found == "{{" else "; leave it out"


def _parsed(source: str) -> etree._Element:
    # S19: nothing is loaded; HTML's entities, which XML does not know, are only blanked out for this look, length for length
    plain = _ENTITY.sub(lambda match: "x" * len(match[0]) if f"{match[1]};" in html.entities.html5 else match[0], source)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(f"{_OPEN}{plain}</root>".encode(), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        offset = _offset(source.split("\n"), line, column - 1 - (len(_OPEN) if line == 1 else 0))
        reason = re.sub(r",? line \d+(?:, column \d+)?| and root", "", error.msg or "cannot be read")
        raise TextError(f"is no well-formed MJML: {reason}; close every element, <br /> too", offset) from None


def _check_element(element: etree._Element, lines: list[str], *, top: bool) -> None:
    name = str(element.tag)
    if top and name not in _TOP:
        raise TextError(
            f"<{name}> cannot stand here; only {', '.join(_TOP)} can, everything else goes inside", _start(element, lines)
        )
    if name.lower() in _REFUSED:
        raise TextError(f"<{name}> cannot stand in an issue: {_REFUSED[name.lower()]}", _start(element, lines))
    for key, value in ((str(key), str(value)) for key, value in element.attrib.items()):
        if key.lower().startswith("on"):
            raise TextError(f"{key} cannot stand in a mail: no mail program runs scripts", _start(element, lines))
        if key.lower() == "href":
            try:
                check_url(value)
            except ValueError as error:
                raise TextError(f"href {error}", _start(element, lines)) from None


def _check_loose_text(root: etree._Element, lines: list[str]) -> None:
    loose = [(root.text, 1), *((child.tail, _line_of(child)) for child in root)]
    for text, line in loose:
        if text and text.strip():
            word = text.split()[0]
            raise TextError("text cannot stand here; put it into an mj-text", _offset_of(word, lines, line))


def _line_of(element: etree._Element) -> int:
    line = element.sourceline
    return line if isinstance(line, int) else 1


def _start(element: etree._Element, lines: list[str]) -> int:
    """Where the element's ``<tag`` stands; a start tag of several lines is dated by lxml to the line it ends in."""
    line = _line_of(element)
    for number in range(min(line, len(lines)), 0, -1):
        if (column := lines[number - 1].find(f"<{element.tag!s}")) >= 0:
            return _offset(lines, number, column)
    return _offset(lines, line, 0)


def _offset_of(word: str, lines: list[str], line: int) -> int:
    start = _offset(lines, line, 0)
    found = "\n".join(lines).find(word, start)
    return found if found >= 0 else start


def _offset(lines: list[str], line: int, column: int) -> int:
    """The offset of a place that counts lines from 1 and columns from 0."""
    line = min(line, len(lines))
    return sum(len(text) + 1 for text in lines[: line - 1]) + max(0, min(column, len(lines[line - 1])))


MjmlSource = Annotated[str, AfterValidator(check_mjml)]
