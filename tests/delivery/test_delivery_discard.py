"""A campaign that nobody confirmed goes without a trace; one that was started stays."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from newsletter.compose.edition import AttachedFile, Edition, PictureFile
from newsletter.delivery import find_campaign
from newsletter.delivery.freeze import discard
from newsletter.problem import InputError
from newsletter.store import is_suppressed, load_edition, picture_of, suppress, tables

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People, Sink

    Make = Callable[..., People]


def sizes(office: "Office") -> dict[str, int | None]:
    with office.store.read() as connection:
        names = ("campaign", "delivery", "edition", "picture")
        return {name: connection.scalar(select(func.count()).select_from(tables.metadata.tables[name])) for name in names}


def test_a_draft_goes_with_all_that_is_its_own(office: "Office", people: "Make") -> None:
    suppress(office.store, office.links.mark("bob@example.org"), reason="unsubscribed")
    made = office.freeze(people("ada@example.org", "bob@example.org"))
    assert min(count or 0 for count in sizes(office).values()) > 0
    discard(office.store, made.id)
    assert find_campaign(office.store, made.slug) is None
    assert set(sizes(office).values()) == {0}
    assert is_suppressed(office.store, office.links.mark("bob@example.org"))


def test_the_next_campaign_gets_ids_of_its_own(office: "Office", people: "Make") -> None:
    first = office.freeze(people("ada@example.org"))
    (old,) = office.rows(first).values()
    discard(office.store, first.id)
    second = office.freeze(people("ada@example.org"))
    (new,) = office.rows(second).values()
    assert second.number == first.number
    assert second.id != first.id
    assert new.id > old.id
    assert second.key != first.key


def test_an_edition_that_another_campaign_sends_stays(office: "Office", people: "Make", edition: Edition) -> None:
    other = office.freeze(people("ada@example.org"), slug="other")
    made = office.freeze(people("ada@example.org", "bob@example.org"))
    assert made.edition_hash == other.edition_hash
    discard(office.store, made.id)
    assert load_edition(office.store, other.edition_hash) == edition
    assert set(office.rows(other)) == {"ada@example.org"}


def test_a_picture_that_another_edition_shows_stays(office: "Office", people: "Make", edition: Edition) -> None:
    own = PictureFile("b2.png", "image/png", 1, 1, b"own")
    sibling = replace(edition, title="Noch eine", pictures=(*edition.pictures, own))
    office.freeze(people("ada@example.org"), slug="other")
    discard(office.store, office.freeze(people("ada@example.org"), edition=sibling).id)
    assert load_edition(office.store, sibling.hash) is None
    assert picture_of(office.store, own.name) is None
    assert picture_of(office.store, edition.pictures[0].name) is not None


def test_attachments_go_with_their_edition(office: "Office", people: "Make", edition: Edition) -> None:
    own = AttachedFile("attached-b2.pdf", "Programm.pdf", "application/pdf", b"%PDF-")
    shared = AttachedFile("attached-c3.pdf", "Plan.pdf", "application/pdf", b"%PDF-1")
    office.freeze(people("ada@example.org"), slug="other", edition=replace(edition, attachments=(shared,)))
    discard(office.store, office.freeze(people("ada@example.org"), edition=replace(edition, attachments=(own, shared))).id)
    with office.store.read() as connection:
        left = {row.name for row in connection.execute(tables.picture.select())}
    assert left == {shared.name, *(picture.name for picture in edition.pictures)}


def test_a_campaign_that_was_started_stays(office: "Office", people: "Make", sink: "Sink") -> None:
    made = office.freeze(people("ada@example.org", "bob@example.org"))
    office.run(made, sink, limit=1)
    for state in ("paused", "running", "done", "cancelled"):
        with office.store.write() as connection:
            connection.execute(tables.campaign.update().values(state=state))
        before = sizes(office)
        with pytest.raises(InputError, match="was started already and stays"):
            discard(office.store, made.id)
        assert sizes(office) == before


def test_a_campaign_that_does_not_exist(office: "Office") -> None:
    with pytest.raises(InputError, match="there is no campaign 7"):
        discard(office.store, 7)
