"""The bytes of a stranger's mail become what is asked of it: its header, its own words, whether a machine wrote it (N6, N9)."""

import codecs
import re
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from lxml.html import HTMLParser, document_fromstring

from newsletter.postbox.box import LARGEST

#: N9.
_DEEPEST, _MOST_PARTS = 20, 100
#: What the library takes long over, or never comes back from: looked at before it is asked.
_TYPE = re.compile(rb"^content-[a-z-]+[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.MULTILINE | re.IGNORECASE)
_NESTS = re.compile(rb"^content-type[ \t]*:\s*(?:multipart|message)/", re.MULTILINE | re.IGNORECASE)
_LONGEST_TYPE = 10_000
_MOST_DELIMITERS = 20 * _MOST_PARTS
#: Characters of a header field, of a plain text and of HTML that are looked at.
_FIELD, _TEXT, _HTML = 2_000, 100_000, 400_000
#: Codecs of Python that are no charsets, and take the square of the length.
_NO_CHARSETS = frozenset({"idna", "punycode"})
_BY_A_MACHINE = re.compile(
    r"(?:re|aw|fwd?|wg)?[: ]*(?:automatische antwort|automatic reply|auto(?:matic)?[ -]?(?:reply|response)|autoreply|abwesen"
    r"|out of (?:the )?office|undeliver|unzustellbar|delivery status notification|read: |gelesen: )",
    re.IGNORECASE,
)


class Unreadable(Exception):
    """A mail that is too large, too deep, too full of parts or too broken to be read (N9); it says so in a few words."""


def parse(data: bytes) -> Message:
    """The parts of a mail as the standard library sees them. Raises :class:`Unreadable`, and nothing else, whatever the bytes."""
    if len(data) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST // 1_000_000} MB")
    if data.count(b"\n--") > _MOST_DELIMITERS or len(_NESTS.findall(data)) > _MOST_PARTS:
        raise Unreadable(f"has more than {_MOST_PARTS} parts")
    if any(len(match[0]) > _LONGEST_TYPE for match in _TYPE.finditer(data)):
        raise Unreadable("has a header that is far too long")
    try:
        message = message_from_bytes(data)
        _measure(message)
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a library makes of a stranger's bytes: the mail stays in the box
        raise Unreadable(f"cannot be taken apart ({type(error).__name__})") from None
    return message


def _measure(message: Message) -> None:
    """Count without recursion. Raises :class:`Unreadable`."""
    level, depth, count = [message], 0, 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > _DEEPEST:
            raise Unreadable(f"is nested more than {_DEEPEST} levels deep")
        if count > _MOST_PARTS:
            raise Unreadable(f"has more than {_MOST_PARTS} parts")
        level = [part for outer in level for part in _inside(outer)]


def _inside(message: Message) -> list[Message]:
    # Of a text, get_payload() would be decoded, by a charset that a stranger chose.
    payload = message.get_payload() if message.is_multipart() else ()
    return [part for part in payload if isinstance(part, Message)]


def field(message: Message, name: str) -> str:
    """The first field of a name, decoded and unfolded, on one line, cut where it is very long; empty where there is none.

    A charset that nobody knows, or that is a lie, leaves what can be read of it.
    """
    written = str(message.get(name, ""))[:_FIELD]
    try:
        pieces = decode_header(written)
    except (HeaderParseError, ValueError):
        pieces = [(written, None)]
    text = "".join(piece if isinstance(piece, str) else _decoded(piece, charset) for piece, charset in pieces)
    return " ".join(text.split())


def sender_of(message: Message) -> str:
    """The bare address in From; empty where there is none."""
    return parseaddr(field(message, "From"))[1]


def date_of(message: Message) -> str:
    """The day it says it was written on (``2026-12-01``); empty where that is none."""
    try:
        return parsedate_to_datetime(field(message, "Date")).date().isoformat()
    except (ValueError, TypeError, OverflowError):
        return ""


def is_automatic(message: Message) -> bool:
    """Whether a machine answers, and nobody asks for anything: absence notes, bounces, receipts (N6; RFC 3834 §5).

    ``auto-generated`` is not among them: so a mailbox provider may mark the mail that it sends for a reader who unsubscribes.
    """
    said = field(message, "Auto-Submitted").lower().partition(";")[0].strip()
    return (
        said not in ("", "no", "auto-generated")
        or "X-Autoreply" in message
        or "X-Autorespond" in message
        or field(message, "Precedence").lower() == "auto_reply"
        or field(message, "Return-Path") == "<>"
        or message.get_content_type() == "multipart/report"
        or _BY_A_MACHINE.match(field(message, "Subject")) is not None
    )


def words_of(message: Message) -> str:
    """The text of a mail: its first plain part, else its first HTML part without the marks. Not of mails within it, and not of
    files that it carries.
    """
    level = [message]
    texts: dict[str, Message] = {}
    while level:
        for part in level:
            if not part.is_multipart() and part.get_content_disposition() != "attachment":
                texts.setdefault(part.get_content_type(), part)
        level = [part for outer in level if outer.get_content_maintype() == "multipart" for part in _inside(outer)]
    if "text/plain" in texts:
        return _content(texts["text/plain"])[:_TEXT]
    return _without_marks(_content(texts["text/html"])[:_HTML]) if "text/html" in texts else ""


def own_words(message: Message) -> str:
    """What somebody wrote, and not what he answers to: the words without quoted lines."""
    return "\n".join(line for line in words_of(message).splitlines() if not line.lstrip().startswith((">", "|")))


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return _decoded(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""


def _decoded(data: bytes, charset: str | None) -> str:
    try:
        known = codecs.lookup(charset or "ascii").name
        if known not in _NO_CHARSETS:
            return data.decode(known, "replace")
    except Exception:  # noqa: BLE001, S110 - a name that a stranger chose: unknown, no charset at all, or one with checks of its own
        pass
    return data.decode("latin-1")


def _without_marks(html: str) -> str:
    """The words of HTML, a line for each block; quoted passages are left out."""
    try:
        page: Any = document_fromstring(html.encode(), parser=HTMLParser(encoding="utf-8"))
    except Exception:  # noqa: BLE001 - no HTML at all
        return ""
    for element in page.xpath("//blockquote | //style | //script | //head"):
        element.drop_tree()
    for element in page.iter("br", "p", "div", "tr", "li"):
        element.tail = "\n" + (element.tail or "")
    return str(page.text_content())
