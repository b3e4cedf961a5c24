"""Texts become quoted-printable pieces that can be joined in any order without a line growing too long (RFC 2045 §6.7)."""

import re
from binascii import b2a_qp

#: Goes between two pieces: the line goes on.
SOFT_BREAK = b"=\r\n"
#: One less than RFC 2045 allows: a piece may be followed by the ``=`` of a soft break.
LINE = 75

_NEWLINE = re.compile(r"\r\n|\r")


def encode(text: str) -> bytes:
    """The text as a piece that starts at column 0: lines of at most 75 characters, CRLF for each kind of line break in it.

    Blanks at the end of a line or of the piece are encoded, so the piece may stand before a line break as well.
    """
    if "\r" in text:
        text = _NEWLINE.sub("\n", text)
    if "\n" in text:
        return b"\r\n".join(map(_encode_line, text.split("\n")))
    return _encode_line(text)


def _encode_line(line: str) -> bytes:
    # A line at a time: given line breaks, b2a_qp encodes the blank before one without counting, up to column 78.
    encoded = b2a_qp(line.encode())
    if len(encoded) > LINE:
        encoded = encoded.replace(b"=\n", SOFT_BREAK)
        if len(encoded) - encoded.rfind(b"\n") - 1 > LINE:
            # b2a_qp lets the very last character stand in column 76, and only where it is a literal one.
            return encoded[:-1] + SOFT_BREAK + encoded[-1:]
    return encoded
