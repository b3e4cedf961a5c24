"""A message becomes what follows DATA: CRLF line ends, leading dots doubled, the final dot (RFC 5321 §4.5.2, S10)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

#: What ends a message behind its last line end.
END = b".\r\n"
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Stuffed(NamedTuple):
    """``pieces`` follow DATA one behind the other, the final dot included; ``size`` is what SIZE counts: the octets without it
    and before dots were doubled (RFC 1870 §5). Who sends it joins them once, with whatever else leaves in the same write."""

    pieces: Sequence[bytes]
    size: int

    @property
    def data(self) -> bytes:
        """The pieces as one."""
        return b"".join(self.pieces)


def stuffed(message: bytes) -> Stuffed:
    """Any message, with CRLF, CR or LF for its line ends, as it follows DATA."""
    if not message.count(b"\r\n") == message.count(b"\r") == message.count(b"\n"):
        message = _LINE_END.sub(b"\r\n", message)
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    return Stuffed((double_dots(message), END), len(message))


def double_dots(piece: bytes) -> bytes:
    """A piece that begins at the start of a line, with CRLF line ends, and each leading dot in it doubled."""
    if b"." not in piece:
        return piece
    doubled = piece.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled
