"""The addresses of links: whole, public, encrypted, and nothing hidden in them (H13, H15)."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import unquote

from newsletter.check.rule import Found, found, rule
from newsletter.check.rules.links import links, own_pages, split
from newsletter.check.subject import Page

_PLACEHOLDER = re.compile(
    r"\{\{|\}\}|\{%|\$\{|%\(\w+\)|%s(?![0-9A-Za-z])|%%\w+%%|\*\|\w+\|\*|<%|\[[A-ZÄÖÜ][A-ZÄÖÜ _-]*\]|(?i:%7B%7B|%5BURL%5D)"
)
_CODED_BREAK = re.compile(r"%(?:0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)


def is_loopback(address: str) -> bool:
    """Whether a plain http address is a rehearsal's: 127.0.0.1, ::1 or localhost."""
    parts = split(address)
    if parts is None or parts.scheme.lower() != "http":
        return False
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _own(page: Page, address: str) -> bool:
    """Whether it leads to the newsletter's own pages, which may be on loopback."""
    home = own_pages(page)
    return bool(home) and address.startswith(f"{home}/")


@rule(
    "H13-leads-nowhere",
    "error",
    "the link “{label}” leads nowhere: its address is “{address}”",
    "write the whole address, beginning with https://",
    "RFC 3986 §4.2: a mail has no base",
    Page,
)
def leads_nowhere(page: Page) -> Iterator[Found]:
    """Empty, a ``#`` alone, a path without host."""
    for link, address, label in links(page):
        parts = split(address)
        relative = parts is not None and not parts.scheme and not address.startswith("#")
        hostless = parts is None or (parts.scheme in ("http", "https") and not parts.hostname)
        if address in ("", "#") or ((relative or hostless) and not _PLACEHOLDER.search(address)):
            yield found(page.place(link), label=label, address=address)


@rule(
    "H13-anchor-leads-nowhere",
    "error",
    "the link “{label}” leads to a place of the mail that there is not (“{address}”)",
    "give the heading that it leads to this id, or take the link out",
    "HTML Living Standard, 7.4.6",
    Page,
)
def anchor_leads_nowhere(page: Page) -> Iterator[Found]:
    """A contents list of one's own."""
    ids = {*page.modern.xpath("//@id"), *page.modern.xpath("//a/@name")}
    for link, address, label in links(page):
        if len(address) > 1 and address.startswith("#") and unquote(address[1:]) not in ids:
            yield found(page.place(link), label=label, address=address)


@rule(
    "H15-anchor-without-name",
    "warning",
    "in Outlook on Windows the link “{label}” leads nowhere: it does not know the id of a heading",
    'put <a name="{name}"></a> before the words it leads to',
    "caniemail: anchor links",
    Page,
)
def anchor_without_name(page: Page) -> Iterator[Found]:
    """The Word engine knows names alone; the id has to be there for the others (H13-anchor-leads-nowhere)."""
    names = set(page.outlook.xpath("//a/@name"))
    ids = {*page.modern.xpath("//@id")}
    for link, address, label in links(page):
        if address.startswith("#") and address[1:] in ids - names:
            yield found(page.place(link), label=label, name=address[1:])


@rule(
    "H13-other-scheme",
    "error",
    "the link “{label}” begins with “{scheme}:”; mail programs open https, mailto and tel alone",
    "link to a web page instead",
    "caniemail; house rule H13",
    Page,
)
def other_scheme(page: Page) -> Iterator[Found]:
    """``javascript:``, ``data:`` and ``file:`` are named by rules of their own."""
    for link, address, label in links(page):
        scheme = parts.scheme.lower() if (parts := split(address)) is not None else ""
        if scheme and scheme not in ("https", "http", "mailto", "tel", "javascript", "vbscript", "data", "file"):
            yield found(page.place(link), label=label, scheme=scheme)


@rule(
    "H13-not-https",
    "error",
    "the link “{label}” is not encrypted: {address}",
    "write https:// in place of http://",
    "BSI TR-03108; house rule H13",
    Page,
)
def not_https(page: Page) -> Iterator[Found]:
    """Loopback is a rehearsal."""
    for link, address, label in links(page):
        if address.lower().startswith("http:") and not is_loopback(address) and not _own(page, address):
            yield found(page.place(link), label=label, address=address[:80])


@rule(
    "H13-own-computer",
    "error",
    "the link “{label}” leads to each reader's own computer or to your office's network: {address}",
    "write the public address of the page",
    "RFC 6761 §6.3; RFC 1918",
    Page,
)
def own_computer(page: Page) -> Iterator[Found]:
    """``localhost``, private addresses, names without a dot; a rehearsal on loopback leads to the newsletter's own pages."""
    for link, address, label in links(page):
        parts = split(address)
        host = (parts.hostname or "") if parts is not None and parts.scheme.lower() in ("http", "https") else ""
        rehearsed = is_loopback(address) and host != "localhost"
        if host and _is_private(host) and not rehearsed and not _own(page, address):
            yield found(page.place(link), label=label, address=address[:80])


def _is_private(host: str) -> bool:
    try:
        known = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return "." not in name or name.endswith((".localhost", ".local", ".lan", ".internal", ".intranet", ".home.arpa"))
    return known.is_private or known.is_loopback


@rule(
    "H13-password-in-address",
    "error",
    "the address of the link “{label}” holds a user name or a password",
    "leave out what stands before the @",
    "RFC 3986 §7.5",
    Page,
)
def password_in_address(page: Page) -> Iterator[Found]:
    """Everyone on the list would get it; filters take it for fraud."""
    for link, address, label in links(page):
        parts = split(address)
        if parts is not None and parts.scheme in ("http", "https") and "@" in parts.netloc:
            yield found(page.place(link), label=label)


@rule(
    "H13-placeholder-in-address",
    "error",
    "the address of the link “{label}” holds the placeholder “{placeholder}”",
    "write the address itself; it is the same for everyone",
    "house rule H13",
    Page,
)
def placeholder_in_address(page: Page) -> Iterator[Found]:
    """Of another program's templates, or of a draft."""
    for link, address, label in links(page):
        if match := _PLACEHOLDER.search(address):
            yield found(page.place(link), label=label, placeholder=match[0])


@rule(
    "H13-mail-with-hidden-header",
    "error",
    "the mail link “{label}” holds a coded line break or a hidden copy; it could change the header of a reader's mail",
    "leave %0A, %0D and bcc out of it",
    "RFC 6068 §7",
    Page,
)
def mail_with_hidden_header(page: Page) -> Iterator[Found]:
    """Also ``bcc=``, which readers do not see."""
    for link, address, label in links(page):
        if address.lower().startswith("mailto:") and (
            _CODED_BREAK.search(address) or re.search(r"[?&]bcc=", address, re.IGNORECASE)
        ):
            yield found(page.place(link), label=label)
