"""Which issues were begun, as the campaigns say, and whether they are public."""

from dataclasses import replace
from typing import Any

import pytest

from newsletter.store import BegunIssue, Store, begun_editions, begun_issue, begun_issues, find_campaign, note_public, tables


def add(store: Store, slug: str, number: int, **values: Any) -> None:
    row = {"key": f"{slug}{number}", "slug": slug, "number": number, "edition_hash": "e", "state": "done", "list_name": "l"}
    row |= {"candidates": 0, "duplicates": 0, "refused": 0, "created_at": number} | values
    with store.write() as connection:
        if not connection.execute(tables.edition.select().where(tables.edition.c.hash == row["edition_hash"])).first():
            connection.execute(tables.edition.insert().values(hash=row["edition_hash"], slug=slug, body="{}", created_at=1))
        connection.execute(tables.campaign.insert().values(row))


def test_an_issue_is_what_its_latest_begun_campaign_sends(store: Store) -> None:
    add(store, "a", 1, started_at=10)
    add(store, "a", 2, started_at=30, edition_hash="f", state="cancelled")
    add(store, "a", 3, edition_hash="g", state="draft")
    add(store, "b", 1, started_at=20, state="paused")
    add(store, "c", 1, state="scheduled")
    add(store, "d", 1, state="done", created_at=5)
    a = BegunIssue("a", "f", None, 10, 30)
    assert begun_issues(store) == [BegunIssue("b", "e", None, 20, 20), a, BegunIssue("d", "e", None, 5, 5)]
    assert begun_issue(store, "a") == a
    assert begun_issue(store, "c") is None
    assert set(begun_editions(store)) == {"e", "f"}


@pytest.mark.parametrize("public", [True, False, None])
def test_what_a_file_says_holds_for_all_campaigns_of_its_issue(store: Store, public: bool | None) -> None:
    add(store, "a", 1, started_at=10, public=not public)
    add(store, "a", 2, started_at=20)
    add(store, "b", 1, started_at=10)
    other = begun_issue(store, "b")
    note_public(store, "a", public)
    assert [issue.public for issue in begun_issues(store) if issue.slug == "a"] == [public]
    campaign = find_campaign(store, "a")
    assert campaign is not None
    assert campaign == replace(campaign, public=public)
    assert begun_issue(store, "b") == other
