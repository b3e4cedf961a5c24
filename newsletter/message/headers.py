"""Plain values become header fields: checked (S1), encoded (RFC 2047) and folded; nothing unchecked gets into a header."""

import re
from binascii import b2a_base64

#: A header line that is folded has at most this many characters (RFC 2047 §2; RFC 5322 §2.1.1 advises 78).
LINE = 76
#: The longest header line there may be, in octets (RFC 5322 §2.1.1): what must not be folded has to fit (B18).
LONGEST_LINE = 998
#: ``=?utf-8?b?`` and ``?=`` around the Base64 of an encoded word.
_WORD_FRAME = 12
#: Octets in a full encoded word: with the space before it, their Base64 and the frame make a line of 73.
_WORD_OCTETS = 45

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ENCODED_WORD = re.compile(r"=\?[^?]*\?\s*[bBqQ]\s*\?")
_WITH_BLANKS_BEFORE = re.compile(r" *[^ ]+")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATOM}(?: {_ATOM})*")
_LIST_ID = re.compile(rf"{_ATOM}(?:\.{_ATOM})+")
_LONGEST_LIST_ID = 255


class HeaderError(ValueError):
    """A value that may not go into a header. ``header`` is the header's name; the value itself is not told, it may be private."""

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(f"{header}: {reason}")
        self.header = header
        self.reason = reason


def check_value(header: str, value: str) -> None:
    """Refuse what could end or add a header line: C0, DEL, C1, U+2028, U+2029, lone surrogates, and encoded words (S1).

    Values come plain. One that looks like an encoded word is refused whatever it hides: a library that reads or forwards the
    message would decode it, line breaks included (P3, CVE-2024-6923). Raises :class:`HeaderError`.
    """
    if found := _FORBIDDEN.search(value):
        raise HeaderError(header, f"has the control character U+{ord(found[0]):04X}; write one line of plain text")
    if "=?" in value and _ENCODED_WORD.search(value):
        raise HeaderError(header, "has an encoded word (=?…?…?…?=); write the plain text that it stands for")


def unstructured(header: str, value: str) -> str:
    """The whole field with its CRLF: folded at blanks where it is ASCII, encoded words where it is not (B19).

    Blanks around the value are dropped, those inside are kept. Raises :class:`HeaderError` for a forbidden or empty value.
    """
    check_value(header, value)
    value = value.strip()
    if not value:
        raise HeaderError(header, "is empty; write some text")
    if value.isascii():
        if len(header) + 2 + len(value) <= LINE:
            return f"{header}: {value}\r\n"
        pieces = _WITH_BLANKS_BEFORE.findall(value)
        if len(header) + 2 + len(pieces[0]) <= LINE and max(map(len, pieces)) <= LINE:
            return _folded(f"{header}: {pieces[0]}", pieces[1:])
    return _folded_words(header, value) + "\r\n"


def mailbox(header: str, name: str, address: str) -> str:
    """The field ``Name <address>`` with its CRLF; the bare address where the name is empty (RFC 5322 §3.4).

    ``address`` was checked by :func:`newsletter.message.address.wire_address`. The name is atoms, a quoted string, or encoded
    words (RFC 2047 §5 rule 3). Raises :class:`HeaderError`.
    """
    check_value(header, name)
    name = name.strip()
    if not name:
        return f"{header}: {address}\r\n"
    line = f"{header}: {_phrase(name)}"
    if not name.isascii() or len(line) > LINE:
        line = _folded_words(header, name)
    return f"{line}{_gap(line, address)}<{address}>\r\n"


def list_id(name: str, identifier: str) -> str:
    """The field ``List-Id: Name <label.domain>`` with its CRLF (RFC 2919 §3, B12).

    List headers carry no encoded word (B8): a name outside ASCII, or too long for one line, is left out; it only describes.
    Raises :class:`HeaderError`.
    """
    check_value("List-Id", name)
    if "=?" in identifier or len(identifier) > _LONGEST_LIST_ID or not _LIST_ID.fullmatch(identifier):
        raise HeaderError("List-Id", "needs a list_id such as newsletter.example.org: ASCII, a dot, at most 255 characters")
    start = f"List-Id: {_phrase(name.strip())}"
    if not name.strip() or not name.isascii() or len(start) > LINE:
        return f"List-Id: <{identifier}>\r\n"
    return f"{start}{_gap(start, identifier)}<{identifier}>\r\n"


def _gap(line: str, address: str) -> str:
    """What stands between a name and its ``<address>``: a blank, or a fold where the line would grow too long."""
    width = len(line) - line.rfind("\n") - 1
    return " " if width + len(address) + 3 <= LINE else "\r\n "


def _phrase(name: str) -> str:
    """An ASCII name as atoms, or as a quoted string where it has other characters (RFC 5322 §3.2.4, §3.2.5)."""
    if _ATOMS.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _folded(line: str, pieces: list[str]) -> str:
    lines = [line]
    for piece in pieces:
        if len(lines[-1]) + len(piece) <= LINE:
            lines[-1] += piece
        else:
            lines.append(piece)
    return "\r\n".join(lines) + "\r\n"


def _folded_words(header: str, value: str) -> str:
    """The field as Base64 encoded words, one a line, no UTF-8 sequence split (RFC 2047 §5); without the last CRLF."""
    octets = value.encode()
    words: list[str] = []
    start = 0
    room = min(_WORD_OCTETS, (LINE - len(header) - 2 - _WORD_FRAME) // 4 * 3)
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        words.append(f"=?utf-8?b?{b2a_base64(octets[start:end], newline=False).decode()}?=")
        start, room = end, _WORD_OCTETS
    return f"{header}: " + "\r\n ".join(words)
