"""The numbers for Prometheus: right, cheap, and of nobody (S15, S22)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, update

from newsletter.delivery.account import account_of
from newsletter.delivery.standing import standings
from newsletter.preview.inbox import Inbox
from newsletter.store import Store, tables
from newsletter.store.url import database_file
from newsletter.web import metrics as metrics_module
from newsletter.web.metrics import create_metrics
from newsletter.web.server import BackgroundServer
from tests.real.postgresql import both, in_a_file
from tests.web.subscribing import KEY, Office, make_office

if TYPE_CHECKING:
    from tests.web.conftest import Site

pytestmark = both

ANNA, BERT, CORA = "anna@example.org", "bert@example.org", "cora@example.org"


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    with Inbox() as inbox:
        made = make_office(database_url, inbox)
        yield made
        made.site.store.close()


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted anew at each scrape, so that a test need not wait."""
    monkeypatch.setattr(metrics_module, "_SELDOM", 0.0)
    monkeypatch.setattr(metrics_module, "_SHARE", 0.0)


def scrape(store: Store) -> str:
    """What Prometheus gets, over a real socket."""
    with BackgroundServer() as server:
        server.start(create_metrics(store))
        answer = httpx.get(f"{server.url}/metrics")
        assert httpx.get(server.url).status_code == 404
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.text


def values(text: str, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a name by the values of their labels, sorted by the labels' names."""
    samples = (one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name)
    return {tuple(value for _, value in sorted(one.labels.items())): one.value for one in samples}


def grown(before: str, after: str, name: str) -> dict[tuple[str, ...], float]:
    """By how much."""
    old = values(before, name)
    return {labels: value - old.get(labels, 0) for labels, value in values(after, name).items() if value != old.get(labels, 0)}


def test_requests_by_route_method_and_status(site: "Site") -> None:
    before = scrape(site.store)
    site.ask("GET", site.view[ANNA] + "?x=secret")
    site.ask("GET", site.view[ANNA][:-1])
    site.ask("DELETE", site.view[ANNA])
    site.ask("EVIL", "/nothing/secret")
    site.ask("POST", site.unsubscribe[BERT], content=b"x" * 70_000)
    after = scrape(site.store)
    assert grown(before, after, "newsletter_http_requests_total") == {
        ("GET", "view", "200"): 1,
        ("GET", "view", "404"): 1,
        ("DELETE", "view", "405"): 1,
        ("other", "none", "404"): 1,
        ("POST", "unsubscribe", "413"): 1,
    }
    assert grown(before, after, "newsletter_http_request_seconds_count") == {("view",): 3, ("none",): 1, ("unsubscribe",): 1}


def test_who_comes_and_goes_is_counted_once(office: Office) -> None:
    before = scrape(office.site.store)
    link = office.join()
    for _ in range(2):
        office.post(link)
        office.ask("GET", link)
    for _ in range(2):
        office.post(office.site.unsubscribe[BERT])
        office.post(f"/leave/{office.links.preferences_token(office.links.mark(KEY))}")
    after = scrape(office.site.store)
    names = ("newsletter_signups_total", "newsletter_confirmations_total", "newsletter_unsubscribes_total")
    assert [grown(before, after, name) for name in names] == [{(): 1}, {(): 1}, {(): 2}]


def test_nothing_of_anybody_is_in_it(office: Office) -> None:
    link = office.join()
    office.post(link)
    tokens = [url.rsplit("/", 1)[1] for url in (link, *office.site.view.values(), *office.site.unsubscribe.values())]
    for token in tokens:
        for path in ("view", "unsubscribe", "confirm", "nothing", "preferences"):
            office.ask("GET", f"/{path}/{token}")
    text = scrape(office.site.store)
    for secret in (*tokens, KEY, ANNA, BERT, "@", "/"):
        assert secret not in re.sub(r"^# .*$", "", text, flags=re.MULTILINE)


def test_the_campaigns_that_are_not_over_add_up(site: "Site") -> None:
    states = {"sent": 5, "failed": 2, "suppressed": 1, "uncertain": 3, "deferred": 4, "pending": 6, "claimed": 2, "sending": 1}
    with site.store.write() as connection:
        connection.execute(tables.delivery.delete())
        number = 0
        for state, count in states.items():
            for _ in range(count):
                number += 1
                row = {
                    "campaign_id": 1,
                    "address_key": "",
                    "address": "",
                    "mark": number.to_bytes(16),
                    "line": number,
                    "state": state,
                }
                connection.execute(tables.delivery.insert().values(row | {"updated_at": 1}))
        connection.execute(update(tables.campaign).values(candidates=30, duplicates=4, refused=2))
        (one,) = [row.id for row in connection.execute(tables.campaign.select())]
    (standing,) = standings(site.store)
    account = account_of(site.store, one)
    assert standing.counts == {name: getattr(account, name) for name in standing.counts}
    text = scrape(site.store)
    assert values(text, "newsletter_deliveries") == {
        ("2024-12", name): count for name, count in (*list(states.items())[:5], ("pending", 9))
    }
    assert values(text, "newsletter_campaigns") == {("scheduled",): 0, ("running",): 1, ("paused",): 0}
    with site.store.write() as connection:
        connection.execute(update(tables.campaign).values(state="done"))
    text = scrape(site.store)
    assert values(text, "newsletter_deliveries") == {}
    assert values(text, "newsletter_campaigns")[("running",)] == 0


@in_a_file
def test_what_was_sent_is_not_counted(site: "Site") -> None:
    """A million of them: the partial indexes of what is left are enough."""
    asked: list[Any] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "FROM delivery" in statement:
            asked.append((statement, parameters))

    with site.store.read() as connection:
        engine = connection.engine
    event.listen(engine, "before_cursor_execute", note)
    standings(site.store)
    event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 4
    plans = []
    with site.store.read() as connection:
        for statement, parameters in asked:
            (plan,) = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            plans.append(plan)
    for plan, index in zip(plans, ("due", "held_campaign", "deferred", "apart"), strict=True):
        assert f"INDEX ix_delivery_{index} (campaign_id=?" in plan


def test_the_deliveries_are_counted_seldom(site: "Site", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "_SELDOM", 3600.0)
    counted = 0

    def count(store: Store) -> Any:
        nonlocal counted
        counted += 1
        return standings(store)

    monkeypatch.setattr(metrics_module, "standings", count)
    with BackgroundServer() as server:
        server.start(create_metrics(site.store))
        texts = [httpx.get(f"{server.url}/metrics").text for _ in range(3)]
    assert counted == 1
    assert all(values(text, "newsletter_deliveries")[("2024-12", "sent")] == 2 for text in texts)


def test_a_database_that_does_not_answer_is_told(site: "Site") -> None:
    assert values(scrape(site.store), "newsletter_database_up") == {(): 1}
    assert site.ask("GET", "/healthz").status_code == 200
    with site.store.write() as connection:
        tables.suppression.drop(connection)
    text = scrape(site.store)
    assert values(text, "newsletter_database_up") == {(): 0}
    assert values(text, "newsletter_deliveries") == {}
    assert site.ask("GET", "/healthz").status_code == 503


@in_a_file
def test_a_file_that_is_no_database_any_more_is_told(site: "Site", database_url: str) -> None:
    site.store.close()
    file = database_file(database_url)
    assert file is not None
    file.write_bytes(b"not a database, but long enough to be looked at" * 40)
    for old in (f"{file}-wal", f"{file}-shm"):
        Path(old).unlink(missing_ok=True)
    assert site.ask("GET", "/healthz").status_code == 503
    assert values(scrape(site.store), "newsletter_database_up") == {(): 0}


def test_the_readers_pages_have_no_metrics(site: "Site") -> None:
    for host in ("news.seenland.example", "127.0.0.1"):
        assert site.ask("GET", "/metrics", headers={"Host": host}).status_code == 404
