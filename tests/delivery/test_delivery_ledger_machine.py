"""Any order of claiming, sending, dying, freezing, waking too late, pausing, cancelling, resolving and unsubscribing, of several
workers: nobody is granted twice, nobody is forgotten. On either database."""

import itertools
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, select

from newsletter.audience.recipient import Recipient, Refused
from newsletter.compose.edition import Edition, Headers, Part
from newsletter.delivery import account_of, freeze, ledger
from newsletter.delivery.ledger import Result
from newsletter.problem import InputError
from newsletter.store import Store, open_store, suppress
from newsletter.store.clock import MINUTE
from newsletter.store.engine import open_bare
from newsletter.store.schema import make_tables
from newsletter.store.tables import delivery, meta, metadata, worker
from tests.thorough import THOROUGH

SIZE = 6
LEASE = 3 * MINUTE
EDITION = Edition("t", Headers("a", "a@b.org", None, "l", "l", "de"), Part(("s",)), Part(("t",)), Part(("h",)))
#: A choice among workers, mostly the first.
WHICH = st.sampled_from([0, 0, 0, 1, 2])
EVERYONE = frozenset(range(1, SIZE + 1))
#: Mostly all, so that something comes of it: what is not this worker's, the ledger itself must hold back.
SOME = st.just(EVERYONE) | st.frozensets(st.integers(1, SIZE), min_size=1)


def mark(address_key: str) -> bytes:
    return address_key[:1].encode() * 16


class Crowd:
    path = Path("list.csv")

    def __iter__(self) -> Iterator[Recipient | Refused]:
        rows: list[Recipient | Refused] = [
            Recipient(f"{letter}@{domain}.org", f"{letter}@{domain}.org", {}, n)
            for n, (letter, domain) in enumerate(zip("abcdef", ["x", "big"] * 3, strict=True), 2)
        ]
        return iter(rows)


#: Opens an empty database with this clock.
Open = Callable[[Callable[[], int]], Store]


class LedgerMachine(RuleBasedStateMachine):
    """What the server knows is kept beside the ledger: ``maybe_taken`` are the messages that it has or may have."""

    def database(self, clock: Callable[[], int]) -> Store:
        """An empty one, with this clock."""
        raise NotImplementedError

    @initialize(later=st.sampled_from([0, 0, 0, 3]))
    def open(self, later: int) -> None:
        self.moment = 1_000_000_000
        self.store = self.database(lambda: self.moment)
        self.campaign, _ = freeze(
            self.store,
            slug="i",
            edition=EDITION,
            recipients=Crowd(),
            mark=mark,
            list_name="list.csv",
            lane=lambda domain: "big" if domain == "big.org" else "*",
        )
        self.start_at = self.moment + later * MINUTE
        self.over = False
        self.alive: list[int] = []
        self.leases: dict[int, int] = {}
        self.all_workers: list[int] = []
        #: (worker, delivery) that were granted, and the answer not yet told to the ledger.
        self.open_grants: set[tuple[int, int]] = set()
        self.maybe_taken: set[int] = set()
        self.sent: set[int] = set()
        self.suppressed: set[int] = set()
        with self.store.write() as connection:
            if later:
                assert ledger.schedule(connection, self.campaign.id, self.start_at)
            assert ledger.start(connection, self.campaign.id, self.moment) == (not later)
            self._hire(connection)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def states(self) -> dict[int, str]:
        with self.store.read() as connection:
            return {row.id: row.state for row in connection.execute(select(delivery.c.id, delivery.c.state))}

    def _hire(self, connection: Connection) -> None:
        own = ledger.register(connection, host="h", pid=1, version="1", now=self.moment, lease=LEASE)
        self.alive.append(own)
        self.leases[own] = self.moment + LEASE
        self.all_workers.append(own)

    def worker(self, which: int) -> int:
        """Mostly the newest, so that something comes of it; a dead one must be held back by the ledger itself."""
        return self.all_workers[-1 - which % len(self.all_workers)]

    def _hold(self, connection: Connection, by: int) -> None:
        held = ledger.hold(connection, by, LEASE, self.moment)
        assert held == (by in self.alive)
        if held and self.leases[by] - self.moment < 2 * LEASE // 3:
            self.leases[by] = self.moment + LEASE

    def _can_work(self, by: int) -> bool:
        return by in self.alive and self.leases[by] > self.moment

    @rule(
        which=WHICH,
        hold=st.sampled_from([True, True, True, False]),
        wanted=st.integers(1, 4),
        grant=st.sampled_from([True, True, False]),
        lane=st.sampled_from([None, None, "*", "big"]),
    )
    def claim(self, which: int, hold: bool, wanted: int, grant: bool, lane: str | None) -> None:
        by = self.worker(which)
        before = self.states()
        with self.store.write() as connection:
            if hold:
                self._hold(connection, by)
            claimed = ledger.claim(connection, self.campaign.id, by, wanted, self.moment, lane=lane)
        assert self._can_work(by) or not claimed
        for one in claimed:
            assert before[one.id] in ("pending", "deferred")
            assert one.id not in self.suppressed
            assert one.lane == ("big" if one.address.endswith("@big.org") else "*")
            assert lane in (None, one.lane)
        assert not claimed or (self.moment >= self.start_at and not self.over)
        if grant:
            self._grant(by, {one.id for one in claimed}, again=False)

    @rule(which=WHICH, ids=SOME, again=st.booleans())
    def grant(self, which: int, ids: frozenset[int], again: bool) -> None:
        self._grant(self.worker(which), ids, again=again)

    def _grant(self, by: int, ids: AbstractSet[int], *, again: bool) -> None:
        with self.store.write() as connection:
            granted = ledger.mark_sending(connection, self.campaign.id, by, ids, self.moment, again=again)
        for one in granted:
            if again and (by, one) in self.open_grants:
                continue  # the same grant, told a second time
            assert self._can_work(by)
            assert self.moment >= self.start_at
            assert not self.over
            assert one not in self.maybe_taken, "this message may have been taken before: it would come twice"
            assert one not in self.suppressed
            self.open_grants.add((by, one))
            self.maybe_taken.add(one)

    @precondition(lambda self: self.open_grants)
    @rule(
        which=st.integers(0, 99),
        state=st.sampled_from(["sent", "deferred", "failed", "uncertain", "pending"]),
        pause=st.integers(0, 3),
    )
    def answer(self, which: int, state: Literal["sent", "deferred", "failed", "uncertain", "pending"], pause: int) -> None:
        by, one = sorted(self.open_grants)[which % len(self.open_grants)]
        before = self.states()[one]
        with self.store.write() as connection:
            result = Result(one, state, next_at=self.moment + pause * MINUTE)
            ledger.settle(connection, by, [result, result], self.moment)
            if by not in self.alive:
                ledger.reopen(connection, self.campaign.id)
        self.open_grants.discard((by, one))
        if state == "sent":
            self.sent.add(one)
            assert self.states()[one] == "sent", f"it was {before}, and the server took it"
        elif state in ("deferred", "failed") or (state == "pending" and before in ("sending", "uncertain")):
            self.maybe_taken.discard(one)

    @precondition(lambda self: self.open_grants)
    @rule(which=st.integers(0, 99))
    def withdraw(self, which: int) -> None:
        """No byte was sent of a message that was granted, says its worker, which may have been taken for dead."""
        by, one = sorted(self.open_grants)[which % len(self.open_grants)]
        before = self.states()[one]
        with self.store.write() as connection:
            ledger.withdraw(connection, by, [one], self.moment)
            if by not in self.alive:
                ledger.reopen(connection, self.campaign.id)
        self.open_grants.discard((by, one))
        if before in ("sending", "uncertain"):
            self.maybe_taken.discard(one)

    @precondition(lambda self: self.alive)
    @rule(which=WHICH, ids=SOME, state=st.sampled_from(["deferred", "failed"]))
    def refuse_or_give_back(self, which: int, ids: frozenset[int], state: Literal["deferred", "failed"]) -> None:
        by = self.alive[-1 - which % len(self.alive)]
        busy = {one for _, one in self.open_grants}
        with self.store.write() as connection:
            ledger.settle(connection, by, [Result(one, state) for one in ids - busy - self.maybe_taken][:1], self.moment)
            ledger.give_back(connection, by, ids, self.moment)

    @rule(kind=st.sampled_from(["die", "take over", "pause", "stop", "start", "unsubscribe", "finish"]), which=WHICH)
    def trouble(self, kind: str, which: int) -> None:
        with self.store.write() as connection:
            if kind == "die" and self.alive:
                ledger.recover(connection, self.alive.pop(-1 - which % len(self.alive)), self.moment)
            elif kind == "take over":
                self._hire(connection)
                ledger.recover_others(connection, self.alive[-1], self.moment)
                del self.alive[:-1]
            elif kind in ("pause", "stop"):
                ledger.pause(connection, self.campaign.id, "x")
            if kind in ("pause", "start"):
                ledger.start(connection, self.campaign.id, self.moment)
            if not self.alive:
                self._hire(connection)
        if kind == "unsubscribe":
            one = 1 + which % 2  # of the others, something is left to do
            suppress(self.store, mark("abcdef"[one - 1]), reason="unsubscribed")
            self.suppressed.add(one)
        elif kind == "finish":
            with self.store.write() as connection:
                ledger.finish(connection, self.campaign.id, self.moment)

    @precondition(lambda self: self.open_grants)
    @rule()
    def wind_up(self) -> None:
        """A new worker takes all others for dead and sends what there is; the campaign ends, and they may still wake."""
        self.moment += 20 * MINUTE
        with self.store.write() as connection:
            self._hire(connection)
            ledger.recover_others(connection, self.alive[-1], self.moment)
            del self.alive[:-1]
            by = self.alive[-1]
            ids = {one.id for one in ledger.claim(connection, self.campaign.id, by, 9, self.moment)}
        self._grant(by, ids, again=False)
        granted = {one for whose, one in self.open_grants if whose == by}
        with self.store.write() as connection:
            ledger.settle(connection, by, [Result(one, "sent", 250) for one in granted], self.moment)
            ledger.finish(connection, self.campaign.id, self.moment)
        self.open_grants -= {(by, one) for one in granted}
        self.sent |= granted

    @rule(which=WHICH)
    def hold(self, which: int) -> None:
        with self.store.write() as connection:
            self._hold(connection, self.worker(which))

    @rule()
    def reap(self) -> None:
        late = [one for one in self.alive if self.leases[one] < self.moment]
        with self.store.write() as connection:
            assert ledger.reap(connection, self.moment) == len(late)
            self.alive = [one for one in self.alive if one not in late]
            if not self.alive:
                self._hire(connection)

    @rule(ask=st.sampled_from([0, 0, 0, 0, 0, 1]))
    def cancel(self, ask: int) -> None:
        if ask:
            with self.store.write() as connection:
                self.over = ledger.cancel(connection, self.campaign.id, self.moment) or self.over

    @rule(decision=st.sampled_from(["sent", "resend", "resend"]))
    def resolve(self, decision: Literal["sent", "resend"]) -> None:
        before = {one for one, state in self.states().items() if state == "uncertain"}
        try:
            with self.store.write() as connection:
                count = ledger.resolve(connection, self.campaign.id, decision, self.moment)
        except InputError:
            assert decision == "resend"
            assert {one for one, state in self.states().items() if state == "uncertain"} == before
            return
        assert count == len(before)
        if decision == "resend":
            assert not before or not self.over
            waiting = {(by, one) for by, one in self.open_grants if one in before}
            assert not {by for by, _ in waiting} & set(self.alive), "the answer may still come"
            self.open_grants -= waiting
            self.maybe_taken -= before
        else:
            self.sent |= before

    @rule(minutes=st.sampled_from([1, 1, 2, 5, 11]))
    def wait(self, minutes: int) -> None:
        self.moment += minutes * MINUTE

    @invariant()
    def everyone_is_accounted_for(self) -> None:
        if hasattr(self, "campaign"):
            assert account_of(self.store, self.campaign.id).audience == SIZE

    @invariant()
    def what_the_server_may_have_is_never_due(self) -> None:
        if hasattr(self, "campaign"):
            states = self.states()
            for one in self.maybe_taken:
                assert states[one] in ("sending", "uncertain", "sent")
            for one in self.sent:
                assert states[one] == "sent"

    @invariant()
    def what_is_held_has_a_living_holder(self) -> None:
        if hasattr(self, "campaign"):
            with self.store.read() as connection:
                held = select(worker.c.state).join(delivery, delivery.c.worker_id == worker.c.id)
                holders = connection.scalars(held.where(delivery.c.state.in_(["claimed", "sending"]))).all()
            assert set(holders) <= {"alive"}

    @invariant()
    def what_is_done_has_nothing_open(self) -> None:
        if hasattr(self, "campaign") and account_of(self.store, self.campaign.id).state == "done":
            assert not set(self.states().values()) & {"pending", "deferred", "claimed", "sending"}


def run(opens: Open, examples: int) -> None:
    class Machine(LedgerMachine):
        def database(self, clock: Callable[[], int]) -> Store:
            return opens(clock)

    how = settings(max_examples=examples, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(Machine, settings=how)


def test_any_order_in_a_file(tmp_path: Path) -> None:
    number = itertools.count()
    run(lambda clock: open_store(f"sqlite:///{tmp_path}/{next(number)}.db", clock), 40 if THOROUGH else 12)


def test_any_order_on_a_server(postgresql_with_tables: str) -> None:
    def database(clock: Callable[[], int]) -> Store:
        store = open_bare(postgresql_with_tables, clock)
        make_tables(store)
        with store.write() as connection:
            for table in reversed(metadata.sorted_tables):
                if table is not meta:
                    connection.execute(table.delete())
        return store

    run(database, 15 if THOROUGH else 6)
