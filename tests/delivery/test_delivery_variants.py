"""Each recipient's variant is decided when the audience is frozen, stored, and what goes over the wire."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from newsletter.audience.recipient import Recipient
from newsletter.compose.edition import UNSUBSCRIBE, Edition, Part, Slot, Variant
from newsletter.delivery.variants import variant_counts
from newsletter.issue.only import Condition
from newsletter.problem import InputError
from newsletter.store import delivery_of, suppress
from newsletter.store.tables import campaign, delivery
from newsletter.store.tables import edition as edition_table

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, Sink

    Make = Callable[..., Any]

LEAVE = Slot(UNSUBSCRIBE, None, "plain")


@pytest.fixture
def varied(edition: Edition) -> Edition:
    """German for those who speak it, English likewise, and some for the press."""

    def variant(name: str, *words: str) -> Variant:
        return Variant(name, Part((" ".join(words) + "\n", LEAVE)), edition.html)

    return replace(
        edition,
        conditions=(Condition(("de",), ()), Condition(("en",), ()), Condition((), ("presse",))),
        text=Part(("Moin\n", LEAVE)),
        variants=(variant("010", "Hello"), variant("101", "Moin", "Presse"), variant("011", "Hello", "Presse")),
    )


@pytest.fixture
def readers(people: "Make") -> Any:
    made = people()
    said = {
        "ada": {},
        "bob": {"language": "EN-gb"},
        "cyd": {"tags": "Sport; PRESSE"},
        "dan": {"language": "en", "tags": "presse"},
    }
    made.rows = [
        Recipient(f"{name}@example.org", f"{name}@example.org", fields, line)
        for line, (name, fields) in enumerate(said.items(), 2)
    ]
    return made


def test_everyone_gets_the_own_variant(office: "Office", sink: "Sink", varied: Edition, readers: Any) -> None:
    frozen = office.freeze(readers, edition=varied)
    assert {address: row.variant for address, row in office.rows(frozen).items()} == {
        "ada@example.org": "100",
        "bob@example.org": "010",
        "cyd@example.org": "101",
        "dan@example.org": "011",
    }
    account = office.run(frozen, sink)
    assert (account.sent, account.audience) == (4, 4)
    got = {address: body.split(b"\r\n\r\n")[2].split(b"\r\n")[0].decode() for address, body in sink.accepted}
    assert got == {
        "ada@example.org": "Moin",
        "bob@example.org": "Hello",
        "cyd@example.org": "Moin Presse",
        "dan@example.org": "Hello Presse",
    }


def test_it_is_kept_though_the_values_go(office: "Office", varied: Edition, readers: Any) -> None:
    frozen = office.freeze(readers, edition=varied)
    with office.store.write() as connection:
        connection.execute(delivery.update().values(data=None))
    row = office.rows(frozen)["dan@example.org"]
    stored = delivery_of(office.store, frozen.id, row.id)
    assert stored is not None
    assert (stored.fields, stored.variant) == (None, "011")


def test_a_variant_that_the_edition_lacks_stores_nothing(office: "Office", varied: Edition, readers: Any) -> None:
    lacking = replace(varied, variants=varied.variants[:-1])
    with pytest.raises(InputError, match=r"list\.csv:5:0: dan@example\.org gets other blocks"):
        office.freeze(readers, edition=lacking)
    with office.store.read() as connection:
        assert [connection.execute(table.select()).all() for table in (campaign, delivery, edition_table)] == [[], [], []]


def test_an_edition_without_variants_stores_none(office: "Office", readers: Any) -> None:
    frozen = office.freeze(readers)
    assert {row.variant for row in office.rows(frozen).values()} == {None}
    assert variant_counts(office.store, frozen.id) == [(None, 4)]


def test_those_who_are_not_written_to_do_not_count(office: "Office", varied: Edition, readers: Any) -> None:
    suppress(office.store, office.links.mark("bob@example.org"), reason="unsubscribed")
    readers.rows.append(Recipient("eve@example.org", "eve@example.org", {"tags": "presse"}, 6))
    frozen = office.freeze(readers, edition=varied)
    assert variant_counts(office.store, frozen.id) == [("101", 2), ("011", 1), ("100", 1)]
