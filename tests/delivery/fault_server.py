"""An SMTP server on a real socket that does one wrong thing, where and as a test says, and writes down what it took."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

USUAL = {
    "connect": b"220 faulty ESMTP\r\n",
    "STARTTLS": b"220 go on\r\n",
    "AUTH": b"235 welcome\r\n",
    "DATA": b"354 go on\r\n",
    "end": b"250 2.0.0 queued\r\n",
    "QUIT": b"221 bye\r\n",
}


@dataclass(frozen=True)
class Fault:
    """What it does at ``step`` (connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, body, end), where the step is about ``whom``.

    It waits ``pause`` seconds, sends ``say`` (None: the usual reply), ``slowly`` an octet at a time, and then ``then`` goes
    on, closes (FIN), aborts (RST) or falls silent. At ``body`` it first reads ``octets`` of it.
    """

    step: str
    say: bytes | None = None
    then: str = "go on"
    pause: float = 0
    slowly: bool = False
    whom: str = "p1@"
    octets: int = 0
    once: bool = False


@dataclass
class FaultServer:
    """Listens while :meth:`serve` is entered. ``accepted`` are the recipients whose mail it has taken over."""

    fault: Fault
    extensions: tuple[bytes, ...] = (b"8BITMIME", b"SMTPUTF8", b"ENHANCEDSTATUSCODES")
    tls: ssl.SSLContext | None = None
    port: int = 0
    accepted: list[str] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    struck: int = 0
    #: It says 354 where it has refused the recipient; how often a lone dot came then, and what it says to one.
    always_354: bool = False
    nothings: int = 0
    to_nothing: bytes = b"554 5.5.1 nothing came\r\n"
    connections: int = 0

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        over = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.ensure_future(_Session(self, reader, writer, over.wait).run())
            tasks.add(task)

        listening = socket.create_server(("127.0.0.1", self.port))
        # Its connections inherit this: what they hold unread does not grow with the speed of the machine.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        server = await asyncio.start_server(begin, sock=listening, limit=1 << 26)
        self.port = listening.getsockname()[1]
        try:
            yield
        finally:
            over.set()
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class _OverError(Exception):
    """The connection ends here."""


class _Session:
    def __init__(
        self,
        server: FaultServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        silence: Callable[[], Awaitable[object]],
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.silence = silence
        self.encrypted = False

    async def run(self) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, _OverError):
            await self._talk()
        with contextlib.suppress(OSError):
            self.writer.close()

    async def _talk(self) -> None:
        await self._step("connect", "")
        whom, begun, valid = "", False, False
        while line := await self.reader.readline():
            self.server.heard.append(line)
            verb = line[:4].upper().decode()
            if verb == "EHLO":
                offers = [b"faulty", *self.server.extensions]
                offers += [b"STARTTLS"] if self.server.tls and not self.encrypted else []
                usual = b"".join(b"250-%s\r\n" % offer for offer in offers) + b"250 AUTH PLAIN\r\n"
                await self._step("EHLO", "", usual)
            elif verb == "STAR":
                await self._step("STARTTLS", "")
                assert self.server.tls is not None
                await self.writer.start_tls(self.server.tls)
                self.encrypted = True
            elif verb == "AUTH":
                await self._step("AUTH", "")
            elif verb == "MAIL":
                begun = await self._step("MAIL", "")
                valid = False
            elif verb == "RCPT":
                whom = line.split(b"<")[1].split(b">")[0].decode()
                valid = await self._step("RCPT", whom, b"250 ok\r\n" if begun else b"503 5.5.1 MAIL first\r\n")
            elif verb == "DATA":
                usual = USUAL["DATA"] if valid or self.server.always_354 else b"554 5.5.1 no valid recipients\r\n"
                if await self._step("DATA", whom, usual, good=b"354"):
                    await self._body(whom)
                    begun = valid = False
            elif verb == "QUIT":
                await self._step("QUIT", "")
                return
            else:
                begun = valid = False
                await self._say(b"250 ok\r\n")

    async def _body(self, whom: str) -> None:
        fault = self.server.fault
        if fault.step == "body" and whom.startswith(fault.whom):
            await self.reader.readexactly(fault.octets)
            self.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await self._step("body", whom, b"")
        first = await self.reader.readuntil(b"\r\n")
        if first == b".\r\n":
            self.server.nothings += 1
            await self._say(self.server.to_nothing)
            return
        await self.reader.readuntil(b"\r\n.\r\n")
        mine = fault.step == "end" and whom.startswith(fault.whom)
        if not mine or fault.say is None or fault.say.startswith(b"2"):
            self.server.accepted.append(whom)
        await self._step("end", whom)

    async def _step(self, step: str, whom: str, usual: bytes | None = None, good: bytes = b"2") -> bool:
        """Do what is usual at a step, or the fault; whether it was answered with a good reply."""
        fault = self.server.fault
        said = USUAL.get(step, b"250 ok\r\n") if usual is None else usual
        mine = step == fault.step and (not whom or whom.startswith(fault.whom))
        if not mine or (fault.once and self.server.struck):
            await self._say(said)
            return said.startswith(good)
        self.server.struck += 1
        await asyncio.sleep(fault.pause)
        said = said if fault.say is None else fault.say
        for part in [said[i : i + 1] for i in range(len(said))] if fault.slowly else [said]:
            await self._say(part)
            await asyncio.sleep(0.001 if fault.slowly else 0)
        if fault.then == "abort":
            self.writer.transport.abort()
            raise _OverError
        if fault.then == "close":
            raise _OverError
        if fault.then == "silence":
            await self.silence()
        return said.startswith(good)

    async def _say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
