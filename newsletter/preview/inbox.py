"""An SMTP server on this machine that keeps what it is given: a send can be rehearsed without a mail leaving the house."""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Received:
    """One accepted message: the envelope and the bytes as they came, without dot-stuffing; ``at`` is when."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now().astimezone())

    @property
    def message(self) -> EmailMessage:
        """The parsed message."""
        return message_from_bytes(self.data, policy=policy.default)


@dataclass
class Inbox:
    """``with Inbox() as inbox:`` listens on a free port of 127.0.0.1 in a thread of its own until the end of the block.

    ``changed`` is called, in that thread, after each message.
    """

    host: str = "127.0.0.1"
    port: int = 0
    changed: Callable[[], None] = lambda: None
    _received: list[Received] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="inbox", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __iter__(self) -> Iterator[Received]:
        return iter(tuple(self._received))

    def __len__(self) -> int:
        return len(self._received)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802  # aiosmtpd's name
        """Keep the message, then accept it."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        self._received.append(Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), content))
        self.changed()
        return f"250 2.0.0 kept as message {len(self._received)}"

    async def _listen(self) -> asyncio.Server:
        def session() -> Any:
            return SMTP(self, hostname="inbox.localhost", enable_SMTPUTF8=True, loop=self._loop)

        return await self._loop.create_server(session, self.host, self.port)

    async def _close(self) -> None:
        self._server.close()
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
