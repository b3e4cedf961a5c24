"""A campaign goes out at its pace: the rate holds on the wire, slow lanes hold nobody up, and a server is heard."""

import asyncio
import itertools
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from newsletter.delivery import Account, freeze
from newsletter.delivery.pace import Pace
from newsletter.issue import Timetable
from newsletter.store import Campaign

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People, Sink

    Make = Callable[..., People]
    Crowd = Callable[[int], People]


def laned(office: "Office", recipients: "People", timetable: Timetable) -> Campaign:
    """A campaign whose recipients are in the lanes of the timetable."""
    from tests.delivery.conftest import EDITION

    lanes = timetable.sending.lanes()
    return freeze(
        office.store,
        slug="2024-12",
        edition=EDITION,
        recipients=recipients,
        mark=office.links.mark,
        list_name="list.csv",
        lane=lambda domain: lanes.get(domain, "*"),
    )[0]


def test_the_rate_holds_for_all_lanes_together(office: "Office", sink: "Sink", people: "Make") -> None:
    timetable = Timetable.model_validate({"sending": {"providers": {"gmx": {"rate": 100}}}})
    made = laned(office, people(*(f"p{n}@{'gmx.de' if n % 2 else 'x.org'}" for n in range(12))), timetable)
    begun = time.monotonic()
    account = office.run(made, sink, settings={"smtp_rate": 20.0}, timetable=timetable)
    assert (account.state, account.sent) == ("done", 12)
    assert time.monotonic() - begun >= 11 / 20  # one at the start, then one in each twentieth of a second


def test_a_slow_provider_holds_nobody_up(office: "Office", sink: "Sink", people: "Make") -> None:
    timetable = Timetable.model_validate({"sending": {"providers": {"gmx": {"rate": 0.01}}}})
    slow = [f"s{n}@web.de" for n in range(20)]
    made = laned(office, people(*slow, *(f"p{n}@x.org" for n in range(30))), timetable)

    async def run() -> Account:
        stop = asyncio.Event()

        def watch(account: Account) -> None:
            if account.sent >= 31:
                stop.set()

        async with sink.serve():
            return await office.send(made, sink, stop=stop, wait=3600.0, timetable=timetable, on_progress=watch)

    account = asyncio.run(run())
    assert (account.state, account.sent, account.pending) == ("running", 31, 19)
    assert sum(address.endswith("@web.de") for address in sink.recipients) == 1


def test_no_more_are_under_way_to_a_provider_than_it_wants(office: "Office", sink: "Sink", people: "Make") -> None:
    timetable = Timetable.model_validate({"sending": {"providers": {"one": {"domains": ["x.org"], "connections": 1}}}})
    made = laned(office, people(*(f"p{n}@x.org" for n in range(15))), timetable)
    under_way, most = set[str](), list[int]()

    def watch(step: str, recipient: str) -> None:
        if step == "RCPT":
            under_way.add(recipient)
            most.append(len(under_way))
        elif step == "end":
            under_way.discard(recipient)

    sink.answers = watch
    assert office.run(made, sink, timetable=timetable).sent == 15
    assert set(most) == {1}


def test_outside_of_the_hours_nothing_leaves(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    now = time.gmtime()
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    timetable = Timetable.model_validate({"timezone": "UTC", "sending": {"days": days[(now.tm_wday + 3) % 7]}})
    made = office.freeze(crowd(5))
    account = office.run(made, sink, timetable=timetable, wait=900.0)
    assert (account.state, account.pending, len(sink.accepted)) == ("running", 5, 0)


@pytest.mark.parametrize(
    ("at", "words"), [("RCPT", "451 4.7.0 too fast"), ("end", "454 Throttling failure: Maximum sending rate exceeded.")]
)
def test_a_server_that_wants_less_gets_less_and_the_account_says_so(  # noqa: PLR0917 - fixtures
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch, at: str, words: str
) -> None:
    monkeypatch.setattr(sys.modules["newsletter.delivery.drive"], "_REPORT", 0.02)
    left = iter(range(2 if at == "end" else 1))  # there it is asked when the message is read, and when it is answered
    sink.answers = lambda step, recipient: (
        words if (step, recipient) == (at, "p30@example.org") and next(left, None) is not None else None
    )
    seen: list[str | None] = []
    account = office.run(office.freeze(crowd(200)), sink, wait=60.0, on_progress=lambda account: seen.append(account.note))
    assert (account.state, account.sent, account.note) == ("done", 200, None)
    assert len(sink.accepted) == len(set(sink.recipients)) == 200
    assert any(note is not None and note.startswith("slowed down to ") for note in seen)


def test_the_next_turn_of_a_worker_is_as_slow_as_the_server_asked_for(
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["newsletter.delivery.drive"], "_REPORT", 0.02)
    turns = itertools.count(1)
    sink.answers = lambda step, _: "451 4.7.0 too fast" if step == "RCPT" and next(turns) == 30 else None
    made, slowed, notes = office.freeze(crowd(200)), dict[int, Pace](), list[str | None]()

    async def run() -> list[Account]:
        stop = asyncio.Event()

        def watch(account: Account) -> None:
            if account.note:
                stop.set()

        async with sink.serve():
            first = await office.send(made, sink, stop=stop, wait=60.0, on_progress=watch, slowed=slowed)
            assert list(slowed) == [made.id]
            return [
                first,
                await office.send(made, sink, wait=60.0, slowed=slowed, on_progress=lambda one: notes.append(one.note)),
            ]

    first, second = asyncio.run(run())
    assert (first.state, second.state, second.sent) == ("running", "done", 200)
    assert any(note is not None and note.startswith("slowed down to ") for note in notes)
