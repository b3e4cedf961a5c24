"""Tables and widths: what carries the layout, and that it fits telephones and Outlook (H5, H6)."""

import re
from collections.abc import Iterator
from functools import lru_cache

from lxml.html import HtmlElement

from newsletter.check.look import declarations, style
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page

_WIDEST, _NARROWEST = 640, 320
_PIXELS = re.compile(r"(\d+)(?:\.\d+)?(?:px)?")


def _pixels(value: str) -> int:
    """A width in pixels; 0 for what is none (a percentage, ``auto``)."""
    match = _PIXELS.fullmatch(value.strip())
    return int(match[1]) if match else 0


@rule(
    "H5-too-wide",
    "error",
    "<{name}> is {width} pixels wide; a mail has 640 at the most",
    "make the layout or the mjml block 600 pixels wide",
    "WCAG 2.2 SC 1.4.10; Outlook's window",
    Page,
)
def too_wide(page: Page) -> Iterator[Found]:
    """In the windows of most programs a wider mail has to be pushed sideways."""
    for view in page.views:
        for element in view.iter("table", "td", "th", "div", "img", "p"):
            if (width := _widest(element.get("width", ""), element.get("style", ""))) > _WIDEST:
                yield found(page.place(element), name=element.tag, width=width)


@lru_cache(maxsize=4096)
def _widest(attribute: str, css: str) -> int:
    own = declarations(css) if "width" in css else {}
    return max(map(_pixels, (attribute, own.get("width", ""), own.get("min-width", ""), own.get("max-width", ""))))


@rule(
    "H5-fixed-width",
    "error",
    "<{name}> stays {width} pixels wide on telephones too, which have 320; readers have to push the mail sideways",
    "give it the width 100% and a max-width in pixels",
    "WCAG 2.2 SC 1.4.10",
    Page,
)
def fixed_width(page: Page) -> Iterator[Found]:
    """Cells shrink by themselves; the views differ: Outlook on Windows is never that narrow."""
    for element in page.modern.iter("table", "div", "img", "p"):
        own = style(element)
        wide = _pixels(own.get("width") or element.get("width", ""))
        if own.get("max-width", "").endswith("%"):
            wide = 0
        if (width := max(wide, _pixels(own.get("min-width", "")))) > _NARROWEST:
            yield found(page.place(element), name=element.tag, width=width)


@rule(
    "H5-outlook-as-wide-as-the-window",
    "error",
    "Outlook on Windows shows a part of the mail as wide as its window: it does not know max-width",
    "put a table with a width in pixels around it for Outlook, as mj-section does",
    "caniemail: max-width",
    Page,
)
def outlook_as_wide_as_the_window(page: Page) -> Iterator[Found]:
    """The ghost table."""
    for element in page.outlook.iter("div", "table"):
        if not _pixels(style(element).get("max-width", "")):
            continue
        around = (element, *element.iterancestors("table"))
        if not any(_pixels(table.get("width", "")) for table in around):
            yield found(page.place(element))


@rule(
    "H6-no-role",
    "error",
    'a table that only arranges the mail has no role="presentation"; screen readers announce rows and columns',
    'write role="presentation" into the table\'s tag',
    "WCAG 2.2 SC 1.3.1; EMC (86 % of all mails fail)",
    Page,
)
def no_role(page: Page) -> Iterator[Found]:
    """A table of data has headings or a caption."""
    for view in page.views:
        for table in _arranging(view):
            if table.get("role", "").lower() not in ("presentation", "none"):
                yield found(page.place(table))


@rule(
    "H6-gaps",
    "error",
    "a table that only arranges the mail lacks {what}; some programs put gaps or lines between its cells",
    'write border="0" cellpadding="0" cellspacing="0" into the table\'s tag',
    "Maizzle; Outlook",
    Page,
)
def gaps(page: Page) -> Iterator[Found]:
    """By default two pixels between cells, one inside."""
    for view in page.views:
        for table in _arranging(view):
            missing = [f'{name}="0"' for name in ("border", "cellpadding", "cellspacing") if table.get(name) != "0"]
            if missing:
                yield found(page.place(table), what=" ".join(missing))


@rule(
    "H6-data-without-headings",
    "error",
    "a table with headings says that it only arranges the mail; screen readers then drop the headings",
    "take the role out of the table's tag",
    "WCAG 2.2 SC 1.3.1",
    Page,
)
def data_without_headings(page: Page) -> Iterator[Found]:
    """The reverse of H6-no-role."""
    for view in page.views:
        for table in _of_data(view):
            if table.get("role", "").lower() in ("presentation", "none"):
                yield found(page.place(table))


@rule(
    "H6-heading-without-scope",
    "error",
    "the heading “{words}” of a table does not say whether it is a column's or a row's",
    'write scope="col" or scope="row" into the th',
    "WCAG 2.2 SC 1.3.1, technique H63",
    Page,
)
def heading_without_scope(page: Page) -> Iterator[Found]:
    """An empty corner needs none."""
    for cell in page.modern.iter("th"):
        words = " ".join(cell.text_content().split())
        if words and cell.get("scope") not in ("col", "row", "colgroup", "rowgroup"):
            yield found(page.place(cell), words=words)


def _of_data(view: HtmlElement) -> list[HtmlElement]:
    """The tables that have headings or a caption of their own."""
    owners = (next(cell.iterancestors("table"), None) for cell in view.iter("th", "caption"))
    return list(dict.fromkeys(table for table in owners if table is not None))


def _arranging(view: HtmlElement) -> Iterator[HtmlElement]:
    """All others."""
    data = set(_of_data(view))
    return (table for table in view.iter("table") if table not in data)
