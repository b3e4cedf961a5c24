"""An office with a database, a frozen campaign, and an SMTP server on a real socket that does what a test tells it to."""

import asyncio
import base64
import contextlib
import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import select

from newsletter.audience.recipient import Recipient, Refused
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, Headers, Part, PictureFile, Slot
from newsletter.delivery import Account, FreezeReport, drive, freeze
from newsletter.delivery.replies import Pauses
from newsletter.links import Links
from newsletter.message.template import MessageTemplate
from newsletter.settings import Settings
from newsletter.store import Campaign, Store, load_edition, open_store
from newsletter.store.engine import open_bare
from newsletter.store.schema import make_tables
from newsletter.store.tables import delivery
from tests.thorough import only_thorough

#: Signs the sink's certificate; no system trusts it.
AUTHORITY = trustme.CA()
#: Tries follow each other at once, so that no test waits.
QUICK = Pauses(first=0.02, longest=0.05, connecting=(0.01, 0.01, 0.01, 0.01, 0.01, 0.01))

#: What the server does at a step instead of its usual answer: a reply, or one of these.
DROP = "drop"
GARBAGE = "garbage"
#: Gets the step (connect, EHLO, AUTH, MAIL, RCPT, DATA, end) and the recipient's address; None is the usual answer.
Answers = Callable[[str, str], str | None]


@dataclass
class Sink:
    """A server that writes down what it takes in the moment it takes it."""

    answers: Answers = lambda _step, _recipient: None
    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "SIZE 10000000", "ENHANCEDSTATUSCODES")
    offer_tls: bool = False
    tls_from_the_start: bool = False
    password: str | None = None
    pause_at_the_end: Callable[[], float] = lambda: 0.0
    hold_at_the_end: Callable[[], bool] = lambda: False
    host: str = "127.0.0.1"
    port: int = 0
    heard: list[str] = field(default_factory=list)
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0

    @property
    def recipients(self) -> list[str]:
        """Whom mail was taken for, in order."""
        return [recipient for recipient, _ in self.accepted]

    def verbs(self) -> Counter[str]:
        """How often each command was heard."""
        return Counter(line.split(" ", 1)[0].upper() for line in self.heard)

    @contextlib.asynccontextmanager
    async def serve(self) -> Any:
        context = server_context() if self.tls_from_the_start else None
        server = await asyncio.start_server(self._talk, self.host, self.port, ssl=context, limit=1 << 24)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, _Over):
            await self._session(reader, writer)
        await asyncio.sleep(0)  # what was said last leaves
        self.open_now -= 1
        with contextlib.suppress(OSError):
            writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: PLR0915 - one conversation
        recipient, begun, valid = "", False, False
        said: list[bytes] = []

        def leave() -> None:
            writer.write(b"".join(said))
            said.clear()

        async def say(step: str, usual: str) -> str:
            reply = self.answers(step, recipient) or usual
            if reply == DROP:
                raise _Over
            said.append(("\x00what?\r\n" if reply == GARBAGE else reply + "\r\n").encode())
            if "PIPELINING" in self.extensions:  # what has come together is answered together (RFC 2920 §3.2)
                asyncio.get_running_loop().call_soon(leave)
            else:
                leave()
            await writer.drain()
            if reply.startswith("421"):
                raise _Over
            return reply

        await say("connect", "220 sink ESMTP")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.heard.append(line)
            verb = line.split(" ", 1)[0].upper()
            if verb == "EHLO":
                tls = ("STARTTLS",) if self.offer_tls and writer.get_extra_info("sslcontext") is None else ()
                offers = ("sink", *self.extensions, *tls, *(("AUTH PLAIN",) if self.password else ()))
                await say(verb, "\r\n".join(f"250-{offer}" for offer in offers) + "\r\n250 HELP")
            elif verb == "STARTTLS":
                if (await say(verb, "220 go on")) == "220 no TLS follows":
                    await reader.read(1)
                    await say("TLS", "500 what?")
                    raise _Over
                leave()
                await writer.start_tls(server_context())
            elif verb == "AUTH":
                given = base64.b64decode(line.split(" ")[2]).split(b"\0")[2].decode()
                await say(verb, "235 welcome" if given == self.password else f"535 5.7.8 {given} is wrong")
            elif verb == "RCPT":
                recipient = line.split("<", 1)[1].split(">", 1)[0]
                valid = (await say(verb, "250 ok" if begun else "503 5.5.1 MAIL first")).startswith("25")
            elif verb == "DATA":
                if (await say(verb, "354 go on" if valid else "554 5.5.1 no valid recipients")).startswith("354"):
                    body = await reader.readline()
                    if body == b".\r\n":  # nothing was meant to be sent (RFC 2920 §3.1)
                        await say("nothing", "554 5.5.1 no valid recipients")
                        continue
                    body += await reader.readuntil(b"\r\n.\r\n")
                    reply = self.answers("end", recipient)
                    if reply is None or reply.startswith(("2", "taken")):
                        self.accepted.append((recipient, body))
                        await asyncio.sleep(self.pause_at_the_end())
                        while self.hold_at_the_end():  # noqa: ASYNC110 - what is waited for is the test's own
                            await asyncio.sleep(0.01)
                    if reply == "taken, then dropped":
                        raise _Over
                    await say("end", "250 2.0.0 queued as 4711")
                    begun = valid = False
            elif verb == "QUIT":
                await say(verb, "221 bye")
                return
            else:
                begun, valid = (await say(verb, "250 ok")).startswith("25") and verb == "MAIL", False


class _Over(Exception):
    """The connection ends here."""


def server_context() -> ssl.SSLContext:
    """TLS as the sink speaks it, with a certificate for this machine from an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@dataclass
class People:
    """A recipient list of plain addresses and rows."""

    rows: Iterable[Recipient | Refused]
    path: Path = Path("list.csv")
    columns: tuple[str, ...] = ("email", "first_name")

    def __iter__(self) -> Iterator[Recipient | Refused]:
        return iter(self.rows)


def people(*addresses: str) -> People:
    """A list of these addresses, one a line from line 2."""
    return People(
        [Recipient(a, a.strip().lower(), {"email": a, "first_name": f"Ada {n}"}, n) for n, a in enumerate(addresses, 2)]
    )


def crowd(count: int) -> People:
    """A list of so many different addresses."""
    return people(*(f"p{number}@example.org" for number in range(count)))


EDITION = Edition(
    title="Ausgabe 4",
    headers=Headers("Digitale Region", "newsletter@example.org", None, "region.example.org", "Digitale Region", "de"),
    subject=Part(("Rückblick",)),
    text=Part(("Liebe ", Slot("first_name", "Leute", "plain"), ",\n.ein Punkt\n", Slot(UNSUBSCRIBE, None, "plain"), "\n")),
    html=Part(("<p>", Slot("first_name", "Leute", "text"), '</p><a href="', Slot(VIEW, None, "url"), '">x</a>\n')),
    pictures=(PictureFile("a1.png", "image/png", 1, 1, b"\x89PNG"),),
)


@dataclass
class Office:
    """A database, the publication's links, and what it takes to send."""

    url: str
    store: Store
    links: Links

    def freeze(self, recipients: People, *, edition: Edition = EDITION, slug: str = "2024-12", again: bool = False) -> Campaign:
        return self.freeze_report(recipients, edition=edition, slug=slug, again=again)[0]

    def freeze_report(
        self, recipients: People, *, edition: Edition = EDITION, slug: str = "2024-12", again: bool = False
    ) -> tuple[Campaign, FreezeReport]:
        return freeze(
            self.store,
            slug=slug,
            edition=edition,
            recipients=recipients,
            mark=self.links.mark,
            list_name="list.csv",
            again=again,
        )

    async def send(self, campaign: Campaign, sink: Sink, *, settings: dict[str, Any] | None = None, **how: Any) -> Account:
        """Drive a campaign against a sink that is up already."""
        edition = load_edition(self.store, campaign.edition_hash)
        assert edition is not None
        chosen = {
            "smtp_host": "127.0.0.1",
            "smtp_port": sink.port,
            "smtp_security": "none",
            "smtp_connections": 4,
            **(settings or {}),
        }
        return await drive(
            self.store,
            campaign.id,
            settings=Settings.model_validate(chosen),
            links=self.links,
            template=how.pop("template", None) or MessageTemplate(edition),
            stop=how.pop("stop", None) or asyncio.Event(),
            **{"pauses": QUICK, "wait": 0.0, **how},
        )

    def run(self, campaign: Campaign, sink: Sink, **how: Any) -> Account:
        """Put the sink up, drive the campaign once, take the sink down."""

        async def once() -> Account:
            async with sink.serve():
                return await self.send(campaign, sink, **how)

        return asyncio.run(once())

    def rows(self, campaign: Campaign) -> dict[str, Any]:
        """The delivery rows by address, in the order of the list."""
        listed = select(delivery).where(delivery.c.campaign_id == campaign.id).order_by(delivery.c.id)
        with self.store.read() as connection:
            return {row.address: row for row in connection.execute(listed)}

    def states(self, campaign: Campaign) -> dict[str, str]:
        """The states by address."""
        return {address: row.state for address, row in self.rows(campaign).items()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    store = open_store(url)
    yield Office(url, store, Links("http://127.0.0.1:8025", b"k" * 32, "region.example.org"))
    store.close()


@pytest.fixture
def postgresql(postgresql_with_tables: str) -> Iterator[Store]:
    """A store with its tables on a real PostgreSQL; skipped where it, or psycopg, is not installed."""
    store = open_bare(postgresql_with_tables)
    make_tables(store)
    yield store
    store.close()


@pytest.fixture(params=["pipelining", pytest.param("sequential", marks=only_thorough)])
def sink(request: pytest.FixtureRequest) -> Sink:
    """A server that is not up yet, with PIPELINING and without; tell it what to do, then run a campaign against it."""
    made = Sink()
    if request.param == "pipelining":
        made.extensions += ("PIPELINING",)
    return made


@pytest.fixture
def edition() -> Edition:
    """The edition that is frozen where a test names no other."""
    return EDITION


@pytest.fixture(name="people")
def _people() -> Callable[..., People]:
    """Makes a list of the addresses it gets, one a line from line 2."""
    return people


@pytest.fixture(name="crowd")
def _crowd() -> Callable[[int], People]:
    """Makes a list of so many different addresses, ``p0@example.org`` and on."""
    return crowd


@pytest.fixture(scope="session")
def trusting() -> ssl.SSLContext:
    """A client's TLS that knows the sink's authority, and verifies its certificate."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def server_tls() -> ssl.SSLContext:
    """A server's TLS, with a certificate that :func:`trusting` trusts."""
    return server_context()
