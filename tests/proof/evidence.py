"""The ledger and the sink's journal, read by their own means, become counts; and the counts become claims that hold or do not.

It does not ask the program what it thinks: the rows come straight from the database, the journal was written by the sink.
"""

import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

#: What the account calls pending.
_OPEN = ("pending", "claimed", "sending")
ACCOUNT = ("sent", "failed", "suppressed", "uncertain", "deferred", "pending")


class Journal:
    """Follows the file that the sink writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        #: How often a message for each address was accepted.
        self.times: Counter[str] = Counter()
        #: What stood in the ledger when a message began.
        self.states: Counter[str] = Counter()
        self.identities: dict[str, set[str]] = {}

    def follow(self) -> int:
        """Read what is new; gives how many messages were accepted so far."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.decode().splitlines():
                _, address, identity, state = line.split(" ")
                self.times[address] += 1
                self.states[state] += 1
                self.identities.setdefault(address, set()).add(identity)
        return self.times.total()

    @property
    def accepted(self) -> set[str]:
        """Whom a message was accepted for."""
        return set(self.times)


@dataclass(frozen=True)
class Look:
    """The ledger at one moment: who is in which state; ``campaigns`` that are there, ``campaign`` the state of the last one."""

    states: dict[str, str]
    campaigns: int
    campaign: str | None

    def all_in(self, *states: str) -> set[str]:
        """Who is in one of these states."""
        return {address for address, state in self.states.items() if state in states}

    @property
    def account(self) -> dict[str, int]:
        """The six numbers, counted anew."""
        counts = Counter("pending" if state in _OPEN else state for state in self.states.values())
        return {name: counts[name] for name in ACCOUNT}

    @property
    def open(self) -> int:
        """How many are still to be sent."""
        return self.account["pending"] + self.account["deferred"]


def look(database: Path | str) -> Look:
    """Read the rows. Nothing where the campaign was not made yet. A text is the address of a server."""
    if isinstance(database, str):
        return _look_at_server(database)
    if not database.exists():
        return Look({}, 0, None)
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection:
        try:
            campaigns = connection.execute("SELECT state FROM campaign ORDER BY number").fetchall()
            rows = connection.execute("SELECT address, state FROM delivery").fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return Look({}, 0, None)
            raise
    return _seen(campaigns, rows)


def _look_at_server(url: str) -> Look:
    while True:
        try:
            with psycopg.connect(url) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                campaigns = connection.execute("SELECT state FROM campaign ORDER BY number").fetchall()
                rows = connection.execute("SELECT address, state FROM delivery").fetchall()
        except psycopg.OperationalError:  # it is started anew
            time.sleep(0.05)
        else:
            return _seen(campaigns, rows)


def _seen(campaigns: list[Any], rows: list[Any]) -> Look:
    states = dict(rows)
    assert len(states) == len(rows), "an address stands in the ledger twice"
    return Look(states, len(campaigns), campaigns[-1][0] if campaigns else None)


@dataclass(frozen=True)
class Observation:
    """What was seen when one look was taken at the ledger and at the journal; each a number of addresses."""

    account: dict[str, int]
    sent_not_accepted: int
    accepted_not_shown: int
    more_than_once: int


def observe(database: Path | str, journal: Journal) -> tuple[Look, Observation]:
    """Look at both, also while both are being written.

    What the journal says before the ledger is read must be shown there; what the ledger calls sent must be in the journal after.
    """
    journal.follow()
    before = journal.accepted
    seen = look(database)
    journal.follow()
    return seen, Observation(
        account=seen.account,
        sent_not_accepted=len(seen.all_in("sent") - journal.accepted),
        accepted_not_shown=len(before - seen.all_in("sent", "sending", "uncertain")) if seen.states else len(before),
        more_than_once=sum(1 for count in journal.times.values() if count > 1),
    )


@dataclass(frozen=True)
class Claim:
    """A sentence, whether it holds, and what was seen."""

    words: str
    holds: bool
    seen: str


@dataclass
class Evidence:
    """Everything that was seen of one campaign of so many ``deliveries``. ``left`` are they who unsubscribed in between."""

    deliveries: int
    connections: int
    last: Look
    journal: Journal
    observations: list[Observation]
    left: set[str]
    planned: int
    struck: int
    broke: int
    program_says: dict[str, int]
    second_send_ran: int
    #: Whether the ledger is on a server, where a second ``send`` takes its share.
    shared: bool = False
    #: What else was seen.
    more: list[Claim] = field(default_factory=list)

    @property
    def allowed(self) -> int:
        """Uncertain deliveries a strike, at most: twice the connections and twice the group, which is two a connection."""
        return 2 * self.connections + 2 * (2 * self.connections)

    @property
    def missed(self) -> set[str]:
        """Whom no message was accepted for, and of whom nothing says why: called sent, or never tried."""
        return self.last.all_in("sent", *_OPEN, "deferred") - self.journal.accepted

    @property
    def doubled(self) -> set[str]:
        """Whom more than one message was accepted for."""
        return {address for address, count in self.journal.times.items() if count > 1}

    @property
    def found_sent(self) -> set[str]:
        """Uncertain deliveries that the server did accept: what a person would find in its log."""
        return self.last.all_in("uncertain") & self.journal.accepted

    def claims(self) -> list[Claim]:
        """What the program promises, each held against what was seen."""
        sent, uncertain, accepted = self.last.all_in("sent"), self.last.all_in("uncertain"), self.journal.accepted
        unrecorded = accepted - sent
        looks = self.observations
        off = [one.account for one in looks if one.account and sum(one.account.values()) not in (0, self.deliveries)]
        share = len(uncertain) / max(self.broke, 1)
        identities = [identity for found in self.journal.identities.values() for identity in found]
        kept_out = self.last.all_in("suppressed", "failed") & accepted
        return [
            Claim("every strike of the plan hit", self.struck == self.planned, f"{self.struck} of {self.planned}"),
            Claim("the campaign is done", self.last.campaign == "done" and not self.last.open, f"{self.last.open} left to send"),
            Claim("nobody missed", not self.missed, str(len(self.missed))),
            Claim("nobody doubled", not self.doubled, str(len(self.doubled))),
            Claim(
                "sent <= accepted <= sent + uncertain",
                len(sent) <= len(accepted) <= len(sent) + len(uncertain),
                f"{len(sent)} <= {len(accepted)} <= {len(sent) + len(uncertain)}",
            ),
            Claim(
                "what was accepted and not recorded is uncertain",
                unrecorded <= uncertain,
                f"{len(unrecorded & uncertain)} of {len(unrecorded)}",
            ),
            Claim(
                "each message's intent was on disk before its first byte came",
                set(self.journal.states) <= {"sending", "uncertain"},  # uncertain: the next send took over meanwhile
                _words(self.journal.states),
            ),
            Claim("nobody is called sent whom the server does not know", sent <= accepted, str(len(sent - accepted))),
            Claim(f"uncertain a strike: {self.allowed} at most on average", share <= self.allowed, f"{share:.1f}"),
            Claim(f"at each of {len(looks)} looks the account adds up to the audience", not off, f"{len(off)} did not"),
            _at_every_look("at each look nobody was called sent too early", looks, lambda one: one.sent_not_accepted),
            _at_every_look("at each look what was accepted was shown", looks, lambda one: one.accepted_not_shown),
            Claim("the program counts as we do", self.program_says == self.last.account, _words(self.program_says)),
            Claim("one campaign, never a second one", self.last.campaigns == 1, str(self.last.campaigns)),
            *self._of_a_file(),
            Claim(
                "a Message-ID belongs to one recipient",
                len(set(identities)) == len(identities) == len(accepted),
                str(len(identities)),
            ),
            Claim(
                "no mail to who unsubscribed before, or was refused",
                not kept_out,
                f"{len(kept_out)} of {len(self.left)} and more",
            ),
            *self.more,
        ]

    def _of_a_file(self) -> list[Claim]:
        if self.shared:
            return []
        return [Claim("no second send ran beside one that was frozen", not self.second_send_ran, str(self.second_send_ran))]


def _at_every_look(words: str, looks: list[Observation], wrong: Callable[[Observation], int]) -> Claim:
    count = sum(1 for one in looks if wrong(one))
    return Claim(words, not count, f"{count} of {len(looks)} looks")


def _words(account: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in account.items() if count)
