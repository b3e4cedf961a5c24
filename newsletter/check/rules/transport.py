"""The bytes of a message: their structure, their lines, their size (B16 to B18, B21, B22, S1, S2)."""

import re
from collections.abc import Iterator

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Message
from newsletter.message.recheck import RecheckError, recheck

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
#: Octets of decoded HTML: where Gmail and others begin to cut, and from where they surely do.
_LARGE, _CUT = 80_000, 102_400
_HEAVY, _TOO_HEAVY = 1_000_000, 10_000_000


def _kilobytes(octets: int) -> str:
    return f"{octets / 1000:,.0f}"


@rule(
    "S2-not-as-made",
    "error",
    "a message reads back otherwise than it was made: {reason}",
    "this is a fault of the program; please report it with the issue file",
    "standards.md S1, S2; RFC 5322 §2",
    Message,
)
def not_as_made(message: Message) -> Iterator[Found]:
    """The bytes are read by another parser: nothing was smuggled in, nothing got lost."""
    try:
        recheck(message.raw, message.template)
    except RecheckError as error:
        yield found(message.subject.origin.key(), reason=error)


@rule(
    "B16-structure",
    "error",
    "the message is not made of a text part followed by its HTML part",
    "this is a fault of the program; please report it with the issue file",
    "RFC 2046 §5.1.4",
    Message,
)
def structure(message: Message) -> Iterator[Found]:
    """Text first: a mail program shows the last part that it can show."""
    types = [part.get_content_type() for part in message.parsed.walk() if part.get_content_maintype() == "text"]
    if types[:2] != ["text/plain", "text/html"] or "multipart/alternative" not in {
        part.get_content_type() for part in message.parsed.walk()
    }:
        yield found(message.subject.origin.key())


@rule(
    "B16-base64-text",
    "error",
    "the {kind} part is written in Base64, which spam filters hold against it",
    "this is a fault of the program; please report it with the issue file",
    "RFC 2045 §6.7; SpamAssassin MIME_BASE64_TEXT",
    Message,
)
def base64_text(message: Message) -> Iterator[Found]:
    """Quoted-printable is what readers' filters expect of text."""
    for part in message.parsed.walk():
        encoding = str(part.get("Content-Transfer-Encoding", "7bit")).lower()
        if part.get_content_maintype() == "text" and not part.is_attachment() and encoding == "base64":
            yield found(message.subject.origin.key(), kind=part.get_content_type())


@rule(
    "B18-line-ends",
    "error",
    "byte {position} of the message is a line end or a control character that no mail may hold",
    "this is a fault of the program; please report it with the issue file",
    "RFC 5322 §2.1.1; RFC 5321 §2.3.8",
    Message,
)
def line_ends(message: Message) -> Iterator[Found]:
    """Bare line ends are how mail is smuggled (S10)."""
    if match := _BARE.search(message.raw):
        yield found(message.subject.origin.key(), position=match.start())


@rule(
    "B18-line-too-long",
    "error",
    "a line of the message has {length} octets; 998 are the most",
    "this is a fault of the program; please report it with the issue file",
    "RFC 5322 §2.1.1",
    Message,
)
def line_too_long(message: Message) -> Iterator[Found]:
    """Servers cut longer lines, and signatures break."""
    longest = max(map(len, message.raw.split(b"\r\n")))
    if longest > 998:
        yield found(message.subject.origin.key(), length=longest)


@rule(
    "B21-html-large",
    "warning",
    "the HTML has {size} kB; from about 100 kB on Gmail cuts a mail off",
    "shorten the issue, or put long texts on a web page",
    "email-bugs #41",
    Message,
)
def html_large(message: Message) -> Iterator[Found]:
    """After the values of this recipient are in it."""
    size = len(message.page.html.encode())
    if _LARGE < size <= _CUT:
        yield found(message.subject.origin.key("blocks"), size=_kilobytes(size))


@rule(
    "B21-html-cut",
    "error",
    "the HTML has {size} kB; Gmail cuts a mail off at about 100 kB, the unsubscribe link with it",
    "shorten the issue, or put long texts on a web page",
    "email-bugs #41",
    Message,
)
def html_cut(message: Message) -> Iterator[Found]:
    """After the values of this recipient are in it."""
    size = len(message.page.html.encode())
    if size > _CUT:
        yield found(message.subject.origin.key("blocks"), size=_kilobytes(size))


@rule(
    "B21-control-characters",
    "error",
    "the HTML holds the invisible control character U+{code}, at which Gmail cuts a mail off",
    "delete it, or write the text anew",
    "email-bugs #41",
    Message,
)
def control_characters(message: Message) -> Iterator[Found]:
    """C1 controls come from texts in an old Windows encoding."""
    match = re.search("[\x80-\x9f]", message.page.html)
    if match is not None:
        around = message.page.html[max(0, match.start() - 40) : match.start()].rpartition(">")[2]
        place = message.subject.origin.text(around) or message.subject.origin.key("blocks")
        yield found(place, code=f"{ord(match[0]):04X}")


@rule(
    "B22-message-heavy",
    "warning",
    "a message has {size} kB with its pictures and attachments",
    "link to large files instead of attaching them, or use pictures: hosted",
    "practice; RFC 1870",
    Message,
)
def message_heavy(message: Message) -> Iterator[Found]:
    """Mailboxes are small, and phones load it over the air."""
    if _HEAVY < len(message.raw) <= _TOO_HEAVY:
        yield found(message.subject.origin.key("attachments"), size=_kilobytes(len(message.raw)))


@rule(
    "B22-message-too-heavy",
    "error",
    "a message has {size} kB; many servers take no more than 10,000",
    "link to large files instead of attaching them, or use pictures: hosted",
    "practice; RFC 1870",
    Message,
)
def message_too_heavy(message: Message) -> Iterator[Found]:
    """It would come back from many."""
    if len(message.raw) > _TOO_HEAVY:
        yield found(message.subject.origin.key("attachments"), size=_kilobytes(len(message.raw)))
