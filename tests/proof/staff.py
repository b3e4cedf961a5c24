"""The same as :mod:`tests.proof.several`, sent by ``newsletter worker``: a campaign that is left to workers who stay."""

import contextlib
import signal
import time
from dataclasses import dataclass
from typing import ClassVar

import psycopg

from newsletter.store.engine import open_bare
from newsletter.store.jobs import upgrade_jobs
from newsletter.store.schema import make_tables
from tests.proof.campaign import PATIENCE, SLOWEST, signal_to
from tests.proof.evidence import Claim, Evidence
from tests.proof.office import SLUG, Sender
from tests.proof.several import Several

#: Seconds between two looks at whether the campaign is done.
_LOOK = 0.5


@dataclass
class Staff(Several):
    """See :class:`~tests.proof.campaign.Campaign`. A worker does not end with the campaign: it is told to go."""

    crew: ClassVar[str] = "times newsletter worker"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._looked = 0.0
        self._done = False
        self._went: list[int | None] = []

    def run(self) -> Evidence:
        """Leave the campaign to workers, strike, start others, until nothing is left."""
        store = open_bare(self.office.database_url)
        make_tables(store)
        upgrade_jobs(store)
        store.close()
        return super().run()

    def _begin(self) -> None:
        began = self.start([*self.office.arguments, "--background"], self._said).wait(PATIENCE)
        assert began == 0, f"the campaign did not begin:\n{self._words()}"

    def _hire(self) -> Sender:
        return self.start(self.office.command("worker"), self._said)

    def _is_over(self, sender: Sender) -> bool:
        assert sender.wait(0) in (None, -signal.SIGKILL), f"a worker ended by itself; it said:\n{self._words()}"
        return sender.wait(0) is not None or self._is_done()

    def _is_done(self) -> bool:
        if not self._done and time.monotonic() - self._looked > _LOOK:
            with contextlib.suppress(psycopg.OperationalError):  # it is started anew
                self._done = self._state() == "done"
            self._looked = time.monotonic()
        return self._done

    def _state(self) -> str | None:
        """The campaign's: a whole look at 100,000 rows, twice a second, would be a load of its own."""
        with psycopg.connect(str(self.office.ledger), application_name="proof", autocommit=True) as connection:
            row = connection.execute("SELECT state FROM campaign").fetchone()
        return None if row is None else str(row[0])

    def _one_sender(self) -> bool:
        return super()._one_sender() or self._is_done()

    def _wait_for_all(self) -> bool:
        begun = time.monotonic()
        while not self._is_done():
            assert time.monotonic() - begun < PATIENCE + self.deliveries * SLOWEST, f"it does not end:\n{self._words()}"
            time.sleep(_LOOK)
            for sender in self._crew:
                self._is_over(sender)
        return True

    def _finish(self) -> None:
        """All go home, and somebody asks how it went."""
        for sender in self._crew:
            signal_to(sender, signal.SIGTERM)
        self._went = [sender.wait(PATIENCE) for sender in self._crew]
        asked = self.start(self.office.command("status", SLUG, "--json"), self._said)
        assert asked.wait(PATIENCE) is not None, self._words()

    def _more_claims(self) -> list[Claim]:
        words = "workers stay until they are told to go, and end with 0 then"
        return [Claim(words, self._went == [0] * self.workers, ", ".join(map(str, self._went)))]
