"""Subscribers in the database: who comes, who left and stays so, what is forgotten and what proof remains."""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Pool, event, func, select, update

from newsletter.store import (
    Store,
    consents_of,
    erase,
    find_subscriber,
    list_subscribers,
    list_suppressions,
    open_store,
    suppress,
    suppression_of,
    tables,
)
from newsletter.store.clock import HOUR
from newsletter.store.consents import add_consents
from newsletter.store.signups import Signup, ask, asked_lately, due_signup, find_signup, settle_signup, use_signup
from newsletter.store.subscribers import (
    Newcomer,
    Taken,
    add_pending,
    change_subscriber,
    come_back,
    make_confirmed,
    move_subscriber,
    take_in,
)
from tests.real.postgresql import both, in_a_file

pytestmark = both

if TYPE_CHECKING:
    from tests.store.conftest import Watch

ANNA, BERT, CORA = b"a" * 16, b"b" * 16, b"c" * 16
PROOF = {"kind": "imported", "list_id": "region.example.org", "source": "paper forms of the fair"}


def newcomer(mark: bytes, name: str = "", **values: Any) -> Newcomer:
    address = f"{name or chr(mark[0])}@example.org"
    given: dict[str, Any] = {"language": None, "topics": None, "fields": {}}
    return Newcomer(mark, address, address, **(given | values))


def take(store: Store, *people: Newcomer, proof: Mapping[str, Any] = PROOF) -> list[Taken]:
    with store.write() as connection:
        return take_in(connection, list(people), proof, store.clock())


def states(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {row.address: row.state for row in connection.execute(select(tables.subscriber))}


def test_who_is_taken_in_is_confirmed_with_the_source_as_proof(store: Store, watch: "Watch") -> None:
    assert take(store, newcomer(ANNA, language="de", topics="presse", fields={"first_name": "Änne"})) == ["new"]
    (anna,) = list_subscribers(store)
    assert (anna.address, anna.state, anna.language, anna.topics) == ("a@example.org", "confirmed", "de", "presse")
    assert (anna.fields, anna.created_at, anna.confirmed_at) == ({"first_name": "Änne"}, watch.moment, watch.moment)
    (step,) = consents_of(store, ANNA)
    assert (step.kind, step.at, step.list_id, step.source) == ("imported", watch.moment, PROOF["list_id"], PROOF["source"])


def test_taken_in_twice_nothing_changes(store: Store) -> None:
    take(store, newcomer(ANNA, language="de"))
    assert take(store, newcomer(ANNA, language="en"), newcomer(BERT)) == ["there", "new"]
    assert [one.language for one in list_subscribers(store)] == ["de", None]
    assert len(consents_of(store, ANNA)) == 1


@pytest.mark.parametrize("reason", ["unsubscribed", "bounced", "complained", "erased"])
def test_whoever_is_suppressed_stays_so(store: Store, reason: Any) -> None:
    take(store, newcomer(ANNA))
    suppress(store, ANNA, reason=reason)
    suppress(store, BERT, reason=reason)
    assert list(list_subscribers(store)) == []
    assert take(store, newcomer(ANNA), newcomer(BERT), newcomer(CORA)) == ["left", "left", "new"]
    assert [one.mark for one in list_subscribers(store)] == [CORA]
    assert states(store) == {"a@example.org": "gone", "c@example.org": "confirmed"}
    kinds = [step.kind for step in consents_of(store, ANNA)]
    assert kinds == (["imported"] if reason == "erased" else ["imported", reason])


def test_leaving_can_be_a_mistake_for_some_days(store: Store, watch: "Watch") -> None:
    take(store, newcomer(ANNA))
    suppress(store, ANNA, reason="unsubscribed", address="a@example.org")
    watch.moment += HOUR
    assert not come_back(store, ANNA, watch.moment)
    assert come_back(store, ANNA, watch.moment - HOUR)
    assert suppression_of(store, ANNA) is None
    assert states(store) == {"a@example.org": "confirmed"}
    assert [step.kind for step in consents_of(store, ANNA)] == ["imported", "unsubscribed", "returned"]
    assert not come_back(store, ANNA, 0)
    suppress(store, BERT, reason="unsubscribed")  # of a list, no subscriber
    assert come_back(store, BERT, 0)
    assert consents_of(store, BERT) == []


@pytest.mark.parametrize("reason", ["bounced", "complained", "erased"])
def test_only_what_the_person_did_is_undone(store: Store, reason: Any) -> None:
    take(store, newcomer(ANNA))
    suppress(store, ANNA, reason=reason)
    assert not come_back(store, ANNA, 0)
    assert suppression_of(store, ANNA) is not None


def test_a_new_address_takes_the_place_of_the_old_one_whose_links_still_work(store: Store) -> None:
    take(store, newcomer(ANNA, fields={"first_name": "Änne"}), newcomer(CORA))
    with store.write() as connection:
        assert move_subscriber(connection, ANNA, newcomer(BERT))
        add_consents(connection, [{"mark": BERT, "former": ANNA, "kind": "moved", "at": 5}])
        assert not move_subscriber(connection, ANNA, newcomer(BERT))
    moved = find_subscriber(store, ANNA)
    assert moved is not None
    assert (moved.mark, moved.address, moved.fields) == (BERT, "b@example.org", {"first_name": "Änne"})
    assert [step.kind for step in consents_of(store, BERT)] == ["imported", "moved"]
    suppress(store, ANNA, reason="unsubscribed")  # by the link of an old mail
    assert {one.mark for one in list_suppressions(store)} == {ANNA, BERT}
    assert [one.mark for one in list_subscribers(store)] == [CORA]
    assert come_back(store, ANNA, 0)
    assert [one.mark for one in list_subscribers(store)] == [BERT, CORA]


def test_confirming_ends_a_suppression_and_keeps_what_was_chosen(store: Store) -> None:
    suppress(store, ANNA, reason="unsubscribed")
    with store.write() as connection:
        add_pending(connection, newcomer(ANNA), 7)
        make_confirmed(connection, newcomer(ANNA, topics="presse"), 9)
        add_pending(connection, newcomer(ANNA), 11)
    (anna,) = list_subscribers(store)
    assert (anna.state, anna.topics, anna.created_at, anna.confirmed_at) == ("confirmed", "presse", 7, 9)
    change_subscriber(store, anna.id, language="en", topics=None)
    (anna,) = list_subscribers(store)
    assert (anna.language, anna.topics) == ("en", None)
    assert states(store) == {"a@example.org": "confirmed"}


@pytest.fixture
def sent(store: Store) -> Store:
    """Anna and Bert in a finished campaign and in a running one, where Anna's mail failed with words that name her."""
    with store.write() as connection:
        connection.execute(tables.edition.insert().values(hash="e", slug="s", body="{}", created_at=1))
        connection.execute(tables.worker.insert().values(id=1, host="h", pid=1, version="1", state="gone", started_at=1))
        for number, (state, outcome) in enumerate((("done", "failed"), ("running", "pending")), 1):
            row = {"id": number, "key": str(number), "slug": "s", "number": number, "edition_hash": "e", "state": state}
            row |= {"list_name": "l", "candidates": 2, "duplicates": 0, "refused": 0, "created_at": 1}
            connection.execute(tables.campaign.insert().values(row))
            for mark in (ANNA, BERT):
                person = newcomer(mark)
                values = {"campaign_id": number, "mark": mark, "address": person.address, "address_key": person.address}
                values |= {"line": 1, "data": json.dumps({"first_name": person.address}), "state": outcome, "updated_at": 1}
                values |= {"reply": f"<{person.address}> unknown"}
                made = connection.execute(tables.delivery.insert().values(values).returning(tables.delivery.c.id)).scalar()
                tried = {"delivery_id": made, "n": 1, "worker_id": 1, "started_at": 1, "ended_at": 1, "state": "failed"}
                connection.execute(tables.attempt.insert().values(tried | {"reply": f"<{person.address}> unknown"}))
    return store


def test_erasing_leaves_marks_counts_and_the_proof_but_no_address(sent: Store, tmp_path: Path) -> None:
    take(sent, newcomer(ANNA, "anna.lovelace", fields={"first_name": "Ännchen"}), newcomer(BERT))
    with sent.write() as connection:
        connection.execute(
            update(tables.delivery).where(tables.delivery.c.mark == ANNA).values(address="anna.lovelace@example.org")
        )
    ask(
        sent, "I agree.", {"key": b"k" * 16, "mark": ANNA, "address": "anna.lovelace@example.org", "address_key": "anna.lovelace"}
    )
    suppress(sent, ANNA, reason="unsubscribed", address="anna.lovelace@example.org")
    assert erase(sent, ANNA, "region.example.org")
    assert find_subscriber(sent, ANNA) is None
    gone = suppression_of(sent, ANNA)
    assert gone is not None
    assert (gone.reason, gone.address) == ("erased", None)
    with sent.read() as connection:
        rows = connection.execute(select(tables.delivery).order_by(tables.delivery.c.id)).all()
        assert [(row.state, row.address, row.data is None, row.reply is None) for row in rows] == [
            ("failed", "", True, True),
            ("failed", "b@example.org", False, False),
            ("suppressed", "", True, True),
            ("pending", "b@example.org", False, False),
        ]
        script = repr([connection.execute(select(table)).all() for table in tables.metadata.sorted_tables])
    assert "anna.lovelace" not in script
    assert "<a@example.org>" not in script
    assert "Ännchen" not in script
    assert [step.kind for step in consents_of(sent, ANNA)] == ["imported", "unsubscribed", "erased"]
    assert take(sent, newcomer(ANNA)) == ["left"]
    assert not erase(sent, CORA, "region.example.org")
    assert suppression_of(sent, CORA) is not None


@in_a_file
def test_erasing_leaves_nothing_in_the_file_nor_in_its_log(url: str, tmp_path: Path) -> None:
    def as_built_by_default(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA secure_delete = OFF")

    event.listen(Pool, "connect", as_built_by_default)
    try:
        with closing(open_store(url)) as serving, closing(open_store(url)) as store:
            take(serving, *(newcomer(bytes([number]) * 16, f"lovelace{number}.") for number in range(100, 150)))
            assert erase(store, bytes([120]) * 16, "region.example.org")
            kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    finally:
        event.remove(Pool, "connect", as_built_by_default)
    assert b"lovelace121.@example.org" in kept
    assert b"lovelace120.@example.org" not in kept


def asked(store: Store, number: int, mark: bytes = ANNA) -> Signup:
    key = bytes([number]) * 16
    ask(store, "I agree.", {"key": key, "mark": mark, "address": "a@example.org", "address_key": "a@example.org"})
    found = find_signup(store, key)
    assert found is not None
    return found


def test_the_outbox_gives_what_is_due_to_one_at_a_time(store: Store, watch: "Watch") -> None:
    assert due_signup(store, HOUR) is None
    first, second = asked(store, 1), asked(store, 2)
    held = [due_signup(store, HOUR) for _ in range(3)]
    assert [one and one.id for one in held] == [first.id, second.id, None]
    watch.moment += HOUR
    again = due_signup(store, HOUR)
    assert again is not None
    assert again.id == first.id
    with store.write() as connection:
        settle_signup(connection, first.id, state="sent", sent_at=watch.moment)
    watch.moment += HOUR
    (again,) = (one for one in [due_signup(store, HOUR), due_signup(store, HOUR)] if one)
    assert again.id == second.id


def test_an_address_is_written_to_once(store: Store, watch: "Watch") -> None:
    first, second, other = asked(store, 1), asked(store, 2), asked(store, 3, BERT)
    with store.write() as connection:
        assert [asked_lately(connection, one, 0) for one in (first, second, other)] == [False, True, False]
        settle_signup(connection, first.id, state="sent", sent_at=watch.moment)
        assert asked_lately(connection, second, watch.moment)
        assert not asked_lately(connection, second, watch.moment + 1)
    with store.read() as connection:  # the declaration is kept once
        assert connection.scalar(select(func.count()).select_from(tables.wording)) == 1


def test_a_link_is_good_once_and_for_its_time(store: Store, watch: "Watch") -> None:
    one = asked(store, 1)
    with store.write() as connection:
        assert use_signup(connection, one.key, watch.moment + 1) is None
        assert use_signup(connection, b"x" * 16, 0) is None
        used = use_signup(connection, one.key, watch.moment)
        assert used is not None
        assert (used.id, used.state) == (one.id, "used")
        assert use_signup(connection, one.key, 0) is None
