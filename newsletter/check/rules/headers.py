"""The header of a message: who sends it, to whom, and by which list (B1 to B4, B8, B12, B14, B19, B27)."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Message, Subject
from newsletter.message.address import wire_address

_ONCE = ("date", "from", "to", "subject", "message-id", "mime-version")
_AT_MOST_ONCE = ("reply-to", "sender", "list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id", "precedence")
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)>")
_LIST_ID = re.compile(r"(?:[^<>]* )?<([A-Za-z0-9._-]+\.[A-Za-z0-9.-]+)>")
_MONTH = re.compile(
    r"(?<!\d)(?:20\d\d|0?[1-9]-20|1[0-2]-20)(?![\da-z])|januar|februar|maerz|april|juni|juli|august|september|oktober"
)
#: Whoever has an address there sends through that provider; from elsewhere its DMARC policy turns the mail away.
FREE_MAIL = {
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "outlook.de",
    "hotmail.com",
    "hotmail.de",
    "live.com",
    "live.de",
    "msn.com",
    "yahoo.com",
    "yahoo.de",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "gmx.at",
    "gmx.ch",
    "web.de",
    "t-online.de",
    "freenet.de",
    "icloud.com",
    "me.com",
    "mac.com",
    "mail.de",
    "posteo.de",
    "mailbox.org",
}
_AN_HOUR = dt.timedelta(hours=1)


def fields(message: Message) -> list[tuple[str, str]]:
    """The header fields as they stand on the wire, unfolded, names in small letters."""
    head = message.raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    unfolded = re.sub(r"\r\n(?=[ \t])", "", head)
    pairs = (line.partition(":") for line in unfolded.split("\r\n"))
    return [(name.lower(), value.strip()) for name, _, value in pairs]


def value_of(message: Message, name: str) -> str:
    """The first field of a name, or an empty text."""
    return next((value for field, value in fields(message) if field == name), "")


@rule(
    "B1-free-mail-sender",
    "error",
    "the sender {address} is an address at {domain}, which no other server may send for",
    "send from an address of your own domain",
    "RFC 5322 §3.6.2; DMARC (RFC 9989)",
    Subject,
)
def free_mail_sender(subject: Subject) -> Iterator[Found]:
    """Their DMARC policies make every other provider refuse such mail."""
    address = subject.issue.publication.sender.email
    domain = address.rpartition("@")[2].lower()
    if domain in FREE_MAIL:
        yield found(subject.origin.publication("sender", "email"), address=address, domain=domain)


@rule(
    "B1-sender-not-one",
    "error",
    "the message does not come from exactly one address of {domain}",
    "give the publication one sender, and leave the From header to the program",
    "RFC 5322 §3.6.2",
    Message,
)
def sender_not_one(message: Message) -> Iterator[Found]:
    """One From with one address: that of the publication."""
    wanted = message.subject.issue.publication.sender.email
    header = message.parsed["From"]
    addresses = [one.addr_spec for one in header.addresses] if header is not None else []
    if [address.lower() for address in addresses] != [wanted.lower()]:
        yield found(message.subject.origin.publication("sender", "email"), domain=wanted.rpartition("@")[2])


@rule(
    "B2-header-missing",
    "error",
    "the message has no {name}",
    "this is a fault of the program; please report it with the issue file",
    "RFC 5322 §3.6",
    Message,
)
def header_missing(message: Message) -> Iterator[Found]:
    """What every message must have."""
    names = Counter(name for name, _ in fields(message))
    for name in _ONCE:
        if not names[name]:
            yield found(message.subject.origin.key(), name=name.title())


@rule(
    "B2-header-twice",
    "error",
    "the message has {name} {count} times",
    "this is a fault of the program; please report it with the issue file",
    "RFC 5322 §3.6; RFC 2369 §3",
    Message,
)
def header_twice(message: Message) -> Iterator[Found]:
    """Readers see the one, filters judge by the other."""
    names = Counter(name for name, _ in fields(message))
    for name in (*_ONCE, *_AT_MOST_ONCE):
        if names[name] > 1:
            yield found(message.subject.origin.key(), name=name.title(), count=names[name])


@rule(
    "B3-message-id",
    "error",
    "the Message-ID {id} does not end in the sender's domain {domain}",
    "this is a fault of the program; please report it with the issue file",
    "RFC 5322 §3.6.4",
    Message,
)
def message_id_of_the_sender(message: Message) -> Iterator[Found]:
    """Its right side is the domain that sends."""
    domain = message.subject.issue.publication.sender.email.rpartition("@")[2].lower()
    id_ = value_of(message, "message-id")
    match = _MESSAGE_ID.fullmatch(id_)
    if id_ and (match is None or match[1].lower() != domain):
        yield found(message.subject.origin.publication("sender", "email"), id=id_, domain=domain)


@rule(
    "B4-date",
    "error",
    "the message is dated {date}, which is not now",
    "set the clock of this computer, with its time zone",
    "RFC 5322 §3.3",
    Message,
)
def date_is_now(message: Message) -> Iterator[Found]:
    """A wrong clock sorts the mail to the end of the inbox, or into the spam."""
    written = value_of(message, "date")
    try:
        date = parsedate_to_datetime(written)
    except ValueError:
        date = None
    if date is None or date.tzinfo is None or abs(date - dt.datetime.now(dt.UTC)) > _AN_HOUR:
        yield found(message.subject.origin.key(), date=written)


@rule(
    "B8-encoded-list-header",
    "error",
    "the header {name} is encoded, so mail programs do not read it",
    "use letters from a to z in list_id and in the public address",
    "RFC 2369 §2; RFC 2047 §5",
    Message,
)
def encoded_list_header(message: Message) -> Iterator[Found]:
    """An encoded address is no address; a List-Id's name may not be encoded either."""
    for name, value in fields(message):
        if (name.startswith("list-") or name == "feedback-id") and "=?" in value:
            yield found(message.subject.origin.publication("list_id"), name=name.title())


@rule(
    "B12-list-id",
    "error",
    "the List-Id {value} is no name of a list",
    "write list_id as a name, a dot and your domain, e.g. newsletter.example.org",
    "RFC 2919 §2",
    Message,
)
def list_id_is_well_formed(message: Message) -> Iterator[Found]:
    """Mail programs sort by it."""
    value = value_of(message, "list-id")
    if len(value) > 255 or not _LIST_ID.fullmatch(value):
        yield found(message.subject.origin.publication("list_id"), value=value or "–")


@rule(
    "B12-list-id-changes",
    "warning",
    "the list_id {value} holds a month or a year, so it will not stay the same",
    "name the newsletter without its issue, and never change the name",
    "RFC 2919 §3",
    Subject,
)
def list_id_stays(subject: Subject) -> Iterator[Found]:
    """A List-Id that changes with every issue sorts nothing."""
    list_id = subject.issue.publication.own_list_id
    if _MONTH.search(list_id.lower()):
        yield found(subject.origin.publication("list_id"), value=list_id)


@rule(
    "B12-list-id-elsewhere",
    "warning",
    "the list_id {value} does not belong to the sender's domain {domain}",
    "end list_id in the domain that you send from",
    "RFC 2919 §3",
    Subject,
)
def list_id_is_ours(subject: Subject) -> Iterator[Found]:
    """The name is ours to give only below a domain that is ours."""
    list_id = subject.issue.publication.own_list_id.lower()
    domain = subject.issue.publication.sender.email.rpartition("@")[2].lower()
    ours = {".".join(domain.split(".")[start:]) for start in range(max(1, domain.count(".")))}
    if not any(list_id.endswith(f".{one}") for one in ours):
        yield found(subject.origin.publication("list_id"), value=list_id, domain=domain)


@rule(
    "B14-precedence",
    "warning",
    "the message does not say that it goes to many, so absence notes will be sent back",
    "this is a fault of the program; please report it with the issue file",
    "RFC 3834 §2",
    Message,
)
def precedence(message: Message) -> Iterator[Found]:
    """``Precedence: bulk`` keeps vacation notes away."""
    if value_of(message, "precedence") != "bulk":
        yield found(message.subject.origin.key())


@rule(
    "B19-raw-header",
    "error",
    "the header {name} holds letters that must be encoded",
    "this is a fault of the program; please report it with the issue file",
    "RFC 5322 §2.2; RFC 2047 §2",
    Message,
)
def raw_header(message: Message) -> Iterator[Found]:
    """Only the address of an internationalised recipient is written as it is (RFC 6532)."""
    for name, value in fields(message):
        words = re.findall(r"=\?\S*", value)
        if (not value.isascii() and name != "to") or any(len(word) > 75 for word in words):
            yield found(message.subject.origin.key(), name=name.title())


@rule(
    "B27-to-not-one",
    "error",
    "the message names other recipients than {address}",
    "this is a fault of the program; please report it with the issue file",
    "Art. 32 DSGVO",
    Message,
)
def to_not_one(message: Message) -> Iterator[Found]:
    """Nobody learns who else gets it."""
    named = {name for name, _ in fields(message)} & {"cc", "bcc"}
    if named or value_of(message, "to") != wire_address(message.recipient.address):
        yield found(message.subject.origin.key(), address=message.recipient.address)
