"""The way off the list: in the header for mail programs, in both parts for readers (B5 to B7, L7)."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from newsletter.check.rule import Found, found, rule
from newsletter.check.rules.headers import value_of
from newsletter.check.rules.links import links
from newsletter.check.subject import Message, Page
from newsletter.compose.edition import UNSUBSCRIBE
from newsletter.settings import is_loopback

_UNSUBSCRIBE = re.compile(r"<(https?://[^\s<>,]+)>(?:,\s*<mailto:[^\s<>,]+>)?", re.ASCII)
_BY_MAIL = re.compile(r"<mailto:[^\s<>,?]+@[^\s<>,?]+\?subject=[^\s<>,]+>", re.ASCII)


@rule(
    "B5-list-unsubscribe",
    "error",
    "the header that offers to unsubscribe holds no single https address: {value}",
    "set NEWSLETTER_PUBLIC_URL in .env to the https address where newsletter serve is reached",
    "RFC 8058 §3.1; RFC 2369 §2",
    Message,
)
def list_unsubscribe(message: Message) -> Iterator[Found]:
    """Mail programs show their own unsubscribe button where they find it; plain http counts for this machine itself alone."""
    if message.subject.edition.headers.static:
        return
    value = value_of(message, "list-unsubscribe")
    match = _UNSUBSCRIBE.fullmatch(value)
    host = re.match(r"http://(\[[^\]]*\]|[^/:]*)", match[1]) if match else None
    if match is None or "=?" in value or (host is not None and not is_loopback(host[1])):
        yield found(message.subject.origin.key(), value=value or "–")


@rule(
    "B5-unsubscribe-by-mail",
    "error",
    "the header that offers to unsubscribe holds no single mail address with a subject: {value}",
    "this is a fault of the program; please report it with the issue file",
    "RFC 2369 §2 and §3.2; RFC 6068 §2",
    Message,
)
def unsubscribe_by_mail(message: Message) -> Iterator[Found]:
    """The one way off the list where no ``serve`` runs (``links: static``)."""
    value = value_of(message, "list-unsubscribe")
    if message.subject.edition.headers.static and not _BY_MAIL.fullmatch(value):
        yield found(message.subject.origin.publication("unsubscribe_email"), value=value or "–")


@rule(
    "B6-one-click",
    "error",
    "the header that lets readers unsubscribe with one click is missing or altered, or stands there without an https address",
    "this is a fault of the program; please report it with the issue file",
    "RFC 8058 §5",
    Message,
)
def one_click(message: Message) -> Iterator[Found]:
    """Gmail, Yahoo and GMX ask for it, to the letter; a mail address alone cannot be clicked."""
    offers = value_of(message, "list-unsubscribe")
    wanted = "List-Unsubscribe=One-Click" if offers and not offers.startswith("<mailto:") else ""
    if value_of(message, "list-unsubscribe-post") != wanted:
        yield found(message.subject.origin.key())


@rule(
    "B7-unsubscribe-token",
    "error",
    "the unsubscribe address {address} does not say by itself who unsubscribes",
    "this is a fault of the program; please report it with the issue file",
    "RFC 8058 §3.1 and §6",
    Message,
)
def unsubscribe_token(message: Message) -> Iterator[Found]:
    """Nobody logs in to leave, and nobody can guess another one's address."""
    for address in re.findall("<([^<>]+)>", value_of(message, "list-unsubscribe")):
        mail = address.startswith("mailto:")
        token = address.rpartition("subject=unsubscribe%20" if mail else "/")[2]
        if not re.fullmatch(r"[\w.-]{22,}", token):  # 128 bits in Base64
            yield found(message.subject.origin.key(), address=address)


@rule(
    "L7-no-way-out",
    "error",
    "the {part} part does not lead to the recipient's unsubscribe page",
    "put {{{{ unsubscribe_url }}}} into the layout",
    "Art. 7 (3) DSGVO",
    Page,
)
def no_way_out(page: Page) -> Iterator[Found]:
    """Leaving is as easy as joining was, in each part by itself."""
    offered = str(page.message.parsed["List-Unsubscribe"] or "").partition("<")[2].partition(">")[0]
    linked = {address for _, address, _ in links(page)}
    if offered and offered not in linked:
        yield found(page.origin.layout(), part="HTML", slot=UNSUBSCRIBE)
    if offered and offered not in page.text.split():
        yield found(page.origin.layout(), part="text", slot=UNSUBSCRIBE)


@rule(
    "L7-subject-not-told",
    "warning",
    "the text part does not tell the subject of the mail with which readers unsubscribe; some can only write it by hand",
    "put {{{{ unsubscribe_subject }}}} into the layout's text.j2, with the address unsubscribe_email",
    "Art. 7 (3) DSGVO",
    Page,
)
def subject_not_told(page: Page) -> Iterator[Found]:
    """Of ``links: static``: a mail link opens nothing where no mail program is set up."""
    said = page.subject.edition.headers
    if said.static and said.unsubscribe_email is not None:
        offered = unquote(str(page.message.parsed["List-Unsubscribe"] or "").rpartition("subject=")[2].rstrip(">"))
        if offered not in page.text or said.unsubscribe_email not in page.text:
            yield found(page.origin.layout("text.j2"))
