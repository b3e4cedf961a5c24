"""Deliveries are granted in groups, their intents on disk; the next group is on its way before the last one is used up."""

import asyncio
import itertools
import threading
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

GROUP = 8


async def pull_all(office: "Office", made: Campaign, seen: list[int]) -> list[Claimed]:
    """Pull one by one, and say that each was sent; ``seen`` are the intents that each one meets in the ledger."""
    with office.store.write() as connection:
        worker = ledger.register(connection, host="h", pid=1, version="1", now=1)
        ledger.start(connection, made.id, 1)
    desk = LedgerDesk(office.store, made.id, worker)
    feed = Feed(desk, office.store.clock, group=GROUP, limit=None, patience=0.0, pace=Pace(["*"], 0.0))
    pulled = []
    with feed.hand():
        while await feed.due():
            while (one := feed.pull()) is not None:
                seen.append(list(office.states(made).values()).count("sending"))
                assert office.states(made)[one.address] == "sending"  # S23
                pulled.append(one)
                feed.landed(one, Result(one.id, "sent", 250))
            await feed.granted()
    await feed.close()
    await desk.close()
    return pulled


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
