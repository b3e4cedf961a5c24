"""The ledger's desk where several workers share a campaign: a lease that is renewed, a fence, and one pace and limit for all.

One desk is one worker id. Where its worker was taken for dead, it grants nothing more and claims nothing more; what is on the
wire is still settled under the old id, for nobody else may say what became of it. Then the process registers anew, with a new
desk.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from newsletter.delivery import ledger, life
from newsletter.delivery.allowance import allow_again, still_allowed
from newsletter.delivery.desk import PAUSES, LedgerDesk, LedgerError
from newsletter.delivery.ledger import Claimed, Result
from newsletter.delivery.rates import Rates
from newsletter.store.clock import SECOND
from newsletter.store.engine import Store
from newsletter.store.faults import fault_of

#: What comes and goes: a line that was cut, a server that starts anew, a transaction that waited for another one.
_PASSING = (OperationalError, InternalError, InterfaceError)


class SharedDesk(LedgerDesk):
    """A :class:`~newsletter.delivery.desk.LedgerDesk` for one worker among several.

    A result is tried until it is stored, however long the database is away; after :meth:`hasten` only as long as in a file.
    """

    def __init__(self, store: Store, campaign_id: int, worker_id: int, rates: Rates) -> None:
        self._rates = rates
        #: Set when the worker was taken for dead.
        self.fenced = asyncio.Event()
        self._give_up_at: float | None = None
        super().__init__(store, campaign_id, worker_id)

    def hasten(self) -> None:
        """The sending is to end: do not wait for the database much longer."""
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + sum(PAUSES)

    async def close(self) -> None:
        """See :meth:`LedgerDesk.close`."""
        self.hasten()
        await super().close()

    def turn(
        self, results: list[Result], intents: list[int], wanted: int, lanes: Mapping[str, int] | None = None
    ) -> "asyncio.Future[tuple[set[int], list[Claimed]]]":
        """See :meth:`LedgerDesk.turn`. The lanes' buckets, and the campaign's limit, are spent in the same transaction."""
        campaign, worker = self._campaign_id, self._worker_id
        tried: list[int] = []

        def write(connection: Connection, again: bool) -> tuple[set[int], list[Claimed]]:
            now, alive = self._hold(connection)
            if results:
                ledger.settle(connection, worker, results, now)
            if not alive:
                life.reopen(connection, campaign)
                return set(), []
            may = ledger.mark_sending(connection, campaign, worker, intents, now, again=again) if intents else set()
            claimed = ledger.claimed_at(connection, worker, tried) if again else []
            tried.append(now)
            return may, claimed or self._claim(connection, wanted, lanes, now)

        return self._ask(write)

    def _claim(self, connection: Connection, wanted: int, lanes: Mapping[str, int] | None, now: int) -> list[Claimed]:
        if not wanted:
            return []
        campaign, worker = self._campaign_id, self._worker_id
        allowed = still_allowed(connection, campaign)
        if allowed is not None:
            wanted = max(0, min(wanted, allowed))
        claimed: list[Claimed] = []
        if lanes is None:
            claimed = ledger.claim(connection, campaign, worker, wanted, now) if wanted else []
        else:
            grant = self._rates.open(connection, lanes, now)
            for lane, most in lanes.items():
                if left := grant.holds(lane, min(most, wanted - len(claimed))):
                    taken = ledger.claim(connection, campaign, worker, left, now, lane=lane)
                    grant.take(lane, len(taken))
                    claimed += taken
            self._rates.close(connection, grant)
        if allowed is not None:
            allow_again(connection, campaign, -len(claimed))
        return claimed

    async def withdraw(self, ids: Iterable[int]) -> None:
        """See :func:`newsletter.delivery.ledger.withdraw`."""
        taken = list(ids)

        def write(connection: Connection, _again: bool) -> None:
            now, alive = self._hold(connection)
            lanes = ledger.withdraw(connection, self._worker_id, taken, now)
            allow_again(connection, self._campaign_id, len(lanes))
            if alive:
                self._rates.give_back(connection, lanes, now)
            else:
                life.reopen(connection, self._campaign_id)

        await self._ask(write)

    async def next_due(self) -> int | None:
        """See :func:`newsletter.delivery.ledger.next_due`. What other workers hold may become due again when they end."""

        def look(connection: Connection, _again: bool) -> int | None:
            now, alive = self._hold(connection)
            if not alive or still_allowed(connection, self._campaign_id) == 0:
                return None
            ledger.reap(connection, now)
            due = ledger.next_due(connection, self._campaign_id, self._worker_id)
            if due is not None:
                return due
            until = ledger.held_until(connection, self._campaign_id, self._worker_id)
            return None if until is None else max(until, now + SECOND)

        return await self._ask(look)

    async def beat(self) -> None:
        """Renew the lease, and recover the deliveries of workers whose lease has run out."""

        def write(connection: Connection, _again: bool) -> None:
            now, alive = self._hold(connection)
            if alive:
                ledger.reap(connection, now)

        await self._ask(write)

    def _hold(self, connection: Connection) -> tuple[int, bool]:
        """The moment, and whether the worker lives; else the campaign is locked, for a late answer may open it again."""
        now = self._store.now(connection)
        alive = ledger.hold(connection, self._worker_id, self._store.lease, now)
        if not alive:
            self._loop.call_soon_threadsafe(self.fenced.set)
            life.lock(connection, self._campaign_id)
        return now, alive

    def _pause_after(self, tries: int, error: DBAPIError) -> float | None:
        if not (isinstance(error, _PASSING) or error.connection_invalidated):
            return super()._pause_after(tries, error)
        if self._give_up_at is not None and time.monotonic() >= self._give_up_at:
            return None
        return PAUSES[min(tries, len(PAUSES) - 1)]

    def _run(self) -> None:
        tries = 0
        while True:
            try:
                return super()._run()
            except DBAPIError as error:  # not even a connection
                pause = self._pause_after(tries, error)
                if pause is None:
                    self._failure = LedgerError(f"the database cannot be written: {fault_of(error)}")
                    return self._take_wishes(self._store.write)  # each is refused
            time.sleep(pause)
            tries += 1
