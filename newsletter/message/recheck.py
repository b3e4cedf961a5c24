"""The bytes of a message are read back by another parser, and refused where they say something the template did not (S2)."""

import re
from collections import Counter
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

from newsletter.message.file_part import FilePart
from newsletter.message.headers import LONGEST_LINE
from newsletter.message.quoted_printable import LINE
from newsletter.message.template import MessageTemplate

_BARE_BREAK = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_BODY_LINE = LINE + 1
_PART_HEADERS = Counter({"content-type": 1, "content-transfer-encoding": 1})
#: No quoted-printable (RFC 2045 §6.7): an ``=`` without two hex digits or a line break behind it, a blank at the end of a line.
_NO_QUOTED_PRINTABLE = re.compile(rb"=(?![0-9A-F]{2}|\r\n)|[ \t]\r\n")


class RecheckError(ValueError):
    """A message that is not what its template says; it must not be sent."""


def recheck(raw: bytes, template: MessageTemplate) -> None:
    """Read ``raw`` back and compare it with what messages of ``template`` consist of (S2, B2, B8, B16, B18).

    Too slow for each message (milliseconds): it is for those that ``check`` samples.
    Raises :class:`RecheckError` with one sentence.
    """
    _check_bytes(raw)
    message = message_from_bytes(raw, policy=compat32)
    _check_names("the header", message, Counter(name.lower() for name in template.header_names))
    parts = list(message.walk())
    types = [part.get_content_type() for part in parts]
    expected = [part.media_type if isinstance(part, FilePart) else part for part in template.structure]
    if types != expected:
        raise RecheckError(f"the message should consist of {', '.join(expected)}, but it consists of {', '.join(types)}")
    for part in parts:
        if part.defects:
            raise RecheckError(f"the {part.get_content_type()} part is damaged: {type(part.defects[0]).__name__}")
    for part, wanted in zip(parts[1:], template.structure[1:], strict=True):
        if isinstance(wanted, FilePart):
            _check_file(part, wanted)
        elif part.is_multipart():
            _check_multipart(part)
        else:
            _check_words(part)
    for name, value in message.items():
        if name.lower().startswith("list-") and "=?" in str(value):
            raise RecheckError(f"{name} has an encoded word, so one-click unsubscribing would not work")  # P1, B8


def _check_bytes(raw: bytes) -> None:
    if found := _BARE_BREAK.search(raw):
        name = "CR" if found[0] == b"\r" else "LF"
        raise RecheckError(f"there is a bare {name} at byte {found.start()}; every line ends in CRLF")
    if b"\0" in raw:
        raise RecheckError(f"there is a NUL at byte {raw.index(0)}")
    head, gap, body = raw.partition(b"\r\n\r\n")
    if not gap or not raw.endswith(b"\r\n"):
        raise RecheckError("the message has no end of the header or no line break at its end")
    for line in head.split(b"\r\n"):
        if len(line) > LONGEST_LINE:
            raise RecheckError(f"a header line has {len(line)} octets; {LONGEST_LINE} are allowed")
        # RFC 6532: only the address of an internationalised recipient may be UTF-8.
        if not line.isascii() and not line.startswith(b"To: "):
            raise RecheckError(f"the header {line.partition(b':')[0].decode('ascii', 'replace')} is not ASCII")
    if not body.isascii():
        raise RecheckError("the body is not ASCII")
    _check_longest(body, LONGEST_LINE, "RFC 5322 allows")


def _check_longest(body: bytes, allowed: int, who: str) -> None:
    longest = max(map(len, body.split(b"\r\n")))
    if longest > allowed:
        raise RecheckError(f"a body line has {longest} octets; {who} {allowed}")


def _check_words(part: Message) -> None:
    kind = part.get_content_type()
    _check_names(f"the {kind} part", part, _PART_HEADERS)
    if part.get_content_charset() != "utf-8":
        raise RecheckError(f"the {kind} part is not declared as utf-8")
    if str(part["Content-Transfer-Encoding"]).lower() != "quoted-printable":
        raise RecheckError(f"the {kind} part is not quoted-printable")
    written = str(part.get_payload()).encode("ascii", "replace")
    _check_longest(written, _BODY_LINE, "quoted-printable allows")  # a part's header may be longer than its lines
    if _NO_QUOTED_PRINTABLE.search(written):
        raise RecheckError(f"the {kind} part is not valid quoted-printable")
    content = part.get_payload(decode=True)
    try:
        if not isinstance(content, bytes) or not content.decode("utf-8").strip():
            raise RecheckError(f"the {kind} part is empty")  # B17
    except UnicodeDecodeError:
        raise RecheckError(f"the {kind} part is not UTF-8") from None


def _check_multipart(part: Message) -> None:
    kind = part.get_content_type()
    _check_names(f"the {kind} part", part, Counter({"content-type": 1}))
    if kind == "multipart/related" and part.get_param("type") != "text/html":
        raise RecheckError("the multipart/related part does not say that it begins with text/html")  # RFC 2387 §3.1


def _check_file(part: Message, file: FilePart) -> None:
    place = f"the part {file.filename}"
    ids = {"content-id": 1} if file.content_id is not None else {}
    _check_names(place, part, _PART_HEADERS + Counter({"content-disposition": 1} | ids))
    found = part.get_content_disposition(), part.get_filename(), part["Content-ID"]
    named = file.content_id and f"<{file.content_id}>"
    if found != ("attachment" if named is None else "inline", file.filename, named):
        raise RecheckError(f"{place} is not an attachment, or a picture in its place, of that name")
    if str(part["Content-Transfer-Encoding"]).lower() != "base64":
        raise RecheckError(f"{place} is not Base64")
    _check_longest(str(part.get_payload()).encode("ascii", "replace"), _BODY_LINE, "Base64 allows")  # RFC 2045 §6.8
    if part.get_payload(decode=True) != file.data:
        raise RecheckError(f"{place} does not hold the file's bytes")


def _check_names(place: str, message: Message, expected: Counter[str]) -> None:
    found = Counter(name.lower() for name in message)
    if extra := found - expected:
        raise RecheckError(f"{place} has {', '.join(sorted(extra))} that should not be there")
    if missing := expected - found:
        raise RecheckError(f"{place} lacks {', '.join(sorted(missing))}")
