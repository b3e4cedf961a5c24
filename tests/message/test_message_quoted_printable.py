"""Quoted-printable pieces, read back by decoders that share nothing with the encoder."""

import quopri
import re
from email import quoprimime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.message.quoted_printable import SOFT_BREAK, encode
from tests.thorough import examples

AWKWARD = [
    "ü",
    "😀",
    "\t",
    " ",
    ".",
    "..",
    "=",
    "=\r\n",
    "\r",
    "\n",
    "\r\n",
    " \n",
    "\t\r\n",
    "\0",
    "\x85",
    "\u2028",
    "\x7f",
    "From ",
    "a" * 74,
]
texts = st.one_of(st.text(max_size=200), st.lists(st.one_of(st.sampled_from(AWKWARD), st.text(max_size=5))).map("".join))


def strictly_decoded(encoded: bytes) -> bytes:
    """RFC 2045 §6.7 and nothing that it forbids: no other octet, no blank at the end of a line, no line over 76."""
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert re.fullmatch(rb"(?:[!-<>-~ \t]|=[0-9A-F]{2})*=?", line), line
        assert not line.endswith((b" ", b"\t")), line
    return re.sub(rb"=([0-9A-F]{2})", lambda hexed: bytes.fromhex(hexed[1].decode()), encoded.replace(b"=\r\n", b""))


def lines_of(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text)


@given(texts)
@settings(max_examples=examples(600), deadline=None)
@example(" " * 80)
@example("a" * 75 + " \nb")
@example("ü" * 40)
def test_every_text_comes_back(text: str) -> None:
    encoded = encode(text)
    assert strictly_decoded(encoded).replace(b"\r\n", b"\n") == lines_of(text).encode()
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n") == lines_of(text).encode()
    if not text.endswith(("\r", "\n")):  # quoprimime adds to a text that ends in a line break
        python = quoprimime.decode(encoded.decode("ascii"), eol="\n")
        assert python.encode("latin-1") == lines_of(text).encode()


def test_every_length_leaves_room_for_a_soft_break() -> None:
    for filling in ("a", "ü", " ", "=", "a ", ". ", "aü"):
        for length in range(170):
            text = (filling * length)[:length]
            pieces = encode(text) + SOFT_BREAK + encode("x" * (length % 3)) + SOFT_BREAK + encode(text + "\n" + text)
            expected = text + "x" * (length % 3) + text + "\r\n" + text
            assert strictly_decoded(pieces) == expected.encode()


def test_line_breaks_of_every_kind_become_crlf() -> None:
    assert encode("a\rb\nc\r\nd\n\re") == b"a\r\nb\r\nc\r\nd\r\n\r\ne"


def test_a_piece_may_stand_before_a_line_break() -> None:
    assert encode("a ") == b"a=20"
    assert encode("a\t\nb") == b"a=09\r\nb"
