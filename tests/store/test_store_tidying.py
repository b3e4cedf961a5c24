"""What has no reason to be kept any more goes in portions; what has one stays, whatever happens in between."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from newsletter.store import (
    Store,
    campaign_of,
    consents_of,
    delivery_to,
    find_subscriber,
    list_suppressions,
    open_store,
    suppress,
    suppression_of,
    tidying,
)
from newsletter.store.consents import add_consents
from newsletter.store.signups import ask, asked_since
from newsletter.store.subscribers import Newcomer, add_pending, come_back, make_confirmed, move_subscriber, take_in
from newsletter.store.tables import attempt, campaign, consent, delivery, edition, worker
from newsletter.store.tidying import Before, Tidied, tidy
from tests.real.postgresql import both, in_a_file

if TYPE_CHECKING:
    from tests.store.conftest import Watch

pytestmark = both

ANNA, BERT, CORA = b"a" * 16, b"b" * 16, b"c" * 16
PROOF = {"kind": "imported", "list_id": "region.example.org", "source": "paper forms of the fair"}
NOTHING = Before(0, 0, 0)


def at_once(_seconds: float) -> bool:
    return True


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "_AT_ONCE", 3)


def newcomer(mark: bytes) -> Newcomer:
    address = f"{chr(mark[0])}@example.org"
    return Newcomer(mark, address, address, None, None, {})


def take(store: Store, *marks: bytes) -> None:
    with store.write() as connection:
        take_in(connection, [newcomer(mark) for mark in marks], PROOF, store.clock())


def sent(store: Store, number: int, *states: str, state: str = "done", ended_at: int | None = 100) -> None:
    """A campaign with a delivery in each of these states, each tried once before."""
    with store.write() as connection:
        if number == 1:
            connection.execute(edition.insert().values(hash="e", slug="s", body="{}", created_at=1))
            connection.execute(worker.insert().values(id=1, host="h", pid=1, version="1", state="gone", started_at=1))
        row = {"id": number, "key": f"k{number}", "slug": f"2026-{number}", "number": 1, "edition_hash": "e", "state": state}
        row |= {"list_name": "list.csv", "candidates": len(states), "duplicates": 0, "refused": 0, "created_at": 1}
        connection.execute(campaign.insert().values(row | {"ended_at": ended_at}))
        for line, of in enumerate(states, 2):
            address = f"p{line}@example.org"
            made = connection.execute(
                delivery.insert().values(
                    campaign_id=number,
                    address_key=address,
                    address=address,
                    mark=hashlib.sha256(address.encode()).digest()[:16],
                    line=line,
                    data='{"name": "Ännchen"}',
                    state=of,
                    attempts=2,
                    code=450,
                    reply=f"4.2.2 {address} full",
                    updated_at=7,
                )
            )
            (one,) = made.inserted_primary_key or (0,)
            words = {"state": "deferred", "code": 450, "reply": f"4.2.2 {address} full"}
            connection.execute(attempt.insert().values(delivery_id=one, n=1, worker_id=1, started_at=1, ended_at=2, **words))


def rows(store: Store, number: int) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(delivery).where(delivery.c.campaign_id == number).order_by(delivery.c.id)))


def dump(url: str) -> str:
    """The file and, as long as somebody has it open, its log."""
    file = Path(url.removeprefix("sqlite:///"))
    return "".join(part.read_bytes().decode("latin-1") for part in sorted(file.parent.glob(f"{file.name}*")))


STATES = ("sent", "failed", "suppressed", "uncertain", "deferred", "pending", "sent", "sent")


@pytest.mark.parametrize("over", ["done", "cancelled"])
def test_the_values_of_what_is_over_go_and_the_account_stays(store: Store, watch: "Watch", over: str) -> None:
    sent(store, 1, *STATES, state=over)
    before = rows(store, 1)
    assert tidy(store, Before(0, 100, 0), at_once) == Tidied()  # not yet
    assert rows(store, 1) == before
    assert tidy(store, Before(0, 101, 0), at_once) == Tidied(values=8)
    after = rows(store, 1)
    for old, new in zip(before, after, strict=True):
        assert (new.id, new.mark, new.state, new.code, new.attempts) == (old.id, old.mark, old.state, old.code, old.attempts)
        assert (new.data, new.address, new.address_key, new.line, new.reply) == (None, "", "", 0, None)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(attempt)) == 0
    made = campaign_of(store, 1)
    assert made is not None
    assert made.emptied_at == watch.moment
    found = delivery_to(store, 1, before[0].mark)
    assert found is not None
    assert found.fields is None
    assert tidy(store, Before(0, 101, 0), at_once) == Tidied()


@pytest.mark.parametrize("state", ["draft", "scheduled", "running", "paused"])
def test_what_is_not_over_is_never_touched(store: Store, state: str) -> None:
    sent(store, 1, *STATES, state=state, ended_at=None)
    sent(store, 2, *STATES, state=state, ended_at=5)  # as no program leaves it: the state alone decides
    before = rows(store, 1), rows(store, 2)
    assert tidy(store, Before(10**18, 10**18, 10**18), at_once) == Tidied()
    assert (rows(store, 1), rows(store, 2)) == before


def test_only_this_campaign_where_the_rows_of_two_lie_between_each_other(store: Store) -> None:
    sent(store, 1, "sent", "sent")
    sent(store, 2, "sent", "sent", state="running", ended_at=None)
    with store.write() as connection:  # the first one's second row behind those of the other
        second = attempt.delete().where(attempt.c.delivery_id == 2).returning(attempt)
        (tried,) = [row._mapping for row in connection.execute(second)]
        connection.execute(update(delivery).where(delivery.c.id == 2).values(id=9))
        connection.execute(attempt.insert().values({**tried, "delivery_id": 9}))
    other = rows(store, 2)
    assert tidy(store, Before(0, 101, 0), at_once) == Tidied(values=2)
    assert rows(store, 2) == other
    with store.read() as connection:
        assert set(connection.scalars(select(attempt.c.delivery_id))) == {3, 4}


def test_stopped_in_between_the_next_round_goes_on(store: Store) -> None:
    sent(store, 1, *STATES)
    assert tidy(store, Before(0, 101, 0), lambda _seconds: False) == Tidied(values=3)
    made = campaign_of(store, 1)
    assert made is not None
    assert made.emptied_at is None
    assert tidy(store, Before(0, 101, 0), at_once) == Tidied(values=5)
    made = campaign_of(store, 1)
    assert made is not None
    assert made.emptied_at is not None


def test_a_campaign_that_goes_on_again_in_between_is_left_alone(store: Store) -> None:
    sent(store, 1, *STATES)

    def resolved(_seconds: float) -> bool:
        with store.write() as connection:
            connection.execute(update(campaign).values(state="paused", ended_at=None))
        return True

    assert tidy(store, Before(0, 101, 0), resolved) == Tidied(values=3)
    assert [row.address for row in rows(store, 1)][3:] == [f"p{line}@example.org" for line in range(5, 10)]
    made = campaign_of(store, 1)
    assert made is not None
    assert made.emptied_at is None


@in_a_file
def test_nothing_of_it_is_left_in_the_file(store: Store, database_url: str) -> None:
    sent(store, 1, *STATES)
    take(store, ANNA)
    suppress(store, ANNA, reason="unsubscribed", address="a@example.org")
    store.close()  # what the log of SQLite has goes into the file
    assert "p3@example.org" in dump(database_url)
    assert "a@example.org" in dump(database_url)
    with closing(open_store(database_url, store.clock)) as serving:
        store = open_store(database_url, store.clock)
        assert rows(serving, 1)
        tidy(store, Before(10**18, 10**18, 0), at_once)
        store.close()
        left = dump(database_url)
    for word in ("@example.org", "nnchen", "4.2.2"):
        assert word not in left


def test_signups_and_those_who_left_go_after_a_week(store: Store, watch: "Watch") -> None:
    start = watch.moment
    for number in range(4):
        values = {"address": "c@example.org", "address_key": "c@example.org", "mark": CORA, "key": bytes([number]) * 16}
        ask(store, "I agree.", values)
    take(store, ANNA, BERT)
    suppress(store, ANNA, reason="unsubscribed", address="a@example.org")
    with store.write() as connection:
        add_pending(connection, newcomer(CORA), start)
    assert tidy(store, Before(start, 0, 0), at_once) == Tidied()
    assert tidy(store, Before(start + 1, 0, 0), at_once) == Tidied(signups=5, left=1)
    assert [find_subscriber(store, mark) is not None for mark in (ANNA, BERT, CORA)] == [False, True, False]
    assert asked_since(store, 0) == 0
    gone = suppression_of(store, ANNA)
    assert gone is not None
    assert (gone.address, gone.reason) == (None, "unsubscribed")  # the mark stays (L8)
    assert len(consents_of(store, ANNA)) == 2


def test_addresses_beside_marks_go_and_the_marks_stay(store: Store, watch: "Watch") -> None:
    marks = [bytes([number]) * 16 for number in range(8)]
    for mark in marks:
        suppress(store, mark, reason="bounced", address="x@example.org")
    assert tidy(store, Before(0, watch.moment, 0), at_once) == Tidied()
    assert tidy(store, Before(0, watch.moment + 1, 0), at_once) == Tidied(addresses=8)
    assert {(one.mark, one.address) for one in list_suppressions(store)} == {(mark, None) for mark in marks}
    assert tidy(store, Before(0, watch.moment + 1, 0), at_once) == Tidied()


def test_the_proof_of_a_subscriber_stays_and_that_of_who_left_goes_at_its_time(store: Store, watch: "Watch") -> None:
    take(store, ANNA, BERT, CORA)
    watch.moment += 10
    for mark in (ANNA, CORA):
        suppress(store, mark, reason="unsubscribed")
    left = watch.moment
    tidy(store, Before(left + 1, 0, 0), at_once)
    watch.moment += 10
    with store.write() as connection:
        add_consents(connection, [{"mark": CORA, "kind": "erased", "at": watch.moment}])
    assert tidy(store, Before(0, 0, left), at_once) == Tidied()  # the consent alone is older, the last step is not
    assert tidy(store, Before(0, 0, left + 1), at_once) == Tidied(proofs=2)
    assert [len(consents_of(store, mark)) for mark in (ANNA, BERT, CORA)] == [0, 1, 3]
    assert suppression_of(store, ANNA) is not None


def test_the_proof_of_a_former_address_stays_with_its_owner(store: Store, watch: "Watch") -> None:
    take(store, ANNA)
    with store.write() as connection:
        assert move_subscriber(connection, ANNA, newcomer(BERT))
        add_consents(connection, [{"mark": BERT, "former": ANNA, "kind": "moved", "at": store.clock()}])
    assert tidy(store, Before(0, 0, watch.moment + 1), at_once) == Tidied()
    assert len(consents_of(store, BERT)) == 2


def test_who_comes_back_in_between_keeps_all(store: Store, watch: "Watch") -> None:
    """What was found old is looked at again in the transaction that deletes it."""
    marks = [bytes([number]) * 16 for number in range(1, 7)]
    take(store, *marks)
    for mark in marks:
        suppress(store, mark, reason="unsubscribed")
    real = tidying._portions

    def back(store: Store, key: Any, old: Any, forget: Any, rest: Any) -> int:
        def late(connection: Any, these: Any) -> int:
            if key.table.name == "subscriber":
                make_confirmed(connection, newcomer(marks[0]), watch.moment)
            return int(forget(connection, these))

        return real(store, key, old, late, rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tidying, "_portions", back)
        assert tidy(store, Before(watch.moment + 1, 0, 0), at_once).left == 5
    found = find_subscriber(store, marks[0])
    assert found is not None
    assert found.state == "confirmed"
    assert not come_back(store, marks[1], 0) or find_subscriber(store, marks[1]) is None


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'n.db'}")
    yield store
    store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5), st.integers(0, 9)), max_size=12), st.integers(0, 10))
def test_proofs_go_just_as_the_rule_says(shared: Store, steps: list[tuple[int, int | None, int]], before: int) -> None:
    """Held against the rule in plain words, for any history: nobody's chain of proof loses a step that is still needed."""
    with shared.write() as connection:
        connection.execute(consent.delete())
        add_consents(
            connection,
            [
                {
                    "mark": bytes([mark]) * 16,
                    "former": None if former is None else bytes([former]) * 16,
                    "kind": "moved",
                    "at": at,
                }
                for mark, former, at in steps
            ],
        )
    needed = {former for _, former, _ in steps} | {mark for mark, _, at in steps if at >= before}
    kept = [(mark, at) for mark, _, at in steps if mark in needed]
    tidy(shared, Before(0, 0, before), at_once)
    with shared.read() as connection:
        found = connection.execute(select(consent.c.mark, consent.c.at).order_by(consent.c.id)).all()
    left = [(row.mark[0], row.at) for row in found]
    assert all(one in kept for one in left)
    assert [one for one in left if one[1] >= before] == [one for one in kept if one[1] >= before]
