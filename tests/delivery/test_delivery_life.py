"""A campaign's life, step by step: when it runs, when it ends, and what a person may decide about uncertain deliveries."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest
from sqlalchemy import Connection, func, select, update

from newsletter.delivery import deferrals, freeze, ledger
from newsletter.delivery.ledger import Result
from newsletter.problem import InputError
from newsletter.store import Attempt, Campaign, attempts_of, campaign_of
from newsletter.store.clock import HOUR, MINUTE
from newsletter.store.tables import attempt, campaign, delivery

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People

    Make = Callable[..., People]

DECISIONS: tuple[Literal["sent", "resend"], ...] = ("sent", "resend")
NOW = 2_000_000_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def office(office: "Office", request: pytest.FixtureRequest) -> "Office":
    """The ledger on either database."""
    return office if request.param == "sqlite" else replace(office, store=request.getfixturevalue("postgresql"))


@pytest.fixture
def draft(office: "Office", people: "Make") -> Campaign:
    """Three recipients; their deliveries have the ids 1 to 3."""
    return office.freeze(people("a@x.org", "b@y.org", "c@y.org"))


@pytest.fixture
def write(office: "Office") -> Iterator[Connection]:
    """A transaction that stays open through the test."""
    with office.store.write() as connection:
        yield connection


def hire(connection: Connection) -> int:
    return ledger.register(connection, host="h", pid=1, version="1", now=NOW)


def state(connection: Connection) -> str | None:
    return connection.scalar(select(campaign.c.state))


def let_out(connection: Connection, of: Campaign, now: int = NOW) -> int:
    """A worker that has all three on the wire."""
    me = hire(connection)
    ledger.start(connection, of.id, now)
    claimed = [one.id for one in ledger.claim(connection, of.id, me, 9, now)]
    assert ledger.mark_sending(connection, of.id, me, claimed, now) == {1, 2, 3}
    return me


@pytest.mark.parametrize(
    ("before", "started", "paused", "cancelled", "scheduled"),
    [
        ("draft", "running", "draft", "draft", "scheduled"),
        ("scheduled", "running", "paused", "cancelled", "scheduled"),
        ("running", "running", "paused", "cancelled", "running"),
        ("paused", "running", "paused", "cancelled", "scheduled"),
        ("cancelled", "cancelled", "cancelled", "cancelled", "cancelled"),
        ("done", "done", "done", "done", "done"),
    ],
)
def test_each_step_is_taken_only_from_where_it_can_be(  # noqa: PLR0917
    draft: Campaign, write: Connection, before: str, started: str, paused: str, cancelled: str, scheduled: str
) -> None:
    steps: list[tuple[str, Callable[[], object]]] = [
        (started, lambda: ledger.start(write, draft.id, NOW)),
        (paused, lambda: ledger.pause(write, draft.id, "x")),
        (cancelled, lambda: ledger.cancel(write, draft.id, NOW)),
        (scheduled, lambda: ledger.schedule(write, draft.id, NOW)),
    ]
    for after, step in steps:
        write.execute(update(campaign).values(state=before, start_at=None, started_at=None))
        step()
        assert state(write) == after


def test_a_step_says_whether_it_was_taken(draft: Campaign, write: Connection) -> None:
    assert not ledger.pause(write, draft.id, "x")
    assert not ledger.cancel(write, draft.id, NOW)
    assert ledger.schedule(write, draft.id, NOW)
    assert ledger.pause(write, draft.id, "x")
    assert ledger.start(write, draft.id, NOW)
    assert not ledger.schedule(write, draft.id, NOW)  # it was begun
    assert ledger.cancel(write, draft.id, NOW)
    assert not ledger.start(write, draft.id, NOW)
    assert not ledger.start(write, 99, NOW)


def test_a_scheduled_campaign_waits_for_its_time(draft: Campaign, write: Connection, office: "Office") -> None:
    assert ledger.schedule(write, draft.id, NOW + HOUR)
    assert not ledger.start(write, draft.id, NOW)
    me = hire(write)
    assert ledger.claim(write, draft.id, me, 9, NOW) == []
    ledger.pause(write, draft.id, "x")
    assert not ledger.start(write, draft.id, NOW + 1)  # resumed before its time, it waits again
    assert state(write) == "scheduled"
    assert ledger.start(write, draft.id, NOW + HOUR)
    assert len(ledger.claim(write, draft.id, me, 9, NOW + HOUR)) == 3
    write.commit()
    found = campaign_of(office.store, draft.id)
    assert found is not None
    assert (found.start_at, found.started_at) == (NOW + HOUR, NOW + HOUR)


def test_a_cancelled_campaign_keeps_its_rows_and_learns_what_was_on_the_wire(draft: Campaign, write: Connection) -> None:
    me = let_out(write, draft)
    assert ledger.cancel(write, draft.id, NOW + 5)
    ledger.settle(write, me, [Result(1, "sent", 250), Result(2, "deferred", 451, next_at=NOW)], NOW + 6)
    ledger.recover(write, me, NOW + 7)
    assert write.scalars(select(delivery.c.state).order_by(delivery.c.id)).all() == ["sent", "deferred", "uncertain"]
    assert write.execute(select(campaign.c.state, campaign.c.ended_at)).one() == ("cancelled", NOW + 5)
    with pytest.raises(InputError, match="was cancelled: nothing of it is sent again"):
        ledger.resolve(write, draft.id, "resend", NOW + HOUR)
    assert ledger.resolve(write, draft.id, "sent", NOW + HOUR) == 1


def test_uncertain_deliveries_are_taken_for_sent_where_a_person_says_so(draft: Campaign, write: Connection) -> None:
    me = let_out(write, draft)
    ledger.settle(write, me, [Result(1, "uncertain", reply="cut"), Result(2, "failed", 550)], NOW)
    assert ledger.resolve(write, draft.id, "sent", NOW + 1) == 1
    rows = write.execute(select(delivery.c.state, delivery.c.why).order_by(delivery.c.id)).all()
    assert rows == [("sent", "resolved"), ("failed", None), ("sending", None)]
    assert ledger.resolve(write, draft.id, "sent", NOW + 1) == 0
    ledger.settle(write, me, [Result(1, "failed", 550)], NOW)
    assert write.scalar(select(delivery.c.state).where(delivery.c.id == 1)) == "sent"


def test_resending_waits_until_nothing_can_arrive_any_more(draft: Campaign, write: Connection, office: "Office") -> None:
    me = let_out(write, draft)
    ledger.settle(write, me, [Result(1, "uncertain"), Result(2, "sent", 250), Result(3, "sent", 250)], NOW)
    with pytest.raises(InputError, match="is still at work and may still learn"):
        ledger.resolve(write, draft.id, "resend", NOW + HOUR)
    ledger.recover(write, me, NOW + MINUTE)
    assert ledger.finish(write, draft.id, NOW + MINUTE)
    with pytest.raises(InputError, match=r"the mail server may still be taking .* resend them in 1 minute$"):
        ledger.resolve(write, draft.id, "resend", NOW + 11 * MINUTE - 1)
    with pytest.raises(InputError, match=r"in 10 minutes$"):
        ledger.resolve(write, draft.id, "resend", NOW + MINUTE)
    assert ledger.resolve(write, draft.id, "resend", NOW + 11 * MINUTE) == 1
    assert write.execute(select(campaign.c.state, campaign.c.ended_at)).one() == ("paused", None)
    assert ledger.start(write, draft.id, NOW + HOUR)
    again = ledger.claim(write, draft.id, hire(write), 9, NOW + HOUR)
    assert [(one.id, one.attempts, one.first_tried_at) for one in again] == [(1, 1, NOW)]
    ledger.settle(write, me, [Result(1, "sent", 250)], NOW + HOUR)  # the first worker's answer is not this try's
    assert write.scalar(select(delivery.c.state).where(delivery.c.id == 1)) == "claimed"


def test_resolving_nothing_changes_nothing(draft: Campaign, write: Connection) -> None:
    assert ledger.resolve(write, draft.id, "resend", NOW) == 0
    assert state(write) == "draft"
    for decision in DECISIONS:
        with pytest.raises(InputError, match="there is no campaign 99"):
            ledger.resolve(write, 99, decision, NOW)


def test_tries_that_came_to_nothing_are_kept_with_their_words(draft: Campaign, office: "Office") -> None:
    with office.store.write() as connection:
        me = let_out(connection, draft)
        ledger.settle(connection, me, [Result(1, "deferred", 451, "4.3.0", "later", NOW + 8)], NOW + 2)
        ledger.settle(connection, me, [Result(1, "deferred", 451, "4.3.0", "later", NOW + 8)], NOW + 2)  # told twice
        ledger.claim(connection, draft.id, me, 9, NOW + 8)
        ledger.mark_sending(connection, draft.id, me, [1], NOW + 9)
        ledger.recover(connection, me, NOW + 10)
        ledger.settle(connection, me, [Result(1, "sent", 250, "2.0.0", "late")], NOW + 11)
        row = connection.execute(select(delivery).where(delivery.c.id == 1)).one()
    assert (row.state, row.attempts, row.first_tried_at, row.reply) == ("sent", 2, NOW + 2, "late")
    lost = "the program ended before the server's answer was stored"
    assert attempts_of(office.store, 1) == [
        Attempt(1, "h", NOW, NOW + 2, "deferred", 451, "4.3.0", "later"),
        Attempt(2, "h", NOW + 9, NOW + 10, "uncertain", None, None, lost),
    ]


def test_what_is_sent_at_once_writes_no_attempt(draft: Campaign, write: Connection) -> None:
    me = let_out(write, draft)
    ledger.settle(write, me, [Result(number, "sent", 250) for number in (1, 2, 3)], NOW)
    assert write.scalar(select(func.count()).select_from(attempt)) == 0


def test_a_lane_is_claimed_by_itself_and_all_lanes_in_the_order_of_their_time(
    office: "Office", people: "Make", write: Connection
) -> None:
    write.rollback()
    some = people("a@big.org", "b@x.org", "c@big.org", "d@x.org")
    edition = office.freeze(people("z@z.org"), slug="other").edition_hash
    from newsletter.store import load_edition

    loaded = load_edition(office.store, edition)
    assert loaded is not None
    of, _ = freeze(
        office.store,
        slug="x",
        edition=loaded,
        recipients=some,
        mark=office.links.mark,
        list_name="l",
        lane=lambda domain: "big" if domain == "big.org" else "*",
    )
    with office.store.write() as connection:
        me = hire(connection)
        ledger.start(connection, of.id, NOW)
        # The deliveries 2 to 5; 2 and 4 are in the lane big.
        connection.execute(update(delivery).where(delivery.c.id == 2).values(next_at=NOW + 1))
        assert ledger.earliest(connection, of.id) == 0
        assert [ledger.next_due(connection, of.id, me, lane=lane) for lane in ("big", "*", "none")] == [0, 0, None]
        assert [(one.id, one.lane) for one in ledger.claim(connection, of.id, me, 1, NOW, lane="big")] == [(4, "big")]
        assert ledger.next_due(connection, of.id, me, lane="big") == NOW + 1
        assert ledger.claim(connection, of.id, me, 9, NOW, lane="none") == []
        assert [one.id for one in ledger.claim(connection, of.id, me, 2, NOW + 1)] == [3, 5]
        assert [one.id for one in ledger.claim(connection, of.id, me, 2, NOW + 1)] == [2]
        assert ledger.earliest(connection, of.id) is None


def test_deferrals_are_counted_by_domain(office: "Office", people: "Make") -> None:
    of = office.freeze(people("a@x.org", "b@y.org", "c@y.org", "d@z.org", "e@w.org"))
    with office.store.write() as connection:
        connection.execute(update(delivery).where(delivery.c.id < 5).values(state="deferred"))
    assert deferrals(office.store, of.id) == {"y.org": 2, "x.org": 1, "z.org": 1}
    assert list(deferrals(office.store, of.id, most=2).items()) == [("y.org", 2), ("x.org", 1)]
    with office.store.read() as connection:
        if connection.dialect.name != "sqlite":
            return
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM delivery WHERE campaign_id = 1 AND state = 'deferred' GROUP BY address_key"
        ).all()
    assert any("USING INDEX ix_delivery_deferred" in row[-1] for row in plan)
