"""A connected transport becomes replies heard and bytes said, with one watchdog, and the knowledge whether a message's end left.

It takes the transport over from aiosmtplib's protocol, which waits for one reply at a time and drops what comes beyond it.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from newsletter.delivery.reply_parser import Reply, ReplyParser
from newsletter.delivery.server import Timeouts

#: Octets that TLS adds to what follows a final dot in the transport's buffer, at most: a few records of up to 90 each.
_TLS_ADDS = 512


class NotSmtp(Exception):
    """What came from the server has no place in SMTP here: the connection is of no use any more."""


class Listener(Protocol):
    """Whom a connection tells."""

    def heard(self, reply: Reply) -> None:
        """A reply. Raises :class:`NotSmtp` where none, or another one, was asked for."""

    @property
    def awaits_four(self) -> bool:
        """Whether the replies to a message's end, MAIL, RCPT and DATA are all that is awaited."""

    def heard_four(self, end: Reply) -> None:
        """These four, all good; ``end`` is the first."""

    def caught_up(self) -> None:
        """Everything that has come so far was heard: the moment to say something."""

    def ended(self, words: str) -> None:
        """The connection is gone, once; no more is heard, nothing more leaves."""


class Connection(asyncio.BufferedProtocol):
    """One connection after its login. ``before`` is the transport's protocol so far; it hears when the connection is lost."""

    def __init__(
        self, transport: asyncio.Transport, before: asyncio.BaseProtocol, listener: Listener, timeouts: Timeouts
    ) -> None:
        self._transport = transport
        self._before = before
        self._listener = listener
        self._parser = ReplyParser()
        self._buffer = memoryview(bytearray(4096))  # a view: asyncio's TLS writes into slices of it
        self._loop = asyncio.get_running_loop()
        # The watchdog looks at least this often: no deadline that is set meanwhile is nearer.
        self._shortest = min(timeouts.command, timeouts.data, timeouts.final, timeouts.quit)
        self._deadline: float | None = None
        self._patience = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._adds = _TLS_ADDS if transport.get_extra_info("sslcontext") else 0
        self._behind = self._waits = 0
        #: Whether the operating system has taken the end of the last message.
        self.end_left = True
        self.is_open = not transport.is_closing()
        transport.set_protocol(self)

    # --- what is said -------------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Say something that is no message."""
        self._transport.write(data)
        if not self.end_left:
            self._behind += len(data)
            self._look_whether_it_left()

    def write_message(self, message: Sequence[bytes], behind: bytes) -> None:
        """Send a message with its final dot, in pieces, and what is said behind it, in one write."""
        self.end_left = False
        self._behind = len(behind)
        self._transport.write(b"".join([*message, behind]))
        self._waits = self._transport.get_write_buffer_size()
        # A write that failed closes the transport, and took nothing.
        if not self._transport.is_closing():
            self._look_whether_it_left()

    def _look_whether_it_left(self) -> None:
        if self._transport.get_write_buffer_size() <= self._behind + self._adds:
            self.end_left = True
        else:  # resume_writing() is called when no more than what stands behind is left
            self._transport.set_write_buffer_limits(high=self._behind, low=self._behind)

    def wait(self, seconds: float | None) -> None:
        """From now on, the next reply has to come within so many seconds; None: none is expected.

        Where a message is under way, they begin when its end has left, and until then some of it must leave within them.
        """
        self._deadline = None if seconds is None else self._loop.time() + seconds
        self._patience = seconds or 0.0
        if self._watchdog is None and seconds is not None:
            self._watchdog = self._loop.call_later(min(seconds, self._shortest), self._watch)

    def _watch(self) -> None:
        self._watchdog = None
        now = self._loop.time()
        if self._deadline is None or not self.is_open:
            return
        if now >= self._deadline and self._leaves():
            self._deadline = now + self._patience
        if now >= self._deadline:
            self.end("the server did not answer in time")
            return
        self._watchdog = self._loop.call_later(min(self._deadline - now, self._shortest), self._watch)

    def _leaves(self) -> bool:
        """Whether a part of the message has left since this was last asked: ten messages of 10 MB take a slow line 15 minutes."""
        before, self._waits = self._waits, self._transport.get_write_buffer_size()
        return not self.end_left and self._waits < before

    def end(self, words: str, *, politely: bool = False) -> None:
        """Hang up; nothing that still waits in the transport leaves, but for ``politely``."""
        if not self.is_open:
            return
        self.is_open = False
        if self._watchdog is not None:
            self._watchdog.cancel()
        if politely:
            self._transport.close()
        else:
            self._transport.abort()
        self._listener.ended(words)

    # --- what asyncio calls -------------------------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where asyncio puts what comes (a plain Protocol would get a quarter of a megabyte for each reply)."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes came."""
        if not self.is_open:
            return
        data = bytes(self._buffer[:nbytes])
        try:
            if self._listener.awaits_four and self.end_left and (end := self._parser.feed_taken(data)) is not None:
                self._listener.heard_four(end)
                self._listener.caught_up()
                return
            for reply in self._parser.feed(data):
                self._listener.heard(reply)
                if not self.is_open:
                    return
        except NotSmtp as error:
            self.end(str(error))
            return
        if self._parser.fault:
            self.end(self._parser.fault)
            return
        self._listener.caught_up()

    def pause_writing(self) -> None:
        """The transport's buffer grows; only its end is waited for."""

    def resume_writing(self) -> None:
        """The operating system has taken the message."""
        self.end_left = True
        if self._deadline is not None:
            self._deadline = self._loop.time() + self._patience  # RFC 5321 §4.5.3.2.6 counts from the final dot

    def eof_received(self) -> None:
        """The server has closed its side. It might still read, so what waits in the transport must not leave any more."""
        self.end("the server closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._before.connection_lost(exc)
        self.end(f"the connection was lost{f': {exc}' if exc else ''}")
