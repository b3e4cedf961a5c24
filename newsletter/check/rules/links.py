"""Links: what they say, and whether that is where they lead (H13, H14, A6)."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

import idna
from lxml.html import HtmlElement

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page, Subject

_END = r"\s*[.…:!»>→]*"
#: A6: what says nothing without its object.
_POINTLESS = re.compile(
    r"(?:(?:bitte )?(?:hier )?klicken(?: sie)?(?: bitte)?(?: hier)?|(?:bitte )?hier(?: klicken| entlang| geht'?s| lesen)?"
    r"|click here|here|this|this link|dies|diesem link|link|dieser link|klick|url)" + _END,
    re.IGNORECASE,
)
#: What says something only together with what stands above it.
_LACKS_OBJECT = re.compile(
    r"(?:mehr|mehr erfahren|mehr lesen|mehr dazu|mehr infos?|mehr information(?:en)?|weitere info(?:s|rmation(?:en)?)?|weiter"
    r"|weiter ?lesen|zum artikel|zum beitrag|jetzt lesen|details|download|herunterladen"
    r"|website|webseite|homepage|artikel|more|read more|learn more|find out more|see more|more info(?:rmation)?|continue"
    r"|continue reading|read on|to the article)" + _END,
    re.IGNORECASE,
)
_LOOKS_LIKE_HOST = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[^\W\d_]{2,})(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_MAILBOX = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+\w{2,}")
#: Endings that look like hosts and are files.
_FILES = frozenset(
    {"pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "zip", "jpg", "png", "csv", "txt", "html", "ics"}
)
_FIRST_LINKS = 3
_VIEW = re.compile(r"/view/[\w.-]+$")
#: The page for everyone, where no ``serve`` runs.
_PUBLISHED = re.compile(r"/issues/[\w.~%-]+/$")


def links(page: Page) -> Iterator[tuple[HtmlElement, str, str]]:
    """Every link of the page with its address and its words; a picture's are its alternative text."""
    for link in page.modern.iter("a"):
        if (address := link.get("href")) is not None:
            said = [*link.itertext(), *(image.get("alt", "") for image in link.iter("img"))]
            yield link, address.strip(), " ".join(" ".join(said).split())


def own_pages(page: Page) -> str:
    """Where the newsletter's own pages are, as the message's unsubscribe header has it; empty where it has none.

    Where leaving is by mail it is as the settings have it.
    """
    if page.subject.edition.headers.static:
        return page.subject.settings.public_url or ""
    match = re.search(r"<(https?://[^>\s]+?)/unsubscribe/", str(page.message.parsed["List-Unsubscribe"] or ""))
    return match[1] if match else ""


def split(address: str) -> SplitResult | None:
    """The parts of an address; None for what is none."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return None
    return parts


@rule(
    "H13-says-other-address",
    "error",
    "the link says “{label}”, but leads to {target}; mail programs take that for fraud",
    "let words and address agree, or write in words what is found there",
    "SpamAssassin; phishing filters",
    Page,
)
def says_other_address(page: Page) -> Iterator[Found]:
    """The host counts, with or without www; of a mail address all of it."""
    for link, address, label in links(page):
        parts = split(address)
        if parts is None:
            continue
        if parts.scheme == "mailto":
            if _MAILBOX.fullmatch(label) and label.lower() not in unquote(parts.path).lower().split(","):
                yield found(page.place(link), label=label, target=unquote(parts.path))
        elif (said := _said_host(label)) and parts.hostname and _bare(said) != _bare(parts.hostname):
            yield found(page.place(link), label=label, target=parts.hostname)


def _said_host(label: str) -> str:
    match = _LOOKS_LIKE_HOST.fullmatch(label)
    return match[1] if match and match[1].rpartition(".")[2].lower() not in _FILES else ""


def _bare(host: str) -> str:
    """A host as A-label without ``www.``."""
    if host.isascii():
        return host.lower().removeprefix("www.")
    try:
        ascii_host = idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        ascii_host = host.lower()
    return ascii_host.removeprefix("www.")


@rule(
    "H13-lookalike-host",
    "warning",
    "the address {host} is really “{shown}”, written with letters of {scripts}; it may be somebody's imitation",
    "compare it with the address on the authority's own pages, letter by letter",
    "UTS #39",
    Page,
)
def lookalike_host(page: Page) -> Iterator[Found]:
    """Umlauts are in order; a Cyrillic а in a Latin name, or a name of them below a Latin ending, is not."""
    for link, address, _ in links(page):
        host = parts.hostname or "" if (parts := split(address)) is not None else ""
        if "xn--" in host or not host.isascii():
            shown = _shown(host)
            labels = shown.split(".")
            scripts = {name for label in labels for name in _scripts(label)}
            if scripts - {"LATIN"} and (len(scripts) > 1):
                yield found(page.place(link), host=host, shown=shown, scripts=", ".join(sorted(scripts)).title())


def _shown(host: str) -> str:
    try:
        return idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return host


def _scripts(label: str) -> set[str]:
    return {unicodedata.name(letter, "UNKNOWN").split()[0] for letter in label if letter.isalpha()}


@rule(
    "H14-view-link-late",
    "error",
    "the link to the view in the browser is not among the first {count} links of the mail",
    "put it above the masthead in the layout",
    "house rule H14",
    Page,
)
def view_link_late(page: Page) -> Iterator[Found]:
    """Who needs it sees a broken mail, and does not search it for a link at its end."""
    view = _PUBLISHED if page.subject.edition.headers.static else _VIEW
    if not any(view.search(address) for _, address, _ in list(links(page))[:_FIRST_LINKS]):
        yield found(page.origin.layout(), count=_FIRST_LINKS)


@rule(
    "H14-not-public",
    "error",
    "the view link leads to the issue's public page, but the issue is not public",
    "write public: true into the issue, or run newsletter serve and take links: static out of publication.yaml",
    "house rule H14",
    Subject,
)
def not_public(subject: Subject) -> Iterator[Found]:
    """Of ``links: static``: there is no other page that the link could open."""
    if subject.edition.headers.static and not subject.issue.is_public:
        said = subject.issue.content.public is not None
        yield found(subject.origin.key("public") if said else subject.origin.publication("archive"))


@rule(
    "A6-link-without-words",
    "error",
    "a link has no words; nobody can see or hear where it leads ({address})",
    "write into it where it leads, or take the link out",
    "WCAG 2.2 SC 2.4.4, 4.1.2; EMC (72 % of all mails fail)",
    Page,
)
def link_without_words(page: Page) -> Iterator[Found]:
    """One around a picture is A5-linked-picture-says-nothing's."""
    for link, address, label in links(page):
        if not label and address and next(link.iter("img"), None) is None:
            yield found(page.origin.address(address) or page.place(link), address=address[:80])


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
    "A6-link-lacks-object",
    "warning",
    "the link “{label}” does not say of what",
    "add what it is about, e.g. “More about the conference”",
    "WCAG 2.2 SC 2.4.4",
    Page,
)
def link_lacks_object(page: Page) -> Iterator[Found]:
    """Below an article or an event the title is added by itself."""
    for link, _, label in links(page):
        if _LACKS_OBJECT.fullmatch(label):
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
        if label:
            by_label[label.casefold()].setdefault(address, link)
    for targets in by_label.values():
        if len(targets) > 1:
            last = list(targets.values())[-1]
            yield found(page.place(last), label=" ".join(last.text_content().split()), count=len(targets))
