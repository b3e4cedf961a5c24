"""A campaign is sent by several workers over one PostgreSQL, and they and it are struck again and again; gives what was seen."""

import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import psycopg

from newsletter.store.engine import open_bare
from newsletter.store.schema import make_tables
from tests.proof.campaign import ENDS, PATIENCE, SLOWEST, Campaign, signal_to
from tests.proof.evidence import Evidence
from tests.proof.office import Office, Sender
from tests.proof.strikes import DEADLY, SHARED, Kind, Strike, plan_shared
from tests.real.postgresql import Server

#: Seconds that an answer of the mail server may take, for each worker: so that a campaign is not over before its strikes.
_ANSWER = 0.03
#: The same while a worker stands still, or the database is away.
_SLOW_ANSWER = 2.0
_CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'newsletter%'
"""


@dataclass
class Several(Campaign):
    """See :class:`~tests.proof.campaign.Campaign`."""

    server: Server | None = None
    workers: int = 2
    #: What a table calls them.
    crew: ClassVar[str] = "times newsletter send"

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.server is not None
        self._server = self.server
        self.office = self._office(self.server)
        self._crew: list[Sender] = []

    def run(self) -> Evidence:
        """Send, strike, start others, until nothing is left."""
        store = open_bare(self.office.database_url)
        make_tables(store)
        store.close()
        try:
            return super().run()
        finally:
            for sender in self._crew:
                if sender.wait(0) is None:  # something failed
                    signal_to(sender, signal.SIGKILL)

    @property
    def names(self) -> Mapping[Kind, str]:
        """See :attr:`Campaign.names <tests.proof.campaign.Campaign.names>`."""
        return SHARED

    def _office(self, server: Server) -> Office:
        return Office(self.folder / "office", self.connections, server_url=server.url)

    def _plan(self) -> list[Strike]:
        return plan_shared(self.chance, self.kills)

    def _one_sender(self) -> bool:
        """All workers are at work; one strike, or the end. True where the campaign is done."""
        self._sink.tell(f"slow {_ANSWER * self.workers}")
        while len(self._crew) < self.workers:
            self.starts += 1
            self._crew.append(self._hire())
        if not self._strikes:
            return self._wait_for_all()
        strike = self._strikes.popleft()
        if not self._strike(self.chance.choice(self._crew), strike):
            self._strikes.appendleft(strike)
        else:
            self._count(strike)
        self._crew = [sender for sender in self._crew if sender.wait(0) is None]
        if len(self._crew) == self.workers:
            return False
        return self._look().campaign == "done" and not self._crew

    def _hire(self) -> Sender:
        return self.start(self.office.arguments, self._said)

    def _is_over(self, sender: Sender) -> bool:
        """Whether a strike that has not come yet will not come."""
        return sender.wait(0) is not None

    def _count(self, strike: Strike) -> None:
        seen = self._look()
        self.done[strike.kind] += 1
        self.at[strike.at] += 1
        hits = f"{self.done.total()} of {self._planned} strikes"
        self.tell(f"{hits}, {len(self._journal.times):,} accepted: {strike.kind}, {strike.at}")
        if strike.kind in DEADLY:
            self._unsubscribe(seen)

    def _strike(self, sender: Sender, strike: Strike) -> bool:
        """Wait for the moment, and strike. False where the worker came to its end before."""
        begun, after = time.monotonic(), self._journal.follow() + self._how_far()
        order = {"kill": "kill", "all killed": "kill", "cut": "cut"}.get(strike.kind, "stop")
        self._sink.tell(f"strike {order} {strike.at} {after} {sender.pid}")
        while not self._sink.struck(0.05):
            if self._is_over(sender) and not self._sink.struck(0.5):
                self._sink.tell("forget")
                return False
            assert time.monotonic() - begun < PATIENCE, f"nothing happens any more; it said:\n{self._words()}"
        if strike.kind == "all killed":
            for other in self._crew:
                signal_to(other, signal.SIGKILL)
        if strike.kind in DEADLY:
            killed = self._crew if strike.kind == "all killed" else [sender]
            return {one.wait(PATIENCE) for one in killed} <= {-signal.SIGKILL, 0, 1, 3}
        if strike.kind != "cut":
            self._strike_with_one_still(sender, strike)
        return True

    def _strike_with_one_still(self, sender: Sender, strike: Strike) -> None:
        """The worker stands still: past its lease, or while the database is struck."""
        self._sink.tell(f"slow {_SLOW_ANSWER}")
        if strike.kind == "frozen past its lease":
            self._look()
            time.sleep(self.office.lease * random.Random(self.seed).uniform(1.5, 2.5))
            self._look()
        elif strike.kind == "lines cut":
            with psycopg.connect(str(self.office.ledger), application_name="proof", autocommit=True) as connection:
                connection.execute(_CUT)
        else:
            self._server.restart()
        signal_to(sender, signal.SIGCONT)

    def _wait_for_all(self) -> bool:
        for sender in self._crew:
            if sender.wait(PATIENCE + self.deliveries * SLOWEST) is None:
                for other in self._crew:
                    signal_to(other, signal.SIGKILL)
                raise AssertionError(f"a send does not come to its end; it said:\n{self._words()}")
        self._crew = []
        if self._look().campaign == "done":
            return True
        self._ends += 1
        assert self._ends < ENDS, f"all sends ended {self._ends} times and something is left; it said:\n{self._words()}"
        return False
