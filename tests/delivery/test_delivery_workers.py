"""Several workers on one campaign: leases, take-overs, late answers, one limit and one pace. On PostgreSQL, over real sockets."""

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.exc import DBAPIError

from newsletter.delivery import Account, account_of, ledger, life
from newsletter.delivery.allowance import allow_again, still_allowed
from newsletter.delivery.ledger import Result
from newsletter.store import Campaign, Store
from newsletter.store.clock import SECOND
from newsletter.store.engine import open_bare
from newsletter.store.tables import allowance, attempt, delivery, worker

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People, Sink

    Crowd = Callable[[int], People]

NOW = 2_000_000_000_000_000
LEASE = 30 * SECOND


@pytest.fixture
def office(office: "Office", postgresql: Store) -> "Office":
    """The ledger on PostgreSQL."""
    return replace(office, store=postgresql)


@pytest.fixture
def frozen(office: "Office", crowd: "Crowd") -> Campaign:
    """Six recipients in a running campaign."""
    made = office.freeze(crowd(6))
    with office.store.write() as connection:
        assert ledger.start(connection, made.id, NOW)
    return made


def hire(connection: Connection, now: int = NOW) -> int:
    return ledger.register(connection, host="h", pid=1, version="1", now=now, lease=LEASE)


def states(store: Store) -> str:
    """The states' first letters, ``g`` for sending."""
    with store.read() as connection:
        found = connection.scalars(select(delivery.c.state).order_by(delivery.c.id)).all()
    return "".join("g" if state == "sending" else state[0] for state in found)


@pytest.fixture
def transactions(office: "Office") -> Iterator[Callable[[], Connection]]:
    """Opens transactions that stay open side by side."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(office.store.write())


class Beside:
    """Something that runs in a thread of its own, to see what it waits for."""

    def __init__(self, store: Store, act: Callable[[Connection], Any]) -> None:
        self._store, self._act = store, act
        self.gave: Any = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._store.write() as connection:
            self.gave = self._act(connection)

    def waits(self) -> bool:
        """Whether it waits for a lock of another one."""
        for _ in range(200):
            if not self._thread.is_alive():
                return False
            with self._store.read() as connection:
                blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                if connection.scalar(text(blocked)):
                    return True
            time.sleep(0.01)
        return False

    def end(self) -> Any:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.gave


# --- leases -------------------------------------------------------------------------------------------------------------------


def test_a_worker_whose_lease_runs_out_is_taken_for_dead_by_another_one(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        old = hire(connection)
        claimed = [one.id for one in ledger.claim(connection, frozen.id, old, 4, NOW)]
        assert ledger.mark_sending(connection, frozen.id, old, claimed[:2], NOW) == set(claimed[:2])
        assert ledger.reap(connection, NOW + LEASE) == 0
    assert states(office.store) == "ggccpp"
    later = NOW + LEASE + 1
    with office.store.write() as connection:
        new = hire(connection, later)
        assert ledger.reap(connection, later) == 1
        assert not ledger.hold(connection, old, LEASE, later)
        assert ledger.hold(connection, new, LEASE, later)
        assert ledger.mark_sending(connection, frozen.id, old, claimed, later) == set()
        assert ledger.claim(connection, frozen.id, old, 9, later) == []
        assert ledger.next_due(connection, frozen.id, old) is None
    assert states(office.store) == "uupppp"


def test_a_lease_that_is_held_does_not_run_out(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        me = hire(connection)
        for step in range(1, 9):
            now = NOW + step * LEASE // 2
            assert ledger.hold(connection, me, LEASE, now)
            assert ledger.reap(connection, now) == 0
        assert connection.scalar(select(worker.c.state)) == "alive"


def test_a_lease_that_ran_out_grants_nothing_before_it_is_held_again(office: "Office", frozen: Campaign) -> None:
    late = NOW + LEASE + 1
    with office.store.write() as connection:
        me = hire(connection)
        held = [one.id for one in ledger.claim(connection, frozen.id, me, 2, NOW)]
        assert ledger.claim(connection, frozen.id, me, 2, late) == []
        assert ledger.mark_sending(connection, frozen.id, me, held, late) == set()
        assert ledger.hold(connection, me, LEASE, late)
        assert ledger.mark_sending(connection, frozen.id, me, held, late) == set(held)


def test_two_reapers_do_not_wait_for_each_other(
    office: "Office", frozen: Campaign, transactions: Callable[[], Connection]
) -> None:
    with office.store.write() as connection:
        hire(connection)
    one, other = transactions(), transactions()
    assert ledger.reap(one, NOW + LEASE + 1) == 1
    assert ledger.reap(other, NOW + LEASE + 1) == 0


def test_who_was_at_work_in_a_file_that_moved_here_is_dead(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        old = ledger.register(connection, host="h", pid=1, version="1", now=NOW)
        assert len(ledger.claim(connection, frozen.id, old, 2, NOW)) == 2
        assert ledger.reap(connection, NOW) == 1
    assert states(office.store) == "pppppp"


# --- the fence ----------------------------------------------------------------------------------------------------------------


def test_two_workers_never_claim_the_same_and_do_not_wait(
    office: "Office", frozen: Campaign, transactions: Callable[[], Connection]
) -> None:
    one, other = transactions(), transactions()
    mine = [claimed.id for claimed in ledger.claim(one, frozen.id, hire(one), 4, NOW)]
    theirs = [claimed.id for claimed in ledger.claim(other, frozen.id, hire(other), 4, NOW)]
    assert (len(mine), len(theirs)) == (4, 2)
    assert not set(mine) & set(theirs)


@pytest.mark.parametrize("step", ["claim", "intent", "hold"])
def test_a_take_over_waits_for_what_is_being_granted(office: "Office", frozen: Campaign, step: str) -> None:
    with office.store.write() as connection:
        me = hire(connection)
        held = [one.id for one in ledger.claim(connection, frozen.id, me, 2, NOW)]
    with office.store.write() as connection:
        if step == "claim":
            assert len(ledger.claim(connection, frozen.id, me, 2, NOW)) == 2
        elif step == "intent":
            assert ledger.mark_sending(connection, frozen.id, me, held, NOW) == set(held)
        else:
            assert ledger.hold(connection, me, LEASE, NOW)
        with office.store.write() as other:  # SKIP LOCKED: it is left for the next time
            assert ledger.reap(other, NOW + LEASE + 1) == 0
        beside = Beside(office.store, lambda other: ledger.recover(other, me, NOW))
        assert beside.waits()
    beside.end()
    assert states(office.store) == {"claim": "pppppp", "intent": "uupppp", "hold": "pppppp"}[step]


def test_what_is_being_granted_waits_for_a_take_over(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        me = hire(connection)
        held = [one.id for one in ledger.claim(connection, frozen.id, me, 2, NOW)]
    with office.store.write() as connection:
        assert ledger.reap(connection, NOW + LEASE + 1) == 1
        beside = Beside(office.store, lambda other: ledger.mark_sending(other, frozen.id, me, held, NOW))
        assert beside.waits()
    assert beside.end() == set()
    assert states(office.store) == "pppppp"


@pytest.mark.parametrize("end", ["pause", "cancel"])
def test_from_a_pause_on_nobody_is_granted_anything(office: "Office", frozen: Campaign, end: str) -> None:
    with office.store.write() as connection:
        me, other = hire(connection), hire(connection)
        mine = [one.id for one in ledger.claim(connection, frozen.id, me, 2, NOW)]
        theirs = [one.id for one in ledger.claim(connection, frozen.id, other, 2, NOW)]

    def stop(connection: Connection) -> bool:
        if end == "pause":
            return ledger.pause(connection, frozen.id, "x")
        return ledger.cancel(connection, frozen.id, NOW)

    with office.store.write() as connection:
        assert ledger.mark_sending(connection, frozen.id, me, mine, NOW) == set(mine)
        stopping = Beside(office.store, stop)
        assert stopping.waits()  # for the grant that is not committed
    assert stopping.end()
    with office.store.write() as connection:
        assert ledger.mark_sending(connection, frozen.id, other, theirs, NOW) == set()


def freeze(store: Store, of: Campaign, me: int) -> None:
    """Claim, and stand still in the middle of it until another one has taken over."""
    with store.write() as connection:
        assert ledger.claim(connection, of.id, me, 2, store.now(connection))
        deadline, reaped = time.monotonic() + 20, 0
        while not reaped and time.monotonic() < deadline:
            time.sleep(0.1)
            with store.write() as other:
                reaped = ledger.reap(other, store.now(other))
        assert reaped == 1
        connection.exec_driver_sql("SELECT 1")


def test_a_frozen_transaction_is_cut_by_the_server_and_holds_nobody_up(
    postgresql_with_tables: str, office: "Office", frozen: Campaign
) -> None:
    short = open_bare(postgresql_with_tables, lease=SECOND)
    with short.write() as connection:
        me = ledger.register(connection, host="h", pid=1, version="1", now=short.now(connection), lease=SECOND)
    with pytest.raises(DBAPIError):
        freeze(short, frozen, me)
    short.close()
    assert states(office.store) == "pppppp"


# --- late answers -------------------------------------------------------------------------------------------------------------


def test_a_late_answer_settles_what_a_take_over_called_uncertain(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        me = hire(connection)
        ids = [one.id for one in ledger.claim(connection, frozen.id, me, 6, NOW)]
        ledger.mark_sending(connection, frozen.id, me, ids, NOW)
        ledger.recover(connection, me, NOW)
        results = [Result(ids[0], "sent", 250), Result(ids[1], "deferred", 450, next_at=NOW), Result(ids[2], "failed", 550)]
        ledger.settle(connection, me, [*results, Result(ids[3], "pending"), Result(ids[4], "uncertain")], NOW)
        assert len(ledger.withdraw(connection, me, [ids[5]], NOW)) == 1
    assert states(office.store) == "sdfpup"
    with office.store.read() as connection:
        assert set(connection.scalars(select(delivery.c.attempts))) == {1}
        assert connection.scalar(select(func.count()).select_from(attempt)) == 6 + 3  # and the words of the late ones


def test_a_late_deferral_opens_a_campaign_again_that_was_done(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        me, other = hire(connection), hire(connection)
        ids = [one.id for one in ledger.claim(connection, frozen.id, me, 1, NOW)]
        ledger.mark_sending(connection, frozen.id, me, ids, NOW)
        ledger.recover(connection, me, NOW)
        rest = [one.id for one in ledger.claim(connection, frozen.id, other, 9, NOW)]
        ledger.mark_sending(connection, frozen.id, other, rest, NOW)
        ledger.settle(connection, other, [Result(one, "sent", 250) for one in rest], NOW)
        assert ledger.finish(connection, frozen.id, NOW)
        assert not ledger.reopen(connection, frozen.id)
    with office.store.write() as connection:
        life.lock(connection, frozen.id)
        ledger.settle(connection, me, [Result(ids[0], "deferred", 450, next_at=NOW)], NOW)
        assert ledger.reopen(connection, frozen.id)
    account = account_of(office.store, frozen.id)
    assert (account.state, account.deferred, account.sent) == ("running", 1, 5)


def test_a_campaign_does_not_end_beside_a_late_deferral(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        me = hire(connection)
        ids = [one.id for one in ledger.claim(connection, frozen.id, me, 6, NOW)]
        ledger.mark_sending(connection, frozen.id, me, ids, NOW)
        ledger.recover(connection, me, NOW)
    with office.store.write() as connection:
        life.lock(connection, frozen.id)
        ledger.settle(connection, me, [Result(ids[0], "deferred", 450, next_at=NOW)], NOW)
        finishing = Beside(office.store, lambda other: ledger.finish(other, frozen.id, NOW))
        assert finishing.waits()
        assert not ledger.reopen(connection, frozen.id)
    assert not finishing.end()
    assert account_of(office.store, frozen.id).state == "running"


def test_a_claim_whose_commit_was_not_answered_is_found_again(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        me = hire(connection)
        ledger.claim(connection, frozen.id, me, 2, NOW)
        lost = ledger.claim(connection, frozen.id, me, 2, NOW + 1)
    with office.store.write() as connection:
        assert ledger.claimed_at(connection, me, [NOW + 1]) == lost


# --- the limit ----------------------------------------------------------------------------------------------------------------


def test_what_was_claimed_and_not_tried_does_not_count_for_the_limit(office: "Office", frozen: Campaign) -> None:
    with office.store.write() as connection:
        ledger.start(connection, frozen.id, NOW, limit=3)
        me = hire(connection)
        ids = [one.id for one in ledger.claim(connection, frozen.id, me, 3, NOW)]
        allow_again(connection, frozen.id, -3)
        ledger.mark_sending(connection, frozen.id, me, ids[:1], NOW)
        assert still_allowed(connection, frozen.id) == 0
        ledger.recover(connection, me, NOW)
        assert still_allowed(connection, frozen.id) == 2
        ledger.start(connection, frozen.id, NOW)  # it runs: the limit stays
        assert still_allowed(connection, frozen.id) == 2
        ledger.pause(connection, frozen.id, "x")
        ledger.start(connection, frozen.id, NOW)
        assert still_allowed(connection, frozen.id) is None


# --- whole campaigns ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def first(office: "Office", postgresql_with_tables: str) -> Iterator["Office"]:
    """The office as one host has it open."""
    store = open_bare(postgresql_with_tables)
    yield replace(office, store=store)
    store.close()


def together(offices: list["Office"], of: Campaign, sink: "Sink", **how: Any) -> list[Account]:
    """Several workers, each with its own connections to the database."""

    async def run() -> list[Account]:
        async with sink.serve():
            return await asyncio.gather(*(one.send(of, sink, **{"wait": 60.0, **how}) for one in offices))

    return asyncio.run(run())


async def accepted(sink: "Sink", count: int) -> None:
    """Wait until the server has taken so many."""
    while len(sink.accepted) < count:  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.005)


@pytest.fixture
def second(first: "Office", postgresql_with_tables: str) -> Iterator["Office"]:
    """Another host."""
    store = open_bare(postgresql_with_tables)
    yield replace(first, store=store)
    store.close()


def test_two_workers_share_a_campaign(first: "Office", second: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = first.freeze(crowd(300))
    sink.pause_at_the_end = lambda: 0.01
    accounts = together([first, second], made, sink)
    assert [(account.state, account.sent) for account in accounts] == [("done", 300)] * 2
    assert sorted(sink.recipients) == sorted(f"p{n}@example.org" for n in range(300))
    with first.store.read() as connection:
        by = connection.execute(select(delivery.c.worker_id, func.count()).group_by(delivery.c.worker_id)).all()
        assert len(by) == 2, "both had a share"
        assert set(connection.scalars(select(worker.c.state))) == {"gone"}


def test_the_limit_counts_for_all_workers_together(first: "Office", second: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = first.freeze(crowd(200))

    async def run() -> list[Account]:
        async with sink.serve():
            with first.store.write() as connection:
                ledger.start(connection, made.id, first.store.now(connection), limit=70)
            return await asyncio.gather(*(one.send(made, sink, wait=60.0, join=True) for one in (first, second)))

    asyncio.run(run())
    account = account_of(first.store, made.id)
    assert (account.state, account.sent, account.note) == ("paused", 70, "stopped after 70 deliveries, as --limit says")
    assert len(sink.accepted) == 70
    first.run(made, sink, limit=30)
    assert account_of(first.store, made.id).sent == 100
    assert first.run(made, sink).state == "done"
    with first.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(allowance)) == 0


def test_one_rate_holds_for_all_workers_together(first: "Office", second: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = first.freeze(crowd(24))
    begun = time.monotonic()
    accounts = together([first, second], made, sink, settings={"smtp_rate": 20.0})
    assert [(account.state, account.sent) for account in accounts] == [("done", 24)] * 2
    assert time.monotonic() - begun >= 23 / 20  # one at the start, then one in each twentieth of a second


def test_who_only_joins_wakes_nothing(first: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = first.freeze(crowd(3))
    assert first.run(made, sink, join=True).state == "draft"
    with first.store.write() as connection:
        ledger.start(connection, made.id, 0)
        ledger.pause(connection, made.id, "x")
    assert first.run(made, sink, join=True).state == "paused"
    assert not sink.accepted


@pytest.mark.parametrize("end", ["pause", "cancel"])
def test_a_pause_stops_all_workers(first: "Office", second: "Office", sink: "Sink", crowd: "Crowd", end: str) -> None:
    made = first.freeze(crowd(2000))
    sink.pause_at_the_end = lambda: 0.01
    took = 0

    async def run() -> list[Account]:
        nonlocal took

        def stop() -> None:
            with first.store.write() as connection:
                if end == "pause":
                    assert ledger.pause(connection, made.id, "x")
                else:
                    assert ledger.cancel(connection, made.id, first.store.now(connection))

        async with sink.serve():
            sending = [asyncio.create_task(one.send(made, sink, wait=60.0)) for one in (first, second)]
            await accepted(sink, 200)
            await asyncio.to_thread(stop)
            took = len(sink.accepted)
            return await asyncio.gather(*sending)

    accounts = asyncio.run(run())
    assert {account.state for account in accounts} == {"paused" if end == "pause" else "cancelled"}
    # Of two workers with four connections, each with a mail on the wire and the next envelope; as many are granted (a group),
    # and as many again where the connections are quick (the reserve).
    assert len(sink.accepted) - took <= 2 * 4 * (2 + 2 + 2)
    with first.store.read() as connection:
        counts = Counter(connection.scalars(select(delivery.c.state)))
    assert counts["sent"] == len(sink.accepted)
    assert set(counts) == {"sent", "pending"}


def test_a_worker_that_was_taken_for_dead_goes_on_as_another_one(first: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = first.freeze(crowd(400))
    sink.pause_at_the_end = lambda: 0.02

    async def run() -> Account:
        def take_over() -> None:
            with first.store.write() as connection:
                alive = connection.scalars(select(worker.c.id).where(worker.c.state == "alive")).one()
                connection.execute(update(worker).values(lease_until=0))
                assert ledger.reap(connection, first.store.now(connection)) == 1
                assert alive

        async with sink.serve():
            sending = asyncio.create_task(first.send(made, sink, wait=60.0))
            for wanted in (50, 150):
                await accepted(sink, wanted)
                await asyncio.to_thread(take_over)
            return await sending

    account = asyncio.run(run())
    assert (account.state, account.sent, account.uncertain) == ("done", 400, 0)
    assert Counter(sink.recipients) == {f"p{n}@example.org": 1 for n in range(400)}
    with first.store.read() as connection:
        assert sorted(connection.scalars(select(worker.c.state))) == ["dead", "dead", "gone"]


def test_cut_lines_to_the_database_cost_nothing(first: "Office", second: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = first.freeze(crowd(400))
    sink.pause_at_the_end = lambda: 0.02

    async def run() -> list[Account]:
        def cut() -> None:
            with first.store.read() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'newsletter%'"
                    )
                )

        async with sink.serve():
            sending = [asyncio.create_task(one.send(made, sink, wait=60.0)) for one in (first, second)]
            for wanted in (50, 120, 200, 300):
                await accepted(sink, wanted)
                await asyncio.to_thread(cut)
            return await asyncio.gather(*sending)

    assert [(account.state, account.sent, account.uncertain) for account in asyncio.run(run())] == [("done", 400, 0)] * 2
    assert Counter(sink.recipients) == {f"p{n}@example.org": 1 for n in range(400)}


def test_a_commit_that_is_stored_and_not_answered_loses_nothing(
    first: "Office", second: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    made = first.freeze(crowd(200))
    monkeypatch.setattr("newsletter.delivery.shared.PAUSES", (0.001,) * 4)
    turns, lost = itertools.count(1), itertools.count()
    for office in (first, second):
        dialect = office.store._writer.dialect

        def commit(connection: Any, do_commit: Callable[[Any], None] = dialect.do_commit) -> None:
            do_commit(connection)
            if threading.current_thread().name == "newsletter-ledger" and next(turns) % 3 == 0:
                next(lost)
                raise psycopg.OperationalError("the line was cut")

        monkeypatch.setattr(dialect, "do_commit", commit)
    accounts = together([first, second], made, sink)
    assert [(account.state, account.sent, account.uncertain) for account in accounts] == [("done", 200, 0)] * 2
    assert Counter(sink.recipients) == {f"p{n}@example.org": 1 for n in range(200)}
    assert next(lost) > 3
