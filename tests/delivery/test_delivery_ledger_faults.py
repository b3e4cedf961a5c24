"""A fault before and after every statement and COMMIT: a transition is done or not done, nobody is doubled, nobody missed."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from newsletter.audience.recipient import Recipient, Refused
from newsletter.compose.edition import Edition, Headers, Part
from newsletter.delivery import account_of, discard, freeze, ledger
from newsletter.delivery.ledger import Claimed, Result
from newsletter.store import Store, find_campaign, open_store, suppress
from newsletter.store.clock import HOUR, SECOND
from newsletter.store.engine import open_bare
from newsletter.store.schema import make_tables
from newsletter.store.tables import delivery, metadata, suppression
from tests.thorough import only_thorough

EDITION = Edition("t", Headers("a", "a@b.org", None, "l", "l", "de"), Part(("s",)), Part(("t",)), Part(("h",)))
NOW = 2_000_000_000_000_000
LETTERS = "abcdef"


class Fault(Exception):
    """The process ends here."""


@dataclass
class Trap:
    """Counts the points at which a fault can strike, and strikes at one of them."""

    strike: int = 0
    points: int = 0
    #: Not after statements: the same as before the next one, for what becomes of a whole campaign.
    few: bool = False

    def step(self) -> None:
        self.points += 1
        if self.points == self.strike:
            raise Fault

    @contextmanager
    def over(self, store: Store) -> Iterator[None]:
        """Before and after each statement, before and after each COMMIT of this store."""
        engine = store._reader
        do_commit = engine.dialect.do_commit

        def around(*_: Any) -> None:
            self.step()

        def commit(connection: Any) -> None:
            self.step()
            do_commit(connection)
            self.step()  # it is stored, but nobody is told

        event.listen(engine, "before_cursor_execute", around)
        if not self.few:
            event.listen(engine, "after_cursor_execute", around)
        engine.dialect.do_commit = commit  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", around)
            if not self.few:
                event.remove(engine, "after_cursor_execute", around)
            del engine.dialect.do_commit


def mark(address_key: str) -> bytes:
    return address_key[:1].encode() * 16


class Crowd:
    path = Path("list.csv")

    def __iter__(self) -> Iterator[Recipient | Refused]:
        yield from (Recipient(f"{one}@x.org", f"{one}@x.org", {}, n) for n, one in enumerate(LETTERS, 2))
        yield Recipient("A@x.org", "a@x.org", {}, 9)


def make(store: Store, slug: str = "i") -> None:
    freeze(
        store,
        slug=slug,
        edition=EDITION,
        recipients=Crowd(),
        mark=mark,
        list_name="l",
        lane=lambda _: "*",
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in a file, with a draft of six recipients."""
    file = tmp_path_factory.mktemp("faults") / "newsletter.db"
    store = open_store(f"sqlite:///{file}", lambda: NOW)
    make(store)
    store.close()
    return file


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=only_thorough)])
def database(template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Gives a fresh copy of the template each time, in a file or on a server; the old one is gone."""
    if request.param == "postgresql":
        with copies_on_a_server(template, request.getfixturevalue("postgresql_with_tables")) as copy:
            yield copy
        return
    opened: list[Store] = []

    def copy_file() -> Store:
        while opened:
            opened.pop().close()
        file = tmp_path / "newsletter.db"
        shutil.copy(template, file)
        opened.append(open_store(f"sqlite:///{file}", lambda: NOW))
        return opened[-1]

    yield copy_file


@contextmanager
def copies_on_a_server(template: Path, url: str) -> Iterator[Callable[[], Store]]:
    """See :func:`database`."""
    original, store = open_store(f"sqlite:///{template}"), open_bare(url, lambda: NOW)
    rows = everything(original)
    original.close()
    make_tables(store)

    def copy() -> Store:
        with store.write() as connection:
            for table in reversed(metadata.sorted_tables):  # TRUNCATE makes new files of them all, which takes longer
                connection.execute(table.delete())
            connection.exec_driver_sql(
                "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace"
            )
            for table in metadata.sorted_tables:
                if rows[table.name]:
                    connection.execute(table.insert(), [row._asdict() for row in rows[table.name]])
            last = max(row.id for row in rows["delivery"])
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('delivery', 'id'), {last})")
        return store

    yield copy
    store.close()


def everything(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables but the random ids and keys of new campaigns."""
    with store.read() as connection:
        return {
            table.name: list(connection.execute(select(table).order_by(*table.primary_key))) for table in metadata.sorted_tables
        }


#: The way to the state in which a transition begins, one transaction each; the campaign's id is the last argument.
Step = Callable[[Connection, int], object]


def _work(connection: Connection, of: int) -> None:
    """Worker 1 has 1 and 2 on the wire, holds 3 and 4, and 5 is uncertain."""
    me = ledger.register(connection, host="h", pid=1, version="1", now=NOW)
    ledger.start(connection, of, NOW)
    ledger.claim(connection, of, me, 5, NOW)
    ledger.mark_sending(connection, of, me, [1, 2, 5], NOW)
    ledger.settle(connection, me, [Result(5, "uncertain")], NOW)


def _ended(connection: Connection, of: int) -> None:
    _work(connection, of)
    ledger.recover(connection, 1, NOW)


def _scheduled(connection: Connection, of: int) -> None:
    ledger.schedule(connection, of, NOW + HOUR)


def _late(connection: Connection, of: int) -> None:
    """Worker 2 has a lease that ran out: it has 1 on the wire, and holds 2."""
    ledger.start(connection, of, NOW, limit=5)
    ledger.register(connection, host="h", pid=1, version="1", now=NOW)
    late = ledger.register(connection, host="h", pid=1, version="1", now=NOW - 60 * SECOND, lease=60 * SECOND + 1)
    ledger.claim(connection, of, late, 2, NOW)
    ledger.mark_sending(connection, of, late, [1], NOW)


def _over(connection: Connection, of: int) -> None:
    """All is over, but worker 1 was taken for dead, and learns of 5 only now."""
    _ended(connection, of)
    connection.execute(update(delivery).where(delivery.c.state.in_(["pending", "deferred"])).values(state="failed"))
    ledger.finish(connection, of, NOW)
    ledger.settle(connection, 1, [Result(5, "deferred", 450, next_at=NOW)], NOW)


RESULTS = [
    Result(1, "sent", 250),
    Result(2, "failed", 550, "5.1.1", "unknown", hard_bounce=True),
    Result(3, "deferred", 450, next_at=NOW + 1),
]
TRANSITIONS: dict[str, tuple[Step | None, Step]] = {
    "register": (None, lambda c, _: ledger.register(c, host="h", pid=1, version="1", now=NOW)),
    "start": (None, lambda c, of: ledger.start(c, of, NOW)),
    "schedule": (None, lambda c, of: ledger.schedule(c, of, NOW + HOUR)),
    "start scheduled": (_scheduled, lambda c, of: ledger.start(c, of, NOW + HOUR)),
    "claim": (_work, lambda c, of: ledger.claim(c, of, 1, 9, NOW)),
    "mark_sending": (_work, lambda c, of: ledger.mark_sending(c, of, 1, [3, 4], NOW)),
    "settle": (_work, lambda c, _: ledger.settle(c, 1, RESULTS, NOW)),
    "give_back": (_work, lambda c, _: ledger.give_back(c, 1, [3, 4], NOW)),
    "recover": (_work, lambda c, _: ledger.recover(c, 1, NOW)),
    "hold": (_late, lambda c, _: ledger.hold(c, 2, 60 * SECOND, NOW)),
    "reap": (_late, lambda c, _: ledger.reap(c, NOW + 2)),
    "reopen": (_over, ledger.reopen),
    "start limited": (None, lambda c, of: ledger.start(c, of, NOW, limit=3)),
    "pause": (_work, lambda c, of: ledger.pause(c, of, "x")),
    "cancel": (_work, lambda c, of: ledger.cancel(c, of, NOW)),
    "resolve sent": (_ended, lambda c, of: ledger.resolve(c, of, "sent", NOW)),
    "resolve resend": (_ended, lambda c, of: ledger.resolve(c, of, "resend", NOW + HOUR)),
}


@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_transition_is_done_or_not_done(name: str, database: Callable[[], Store]) -> None:
    prepare, act = TRANSITIONS[name]

    def run(strike: int) -> tuple[Trap, dict[str, list[Any]], dict[str, list[Any]]]:
        store = database()
        of = find_campaign(store, "i")
        assert of is not None
        if prepare is not None:
            with store.write() as connection:
                prepare(connection, of.id)
        before, trap = everything(store), Trap(strike)
        try:
            with trap.over(store), store.write() as connection:
                act(connection, of.id)
        except Fault:
            pass
        return trap, before, everything(store)

    trap, before, after = run(0)
    assert before != after, "the transition does nothing here"
    last = trap.points
    for strike in range(1, last + 1):
        assert run(strike)[2] == (after if strike == last else before), strike  # the last point is after the COMMIT


def test_freezing_discarding_and_suppressing_are_done_or_not_done(database: Callable[[], Store]) -> None:
    def counts(store: Store) -> dict[str, int]:
        return {name: len(rows) for name, rows in everything(store).items()}

    def throw_away(store: Store) -> None:
        of = find_campaign(store, "i")
        assert of is not None
        discard(store, of.id)

    acts: list[Callable[[Store], object]] = [
        lambda store: make(store, "second"),
        throw_away,
        lambda store: suppress(store, mark("a"), reason="unsubscribed"),
    ]
    for act in acts:
        store, trap = database(), Trap()
        before = everything(store)
        with trap.over(store):
            act(store)
        after, last = counts(store), trap.points
        commit = last - 1  # act() reads nothing after it
        for strike in range(1, last + 1):
            store, trap = database(), Trap(strike)
            with pytest.raises(Fault), trap.over(store):
                act(store)
            if strike <= commit:
                assert everything(store) == before, strike
            else:
                assert counts(store) == after, strike


@dataclass
class Server:
    """Takes mail; ``b`` is deferred at first, ``c`` is unknown, for ``d`` the line is cut after the dot."""

    taken: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    def take(self, claimed: Claimed) -> Result:
        letter = claimed.address[0]
        self.asked[letter] += 1
        if letter == "b" and self.asked["b"] == 1:
            return Result(claimed.id, "deferred", 450, "4.3.0", "later", NOW)
        if letter == "c":
            return Result(claimed.id, "failed", 550, "5.1.1", "unknown", hard_bounce=True)
        self.taken[letter] += 1
        return Result(claimed.id, "uncertain" if letter == "d" else "sent", 250)


def send(store: Store, of: int, server: Server, on_wire: set[str]) -> None:
    """One ``newsletter send`` over the ledger, two deliveries at a time. ``on_wire`` hears whose ``sending`` may be committed."""
    with store.write() as connection:
        me = ledger.register(connection, host="h", pid=1, version="1", now=NOW)
        ledger.recover_others(connection, me, NOW)
        ledger.start(connection, of, NOW)
    while True:
        with store.write() as connection:
            claimed = ledger.claim(connection, of, me, 3, NOW)
        if not claimed:
            break
        out = claimed[:2]
        on_wire.update(one.address[0] for one in out)
        with store.write() as connection:
            granted = ledger.mark_sending(connection, of, me, [one.id for one in out], NOW)
        results = [server.take(one) for one in out if one.id in granted]
        with store.write() as connection:
            ledger.settle(connection, me, results, NOW)
            ledger.give_back(connection, me, [one.id for one in claimed], NOW)
    with store.write() as connection:
        ledger.recover(connection, me, NOW, ended="gone")
        ledger.finish(connection, of, NOW)


def test_nobody_is_doubled_and_nobody_missed_wherever_it_breaks(database: Callable[[], Store]) -> None:
    store, trap = database(), Trap(few=True)
    of = find_campaign(store, "i")
    assert of is not None
    with store.write() as connection:  # a suppression that the rows do not know of
        connection.execute(suppression.insert(), {"mark": mark("f"), "reason": "erased", "created_at": 0})
    with trap.over(store):
        send(store, of.id, Server(), set())
    last = trap.points
    assert last > 60
    for strike in range(1, last + 1):
        store, server = database(), Server()
        with store.write() as connection:
            connection.execute(suppression.insert(), {"mark": mark("f"), "reason": "erased", "created_at": 0})
        on_wire: set[str] = set()
        with pytest.raises(Fault), Trap(strike, few=True).over(store):
            send(store, of.id, server, on_wire)
        before = on_wire.copy()
        send(store, of.id, server, on_wire)
        with store.read() as connection:
            states = {row.address[0]: row.state for row in connection.execute(select(delivery))}
        account = account_of(store, of.id)
        assert account.state == "done", strike
        assert account.audience == len(LETTERS) == len(states), strike
        assert max(server.taken.values()) == 1, (strike, server.taken)  # nobody doubled
        assert states["f"] == "suppressed"
        assert not server.asked["f"]
        for letter, state in states.items():
            if state == "sent":
                assert server.taken[letter] == 1, (strike, letter)  # nobody missed
            elif state == "uncertain":
                assert letter == "d" or letter in before, (strike, letter)  # only what may have been on the wire
            else:
                assert letter in "cf", (strike, letter, state)
        lost = [letter for letter, state in states.items() if state == "uncertain" and letter != "d"]
        assert len(lost) <= 2, (strike, lost)  # the group of one intent
