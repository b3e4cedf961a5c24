"""The ledger's desk: what the connections ask for at the same time is written in one transaction (group commit).

A ledger's commit waits for the disk; with ten connections, ten results and ten intents wait for it together. In a file that
nobody else writes into, the statements run where they are asked for, and a process waits for the disk (:mod:`.flusher`): two
threads at work would take the interpreter's lock from each other at every statement and every system call, which costs more than
the statements. Where somebody else is writing, or the database is at the other end of a network, a thread of the desk's own does
it all.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from newsletter.delivery import ledger, life
from newsletter.delivery.flusher import Flusher
from newsletter.delivery.ledger import Claimed, Result
from newsletter.store.engine import Store, Write
from newsletter.store.faults import fault_of
from newsletter.store.hasty import HastyWriter

T = TypeVar("T")
#: One wish: the transition, told whether an earlier try of it may have been stored.
Wish = Callable[[Connection, bool], T]

#: Seconds between tries where the database does not take a transaction. When they are used up, the sending ends.
PAUSES = (0.1, 0.5, 2.0, 5.0)
#: Wishes in one transaction.
_GROUP = 500


class LedgerError(Exception):
    """The database does not take what has to be written. What is on the wire will be shown as uncertain by the next run."""


@contextlib.contextmanager
def writing(store: Store) -> Iterator[Connection]:
    """``store.write()`` for what stands before and behind the sending. Raises :class:`LedgerError`."""
    try:
        with store.write() as connection:
            yield connection
    except DBAPIError as error:
        raise LedgerError(f"the database cannot be written: {fault_of(error)}") from error


@dataclass(slots=True)
class _Asked:
    wish: Wish[Any]
    answer: asyncio.Future[Any]
    tried: bool = False  # its transaction may have been stored


class LedgerDesk:
    """The transitions of one campaign and worker, to be awaited: what they answer is on disk.

    Once something could not be stored, every later wish is refused with the same :class:`LedgerError`.
    """

    def __init__(self, store: Store, campaign_id: int, worker_id: int) -> None:
        self._store = store
        self._campaign_id = campaign_id
        self._worker_id = worker_id
        self._failure: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._held = contextlib.ExitStack()
        self._hasty = self._held.enter_context(store.hasty_writer())
        self._flusher = None if self._hasty is None else Flusher(self._hasty.log)
        self._with_the_thread = 0
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="newsletter-ledger", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Store what was asked for, and end the thread. Raises :class:`LedgerError` where something could not be stored."""
        self._asked.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._flusher is not None:
            self._flusher.close()
        self._held.close()
        if self._failure is not None:
            raise self._failure

    def turn(
        self, results: list[Result], intents: list[int], wanted: int, lanes: Mapping[str, int] | None = None
    ) -> "asyncio.Future[tuple[set[int], list[Claimed]]]":
        """Store results, then the intents for the next messages, then claim up to ``wanted`` more: one transaction (S23).

        ``lanes`` are asked in their order, each for so many at most; None asks all alike. It is under way when this returns.
        Gives the ids of the intents that may leave, and what was claimed. See the functions of
        :mod:`newsletter.delivery.ledger`."""
        campaign, worker, clock = self._campaign_id, self._worker_id, self._store.clock

        def write(connection: Connection, again: bool) -> tuple[set[int], list[Claimed]]:
            now = clock()
            if results:
                ledger.settle(connection, worker, results, now)
            may = ledger.mark_sending(connection, campaign, worker, intents, now, again=again) if intents else set()
            if lanes is None:
                return may, ledger.claim(connection, campaign, worker, wanted, now) if wanted else []
            claimed: list[Claimed] = []
            for lane, most in lanes.items():
                if left := min(most, wanted - len(claimed)):
                    claimed += ledger.claim(connection, campaign, worker, left, now, lane=lane)
            return may, claimed

        return self._ask(write)

    async def withdraw(self, ids: Iterable[int]) -> None:
        """See :func:`newsletter.delivery.ledger.withdraw`."""
        taken = list(ids)
        await self._ask(lambda connection, _: ledger.withdraw(connection, self._worker_id, taken, self._store.clock()))

    async def next_due(self) -> int | None:
        """See :func:`newsletter.delivery.ledger.next_due`."""
        return await self._ask(lambda connection, _: ledger.next_due(connection, self._campaign_id, self._worker_id))

    async def pause(self, note: str) -> None:
        """See :func:`newsletter.delivery.ledger.pause`."""
        await self._ask(lambda connection, _: ledger.pause(connection, self._campaign_id, note))

    async def remark(self, words: str | None) -> None:
        """See :func:`newsletter.delivery.life.remark`."""
        await self._ask(lambda connection, _: life.remark(connection, self._campaign_id, words))

    def _ask(self, wish: Wish[T]) -> "asyncio.Future[T]":
        asked = _Asked(wish, self._loop.create_future())
        if self._hasty is None or self._with_the_thread or self._failure is not None or not self._write(self._hasty, asked):
            self._with_the_thread += 1
            self._asked.put(asked)
        return asked.answer

    def _write(self, hasty: HastyWriter, asked: _Asked) -> bool:
        """Store a wish here; False where that fails: the thread meets it again, and waits."""
        try:
            hasty.begin()
            gave = asked.wish(hasty.connection, False)
            asked.tried = True
            hasty.commit()
        except Exception:  # noqa: BLE001 - the thread meets it again
            with contextlib.suppress(sqlite3.Error):
                hasty.undo()
            return False

        def stored(error: OSError | None) -> None:
            if error is None:
                _give(asked.answer, gave, None)
            else:  # what the kernel could not write it forgets: there is no second try
                self._failure = LedgerError(f"the database cannot be written: {error.strerror}")
                _give(asked.answer, None, self._failure)

        assert self._flusher is not None
        self._flusher.flush(stored)
        return True

    def _run(self) -> None:
        with self._store.writer() as write:
            self._take_wishes(write)

    def _take_wishes(self, write: Write) -> None:
        while (first := self._asked.get()) is not None:
            group, over = [first], False
            while len(group) < _GROUP and not self._asked.empty():
                following = self._asked.get()
                if following is None:
                    over = True
                    break
                group.append(following)
            self._serve(write, group)
            if over:
                return

    def _serve(self, write: Write, group: list[_Asked]) -> None:
        if self._failure is not None:
            for asked in group:
                self._answer(asked.answer, None, self._failure)
            return
        try:
            answers = self._store_group(write, group)
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait for an answer
            self._failure = error
            for asked in group:
                self._answer(asked.answer, None, error)
        else:
            for asked, answer in zip(group, answers, strict=True):
                self._answer(asked.answer, answer, None)

    def _answer(self, waiting: "asyncio.Future[Any]", answer: Any, error: Exception | None) -> None:
        def tell() -> None:
            self._with_the_thread -= 1
            _give(waiting, answer, error)

        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self._loop.call_soon_threadsafe(tell)

    def _store_group(self, write: Write, group: list[_Asked]) -> list[Any]:
        tries = 0
        while True:
            try:
                with write() as connection:
                    return [asked.wish(connection, asked.tried or tries > 0) for asked in group]
            except DBAPIError as error:
                # A result must be stored, whatever it takes: it cannot be asked for again.
                if (pause := self._pause_after(tries, error)) is None:
                    raise LedgerError(f"the database cannot be written: {fault_of(error)}") from error
            time.sleep(pause)
            tries += 1

    def _pause_after(self, tries: int, _error: DBAPIError) -> float | None:
        """Seconds until the next try of what failed so many times before; None: no more."""
        return PAUSES[tries] if tries < len(PAUSES) else None


def _give(waiting: "asyncio.Future[Any]", answer: Any, error: Exception | None) -> None:
    if waiting.done():  # its task was cancelled
        return
    if error is None:
        waiting.set_result(answer)
    else:
        waiting.set_exception(error)
