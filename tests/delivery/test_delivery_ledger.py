"""Each transition of the ledger, and what it must never do."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, event, select, update

from newsletter.delivery import account_of, ledger
from newsletter.delivery.account import read_account
from newsletter.delivery.ledger import Result
from newsletter.problem import InputError
from newsletter.store import Campaign, erase, list_suppressions, suppress
from newsletter.store.tables import attempt, campaign, delivery, suppression, worker

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People

    Make = Callable[..., People]

NOW = 2_000_000_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def office(office: "Office", request: pytest.FixtureRequest) -> "Office":
    """The ledger on either database."""
    return office if request.param == "sqlite" else replace(office, store=request.getfixturevalue("postgresql"))


@pytest.fixture
def frozen(office: "Office", people: "Make") -> Campaign:
    """Three recipients in a running campaign; their deliveries have the ids 1 to 3."""
    made = office.freeze(people("a@x.org", "b@x.org", "c@x.org"))
    with office.store.write() as connection:
        assert ledger.start(connection, made.id, NOW)
    return made


@pytest.fixture
def write(office: "Office") -> Iterator[Connection]:
    """A transaction that stays open through the test."""
    with office.store.write() as connection:
        yield connection


def hire(connection: Connection) -> int:
    return ledger.register(connection, host="h", pid=1, version="1", now=NOW)


def claim(connection: Connection, of: Campaign, by: int, wanted: int = 9, now: int = NOW) -> list[int]:
    return [claimed.id for claimed in ledger.claim(connection, of.id, by, wanted, now)]


def states(connection: Connection) -> str:
    """The states' first letters, ``g`` for sending."""
    letters = {
        "pending": "p",
        "claimed": "c",
        "sending": "g",
        "sent": "s",
        "deferred": "d",
        "failed": "f",
        "suppressed": "x",
        "uncertain": "u",
    }
    return "".join(letters[state] for state in connection.scalars(select(delivery.c.state).order_by(delivery.c.id)))


def test_a_claim_takes_the_longest_due_first(frozen: Campaign, write: Connection) -> None:
    me = hire(write)
    write.execute(update(delivery).where(delivery.c.id == 1).values(state="deferred", next_at=NOW, code=450))
    write.execute(update(delivery).where(delivery.c.id == 2).values(next_at=NOW + 1))
    assert claim(write, frozen, me, wanted=1) == [3]
    assert claim(write, frozen, me) == [1]
    assert claim(write, frozen, me) == []
    assert claim(write, frozen, me, now=NOW + 1) == [2]


def test_a_claim_tells_what_the_message_needs(frozen: Campaign, write: Connection, office: "Office") -> None:
    [first, *_] = ledger.claim(write, frozen.id, hire(write), 1, NOW)
    assert (first.address, first.fields["first_name"], first.attempts) == ("a@x.org", "Ada 2", 0)
    assert first.mark == office.links.mark("a@x.org")


def test_nobody_is_claimed_twice(frozen: Campaign, write: Connection) -> None:
    assert claim(write, frozen, hire(write), wanted=2) == [1, 2]
    assert claim(write, frozen, hire(write)) == [3]


def test_suppression_is_looked_up_at_the_claim(frozen: Campaign, write: Connection, office: "Office") -> None:
    # A suppression that the row does not know of, as when it was copied from another database.
    write.execute(suppression.insert(), {"mark": office.links.mark("a@x.org"), "reason": "complained", "created_at": 0})
    assert claim(write, frozen, hire(write), wanted=1) == [2]
    assert states(write) == "xcp"
    assert write.scalar(select(delivery.c.why).where(delivery.c.id == 1)) == "complained"


def test_a_claim_goes_on_where_only_suppressed_ones_were_due(frozen: Campaign, write: Connection, office: "Office") -> None:
    for name in "ab":
        write.execute(suppression.insert(), {"mark": office.links.mark(f"{name}@x.org"), "reason": "erased", "created_at": 0})
    assert claim(write, frozen, hire(write), wanted=2) == [3]


@pytest.mark.parametrize("state", ["draft", "paused", "cancelled", "done"])
def test_a_campaign_that_does_not_run_gives_nothing_out(frozen: Campaign, write: Connection, state: str) -> None:
    me = hire(write)
    assert claim(write, frozen, me, wanted=1) == [1]
    write.execute(update(campaign).values(state=state))
    assert claim(write, frozen, me) == []
    assert ledger.mark_sending(write, frozen.id, me, [1], NOW) == set()
    assert ledger.next_due(write, frozen.id, me) is None
    ledger.give_back(write, me, [1], NOW)
    assert states(write) == "ppp"


def test_only_what_is_claimed_by_this_worker_may_leave(frozen: Campaign, write: Connection) -> None:
    me, other = hire(write), hire(write)
    claim(write, frozen, me, wanted=1)
    claim(write, frozen, other, wanted=1)
    assert ledger.mark_sending(write, frozen.id, me, [1, 2, 3], NOW) == {1}
    assert ledger.mark_sending(write, frozen.id, me, [1], NOW) == set()  # one grant for one try
    assert ledger.mark_sending(write, frozen.id, me, [1], NOW, again=True) == {1}  # the COMMIT before was not answered
    assert states(write) == "gcp"


def test_who_unsubscribes_after_the_claim_is_not_granted(frozen: Campaign, office: "Office") -> None:
    with office.store.write() as connection:
        me = hire(connection)
        claim(connection, frozen, me)
    suppress(office.store, office.links.mark("b@x.org"), reason="unsubscribed")
    with office.store.write() as connection:
        assert ledger.mark_sending(connection, frozen.id, me, [1, 2, 3], NOW) == {1, 3}
        ledger.give_back(connection, me, [2], NOW)
        assert states(connection) == "gxg"


def test_results_are_stored_with_the_servers_words(frozen: Campaign, write: Connection) -> None:
    me = hire(write)
    claim(write, frozen, me)
    ledger.mark_sending(write, frozen.id, me, [1, 2], NOW)
    results = [
        Result(1, "sent", 250, "2.0.0", "queued"),
        Result(2, "deferred", 451, "4.3.0", "later", NOW + 5, "policy"),
        Result(3, "failed", 550, "5.1.6", "moved"),
    ]
    ledger.settle(write, me, results, NOW + 1)
    rows = write.execute(select(delivery).order_by(delivery.c.id)).all()
    assert [(row.state, row.code, row.enhanced, row.reply, row.next_at, row.why) for row in rows] == [
        ("sent", 250, "2.0.0", "queued", 0, None),
        ("deferred", 451, "4.3.0", "later", NOW + 5, "policy"),
        ("failed", 550, "5.1.6", "moved", 0, None),
    ]
    assert {(row.attempts, row.updated_at) for row in rows} == {(1, NOW + 1)}


@pytest.mark.parametrize(
    ("before", "allowed"),
    [
        ("claimed", {"deferred", "failed", "pending"}),
        ("sending", {"sent", "deferred", "failed", "uncertain", "pending"}),
        ("uncertain", {"sent", "deferred", "failed", "pending"}),
        ("pending", set()),
        ("deferred", set()),
        ("sent", set()),
        ("failed", set()),
        ("suppressed", set()),
    ],
)
def test_a_result_is_stored_only_from_where_it_can_come(
    frozen: Campaign, write: Connection, before: str, allowed: set[str]
) -> None:
    me, other = hire(write), hire(write)
    for state in ("sent", "deferred", "failed", "uncertain", "pending"):
        write.execute(update(delivery).values(state=before, worker_id=me))
        result = [Result(1, state)]
        ledger.settle(write, other, result, NOW)
        assert write.scalar(select(delivery.c.state).where(delivery.c.id == 1)) == before
        ledger.settle(write, me, result, NOW)
        assert write.scalar(select(delivery.c.state).where(delivery.c.id == 1)) == (state if state in allowed else before)


def test_a_hard_bounce_suppresses_the_address_and_counts_as_failed(frozen: Campaign, office: "Office", people: "Make") -> None:
    other = office.freeze(people("b@x.org", "z@x.org"), slug="2025-01")
    with office.store.write() as connection:
        me = hire(connection)
        claim(connection, frozen, me)
        bounces = [Result(number, "failed", 550, "5.1.1", "unknown", hard_bounce=True) for number in (1, 2)]
        ledger.settle(connection, me, bounces, NOW)
        ledger.settle(connection, me, bounces, NOW)
    assert office.states(frozen) == {"a@x.org": "failed", "b@x.org": "failed", "c@x.org": "claimed"}
    assert office.states(other) == {"b@x.org": "suppressed", "z@x.org": "pending"}
    found = [(one.mark, one.address, one.reason, one.campaign_id, one.delivery_id) for one in list_suppressions(office.store)]
    assert sorted(found) == sorted(
        (office.links.mark(f"{n}@x.org"), f"{n}@x.org", "bounced", frozen.id, i) for n, i in (("a", 1), ("b", 2))
    )


def test_a_bounce_of_a_worker_that_lost_its_claim_suppresses_nobody(frozen: Campaign, office: "Office") -> None:
    with office.store.write() as connection:
        me = hire(connection)
        claim(connection, frozen, me)
        ledger.recover(connection, me, NOW)
        ledger.settle(connection, me, [Result(1, "failed", 550, "5.1.1", "unknown", hard_bounce=True)], NOW)
        assert states(connection) == "ppp"
    assert list(list_suppressions(office.store)) == []


@pytest.mark.parametrize("state", ["sent", "deferred", "failed"])
def test_the_words_about_somebody_erased_on_the_wire_are_not_kept(frozen: Campaign, office: "Office", state: Any) -> None:
    with office.store.write() as connection:
        by = hire(connection)
        ids = claim(connection, frozen, by, 2)
        ledger.mark_sending(connection, frozen.id, by, ids, NOW)
    erase(office.store, office.links.mark("a@x.org"), "x.org")
    said = [Result(one, state, 450, "4.2.0", f"4.2.0 <{name}@x.org> is full", NOW) for one, name in zip(ids, "ab", strict=True)]
    with office.store.write() as connection:
        ledger.settle(connection, by, said, NOW)
        for table, key in ((delivery, delivery.c.id), (attempt, attempt.c.delivery_id)):
            rows = connection.execute(select(table).where(key.in_(ids)).order_by(key)).all()
            told = [(row.state, row.code, row.reply) for row in rows]
            kept = [(state, 450, None), (state, 450, "4.2.0 <b@x.org> is full")]
            assert told == (kept if table is delivery or state != "sent" else [])
    assert account_of(office.store, frozen.id).audience == 3


def test_given_back_is_as_before(frozen: Campaign, write: Connection) -> None:
    me, other = hire(write), hire(write)
    write.execute(update(delivery).where(delivery.c.id == 2).values(state="deferred", code=450, next_at=5, attempts=2))
    claim(write, frozen, me)
    ledger.mark_sending(write, frozen.id, me, [3], NOW)
    ledger.give_back(write, other, [1, 2, 3], NOW)
    assert states(write) == "ccg"
    ledger.give_back(write, me, [1, 2, 3], NOW)
    assert states(write) == "pdg"
    row = write.execute(select(delivery).where(delivery.c.id == 2)).one()
    assert (row.code, row.next_at, row.attempts) == (450, 5, 2)


def test_after_a_crash_what_was_on_the_wire_is_uncertain(frozen: Campaign, write: Connection) -> None:
    dead, me = hire(write), hire(write)
    write.execute(update(delivery).where(delivery.c.id == 2).values(state="deferred", code=450, reply="later"))
    claim(write, frozen, dead)
    ledger.mark_sending(write, frozen.id, dead, [3], NOW)
    ledger.recover_others(write, me, NOW + 1)
    assert states(write) == "pdu"
    rows = write.execute(select(delivery).order_by(delivery.c.id)).all()
    assert [(row.code, row.reply, row.attempts) for row in rows] == [
        (None, None, 0),
        (450, "later", 0),
        (None, "the program ended before the server's answer was stored", 1),
    ]
    assert write.execute(select(worker.c.id, worker.c.state).order_by(worker.c.id)).all() == [(dead, "dead"), (me, "alive")]
    # The dead one can be granted nothing any more, but what it still learns is stored.
    assert claim(write, frozen, dead) == []
    assert ledger.mark_sending(write, frozen.id, dead, [1, 2, 3], NOW, again=True) == set()
    ledger.settle(write, dead, [Result(3, "sent", 250)], NOW)
    assert states(write) == "pds"


def test_a_campaign_is_done_when_nothing_is_open(frozen: Campaign, write: Connection) -> None:
    for state in ("pending", "claimed", "sending", "deferred"):
        write.execute(update(delivery).values(state="sent"))
        write.execute(update(delivery).where(delivery.c.id == 3).values(state=state))
        assert not ledger.finish(write, frozen.id, NOW)
    write.execute(update(delivery).where(delivery.c.id == 3).values(state="uncertain"))
    assert ledger.finish(write, frozen.id, NOW)
    assert write.execute(select(campaign.c.state, campaign.c.ended_at)).one() == ("done", NOW)
    assert not ledger.start(write, frozen.id, NOW)


def test_pausing_keeps_the_words_and_starting_again_retries_what_policy_refused(frozen: Campaign, write: Connection) -> None:
    write.execute(update(delivery).where(delivery.c.id == 1).values(state="deferred", next_at=NOW + 99, why="policy"))
    write.execute(update(delivery).where(delivery.c.id == 2).values(state="deferred", next_at=NOW + 99))
    ledger.pause(write, frozen.id, "550 5.7.1 no")
    assert write.execute(select(campaign.c.state, campaign.c.note)).one() == ("paused", "550 5.7.1 no")
    assert ledger.start(write, frozen.id, NOW + 1)
    row = write.execute(select(campaign)).one()
    assert (row.state, row.note, row.started_at) == ("running", None, NOW)
    assert write.scalars(select(delivery.c.next_at).order_by(delivery.c.id)).all() == [NOW + 1, NOW + 99, 0]
    ledger.pause(write, frozen.id, "x")
    write.execute(update(campaign).values(state="cancelled"))
    assert not ledger.start(write, frozen.id, NOW)


def test_the_account_adds_up_and_says_so_as_json(frozen: Campaign, office: "Office") -> None:
    with office.store.write() as connection:
        me = hire(connection)
        claim(connection, frozen, me, wanted=2)
        ledger.mark_sending(connection, frozen.id, me, [1], NOW)
    account = account_of(office.store, frozen.id)
    assert account.as_json() == {
        "issue": "2024-12",
        "state": "running",
        "audience": 3,
        "sent": 0,
        "failed": 0,
        "suppressed": 0,
        "uncertain": 0,
        "deferred": 0,
        "pending": 3,
        "refused": 0,
        "duplicates": 0,
        "next_due": "1970-01-01T00:00:00+00:00",
        "start_at": None,
        "note": None,
        "emptied_at": None,
        "deferrals": [],
    }


def test_a_ledger_that_was_tampered_with_is_not_believed(frozen: Campaign, office: "Office") -> None:
    with office.store.write() as connection:
        connection.execute(delivery.delete().where(delivery.c.id == 2))
    with pytest.raises(InputError, match="has 2 deliveries, but its audience was 3"):
        account_of(office.store, frozen.id)
    with pytest.raises(InputError, match="there is no campaign 99"):
        account_of(office.store, 99)


#: As many as go into one transaction: with a few ids the plan is another one.
MANY = range(100, 600)


def test_no_transition_reads_the_whole_table(frozen: Campaign, office: "Office") -> None:
    """At a million rows, a statement without an index would hold everything up."""
    said: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if "delivery" in statement:
            said.append((statement, parameters[0] if many else parameters))

    with office.store.write() as connection:
        event.listen(connection, "before_cursor_execute", note)
        me = hire(connection)
        claim(connection, frozen, me)
        ledger.mark_sending(connection, frozen.id, me, [1, 2, *MANY], NOW)
        ledger.settle(connection, me, [Result(1, "sent"), Result(2, "failed", hard_bounce=True)], NOW)
        ledger.give_back(connection, me, [3, *MANY], NOW)
        ledger.recover(connection, me, NOW)
        ledger.finish(connection, frozen.id, NOW)
        ledger.earliest(connection, frozen.id)
        ledger.pause(connection, frozen.id, "x")
        ledger.start(connection, frozen.id, NOW)
        ledger.resolve(connection, frozen.id, "resend", NOW)
        ledger.resolve(connection, frozen.id, "sent", NOW)
        read_account(connection, frozen.id)
        event.remove(connection, "before_cursor_execute", note)
        assert len(said) >= 9
        if connection.dialect.name != "sqlite":
            return  # PostgreSQL plans by statistics: small tables are read whole
        for statement, parameters in said:
            plan = [row[-1] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)]
            assert not [line for line in plan if line.startswith("SCAN delivery")], (statement, plan)
            # The index of marks finds one recipient; over a campaign it may only count.
            strewn = [line for line in plan if "autoindex_delivery" in line and "mark=?" not in line and "COVERING" not in line]
            assert not strewn, (statement, plan)
