"""What the subscribers' pages read and write: editions, deliveries, suppressions."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select

from newsletter.compose.edition import AttachedFile, Edition, Headers, Part, PictureFile, Slot
from newsletter.store import (
    Store,
    campaign_of,
    delivery_of,
    find_campaign,
    is_suppressed,
    list_campaigns,
    list_suppressions,
    load_edition,
    picture_of,
    save_edition,
    suppress,
    suppression_of,
    unsuppress,
)
from newsletter.store.suppressions import Suppression, add_suppression
from newsletter.store.tables import campaign, delivery
from tests.real.postgresql import both, in_a_file

pytestmark = both

EDITION = Edition(
    title="Ausgabe 4",
    headers=Headers("Digitale Region", "newsletter@example.org", None, "region.example.org", "Digitale Region", "de"),
    subject=Part(("Grüße, ", Slot("first_name", None, "plain"))),
    text=Part(("x",)),
    html=Part(("<p>x</p>",)),
    pictures=(PictureFile("a1.png", "image/png", 2, 1, b"\x89PNG\x00"), PictureFile("b2.jpg", "image/jpeg", 3, 1, b"\xff\xd8")),
)
MARK = b"0123456789abcdef"
OTHER = b"fedcba9876543210"


def add_campaign(store: Store, number: int, state: str, *rows: tuple[str, bytes], slug: str = "2024-12") -> int:
    """A campaign with deliveries of a state and a mark each."""
    with store.write() as connection:
        values = {
            "key": f"{slug}-{number}",
            "slug": slug,
            "number": number,
            "state": state,
            "list_name": "l.csv",
            "created_at": 1,
        }
        save_edition(connection, EDITION, slug=slug, moment=1)
        row = {**values, "edition_hash": EDITION.hash, "candidates": len(rows), "duplicates": 0, "refused": 0}
        added: int = connection.execute(campaign.insert().returning(campaign.c.id), row).scalar_one()
        for place, (of, mark) in enumerate(rows):
            data: dict[str, Any] = {
                "campaign_id": added,
                "address_key": f"p{place}@x.org",
                "address": f"P{place}@x.org",
                "mark": mark,
            }
            fields = json.dumps({"first_name": "Jörg"})
            connection.execute(delivery.insert(), {**data, "line": place, "state": of, "data": fields, "updated_at": 1})
    return added


def states(store: Store, campaign_id: int) -> list[tuple[str, str | None]]:
    with store.read() as connection:
        rows = connection.execute(select(delivery).where(delivery.c.campaign_id == campaign_id).order_by(delivery.c.id))
        return [(row.state, row.why) for row in rows]


def test_an_edition_comes_back_as_it_was_saved(store: Store) -> None:
    with store.write() as connection:
        stored = save_edition(connection, EDITION, slug="2024-12", moment=1)
        assert save_edition(connection, EDITION, slug="another", moment=2) == stored
    assert load_edition(store, stored) == EDITION
    bare = load_edition(store, stored, with_files=False)
    assert bare is not None
    assert [file.data for file in bare.pictures] == [b"", b""]
    assert bare.hash == EDITION.hash
    assert load_edition(store, "0" * 64) is None


def test_pictures_are_found_by_name(store: Store) -> None:
    with store.write() as connection:
        save_edition(connection, EDITION, slug="2024-12", moment=1)
    picture = picture_of(store, "b2.jpg")
    assert picture is not None
    assert (picture.media_type, picture.data) == ("image/jpeg", b"\xff\xd8")
    assert picture_of(store, "c3.png") is None


def test_attachments_are_kept_with_the_edition_and_given_out_to_nobody(store: Store) -> None:
    attached = AttachedFile("attached-c3.jpg", "Plan.jpg", "image/jpeg", b"\xff\xd8\xff")
    edition = replace(EDITION, inline=True, attachments=(attached,))
    with store.write() as connection:
        stored = save_edition(connection, edition, slug="2024-12", moment=1)
    assert load_edition(store, stored) == edition
    assert stored != EDITION.hash
    assert picture_of(store, attached.name) is None


def test_a_delivery_is_found_in_its_own_campaign_only(store: Store) -> None:
    first = add_campaign(store, 1, "done", ("sent", MARK))
    second = add_campaign(store, 2, "done", ("sent", OTHER))
    found = delivery_of(store, first, 1)
    assert found is not None
    assert (found.slug, found.edition_hash, found.address, found.mark) == ("2024-12", EDITION.hash, "P0@x.org", MARK)
    assert (found.fields, found.state) == ({"first_name": "Jörg"}, "sent")
    assert delivery_of(store, second, 1) is None
    assert delivery_of(store, first, 99) is None


def test_a_delivery_whose_values_were_deleted_has_none(store: Store) -> None:
    added = add_campaign(store, 1, "done", ("sent", MARK))
    with store.write() as connection:
        connection.execute(delivery.update().values(data=None))
    found = delivery_of(store, added, 1)
    assert found is not None
    assert found.fields is None


def test_the_latest_campaign_of_an_issue_is_found(store: Store) -> None:
    add_campaign(store, 1, "done")
    latest = add_campaign(store, 2, "draft")
    add_campaign(store, 1, "done", slug="2025-01")
    found = find_campaign(store, "2024-12")
    assert found is not None
    assert (found.id, found.number, found.state) == (latest, 2, "draft")
    assert campaign_of(store, latest) == found
    assert [one.slug for one in list_campaigns(store)] == ["2024-12", "2024-12", "2025-01"]
    assert find_campaign(store, "2030-01") is None
    assert campaign_of(store, 99) is None


def test_the_ids_of_deliveries_are_never_given_out_again(store: Store) -> None:
    # A view link names campaign and delivery: a new row with an old id would be shown to the old recipient.
    add_campaign(store, 1, "done", ("sent", MARK))
    with store.write() as connection:
        connection.execute(delivery.delete())
        connection.execute(campaign.delete())
    again = add_campaign(store, 1, "done", ("sent", OTHER))
    assert delivery_of(store, again, 1) is None
    found = delivery_of(store, again, 2)
    assert found is not None
    assert found.mark == OTHER


@pytest.mark.parametrize("state", ["draft", "scheduled", "running", "paused"])
def test_a_suppression_takes_everything_back_that_no_server_was_handed(store: Store, state: str) -> None:
    kinds = ["pending", "deferred", "claimed", "sending", "sent", "failed", "uncertain"]
    added = [add_campaign(store, number, state, (kind, MARK), ("pending", OTHER)) for number, kind in enumerate(kinds)]
    assert suppress(store, MARK, reason="unsubscribed", campaign_id=added[0], delivery_id=1) is True
    left = [("suppressed", "unsubscribed")] * 3 + [(kind, None) for kind in kinds[3:]]
    assert [states(store, one) for one in added] == [[one, ("pending", None)] for one in left]


def test_a_campaign_that_is_over_keeps_its_account(store: Store) -> None:
    added = add_campaign(store, 1, "cancelled", ("pending", MARK))
    suppress(store, MARK, reason="unsubscribed")
    assert states(store, added) == [("pending", None)]


def test_suppressing_twice_is_once_and_the_first_reason_stays(store: Store) -> None:
    assert suppress(store, MARK, reason="unsubscribed", address="a@x.org", campaign_id=3, delivery_id=4) is True
    assert suppress(store, MARK, reason="bounced") is False
    found = suppression_of(store, MARK)
    assert found is not None
    assert (found.reason, found.address, found.campaign_id, found.delivery_id) == ("unsubscribed", "a@x.org", 3, 4)
    assert found.created_at == store.clock()
    assert list(list_suppressions(store)) == [found]


def test_a_suppression_can_be_taken_off(store: Store) -> None:
    suppress(store, MARK, reason="unsubscribed")
    assert is_suppressed(store, MARK)
    assert unsuppress(store, MARK) is True
    assert unsuppress(store, MARK) is False
    assert not is_suppressed(store, MARK)
    assert suppression_of(store, MARK) is None


@in_a_file
def test_taking_a_mark_back_uses_its_index(store: Store) -> None:
    # A million open deliveries must not be read while somebody waits for the page to answer.
    add_campaign(store, 1, "running", ("pending", MARK))
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        said.append((statement, parameters))

    with store.write() as connection:
        event.listen(connection, "before_cursor_execute", note)
        add_suppression(connection, Suppression(MARK, None, "erased", None, None, 1))
        event.remove(connection, "before_cursor_execute", note)
        [(statement, parameters)] = [one for one in said if "UPDATE delivery" in one[0]]
        plan = [row[-1] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)]
    assert any("delivery USING INDEX sqlite_autoindex_delivery_1 (campaign_id=? AND mark=?)" in line for line in plan), plan
