"""The HTML document: its frame, its title and its language (H1, H12, H16, A1, A3)."""

import re
from collections import Counter
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page, outlook_view
from newsletter.language import language

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
#: A start or end tag; what may hold a ``>`` is matched as a whole, and never twice.
_TAG = re.compile(r"""<(/?)([A-Za-z][\w:.-]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_RAW = re.compile(r"<(style|script|title)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"])
#: Needs no end tag (13.1.2.4), and has none where the program leaves out what costs bytes.
_ENDS_ITSELF = frozenset({"thead", "tbody", "tfoot"})
_RULES = "HTML Living Standard"


@rule(
    "H1-frame-lacks",
    "error",
    "the frame of the mail lacks {what}; umlauts, sizes or narrow screens go wrong without it",
    "put it into the layout; MJML does so by itself",
    "HTML Living Standard, 13.1.1, 4.2.5.4; WCAG 2.2 SC 1.4.10",
    Page,
)
def frame_lacks(page: Page) -> Iterator[Found]:
    """Without a doctype tables forget font sizes; without a viewport a telephone draws the page 980 pixels wide."""
    given = [f"{meta.get('charset', '')} {meta.get('content', '')}".lower() for meta in page.modern.iter("meta")]
    there = {
        "<!DOCTYPE html>": re.match(r"\s*<!doctype html>", page.html, re.IGNORECASE) is not None,
        '<meta charset="utf-8">': any(re.search(r"(?:^|charset=)\s*utf-8", text) for text in given),
        '<meta name="viewport" content="width=device-width, initial-scale=1">': any(
            "width=device-width" in content.replace(" ", "") for content in _viewports(page)
        ),
    }
    for what, is_there in there.items():
        if not is_there:
            yield found(page.origin.layout(), what=what)


@rule(
    "H1-not-one-document",
    "error",
    "the mail has {count} <{name}> elements; it must have exactly one",
    "let the layout have one <html>, one <head> and one <body>",
    f"{_RULES}, 4.1.1",
    Page,
)
def not_one_document(page: Page) -> Iterator[Found]:
    """Parsers mend it, each in its own way."""
    counted = Counter(match[2].lower() for match in _tags(_COMMENT.sub("", page.html)) if not match[1])
    for name in ("html", "head", "body"):
        if counted[name] != 1:
            yield found(page.origin.layout(), name=name, count=counted[name])


@rule(
    "H1-zoom-blocked",
    "error",
    "the mail forbids to enlarge it (“{content}”)",
    "take user-scalable and maximum-scale out of the layout's viewport",
    "WCAG 2.2 SC 1.4.4; EMC (critical)",
    Page,
)
def zoom_blocked(page: Page) -> Iterator[Found]:
    """Who sees badly enlarges: by two fingers, to 200 % at least."""
    for content in _viewports(page):
        largest = re.search(r"maximum-scale=([\d.]+)", content.replace(" ", ""))
        if re.search(r"user-scalable\s*=\s*(?:no|0)", content) or (largest and float(largest[1].rstrip(".") or 0) < 2):
            yield found(page.origin.layout(), content=content)


def _viewports(page: Page) -> list[str]:
    return [meta.get("content", "").lower() for meta in page.modern.iter("meta") if meta.get("name", "").lower() == "viewport"]


@rule(
    "H12-not-closed",
    "error",
    "the HTML is not well nested: {what}",
    "close every element in the layout, in the reverse order of opening",
    f"{_RULES}, 13.1.2",
    Page,
)
def not_closed(page: Page) -> Iterator[Found]:
    """One table that is left open takes the rest of the mail into it; Outlook's own pieces count too."""
    for html in dict.fromkeys((page.html, outlook_view(page.html))):
        if (what := _first_gap(_COMMENT.sub("", html))) is not None:
            yield found(page.origin.layout(), what=what)


def _tags(html: str) -> Iterator[re.Match[str]]:
    return _TAG.finditer(_RAW.sub("", html))


def _first_gap(html: str) -> str | None:
    """The first element that is closed twice or never."""
    opened: list[str] = []
    for match in _tags(html):
        name = match[2].lower()
        if name in _VOID or match[3].endswith("/"):
            continue
        if not match[1]:
            opened.append(name)
            continue
        while opened and opened[-1] != name and opened[-1] in _ENDS_ITSELF:
            opened.pop()
        if opened and opened[-1] == name:
            opened.pop()
        else:
            return f"</{name}> ≠ </{opened[-1]}>" if opened else f"</{name}>"
    return f"<{opened[-1]}>" if opened else None


@rule(
    "H12-id-twice",
    "error",
    "the id “{id}” is given twice; links to it and screen readers find the first one only",
    "give each element an id of its own",
    f"{_RULES}, 3.2.6; EMC (49 % of the mails of authorities)",
    Page,
)
def id_twice(page: Page) -> Iterator[Found]:
    """In each view alone: the view for Outlook repeats none of the other's."""
    for view in page.views:
        for id_, times in Counter(view.xpath("//@id")).items():
            if times > 1:
                yield found(page.origin.markup(f'id="{id_}"'), id=id_)


@rule(
    "H16-other-title",
    "info",
    "the title of the document is “{title}”, not that of the issue",
    "write the issue's title into the layout's mj-title",
    "EMC",
    Page,
)
def other_title(page: Page) -> Iterator[Found]:
    """Tabs, saved files and screen readers announce it."""
    title = _title(page)
    if title and title != page.subject.issue.content.title:
        yield found(page.origin.layout(), title=title)


@rule(
    "A3-no-title",
    "error",
    "the mail has no title; screen readers and browser tabs announce nothing, or its address",
    "write the issue's title into the layout's mj-title",
    "WCAG 2.2 SC 2.4.2",
    Page,
)
def no_title(page: Page) -> Iterator[Found]:
    """An empty one is none."""
    if not _title(page):
        yield found(page.origin.layout())


def _title(page: Page) -> str:
    return " ".join(str(page.modern.xpath("string(//title)")).split())


@rule(
    "A1-no-language",
    "error",
    "<{name}> does not say {what}; screen readers pronounce the mail wrongly, or programs turn it round",
    "set lang and dir in the layout: on <mjml>, and on all that stands directly in the body",
    "WCAG 2.2 SC 3.1.1; EMC (98 % of all mails fail)",
    Page,
)
def no_language(page: Page) -> Iterator[Found]:
    """Webmail throws ``<html>`` away: what stands in the body has to say it again. A direction ``auto`` guesses by a letter."""
    direction = language(page.subject.issue.language).direction
    for element in _outermost(page):
        if element.get("lang", "und") in ("", "und"):
            yield found(page.origin.layout(), name=element.tag, what=f'lang="{page.subject.issue.language}"')
        if element.get("dir", "").lower() != direction:
            yield found(page.origin.layout(), name=element.tag, what=f'dir="{direction}"')


@rule(
    "A1-other-language",
    "error",
    "<{name}> says that the language is “{given}”, but the issue is in “{wanted}”",
    "let the layout take the language from the issue",
    "WCAG 2.2 SC 3.1.1",
    Page,
)
def other_language(page: Page) -> Iterator[Found]:
    """Regions count: ``de-AT`` is not ``de``."""
    wanted = page.subject.issue.language
    for element in _outermost(page):
        if (given := element.get("lang", "und")) not in ("", "und") and given.lower() != wanted.lower():
            yield found(page.origin.layout(), name=element.tag, given=given, wanted=wanted)


def _outermost(page: Page) -> Iterator[HtmlElement]:
    """``<html>`` and what stands in the body itself, in both views."""
    for view in page.views:
        yield view
        body = view.find("body")
        yield from (child for child in ([] if body is None else body) if isinstance(child.tag, str))
