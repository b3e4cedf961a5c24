"""Deliveries are granted in groups, their intents on disk; the next group is on its way before the last one is used up."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from newsletter.delivery import ledger
from newsletter.delivery.desk import LedgerDesk, LedgerError
from newsletter.delivery.feed import Feed
from newsletter.delivery.flusher import Flusher
from newsletter.delivery.ledger import Claimed, Result
from newsletter.delivery.pace import Pace
from newsletter.store import Campaign

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.delivery.conftest import Office, People, Sink

    Crowd = Callable[[int], People]
    Disk = Callable[[], contextlib.AbstractAsyncContextManager[None]]

GROUP = 8


@contextlib.asynccontextmanager
async def feeding(office: "Office", made: Campaign) -> AsyncIterator[Feed]:
    """A feed with a connection at hand, which ends with it."""
    with office.store.write() as connection:
        worker = ledger.register(connection, host="h", pid=1, version="1", now=1)
        ledger.start(connection, made.id, 1)
    desk = LedgerDesk(office.store, made.id, worker)
    feed = Feed(desk, office.store.clock, group=GROUP, limit=None, patience=0.0, pace=Pace(["*"], 0.0))
    with feed.hand():
        yield feed
    await feed.close()
    await desk.close()


def sent(one: Claimed) -> Result:
    return Result(one.id, "sent", 250)


async def pull_all(office: "Office", made: Campaign, seen: list[int]) -> list[Claimed]:
    """Pull one by one, and say that each was sent; ``seen`` are the intents that each one meets in the ledger."""
    pulled = []
    async with feeding(office, made) as feed:
        while await feed.due():
            while (one := feed.pull()) is not None:
                seen.append(list(office.states(made).values()).count("sending"))
                assert office.states(made)[one.address] == "sending"  # S23
                pulled.append(one)
                feed.landed(one, sent(one))
            await feed.granted()
    return pulled


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> "Disk":
    """A disk that takes its time: within this, nothing is on it, and it begins when something waits for it."""
    flush = Flusher.flush

    @contextlib.asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        held: list[tuple[Flusher, Callable[[OSError | None], None]]] = []
        waits = asyncio.Event()

        def hold(self: Flusher, done: "Callable[[OSError | None], None]") -> None:
            held.append((self, done))
            waits.set()

        monkeypatch.setattr(Flusher, "flush", hold)
        await waits.wait()
        yield
        monkeypatch.setattr(Flusher, "flush", flush)
        for one, done in held:
            flush(one, done)

    return slow


def test_it_ends_when_the_last_answer_came_while_it_looked_for_more(
    office: "Office", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch, disk: "Disk"
) -> None:
    """It does not wait for the next look."""
    monkeypatch.setattr("newsletter.delivery.feed._LOOK", 3600.0)
    made = office.freeze(crowd(3))

    async def test() -> None:
        async with feeding(office, made) as feed:
            assert await feed.due()
            assert await feed.granted()
            one, two, three = (feed.pull() for _ in range(3))
            assert one is not None and two is not None and three is not None  # noqa: PT018
            feed.landed(one, sent(one))
            feed.landed(two, Result(two.id, "deferred", 450, next_at=10**18))
            async with disk():
                feed.landed(three, sent(three))
            async with asyncio.timeout(60):
                assert not await feed.due()

    asyncio.run(test())
    assert sorted(office.states(made).values()) == ["deferred", "sent", "sent"]


def test_what_is_about_to_be_granted_is_waited_for(office: "Office", crowd: "Crowd", disk: "Disk") -> None:
    """Else a connection that has nothing to do for a moment leaves, and the intents are taken back."""
    made = office.freeze(crowd(GROUP))

    async def test() -> None:
        async with feeding(office, made) as feed:
            async with disk():
                pass  # they are claimed
            async with disk():
                async with asyncio.timeout(60):
                    assert await feed.due()
                assert (feed.waiting, feed.pull()) == (GROUP, None)
            assert await feed.granted()
            while (one := feed.pull()) is not None:
                feed.landed(one, sent(one))

    asyncio.run(test())
    assert set(office.states(made).values()) == {"sent"}


def test_the_next_group_is_written_before_the_last_of_this_one_is_pulled(office: "Office", crowd: "Crowd") -> None:
    made = office.freeze(crowd(40))
    seen: list[int] = []
    pulled = asyncio.run(pull_all(office, made, seen))
    assert len(pulled) == len({one.id for one in pulled}) == 40
    # When two are left of eight, the next eight intents are written, together with what became of the other six.
    assert seen[:7] == [GROUP] * 6 + [GROUP + 2]
    assert max(seen) == GROUP + 2
    assert set(office.states(made).values()) == {"sent"}


def test_another_writer_is_waited_for_and_nothing_is_lost(office: "Office", crowd: "Crowd", sink: "Sink") -> None:
    """As ``serve`` is, that stores who leaves."""
    made = office.freeze(crowd(60))
    over = threading.Event()

    def hinder() -> None:
        while not over.wait(0.005):
            with office.store.write():
                over.wait(0.02)

    other = threading.Thread(target=hinder)
    other.start()
    try:
        account = office.run(made, sink)
    finally:
        over.set()
        other.join()
    assert (account.state, account.sent) == ("done", 60)
    assert len(sink.accepted) == 60


def test_no_message_leaves_before_its_intent_is_on_disk(
    office: "Office", crowd: "Crowd", sink: "Sink", monkeypatch: pytest.MonkeyPatch
) -> None:
    """S23. The disk takes the claim and the first intents, and then nothing more."""
    flush, turns, stop = Flusher.flush, itertools.count(1), asyncio.Event()
    held: list[object] = []

    def hold_up(self: Flusher, done: "Callable[[OSError | None], None]") -> None:
        if next(turns) <= 2:
            flush(self, done)
            return
        held.append(done)
        if len(held) == 1:
            asyncio.get_running_loop().call_later(0.3, let_go, self)

    def let_go(self: Flusher) -> None:
        seen.append(len(sink.accepted))
        monkeypatch.setattr(Flusher, "flush", flush)
        for done in held:
            flush(self, done)  # type: ignore[arg-type]

    seen: list[int] = []
    monkeypatch.setattr(Flusher, "flush", hold_up)
    made = office.freeze(crowd(40))
    account = office.run(made, sink, stop=stop)
    assert seen == [8]  # four connections have groups of eight
    assert (account.state, account.sent) == ("done", 40)


def test_a_disk_that_takes_no_more_ends_the_sending(
    office: "Office", crowd: "Crowd", sink: "Sink", monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, turns = Flusher.flush, itertools.count(1)

    def full(self: Flusher, done: "Callable[[OSError | None], None]") -> None:
        if next(turns) < 4:
            flush(self, done)
        else:
            done(OSError(5, "Input/output error"))

    monkeypatch.setattr(Flusher, "flush", full)
    made = office.freeze(crowd(100))
    with pytest.raises(LedgerError, match="the database cannot be written: Input/output error"):
        office.run(made, sink)
    accepted, states = len(sink.accepted), list(office.states(made).values())
    assert 0 < accepted < 100
    monkeypatch.setattr(Flusher, "flush", flush)
    assert states.count("sent") + states.count("sending") + states.count("uncertain") >= accepted
    account = office.run(made, sink)
    assert account.sent + account.uncertain == 100
    assert len(sink.accepted) == len(set(sink.recipients)) >= account.sent
