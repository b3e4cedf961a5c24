"""The mail in the browser, its pictures, and what is no page."""

from typing import TYPE_CHECKING

import pytest
from lxml.html import document_fromstring

from newsletter.compose.edition import UNSUBSCRIBE, VIEW
from newsletter.links import Links
from newsletter.store import erase, note_public, tables
from newsletter.web.public_html import unframed
from tests.real.postgresql import both

if TYPE_CHECKING:
    from tests.web.conftest import Site

ANNA = "anna@example.org"


@both
def test_the_view_is_exactly_the_mail_that_was_sent(site: "Site") -> None:
    for address, name in {ANNA: "Änne & <Co>", "cora@example.org": ""}.items():
        answer = site.ask("GET", site.view[address])
        values = {"name": name, VIEW: site.view[address], UNSUBSCRIBE: site.unsubscribe[address]}
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert unframed(answer.text) == site.edition.html.fill(values)
    assert "Leserinnen und Leser" in answer.text


def test_the_view_is_fenced_in(site: "Site") -> None:
    headers = site.ask("GET", site.view[ANNA]).headers
    policy = {part.split()[0]: part.split()[1:] for part in headers["content-security-policy"].split(";")}
    assert policy == {
        "default-src": ["'none'"],
        "img-src": ["'self'", "https:"],
        "style-src": ["'unsafe-inline'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-robots-tag"] == "noindex"
    assert "private" in headers["cache-control"]
    assert "set-cookie" not in headers


def test_the_link_of_a_test_mail_says_so(site: "Site") -> None:
    answer = site.ask("GET", site.links.view_url(0, 0))
    assert answer.status_code == 200
    assert "<h1>Dieser Link gehört zu einem Test</h1>" in answer.text


def test_the_view_leads_to_what_may_be_passed_on_and_is_else_the_mail(site: "Site") -> None:
    root = document_fromstring(site.ask("GET", site.view[ANNA]).text)
    (share,) = root.findall("./body/aside")
    assert (share.get("lang"), share.get("dir")) == ("de", "ltr")
    (link,) = share.findall(".//a")
    assert link.get("href") == site.links.issue_url("2024-12")
    assert link.text == "„Ausgabe 4“ für alle"
    assert "Zum Weitergeben" in "".join(map(str, share.itertext()))
    assert [element.tag for element in root.findall("./body/*")] == ["aside", "main"]


def test_the_view_of_what_is_not_public_leads_nowhere_else(site: "Site") -> None:
    note_public(site.store, "2024-12", False)
    page = site.ask("GET", site.view[ANNA]).text
    assert "<aside" not in page
    assert "/issues/" not in page


def test_the_stored_edition_is_not_touched(site: "Site") -> None:
    before = site.dump()
    site.ask("GET", site.view[ANNA])
    site.ask("GET", site.links.issue_url("2024-12"))
    assert site.dump() == before


def test_where_the_row_is_not_there_at_once_it_is_waited_for(site: "Site") -> None:
    gone = site.links.view_url(1, 99)
    at_once = [site.ask("GET", url) for url in (site.view[ANNA], gone)]
    assert site.store._glances is not None
    site.store._glances.close()
    in_a_thread = [site.ask("GET", url) for url in (site.view[ANNA], gone)]
    assert [answer.status_code for answer in at_once] == [200, 404]
    assert [(one.content, one.headers) for one in at_once] == [(one.content, one.headers) for one in in_a_thread]


@both
def test_where_the_database_does_not_answer_the_page_says_so(site: "Site") -> None:
    assert site.ask("GET", site.view[ANNA]).status_code == 200
    with site.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE delivery RENAME TO elsewhere")
    answer = site.ask("GET", site.view[ANNA])
    assert answer.status_code == 503
    assert "elsewhere" not in answer.text


@pytest.mark.parametrize("how", ["erased", "retention"])
def test_once_the_values_are_gone_the_link_leads_to_the_page_for_everyone(site: "Site", how: str) -> None:
    if how == "erased":
        erase(site.store, site.links.mark(ANNA), "region.seenland.example")
    else:
        forget(site)
    answer = site.ask("GET", site.view[ANNA])
    assert answer.status_code == 303
    assert answer.headers["location"] == site.links.issue_url("2024-12")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == b""


def test_what_is_not_public_is_still_shown_to_whom_it_was_sent_without_his_values(site: "Site") -> None:
    note_public(site.store, "2024-12", False)
    forget(site)
    answer = site.ask("GET", site.view[ANNA])
    assert answer.status_code == 200
    assert "Hallo Leserinnen und Leser" in answer.text
    for secret in ("Änne", "/unsubscribe/", "/view/", "/issues/", "canonical", "og:"):
        assert secret not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "form-action 'none'" in answer.headers["content-security-policy"]
    assert "private" in answer.headers["cache-control"]


@both
def test_a_mail_whose_row_is_gone_is_not_there(site: "Site") -> None:
    missing = site.ask("GET", "/nothing")
    assert missing.status_code == 404
    assert "<h1>Diese Seite gibt es nicht</h1>" in missing.text
    for url in (site.links.view_url(1, 99), site.links.view_url(2, 1)):
        answer = site.ask("GET", url)
        assert (answer.status_code, answer.content) == (404, missing.content)


def forget(site: "Site") -> None:
    """Delete Anna's values, as retention does."""
    with site.store.write() as connection:
        connection.execute(tables.delivery.update().where(tables.delivery.c.address == ANNA).values(data=None))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/view",
        "/view/",
        "/view/x/y",
        "/unsubscribe/",
        "/unsubscribe/%00",
        "/view/%ff%fe",
        "/view/a%2Fb",
        "/pictures/none.png",
        "/pictures/..%2f..%2fetc%2fpasswd",
        "/favicon.ico",
        "/healthz/",
    ],
)
def test_what_is_no_page_gets_the_same_404(site: "Site", path: str) -> None:
    usual, answer = site.ask("GET", "/nothing"), site.ask("GET", path)
    assert answer.status_code == 404
    assert answer.content == usual.content
    assert answer.headers == usual.headers


@pytest.mark.parametrize("purpose", ["view", "unsubscribe"])
def test_every_bad_token_gets_the_same_404(site: "Site", purpose: str) -> None:
    usual = site.ask("GET", "/nothing")
    right = (site.view if purpose == "view" else site.unsubscribe)[ANNA].rsplit("/", 1)[1]
    swapped = (site.unsubscribe if purpose == "view" else site.view)[ANNA].rsplit("/", 1)[1]
    mark = site.links.mark(ANNA)
    foreign = [
        Links(site.links.public_url, b"another-key-0123456789abcdefghij", "region.seenland.example"),
        Links(site.links.public_url, b"only-for-tests-0123456789abcdef!", "town.seenland.example"),
    ]
    made = [(links.view_url(1, 1), links.unsubscribe_url(1, 1, mark)) for links in foreign]
    tokens = [right[:-1], right + "A", right[1:], right.swapcase(), swapped, "." + right, right.replace(".", ""), "x", "."]
    tokens += [urls[purpose == "unsubscribe"].rsplit("/", 1)[1] for urls in made]
    before = site.dump()
    for token in tokens:
        for method in ("GET", "POST") if purpose == "unsubscribe" else ("GET",):
            answer = site.ask(method, f"/{purpose}/{token}")
            assert (answer.status_code, answer.content) == (404, usual.content), (method, token)
            assert answer.headers == usual.headers
    assert site.dump() == before


@both
def test_a_picture_is_given_out_for_ever(site: "Site") -> None:
    answer = site.ask("GET", "/pictures/3f9a.png")
    assert answer.status_code == 200
    assert answer.content == site.edition.pictures[0].data
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"3f9a.png"', 304), ('W/"3f9a.png"', 304), ('"other", "3f9a.png"', 304), ("*", 304), ('"other"', 200), ("", 200)],
)
def test_a_picture_that_is_known_is_not_sent_again(site: "Site", condition: str, status: int) -> None:
    answer = site.ask("GET", "/pictures/3f9a.png", headers={"If-None-Match": condition})
    assert answer.status_code == status
    assert answer.headers["etag"] == '"3f9a.png"'
    assert bool(answer.content) == (status == 200)


def test_a_picture_that_is_not_there_is_404_whatever_the_client_knows(site: "Site") -> None:
    assert site.ask("GET", "/pictures/other.png", headers={"If-None-Match": "*"}).status_code == 404


@both
def test_health_is_the_databases(site: "Site") -> None:
    assert site.ask("GET", "/healthz").text == "ok\n"
    with site.store.write() as connection:
        tables.suppression.drop(connection)
    assert site.ask("GET", "/healthz").status_code == 503
