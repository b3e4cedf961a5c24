"""A list becomes an audience: every row counted, all or nothing."""

import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from newsletter.audience.recipient import Duplicate, Recipient, Refused
from newsletter.compose.edition import Edition, Headers, Part
from newsletter.delivery import account_of, discard, find_campaign, freeze
from newsletter.delivery.ledger import lanes_of
from newsletter.problem import InputError
from newsletter.store import list_suppressions, load_edition, open_store, suppress, unsuppress
from newsletter.store.tables import campaign, delivery, edition, picture

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People

    Make = Callable[..., People]


def counts(office: "Office") -> dict[str, int | None]:
    with office.store.read() as connection:
        tables = (campaign, delivery, edition, picture)
        return {table.name: connection.scalar(select(func.count()).select_from(table)) for table in tables}


def test_an_audience_with_its_edition(office: "Office", people: "Make", edition: Edition) -> None:
    made, report = office.freeze_report(people("ada@example.org", "Bob@Example.org"))
    assert (made.slug, made.number, made.state, made.audience, made.list_name) == ("2024-12", 1, "draft", 2, "list.csv")
    assert (report.candidates, report.prepared) == (2, 2)
    assert find_campaign(office.store, "2024-12") == made
    assert load_edition(office.store, made.edition_hash) == edition
    row = office.rows(made)["Bob@Example.org"]
    assert (row.address_key, row.mark, row.line, row.state) == (
        "bob@example.org",
        office.links.mark("bob@example.org"),
        3,
        "pending",
    )
    assert row.data == '{"email":"Bob@Example.org","first_name":"Ada 3"}'


def test_duplicates_are_found_with_the_line_of_the_first(office: "Office", people: "Make") -> None:
    path = "list.csv"
    made, report = office.freeze_report(people("ada@example.org", "bob@example.org", "ADA@example.org ", "ada@Example.org"))
    assert report.duplicate_rows == (Duplicate(path, 4, 2, "ADA@example.org "), Duplicate(path, 5, 2, "ada@Example.org"))
    assert (report.candidates, report.prepared, report.duplicates, made.audience) == (4, 2, 2, 2)
    assert set(office.rows(made)) == {"ada@example.org", "bob@example.org"}  # the first spelling goes on the wire


def test_duplicates_are_found_across_batches(office: "Office", people: "Make") -> None:
    addresses = [f"p{number}@example.org" for number in range(2500)]
    _, report = office.freeze_report(people(*addresses, "P0@example.org", "p2499@EXAMPLE.org"))
    assert [(row.line, row.first_line) for row in report.duplicate_rows] == [(2502, 2), (2503, 2501)]
    assert report.prepared == 2500


def test_refused_rows_are_counted_and_told(office: "Office", people: "Make") -> None:
    some = people("ada@example.org")
    some.rows = [*some.rows, Refused("list.csv", 9, "has no @")]
    made, report = office.freeze_report(some)
    assert report.refused_rows == (Refused("list.csv", 9, "has no @"),)
    assert (report.candidates, report.refused, made.refused, made.audience) == (2, 1, 1, 1)


def test_suppressed_recipients_are_in_the_audience_and_get_nothing(office: "Office", people: "Make") -> None:
    suppress(office.store, office.links.mark("ada@example.org"), reason="complained")
    made, report = office.freeze_report(people("Ada@Example.org", "bob@example.org"))
    assert (report.prepared, report.suppressed) == (1, 1)
    row = office.rows(made)["Ada@Example.org"]
    assert (row.state, row.why) == ("suppressed", "complained")  # L9: it survives every new list
    account = account_of(office.store, made.id)
    assert (account.audience, account.suppressed, account.pending) == (2, 1, 1)


def test_a_list_without_a_usable_row_stores_nothing(office: "Office", people: "Make") -> None:
    nobody = people()
    nobody.rows = [Refused("list.csv", 2, "has no @"), Refused("list.csv", 3, "is empty")]
    with pytest.raises(InputError) as caught:
        office.freeze(nobody)
    assert [str(problem) for problem in caught.value.problems][1:] == ["list.csv:2:0: has no @", "list.csv:3:0: is empty"]
    assert set(counts(office).values()) == {0}


def test_a_list_that_breaks_in_the_middle_stores_nothing(office: "Office", crowd: "Make") -> None:
    class Torn(Exception):
        pass

    some = crowd(1500)

    def rows() -> Iterator[Recipient | Refused]:
        yield from list(some)
        raise Torn

    broken = replace(some, rows=rows())
    with pytest.raises(Torn):
        office.freeze(broken)
    assert set(counts(office).values()) == {0}
    assert find_campaign(office.store, "2024-12") is None


def test_counts_that_do_not_add_up_are_never_stored(office: "Office", people: "Make") -> None:
    some = people()
    # All rows claim to stand in one line: so the second p0 is taken for the first one, and nobody counts it.
    some.rows = [Recipient(f"p{number % 1000}@example.org", f"p{number % 1000}@example.org", {}, 7) for number in range(1001)]
    with pytest.raises(InputError, match=r"list\.csv: has 1001 rows, but only 1000 of them are accounted for"):
        office.freeze(some)
    assert set(counts(office).values()) == {0}


def test_a_row_that_another_hand_put_in_is_noticed(office: "Office", people: "Make") -> None:
    with office.store.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER other AFTER INSERT ON delivery WHEN new.line = 3 BEGIN DELETE FROM delivery WHERE line = 2; END"
        )
    with pytest.raises(InputError, match="accounted for"):
        office.freeze(people("ada@example.org", "bob@example.org"))
    assert set(counts(office).values()) == {0}


def test_two_addresses_are_never_taken_for_one(office: "Office", people: "Make", edition: Edition) -> None:
    with pytest.raises(InputError, match=r"list\.csv:3: bob@example\.org cannot be told from the recipient of line 2"):
        freeze(
            office.store,
            slug="x",
            edition=edition,
            recipients=people("ada@example.org", "bob@example.org"),
            mark=lambda _key: b"m" * 16,
            list_name="l",
        )
    assert set(counts(office).values()) == {0}


def test_each_delivery_is_in_the_lane_of_its_domain(office: "Office", people: "Make", edition: Edition) -> None:
    made, _ = freeze(
        office.store,
        slug="x",
        edition=edition,
        recipients=people("ada@example.org", "Bob@Big.example", "cyd@other.org"),
        mark=office.links.mark,
        list_name="l",
        lane=lambda domain: "big" if domain == "big.example" else "*",
    )
    assert {address: row.lane for address, row in office.rows(made).items()} == {
        "ada@example.org": "*",
        "Bob@Big.example": "big",
        "cyd@other.org": "*",
    }
    with office.store.read() as connection:
        assert lanes_of(connection, made.id) == ["*", "big"]
    discard(office.store, made.id)
    with office.store.read() as connection:
        assert lanes_of(connection, made.id) == []


def test_a_second_campaign_of_an_issue_needs_again_and_an_end(office: "Office", people: "Make") -> None:
    first = office.freeze(people("ada@example.org"))
    for again in (False, True):
        with pytest.raises(InputError, match="the sending of 2024-12 is not finished"):
            office.freeze(people("bob@example.org"), again=again)
    with office.store.write() as connection:
        connection.execute(campaign.update().values(state="done"))
    with pytest.raises(InputError, match="2024-12 was sent already; newsletter send --again"):
        office.freeze(people("bob@example.org"))
    second = office.freeze(people("bob@example.org"), again=True)
    assert (first.number, second.number) == (1, 2)
    assert first.key != second.key
    other = office.freeze(people("ada@example.org"), slug="2025-01")  # an identical edition under another slug
    assert other.number == 1
    assert other.edition_hash == first.edition_hash


def test_memory_stays_flat(office: "Office") -> None:
    class Crowd:
        path = Path("list.csv")

        def __init__(self, size: int) -> None:
            self.size = size

        def __iter__(self) -> Iterator[Recipient | Refused]:
            for number in range(self.size):
                yield Recipient(f"p{number}@example.org", f"p{number}@example.org", {"first_name": "x" * 50}, number)

    def peak(size: int, slug: str, edition: Edition) -> int:
        tracemalloc.start()
        freeze(office.store, slug=slug, edition=edition, recipients=Crowd(size), mark=office.links.mark, list_name="l")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    made = Edition("t", Headers("a", "a@b.org", None, "l", "l", "de"), Part(("s",)), Part(("t",)), Part(("h",)))
    peak(10, "warm", made)
    small = peak(2_000, "small", made)
    assert peak(6_000, "big", made) < 1.5 * small


NUMBERS = itertools.count()
LETTERS = st.sampled_from(["ada", "ADA", "bob", "cyd", "dora"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.one_of(LETTERS, st.none()), max_size=12),
    suppressed=st.sets(st.sampled_from(["ada", "dora"])),
)
def test_every_row_is_accounted_for(office: "Office", people: "Make", rows: list[str | None], suppressed: set[str]) -> None:
    for found in list_suppressions(office.store):
        unsuppress(office.store, found.mark)
    for name in suppressed:
        suppress(office.store, office.links.mark(f"{name}@example.org"), reason="unsubscribed")
    slug = f"issue-{next(NUMBERS)}"
    some = people()
    some.rows = [
        Refused("l.csv", line, "bad")
        if name is None
        else Recipient(f"{name}@example.org", f"{name}@example.org".lower(), {"n": name}, line)
        for line, name in enumerate(rows, 2)
    ]
    good = [name for name in rows if name is not None]
    if not good:
        with pytest.raises(InputError):
            office.freeze(some, slug=slug)
        return
    made, report = office.freeze_report(some, slug=slug)
    different = {name.lower() for name in good}
    assert report.refused == rows.count(None)
    assert report.duplicates == len(good) - len(different) == len(report.duplicate_rows)
    assert report.prepared + report.suppressed == made.audience == len(different)
    assert account_of(office.store, made.id).audience == len(different)
    for name in different & {name.lower() for name in suppressed}:
        assert office.states(made)[next(f"{n}@example.org" for n in good if n.lower() == name)] == "suppressed"


def test_another_database_gives_other_ids(office: "Office", people: "Make", edition: Edition, tmp_path: Path) -> None:
    # An office that starts anew with its old key: the links of its old mails must not open new ones.
    here = office.freeze(people("ada@example.org"))
    store = open_store(f"sqlite:///{tmp_path / 'new.db'}")
    there, _ = freeze(
        store,
        slug=here.slug,
        edition=edition,
        recipients=people("eve@example.org"),
        mark=lambda key: key.encode()[:16].ljust(16),
        list_name="list.csv",
    )
    store.close()
    assert there.id != here.id
