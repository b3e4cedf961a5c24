"""Deliveries are granted in groups, each with its intent on disk, without a wait where the ledger answers at once."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from newsletter.delivery import ledger
from newsletter.delivery.desk import LedgerDesk
from newsletter.delivery.feed import Feed
from newsletter.delivery.ledger import Claimed, Result
from newsletter.delivery.pace import Pace
from newsletter.store import Campaign

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.delivery.conftest import Office, People

GROUP = 4


async def pull_all(office: "Office", made: Campaign, seen: list[int]) -> list[Claimed]:
    """Pull in one go, with no turn of the event loop in between, and say that all was sent; ``seen`` are the intents on disk."""
    with office.store.write() as connection:
        worker = ledger.register(connection, host="h", pid=1, version="1", now=1)
        ledger.start(connection, made.id, 1)
    desk = LedgerDesk(office.store, made.id, worker)
    feed = Feed(desk, office.store.clock, group=GROUP, limit=None, patience=0.0, pace=Pace(["*"], 0.0))
    pulled = []
    assert await feed.due()
    with feed.hand():
        assert await feed.granted()
        while (one := feed.pull()) is not None:
            seen.append(list(office.states(made).values()).count("sending"))
            assert office.states(made)[one.address] == "sending"  # S23
            pulled.append(one)
            feed.landed(one, Result(one.id, "sent", 250))
    await feed.close()
    await desk.close()
    return pulled


def test_whoever_pulls_need_not_wait_for_the_next_group(
    office: "Office", crowd: "Callable[[int], People]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.delivery.desk._QUICK", 60.0)  # however slow this machine's disk is
    made = office.freeze(crowd(15))
    seen: list[int] = []
    pulled = asyncio.run(pull_all(office, made, seen))
    assert len(pulled) == len({one.id for one in pulled}) == 15
    assert max(seen) == GROUP
    assert set(office.states(made).values()) == {"sent"}


def test_where_commits_are_slow_only_one_group_is_there(
    office: "Office", crowd: "Callable[[int], People]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.delivery.desk._QUICK", 0.0)
    made = office.freeze(crowd(15))
    seen: list[int] = []
    pulled = asyncio.run(pull_all(office, made, seen))
    assert len(pulled) == GROUP
    states = list(office.states(made).values())
    assert (states.count("sent"), states.count("sending")) == (GROUP, 0)
