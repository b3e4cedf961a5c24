"""The text part says what the HTML says (A17, B17)."""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from lxml.html import HtmlElement

from newsletter.check.rule import Found, found, rule
from newsletter.check.rules.links import links, own_pages
from newsletter.check.subject import Page

_TEMPLATE = "text.j2"
_WORD = re.compile(r"\w+")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: A paragraph may be worded otherwise there, but not be missing.
_MISSING_SHARE, _MISSING_WORDS = 0.3, 3


@lru_cache(maxsize=16)
def _known(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _words(element: HtmlElement) -> list[str]:
    return _WORD.findall(" ".join(element.itertext()).replace("\u00ad", "").casefold())


@rule(
    "B17-no-text-part",
    "error",
    "the plain text part of the mail is empty; who reads mails as text sees nothing, and filters take it for spam",
    "let the layout's text.j2 write what the HTML says",
    "RFC 2046 §5.1.4; SpamAssassin MPART_ALT_DIFF",
    Page,
)
def no_text_part(page: Page) -> Iterator[Found]:
    """The rules below look at a text that is there."""
    if not page.text.strip():
        yield found(page.origin.layout(_TEMPLATE))


@rule(
    "A17-words-missing",
    "error",
    "“{words}” is missing in the plain text part",
    "write it there too: in the text of the mjml block, or in the layout's text.j2",
    "WCAG 2.2 SC 1.1.1; SpamAssassin MPART_ALT_DIFF",
    Page,
)
def words_missing(page: Page) -> Iterator[Found]:
    """A heading of which a word is not there, a paragraph or an item of which a third is not."""
    known = _known(page.text)
    for passage in page.modern.iter(*_HEADINGS, "p", "li") if known else ():
        words = _words(passage)
        missing = sum(word not in known for word in words)
        least, share = (1, 0.0) if passage.tag in _HEADINGS else (_MISSING_WORDS, _MISSING_SHARE)
        if missing >= least and missing > share * len(words):
            said = passage.text_content().split()
            yield found(page.place(passage), words=" ".join(said[:6]) + (" …" if len(said) > 6 else ""))


@rule(
    "A17-link-missing",
    "error",
    "the address {address} is missing in the plain text part; there “{label}” leads nowhere",
    "write the link there too: in the text of the mjml block, or in the layout's text.j2",
    "WCAG 2.2 SC 1.1.1",
    Page,
)
def link_missing(page: Page) -> Iterator[Found]:
    """In full, or as people write it: without https:// or mailto:; a number by its digits. The way out is L7-no-way-out's."""
    flat, digits = page.text.casefold(), re.sub(r"\D", "", page.text)
    way_out = f"{own_pages(page)}/unsubscribe/"
    for link, address, label in links(page) if flat.strip() else ():
        if address.startswith(way_out):
            continue
        scheme, _, rest = address.partition(":")
        if scheme in ("https", "http"):
            there = rest.removeprefix("//").rstrip("/").casefold() in flat
        elif scheme == "mailto":
            there = unquote(rest).partition("?")[0].casefold() in flat
        elif scheme == "tel":
            there = re.sub(r"\D", "", rest)[-6:] in digits
        else:
            continue
        if not there:
            yield found(page.place(link), address=address[:80], label=label)
