"""An SMTP server, a process of its own, that writes down each message at the moment it takes it, and strikes when it is told to.

``python -m tests.proof.sink JOURNAL LEDGER SEED [--sequential] [--listen ADDRESS] [--certificate FILE]`` prints its port. With a
certificate (a file with its key) it speaks TLS from the start. A line of the journal is ``nanoseconds address message-id state``;
it is with the operating system before the server says 250. ``state`` is what stood in the ledger, which is the sender's
database, when the first byte of the message came. Orders come on standard input, one a line:

- ``strike kill|stop|cut STEP ACCEPTED PID``: once so many were accepted, at the next such step of any conversation, send
  SIGKILL or SIGSTOP to the process, or cut all connections; ``struck`` is printed then;
- ``forget``: take the last order back;
- ``cut``: cut all connections now;
- ``slow SECONDS``: take up to so long for the answer to a final dot.

It ends at the end of its standard input, when all connections are gone. An address that begins with ``gone`` is refused for good,
one that begins with ``later`` is refused once. The answer to a final dot takes up to 4 ms, as a server that stores what it takes.
``LEDGER`` is a file, or an address that begins with ``postgresql:``.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import sqlite3
import ssl
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, LiteralString

import psycopg

#: How many bytes the operating system takes in for a connection: less than a message, so that a message can be cut inside.
_WINDOW = 16_384
_SLOWEST_ANSWER = 0.004
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


@dataclass
class _Order:
    kind: str
    step: str
    accepted: int
    pid: int


class Ledger:
    """The sender's database, looked into from outside: only what is committed is seen."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, int] = {}

    @cached_property
    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60, isolation_level=None)

    def state(self, address: str) -> str:
        """The state of the delivery to an address."""
        if address not in self._rows:  # the audience is fixed before the first message
            self._rows = dict(self._database.execute("SELECT address, id FROM delivery").fetchall())
        found = self._database.execute("SELECT state FROM delivery WHERE id = ?", (self._rows[address],)).fetchall()
        return str(found[0][0])


class ServerLedger:
    """The same on PostgreSQL; while the server is away, the mail server waits for it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._rows: dict[str, int] = {}
        self._database: psycopg.Connection[tuple[Any, ...]] | None = None

    def state(self, address: str) -> str:
        """The state of the delivery to an address."""
        if address not in self._rows:
            self._rows = {row[0]: row[1] for row in self._ask("SELECT address, id FROM delivery", ())}
        return str(self._ask("SELECT state FROM delivery WHERE id = %s", (self._rows[address],))[0][0])

    def _ask(self, words: LiteralString, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        while True:
            try:
                if self._database is None or self._database.closed:
                    self._database = psycopg.connect(self._url, autocommit=True)
                return self._database.execute(words, values).fetchall()
            except psycopg.OperationalError:
                time.sleep(0.05)


@dataclass
class Office:
    """What all conversations share: the journal, the ledger, the order, the connections."""

    journal: int
    ledger: Ledger | ServerLedger
    chance: random.Random
    pipelining: bool
    slowest: float = _SLOWEST_ANSWER
    accepted: int = 0
    order: _Order | None = None
    conversations: set["Conversation"] = field(default_factory=set)
    refused_once: set[str] = field(default_factory=set)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, address: str, message: bytes, state: str) -> None:
        """The moment of acceptance."""
        found = _MESSAGE_ID.search(message)
        identity = found[1].decode() if found else "-"
        os.write(self.journal, f"{time.time_ns()} {address} {identity} {state}\n".encode())
        self.accepted += 1

    def at(self, step: str) -> bool:
        """A conversation has come to a step; True where all connections were cut there."""
        order = self.order
        if order is None or order.step != step or self.accepted < order.accepted:
            return False
        self.order = None
        if order.kind == "cut":
            self.cut()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(order.pid, _SIGNALS[order.kind])
        print("struck", flush=True)
        return order.kind == "cut"

    def cut(self) -> None:
        """Nothing more is read, nothing more is said."""
        for conversation in list(self.conversations):
            conversation.cut()

    def opinion(self, address: str) -> str:
        """The answer to RCPT."""
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later") and address not in self.refused_once:
            self.refused_once.add(address)
            return "450 4.2.1 greylisted, come again"
        return "250 2.1.5 ok"


class Conversation(asyncio.Protocol):
    """One connection. What comes behind a final dot is not read before the answer to that dot."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._came = bytearray()
        self._in_body = self._held = False
        self._begun = False
        self._recipient = self._state = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._office.conversations.add(self)
        if not self._office.at("connect"):
            self._say("220 sink ESMTP")

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone: what was not whole is nothing."""
        self._office.conversations.discard(self)
        if not self._office.conversations:
            self._office.gone.set()

    def cut(self) -> None:
        """Be gone, now."""
        self._came.clear()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        self._came += data
        self._go_on()

    def _say(self, reply: str) -> None:
        if not self._transport.is_closing():
            self._transport.write(reply.encode() + b"\r\n")

    def _go_on(self) -> None:
        while self._came and not self._held and not self._transport.is_closing():
            if self._in_body and not self._state:
                self._state = self._office.ledger.state(self._recipient)
            end = self._came.find(b"\r\n.\r\n" if self._in_body else b"\r\n")
            if end < 0:
                if self._in_body:
                    self._office.at("body")
                return
            if not self._in_body:
                line = bytes(self._came[:end]).decode()
                del self._came[: end + 2]
                self._hear(line)
            elif not self._office.at("dot"):
                message = bytes(self._came[: end + 2])
                del self._came[: end + 5]
                self._take(message)

    def _take(self, message: bytes) -> None:
        self._in_body = self._begun = False
        self._office.take(self._recipient, message, self._state)
        self._state = ""
        if self._office.at("taken"):
            return
        self._held = True
        self._transport.pause_reading()
        asyncio.get_running_loop().call_later(self._office.chance.random() * self._office.slowest, self._answer)

    def _answer(self) -> None:
        if self._transport.is_closing():
            return
        said = b"250 2.0.0 taken, as number %d\r\n" % self._office.accepted
        half = self._office.chance.randrange(1, len(said))
        self._transport.write(said[:half])
        if self._office.at("half"):
            return
        self._transport.write(said[half:])
        if self._office.at("answered"):
            return
        self._held = False
        self._transport.resume_reading()
        self._go_on()

    def _hear(self, line: str) -> None:
        verb = line[:4].upper()
        if self._office.at(verb):
            return
        if verb == "EHLO":
            offers = ["sink", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES"]
            offers += ["PIPELINING"] if self._office.pipelining else []
            self._say("\r\n".join(f"250-{offer}" for offer in offers) + "\r\n250 SMTPUTF8")
        elif verb == "MAIL":
            self._begun, self._recipient = True, ""
            self._say("250 2.1.0 ok")
        elif verb == "RCPT":
            address = line.partition("<")[2].partition(">")[0]
            reply = self._office.opinion(address) if self._begun else "503 5.5.1 MAIL first"
            self._recipient = address if reply.startswith("250") else ""
            self._say(reply)
        elif verb == "DATA":
            self._in_body = bool(self._recipient)
            self._say("354 go on" if self._in_body else "554 5.5.1 no valid recipients")
        elif verb == "QUIT":
            self._say("221 2.0.0 bye")
            self._transport.close()
        else:
            self._begun, self._recipient = False, ""
            self._say("250 2.0.0 ok")


async def _obey(office: Office) -> None:
    while words := (await asyncio.to_thread(sys.stdin.readline)).split():
        if words[0] == "strike":
            office.order = _Order(words[1], words[2], int(words[3]), int(words[4]))
        elif words[0] == "forget":
            office.order = None
        elif words[0] == "slow":
            office.slowest = float(words[1])
        else:
            office.cut()


async def _serve(office: Office, address: str, certificate: Path | None) -> None:
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    listening = socket.create_server((address, 0), backlog=200)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(office), sock=listening, ssl=context)
    print(listening.getsockname()[1], flush=True)
    await _obey(office)
    server.close()
    if office.conversations:
        office.gone.clear()
        await office.gone.wait()


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("journal", type=Path)
    parser.add_argument("ledger")
    parser.add_argument("seed", type=int)
    parser.add_argument("--sequential", action="store_true")
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--certificate", type=Path)
    given = parser.parse_args()
    journal = os.open(given.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    ledger = ServerLedger(given.ledger) if given.ledger.startswith("postgresql:") else Ledger(Path(given.ledger))
    office = Office(journal, ledger, random.Random(given.seed), pipelining=not given.sequential)
    asyncio.run(_serve(office, given.listen, given.certificate))


if __name__ == "__main__":
    _main()
