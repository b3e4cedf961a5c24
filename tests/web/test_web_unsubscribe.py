"""Leaving: by the page's one button or by RFC 8058's one click, and by nothing else."""

import logging
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from newsletter.store import Suppression, list_suppressions, tables
from tests.real.postgresql import both, in_a_file

pytestmark = both

if TYPE_CHECKING:
    from tests.web.conftest import Site

ANNA, BERT, CORA = "anna@example.org", "bert@example.org", "cora@example.org"
BOUNDARY = "----=_one_click"
ONE_CLICK = "List-Unsubscribe=One-Click"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--{BOUNDARY}--\r\n'.encode()
)
BODIES: dict[str, dict[str, Any]] = {
    "urlencoded": {"content": ONE_CLICK.encode(), "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    "multipart": {"content": MULTIPART, "headers": {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}},
    "empty": {"content": b""},
    "strange": {"content": b"\xff\x00{", "headers": {"Content-Type": "application/json", "Origin": "https://mail.example"}},
}


def left(site: "Site") -> list[Suppression]:
    return list(list_suppressions(site.store))


def states(site: "Site") -> dict[str, str]:
    with site.store.read() as connection:
        rows = connection.execute(select(tables.delivery.c.address, tables.delivery.c.state)).all()
    return {row.address: row.state for row in rows}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("query", ["", "?utm_source=gateway&List-Unsubscribe=No&token=x"])
def test_one_click_takes_exactly_this_recipient_off(site: "Site", body: dict[str, Any], query: str) -> None:
    for _ in range(2):
        answer = site.ask("POST", site.unsubscribe[BERT] + query, **body)
        assert answer.status_code == 200
        assert "<h1>Sie sind abgemeldet</h1>" in answer.text
        assert not answer.headers.keys() & {"location", "set-cookie", "www-authenticate"}
        (only,) = left(site)
        assert (only.mark, only.address, only.reason) == (site.links.mark(BERT), BERT, "unsubscribed")
    assert states(site) == {ANNA: "sent", BERT: "suppressed", CORA: "sent"}


def test_the_page_has_one_button_and_nothing_of_the_reader(site: "Site") -> None:
    answer = site.ask("GET", site.unsubscribe[BERT])
    assert answer.status_code == 200
    assert answer.text.count("<form") == answer.text.count("<button") == 1
    assert '<form method="post">' in answer.text  # to the address it has come from
    assert BERT not in answer.text
    assert site.unsubscribe[BERT].rsplit("/", 1)[1] not in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_nothing_but_post_changes_anything(site: "Site", method: str) -> None:
    before = site.dump()
    for url in (*site.view.values(), *site.unsubscribe.values(), "/pictures/3f9a.png", "/healthz", "/nothing"):
        for _ in range(3):
            answer = site.ask(method, url, headers={"Purpose": "prefetch"})
            assert answer.status_code in ((200, 404) if method in ("GET", "HEAD") else (404, 405))
            if answer.status_code == 405:
                assert "GET" in answer.headers["allow"]
    assert site.dump() == before


def test_posting_elsewhere_changes_nothing(site: "Site") -> None:
    before = site.dump()
    for url in (site.view[ANNA], "/pictures/3f9a.png", "/healthz"):
        assert site.ask("POST", url).status_code == 405
    assert site.ask("POST", "/unsubscribe").status_code == 404
    assert site.dump() == before


def test_the_mark_is_enough_when_the_row_is_gone(site: "Site") -> None:
    with site.store.write() as connection:
        connection.execute(tables.delivery.delete().where(tables.delivery.c.address == BERT))
    assert site.ask("POST", site.unsubscribe[BERT]).status_code == 200
    (only,) = left(site)
    assert (only.mark, only.address) == (site.links.mark(BERT), None)


def test_a_row_of_somebody_else_under_the_same_number_is_let_be(site: "Site") -> None:
    """As after a new database with the old key: the mark says who leaves, never the number."""
    gone = site.links.mark("gone@example.org")
    assert site.ask("POST", site.links.unsubscribe_url(1, 1, gone)).status_code == 200
    (only,) = left(site)
    assert (only.mark, only.address) == (gone, None)
    assert states(site)[ANNA] == "sent"


def test_a_draft_changes_nothing(site: "Site") -> None:
    before = site.dump()
    url = site.links.unsubscribe_url(0, 0, bytes(16))
    for method in ("GET", "POST"):
        answer = site.ask(method, url)
        assert answer.status_code == 200
        assert "<h1>Dieser Link gehört zu einem Test</h1>" in answer.text
    assert site.dump() == before


@in_a_file
def test_an_endless_body_is_refused(site: "Site") -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * 1024 * 1024:
            sent += 8192
            yield b"x" * 8192

    before = site.dump()
    assert site.ask("POST", site.unsubscribe[BERT], content=b"x" * 70_000).status_code == 413
    assert site.ask("POST", site.unsubscribe[BERT], content=endless()).status_code == 413
    assert sent < 1024 * 1024
    assert site.dump() == before


def test_where_it_cannot_be_stored_nobody_is_told_so(site: "Site", caplog: pytest.LogCaptureFixture) -> None:
    with site.store.write() as connection:
        tables.suppression.drop(connection)
    answer = site.ask("POST", site.unsubscribe[BERT])
    assert answer.status_code == 503
    assert "<h1>Das hat nicht geklappt</h1>" in answer.text
    assert re.search("no such table|does not exist", caplog.text)
    assert BERT not in caplog.text
    assert repr(site.links.mark(BERT)) not in caplog.text


@in_a_file
def test_the_access_log_has_no_token(site: "Site", caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "newsletter.web")
    site.ask("GET", site.view[ANNA] + "?x=secret")
    site.ask("POST", site.unsubscribe[BERT])
    site.ask("EVIL", "/nothing/secret")
    site.ask("DELETE", site.view[ANNA])
    lines = [record.getMessage() for record in caplog.records if record.name == "newsletter.web.access"]
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "GET view 200",
        "POST unsubscribe 200",
        "other none 404",
        "DELETE view 405",
    ]
    assert "secret" not in "\n".join(lines)
    for url in (site.view[ANNA], site.unsubscribe[BERT]):
        assert url.rsplit("/", 1)[1] not in "\n".join(lines)
