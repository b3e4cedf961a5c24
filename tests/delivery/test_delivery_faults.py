"""What servers do wrong, and what the ledger says then: through the real ``drive``, over real sockets.

Three recipients over one connection; the fault meets p1. Nobody may get two mails, ``sent`` must be what the server took, and p0
and p2 must arrive whatever happens to p1.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from newsletter.compose.edition import Edition, Part
from newsletter.delivery import Account, SendError, account_of
from newsletter.delivery.replies import Pauses
from newsletter.delivery.server import Server, Timeouts
from tests.delivery.fault_server import Fault, FaultServer

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People

    Crowd = Callable[[int], People]

#: Where nobody answers, this is waited for; a machine that is busy may take as long as it needs everywhere else.
SHORT = Timeouts(connect=60, command=0.5, data=0.5, final=0.5, quit=0.5)
SHORT_FOR_BIG = Timeouts(connect=60, command=1.5, data=1.5, final=1.5, quit=0.5)
PATIENT = Timeouts(connect=60, command=60, data=60, final=60, quit=5)
#: A delivery that is to be tried again is left alone in these tests; a connection is tried again at once.
PAUSES = Pauses(first=3600, connecting=(0.01, 0.01, 0.01))


@dataclass(frozen=True)
class Case:
    """A fault, and what is to be read in the ledger about p1: its state, code, why, and a part of the words."""

    name: str
    fault: Fault
    state: str
    code: int | None = None
    words: str = ""
    why: str | None = None
    extensions: tuple[bytes, ...] = ()
    big: bool = False


#: More than the sockets between client and server hold: Linux lets the client's grow to 4 MiB, the server's is small.
BIG = Part(("x" * 6_000_000,))
BROKE = "the connection broke before the message was sent"
DOUBT = "it may have been taken"
CASES = [
    # --- 421, where the server says good-bye
    Case("421 at MAIL", Fault("MAIL", b"421 4.3.2 bye\r\n", "close", once=True), "sent", 250),
    Case("421 at RCPT", Fault("RCPT", b"421 4.3.2 bye\r\n", "close"), "pending", None, "4.3.2 bye"),
    Case("421 at DATA", Fault("DATA", b"421 4.3.2 bye\r\n", "close"), "pending", None, "4.3.2 bye"),
    Case("421 at the final dot", Fault("end", b"421 4.3.2 bye\r\n", "close"), "deferred", 421, "4.3.2 bye"),
    Case("421 before the body", Fault("body", b"421 4.3.2 bye\r\n", "close", pause=0.1), "deferred", 421, "4.3.2 bye"),
    # --- refused for now
    Case("4xx at MAIL", Fault("MAIL", b"451 4.3.0 later\r\n", once=True), "sent", 250),
    Case("4xx at RCPT", Fault("RCPT", b"450 4.2.1 busy\r\n"), "deferred", 450, "4.2.1 busy"),
    Case("4xx at DATA", Fault("DATA", b"451 4.3.0 later\r\n"), "deferred", 451, "4.3.0 later"),
    Case("4xx at the final dot", Fault("end", b"452 4.3.1 disk full\r\n"), "deferred", 452, "4.3.1 disk full"),
    Case(
        "4xx in several lines", Fault("RCPT", b"450-4.2.0 grey\r\n450 4.2.0 list\r\n"), "deferred", 450, "4.2.0 grey 4.2.0 list"
    ),
    # --- refused for good
    Case("5xx at RCPT", Fault("RCPT", b"550 5.1.1 no such user\r\n"), "failed", 550, "5.1.1 no such user"),
    Case("5xx at DATA", Fault("DATA", b"550 5.7.1 policy\r\n"), "deferred", 550, "5.7.1 policy", "policy"),
    Case("5xx at the final dot", Fault("end", b"554 5.7.1 spam\r\n"), "deferred", 554, "5.7.1 spam", "policy"),
    Case(
        "a long line",
        Fault("end", b"554 5.7.1 no; " + b"0.35250:7D060000, " * 80 + b"\r\n"),
        "deferred",
        554,
        "5.7.1 no",
        "policy",
    ),
    Case("a code of spam filters", Fault("end", b"571 5.7.1 spam\r\n"), "deferred", 571, "5.7.1 spam", "policy"),
    Case("a code of blocked networks", Fault("RCPT", b"475 restricted\r\n"), "deferred", 475, "restricted"),
    Case("5xx about the mailbox at the dot", Fault("end", b"550 5.2.2 full\r\n"), "failed", 550, "5.2.2 full"),
    # --- breaks
    Case("FIN at RCPT", Fault("RCPT", b"", "close"), "pending", None, BROKE),
    Case("RST at RCPT", Fault("RCPT", b"", "abort"), "pending", None, BROKE),
    Case("FIN at DATA", Fault("DATA", b"", "close"), "pending", None, BROKE),
    Case("FIN inside a big body", Fault("body", b"", "close", octets=1000), "pending", None, BROKE, big=True),
    Case("RST inside a big body", Fault("body", b"", "abort", octets=1000), "pending", None, BROKE, big=True),
    Case("FIN inside a small body", Fault("body", b"", "close", octets=100), "uncertain", None, DOUBT),
    Case("FIN after the dot", Fault("end", b"", "close"), "uncertain", None, DOUBT),
    Case("RST after the dot", Fault("end", b"", "abort"), "uncertain", None, DOUBT),
    Case("FIN after 250", Fault("end", b"250 2.0.0 queued\r\n", "close"), "sent", 250, "2.0.0 queued"),
    Case("half a reply at RCPT", Fault("RCPT", b"25", "close"), "pending", None, BROKE),
    Case("half a reply at the dot", Fault("end", b"250 2.0.0 que", "close"), "uncertain", None, DOUBT),
    Case("half a reply of two lines", Fault("end", b"250-2.0.0 queued\r\n", "close"), "uncertain", None, DOUBT),
    # --- time
    Case("354 with delay", Fault("DATA", pause=0.1), "sent", 250),
    Case("250 with delay", Fault("end", pause=0.1), "sent", 250),
    Case("slow octets", Fault("end", b"250 2.0.0 ok\r\n", slowly=True), "sent", 250, "2.0.0 ok"),
    Case("silence at RCPT", Fault("RCPT", b"", "silence"), "pending", None, "did not answer in time"),
    Case("silence at DATA", Fault("DATA", b"", "silence"), "pending", None, "did not answer in time"),
    Case("silence after the dot", Fault("end", b"", "silence"), "uncertain", None, "did not answer in time"),
    Case("silence inside a big body", Fault("body", b"", "silence", octets=10), "pending", None, "did not answer", big=True),
    # --- no SMTP
    Case("garbage at RCPT", Fault("RCPT", b"\x00what?\r\n"), "pending", None, "is no SMTP: \\x00what?"),
    Case("garbage at the dot", Fault("end", b"\x00what?\r\n"), "uncertain", None, DOUBT),
    Case("a wrong code at RCPT", Fault("RCPT", b"354 what\r\n"), "pending", None, "has no place here: 354"),
    Case("a wrong code at DATA", Fault("DATA", b"250 what\r\n"), "pending", None, "has no place here: 250"),
    Case("a wrong code at the dot", Fault("end", b"354 what\r\n"), "uncertain", None, "has no place here: 354"),
    Case("an unknown code", Fault("RCPT", b"299 fine\r\n"), "pending", None, "is no SMTP: 299"),
    Case("two codes in one reply", Fault("RCPT", b"250-a\r\n550 b\r\n"), "pending", None, "is no SMTP: 550 b"),
    Case("a line without end", Fault("RCPT", b"2" * 5000, "silence"), "pending", None, "longer than 4096 octets"),
    Case("one reply too many", Fault("DATA", b"354 go\r\n250 2.0.0 queued\r\n"), "pending", None, "what was not asked"),
    Case(
        "250 before the end of a big body",
        Fault("body", b"250 ok\r\n", "silence", octets=9),
        "uncertain",
        None,
        "before",
        big=True,
    ),
    Case("bare LF", Fault("end", b"250 2.0.0 ok\n"), "sent", 250, "2.0.0 ok"),
    # --- what it does not offer
    Case("SIZE too small", Fault("none"), "deferred", 552, "this SMTP server takes 100", "policy", (b"SIZE 100",)),
]


def run(office: "Office", server: FaultServer, made: Any, **how: Any) -> Account:
    async def once() -> Account:
        async with server.serve():
            settings = {"smtp_connections": 1, **how.pop("settings", {})}
            return await office.send(made, server, settings=settings, **{"pauses": PAUSES, **how})  # type: ignore[arg-type]

    return asyncio.run(once())


@pytest.fixture(autouse=True)
def _timeouts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Server.all_of
    timeouts = PATIENT
    if "case" in request.fixturenames:
        case: Case = request.getfixturevalue("case")
        if case.fault.then == "silence":
            timeouts = SHORT_FOR_BIG if case.big else SHORT
    monkeypatch.setattr(Server, "all_of", lambda *given: tuple(replace(one, timeouts=timeouts) for one in usual(*given)))


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "sequential"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_concerns_one_delivery_and_is_told(
    office: "Office", crowd: "Crowd", edition: Edition, case: Case, pipelining: bool
) -> None:
    offered = case.extensions + ((b"PIPELINING",) if pipelining else ())
    server = FaultServer(case.fault, extensions=(b"8BITMIME", *offered))
    if case.big:
        edition = replace(edition, text=BIG)
    made = office.freeze(crowd(3), edition=edition)
    account = run(office, server, made)
    rows = office.rows(made)
    row = rows["p1@example.org"]
    assert (row.state, row.code, row.why) == (case.state, case.code, case.why)
    assert case.words in (row.reply or "")
    assert (row.reply or "").isprintable()
    taken = Counter(server.accepted)
    sent = {address for address, row in rows.items() if row.state == "sent"}
    assert set(taken.values()) <= {1}
    assert sent <= set(taken) <= sent | {address for address, row in rows.items() if row.state == "uncertain"}
    if case.fault.step in ("RCPT", "DATA", "body", "end"):
        assert {"p0@example.org", "p2@example.org"} <= sent
    states = Counter(row.state for row in rows.values())
    assert account.audience == 3 == sum(states.values())
    assert all(getattr(account, state) == states[state] for state in ("sent", "failed", "deferred", "uncertain", "pending"))


def test_what_was_granted_when_the_only_connection_broke_is_sent_by_the_next_one_at_once(
    office: "Office", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.delivery.feed._LOOK", 600.0)  # no look at the ledger before that
    server = FaultServer(Fault("RCPT", b"250-a\r\n550 b\r\n"), (b"PIPELINING",))
    made = office.freeze(crowd(3))

    async def once() -> Account:
        async with server.serve(), asyncio.timeout(60):
            return await office.send(made, server, settings={"smtp_connections": 1}, pauses=PAUSES)  # type: ignore[arg-type]

    assert asyncio.run(once()).sent == 2
    assert server.accepted == ["p0@example.org", "p2@example.org"]


@pytest.mark.parametrize("say", [b"250 ok\r\n", b"554 5.5.1 nothing came\r\n"])
def test_354_without_a_recipient_gets_a_lone_dot(office: "Office", crowd: "Crowd", say: bytes) -> None:
    server = FaultServer(Fault("RCPT", b"550 5.1.1 no such user\r\n"), (b"PIPELINING",), always_354=True, to_nothing=say)
    made = office.freeze(crowd(3))
    account = run(office, server, made)
    assert (account.sent, account.failed) == (2, 1)
    assert office.rows(made)["p1@example.org"].reply == "5.1.1 no such user"
    assert server.accepted == ["p0@example.org", "p2@example.org"]
    assert (server.nothings, server.connections) == (1, 1)


def test_no_smtputf8_fails_that_one_only(office: "Office", people: Any) -> None:
    server = FaultServer(Fault("none"), extensions=(b"8BITMIME", b"PIPELINING"))
    made = office.freeze(people("ada@example.org", "jörg@example.org", "bob@example.org"))
    account = run(office, server, made)
    assert (account.sent, account.failed) == (2, 1)
    assert "no SMTPUTF8" in office.rows(made)["jörg@example.org"].reply


LOGIN = {"smtp_security": "starttls", "smtp_username": "office", "smtp_password": "correct horse"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("connect", b"421 4.3.2 too many\r\n", "close"), "does not take mail now: 421"),
        (Fault("connect", b"554 no\r\n", "close"), "does not take mail now: 554"),
        (Fault("connect", b"", "close"), "closed the connection before it was ready"),
        (Fault("EHLO", b"421 bye\r\n", "close"), "does not take mail now: 421"),
        (Fault("EHLO", b"", "abort"), "127.0.0.1"),
        (Fault("STARTTLS", b"454 4.7.0 not now\r\n"), "does not take mail now: 454"),
        (Fault("EHLO", b"250-faulty\r\n250 AUTH PLAIN\r\n"), "does not offer STARTTLS; nothing was sent"),
        (Fault("STARTTLS", b"220 go\r\n", "abort"), "127.0.0.1"),
        (Fault("AUTH", b"535 5.7.8 wrong\r\n"), "refused the login: 535"),
        (Fault("AUTH", b"454 4.7.0 later\r\n"), "refused the login: 454"),
        (Fault("AUTH", b"", "close"), "127.0.0.1"),
    ],
)
def test_before_the_first_mail_a_fault_leaves_everything_pending(  # noqa: PLR0917
    office: "Office", crowd: "Crowd", server_tls: Any, trusting: Any, fault: Fault, words: str
) -> None:
    server = FaultServer(fault, tls=server_tls)
    made = office.freeze(crowd(3))
    with pytest.raises(SendError, match=r"127\.0\.0\.1") as caught:
        run(office, server, made, settings=LOGIN, context=trusting)
    assert words in str(caught.value)
    assert "horse" not in str(caught.value)
    account = account_of(office.store, made.id)
    assert (account.pending, account.audience) == (3, 3)
    assert not [line for line in server.heard if line.startswith(b"MAIL")]
    if fault.step in ("connect", "EHLO", "STARTTLS"):
        assert not [line for line in server.heard if line.startswith(b"AUTH")]


@pytest.mark.parametrize(
    ("then", "say", "state"), [("abort", b"", "uncertain"), ("close", b"", "uncertain"), ("go on", None, "sent")]
)
def test_tls_that_is_cut_after_the_dot(  # noqa: PLR0917
    office: "Office", crowd: "Crowd", server_tls: Any, trusting: Any, then: str, say: bytes | None, state: str
) -> None:
    server = FaultServer(Fault("end", say, then), extensions=(b"PIPELINING",), tls=server_tls)
    made = office.freeze(crowd(3))
    run(office, server, made, settings=LOGIN, context=trusting)
    assert list(office.states(made).values()) == ["sent", state, "sent"]


@pytest.mark.parametrize("then", ["abort", "close"])
def test_tls_that_is_cut_inside_a_big_body_is_uncertain(  # noqa: PLR0917
    office: "Office", crowd: "Crowd", edition: Edition, server_tls: Any, trusting: Any, then: str
) -> None:
    server = FaultServer(Fault("body", b"", then, octets=1000), extensions=(b"PIPELINING",), tls=server_tls)
    made = office.freeze(crowd(3), edition=replace(edition, text=BIG))
    run(office, server, made, settings=LOGIN, context=trusting)
    # asyncio's TLS does not tell what of the encrypted bytes has left.
    assert list(office.states(made).values()) == ["sent", "uncertain", "sent"]


def test_replies_that_were_slipped_in_before_tls_are_not_believed(
    office: "Office", crowd: "Crowd", server_tls: Any, trusting: Any
) -> None:
    # S11: behind the reply to STARTTLS stand an EHLO reply and the replies to a whole transaction.
    slipped = b"220 go on\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 never\r\n"
    server = FaultServer(Fault("STARTTLS", slipped), extensions=(b"PIPELINING",), tls=server_tls)
    made = office.freeze(crowd(3))
    try:
        run(office, server, made, settings=LOGIN, context=trusting)
    except SendError:
        assert server.accepted == []
    assert "2.0.0 never" not in {row.reply for row in office.rows(made).values()}
    sent = [address for address, state in office.states(made).items() if state == "sent"]
    assert sent == server.accepted
