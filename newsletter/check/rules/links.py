"""Links: where they lead, and what they say (H13, A6, L11)."""

import re
from collections import defaultdict
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page

#: A6: what says nothing without its object.
_POINTLESS = re.compile(
    r"(?:(?:hier )?klicken(?: sie)?(?: bitte)?(?: hier)?|hier|click here|here|this|dies|link)\s*[.…»>→]*", re.IGNORECASE
)


def links(page: Page) -> Iterator[tuple[HtmlElement, str, str]]:
    """Every link of the page with its address and its words; a picture's are its alternative text."""
    for link in page.modern.iter("a"):
        if (address := link.get("href")) is not None:
            said = [*link.itertext(), *(image.get("alt", "") for image in link.iter("img"))]
            yield link, address, " ".join(" ".join(said).split())


@rule(
    "A6-link-says-nothing",
    "error",
    "the link “{label}” does not say where it leads",
    "write what the reader finds there, e.g. the title of the page",
    "WCAG 2.2 SC 2.4.4",
    Page,
)
def link_says_nothing(page: Page) -> Iterator[Found]:
    """A screen reader reads links out in a list, without what stands around them."""
    for link, _, label in links(page):
        if _POINTLESS.fullmatch(label):
            yield found(page.place(link), label=label)


@rule(
    "A6-same-words-other-target",
    "error",
    "“{label}” leads to {count} different addresses",
    "give each link words of its own",
    "WCAG 2.2 SC 2.4.4",
    Page,
)
def same_words_other_target(page: Page) -> Iterator[Found]:
    """Two links that sound the same and lead elsewhere cannot be told apart."""
    by_label: dict[str, dict[str, HtmlElement]] = defaultdict(dict)
    for link, address, label in links(page):
        by_label[label.casefold()].setdefault(address, link)
    for targets in by_label.values():
        if len(targets) > 1:
            last = list(targets.values())[-1]
            yield found(page.place(last), label=" ".join(last.text_content().split()), count=len(targets))
