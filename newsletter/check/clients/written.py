"""A feature becomes the place of the file that uses it: an ``mjml`` block of the issue, else a template of the layout.

Both are read as HTML reads them, so that the same signs are found as in the page; Jinja's parts are blanked out.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from lxml.html import HtmlElement, HTMLParser, fragment_fromstring

from newsletter.check.clients.css import rules
from newsletter.check.clients.feature import Feature
from newsletter.check.clients.pages import baseline, in_element, in_sheet
from newsletter.check.clients.signs import is_plain, selector
from newsletter.check.origin import Origin
from newsletter.check.subject import Place

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


def place(feature: Feature, origin: Origin) -> Place:
    """Where a feature is written down first; the layout as a whole where it cannot be told."""
    for loc, source in origin.mjml:
        if (offset := _where(source).get(feature.key)) is not None:
            return origin.inside(loc, offset)
    for file, template in origin.templates:
        if (offset := _where(template).get(feature.key)) is not None:
            start = template.rfind("\n", 0, offset) + 1
            return Place(str(file), template.count("\n", 0, offset) + 1, offset - start + 1)
    return origin.layout()


@lru_cache(maxsize=128)
def _where(source: str) -> dict[str, int]:
    """The offset of each feature in MJML: where HTML stands that is not in the baseline, else where MJML will write it."""
    plain = _JINJA.sub(lambda part: re.sub(r"[^\n]", "x" if part[0].startswith("{{") else " ", part[0]), source)
    if not plain.strip():
        return {}
    found: dict[str, int] = {}
    likely: dict[str, int] = {}
    for element in fragment_fromstring(plain.encode(), create_parent=True, parser=HTMLParser(encoding="utf-8")).iter():
        for key, offset, sure in _uses(element, plain):
            (found if sure else likely).setdefault(key, offset)
    return likely | found


def _uses(element: HtmlElement, source: str) -> Iterator[tuple[str, int, bool]]:
    """Each feature of an element with its offset, and whether it is beyond the baseline for sure."""
    if not isinstance(element.tag, str):
        return
    start = _start(element, source)
    known = baseline()
    for feature, sign in in_element(element):
        sure = not element.tag.startswith("mj-") and element.tag not in known.get(feature.key, ())
        yield feature.key, _find(sign.word, source, start), sure
    if element.tag in ("mj-style", "style"):
        yield from _in_sheet(element.text_content(), source, start, lost=element.get("inline") is None)
    elif element.getparent() is None:  # a template that is put into an mj-style
        yield from _in_sheet(element.text or "", source, start, lost=False)


def _in_sheet(sheet: str, source: str, start: int, *, lost: bool) -> Iterator[tuple[str, int, bool]]:
    """The same of a style sheet; ``lost`` where it stays one in the mail."""
    for feature, sign in in_sheet(sheet):
        yield feature.key, _find(sign.word, source, start), lost
    for rule in rules(sheet) if lost else ():
        if is_plain(rule) and rule.prelude and selector(rule) not in baseline().get("style", ()):
            yield "style", _find(rule.prelude[0].text, source, start), True


def _start(element: HtmlElement, source: str) -> int:
    """Where the element's ``<tag`` stands; a start tag of several lines is dated by lxml to one of them."""
    line = element.sourceline or 1
    end = -1
    for _ in range(line):
        end = source.find("\n", end + 1)
        if end < 0:
            end = len(source)
            break
    return max(source.rfind(f"<{element.tag}", 0, end), 0)


def _find(word: str, source: str, start: int) -> int:
    found = source.find(word, start)
    return found if found >= 0 else start
