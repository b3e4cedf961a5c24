"""Bytes from an SMTP server, split anywhere, become its replies (RFC 5321 §4.2)."""

import re
from typing import NamedTuple

#: The longest line of a reply in octets, CRLF included. RFC 5321 §4.5.3.1.5 says 512, but Exchange Online tells in one line of
#: 1,500 why it does not take a message.
LONGEST_LINE = 4096
#: The most lines in one reply; the longest known, to EHLO, have about twenty.
MOST_LINES = 100
#: A code without text is valid, too (RFC 5321 §4.2: "tolerate"). The second digit is 0 to 5, but spam filters refuse with 571 and
#: the like: what is no refusal by its first digit alone (RFC 5321 §4.2.1) must be one that is known.
_LINE = re.compile(rb"([23][0-5][0-9]|[45][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
#: The usual answer to what one write held: a message's end, and the next MAIL, RCPT and DATA (RFC 2920).
_ALL_TAKEN = re.compile(
    rb"(2[0-5][0-9]) ([^\r\n]{0,500})\r\n250 [^\r\n]{0,500}\r\n25[0-2] [^\r\n]{0,500}\r\n354 [^\r\n]{0,500}\r\n"
)
_CODES = {b"%d" % code: code for code in range(200, 600) if code >= 400 or code // 10 % 10 <= 5}


class Reply(NamedTuple):
    """One reply. ``said`` is the text of its lines as they came, joined by line feeds."""

    code: int
    said: bytes

    @property
    def text(self) -> str:
        """The text; octets that are no UTF-8 are shown as ``\\xff``."""
        return self.said.decode("utf-8", "backslashreplace")


class ReplyParser:
    """Fed with what comes, gives each reply once it is whole.

    A line ends with CRLF or, as some servers write and others understand, with LF alone. ``fault`` says what was no reply, else
    it is ""; from then on everything is ignored. What was whole before it has been given.
    """

    def __init__(self) -> None:
        self.fault = ""
        self._rest = b""
        self._code = 0
        self._lines: list[bytes] = []

    def feed_taken(self, data: bytes) -> Reply | None:
        """The first of four replies that take a message and the next envelope, where ``data`` is these four and nothing else.

        None where it is not: then :meth:`feed` wants it. One look at the whole costs a third of four replies one by one.
        """
        if self._rest or self._lines or self.fault or (found := _ALL_TAKEN.fullmatch(data)) is None:
            return None
        return Reply(int(found[1]), found[2])

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are whole with these bytes, in order."""
        if self.fault:
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        replies: list[Reply] = []
        for line in lines:
            if not self._take(line, replies):
                return replies
        if len(self._rest) >= LONGEST_LINE:
            self.fault = _too_long()
        return replies

    def _take(self, line: bytes, replies: list[Reply]) -> bool:
        """Add a line without its LF; False where it cannot be one of a reply."""
        if len(line) >= LONGEST_LINE:
            self.fault = _too_long()
            return False
        line = line.removesuffix(b"\r")
        if line[3:4] == b" " and not self._lines and (code := _CODES.get(line[:3])):  # nearly all are of one line
            replies.append(Reply(code, line[4:]))
            return True
        found = _LINE.fullmatch(line)
        if found is None or (self._lines and int(found[1]) != self._code) or len(self._lines) >= MOST_LINES:
            self.fault = f"the server's answer is no SMTP: {line[:80].decode('utf-8', 'backslashreplace')}"
            return False
        self._code = int(found[1])
        self._lines.append(found[3] or b"")
        if found[2] != b"-":
            replies.append(Reply(self._code, b"\n".join(self._lines)))
            self._lines = []
        return True


def _too_long() -> str:
    return f"a line of the server's answer is longer than {LONGEST_LINE} octets"
