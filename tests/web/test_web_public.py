"""The public side: an issue for nobody in particular, the archive, and who may see what (L1, L15, L19)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from lxml.html import HtmlElement, document_fromstring
from playwright.sync_api import Browser

from newsletter.compose.edition import Part, Slot, Variant
from newsletter.issue.only import Condition
from newsletter.store import is_suppressed, note_public, save_edition, tables
from tests.real.axe import RULES, each_look, violations
from tests.web.conftest import PEOPLE, Site, make_site

ISSUE = "/issues/2024-12/"


def document(site: Site, path: str) -> HtmlElement:
    answer = site.ask("GET", path)
    assert answer.status_code == 200
    return document_fromstring(answer.text)


def campaign(site: Site, **values: Any) -> None:
    """Change the site's campaign."""
    with site.store.write() as connection:
        connection.execute(tables.campaign.update().values(**values))


def add_issue(site: Site, slug: str, *, number: int = 1, state: str = "done", **changes: Any) -> None:
    """One more campaign, of the site's edition with these changes; ``at`` is when it began."""
    at = changes.pop("at", None)
    edition = replace(site.edition, **changes)
    row = {"key": f"{slug}-{number}", "slug": slug, "number": number, "edition_hash": edition.hash, "state": state}
    row |= {"list_name": "l.csv", "candidates": 0, "duplicates": 0, "refused": 0, "created_at": 1, "started_at": at}
    with site.store.write() as connection:
        save_edition(connection, edition, slug=slug, moment=2)
        connection.execute(tables.campaign.insert().values(row))


def listed(site: Site) -> list[str]:
    return [link.text_content() for link in document(site, "/issues/").findall(".//main//h2/a")]


def test_the_page_of_an_issue_is_of_nobody(site: Site) -> None:
    page = site.ask("GET", ISSUE).text
    assert "<h1>Hallo Leserinnen und Leser</h1>" in page
    for private in (*PEOPLE, "Änne", "Bert", "/view/", "/unsubscribe/", "abbestellen", "im Browser ansehen"):
        assert private not in page
    assert '<img src="https://news.seenland.example/pictures/3f9a.png" alt="Ein See"' in page


def test_it_may_be_found_and_can_do_nothing(site: Site) -> None:
    headers = site.ask("GET", ISSUE).headers
    assert "x-robots-tag" not in headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "public, no-cache"
    assert headers["content-type"] == "text/html; charset=utf-8"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "set-cookie" not in headers


def test_its_head_says_what_it_is(site: Site) -> None:
    root = document(site, ISSUE)
    (title,) = root.findall(".//title")
    assert title.text == "Ausgabe 4 – Digitale Region"
    links = {(link.get("rel"), link.get("type")): link.get("href") for link in root.iter("link")}
    assert links == {
        ("canonical", None): "https://news.seenland.example/issues/2024-12/",
        ("alternate", "application/atom+xml"): "https://news.seenland.example/feed.atom",
    }
    said = {meta.get("property"): meta.get("content") for meta in root.iter("meta") if meta.get("property")}
    assert said == {
        "og:type": "article",
        "og:site_name": "Digitale Region",
        "og:title": "Ausgabe 4",
        "og:description": "Ausgabe 4",
        "og:url": "https://news.seenland.example/issues/2024-12/",
        "og:locale": "de_DE",
        "article:published_time": "1970-01-01T00:00:00Z",
    }
    assert all(element.getparent().tag == "head" for element in root.iter("meta", "link", "title"))


def test_its_large_picture_stands_for_it(site: Site) -> None:
    large = replace(site.edition.pictures[0], width=600, height=400)
    add_issue(site, "bild", pictures=(large,))
    said = {meta.get("property"): meta.get("content") for meta in document(site, "/issues/bild/").iter("meta")}
    assert said["og:image"] == "https://news.seenland.example/pictures/3f9a.png"
    assert (said["og:image:width"], said["og:image:height"], said["og:image:alt"]) == ("600", "400", "Ein See")


def test_it_leads_to_archive_imprint_privacy_and_accessibility(site: Site) -> None:
    root = document(site, ISSUE)
    assert [element.tag for element in root.findall("./body/*")] == ["header", "main", "footer"]
    (archive,) = root.findall("./body/header//a")
    assert (archive.text_content(), archive.get("href")) == ("Alle Ausgaben von Digitale Region", site.links.archive_url())
    ways = {link.text_content(): link.get("href") for link in root.findall("./body/footer//a")}
    assert ways == {
        "Impressum": f"{site.links.archive_url()}#imprint",
        "Datenschutz": "https://seenland.example/datenschutz",
        "Barrierefreiheit": "https://seenland.example/barrierefreiheit",
    }
    imprint = document(site, "/issues/").get_element_by_id("imprint")
    assert imprint.text_content() == "Impressum"


@pytest.mark.parametrize("path", ["/issues", "/issues/2024-12"])
def test_the_slash_may_be_missing(site: Site, path: str) -> None:
    assert site.ask("GET", path).content == site.ask("GET", f"{path}/").content


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({"state": "draft"}, False),
        ({"state": "scheduled"}, False),
        ({"state": "cancelled"}, False),
        ({"state": "paused"}, False),
        ({"state": "paused", "started_at": 5}, True),
        ({"state": "cancelled", "started_at": 5}, True),
        ({"state": "running", "started_at": 5}, True),
        ({"state": "done"}, True),
        ({"state": "done", "public": False}, False),
        ({"state": "done", "public": True}, True),
    ],
)
def test_only_what_was_begun_and_is_public_is_there(site: Site, values: dict[str, Any], there: bool) -> None:
    campaign(site, **values)
    missing = site.ask("GET", "/nothing")
    answer = site.ask("GET", ISSUE)
    assert answer.status_code == (200 if there else 404)
    assert there or answer.content == missing.content
    assert listed(site) == (["Ausgabe 4"] if there else [])
    assert (b"Ausgabe 4" in site.ask("GET", "/feed.atom").content) == there


def test_a_club_that_wants_no_archive_has_none(database_url: str) -> None:
    site = make_site(database_url, archive=False)
    for path in ("/issues", "/issues/", ISSUE, "/feed.atom"):
        assert site.ask("GET", path).status_code == 404
    assert "<aside" not in site.ask("GET", site.view["anna@example.org"]).text
    note_public(site.store, "2024-12", True)
    assert listed(site) == ["Ausgabe 4"]
    assert site.ask("GET", ISSUE).status_code == 200
    site.store.close()


def test_the_archive_lists_the_newest_first(site: Site) -> None:
    day = 86_400_000_000
    campaign(site, started_at=10 * day)
    add_issue(site, "mai", at=150 * day, title="Ausgabe Mai", subject=Part(("Ausgabe Mai: Busse und <Bahnen>",)))
    add_issue(site, "märz", at=80 * day, title="Ausgabe <März>")
    add_issue(site, "2024-12", number=2, at=160 * day, title="Ausgabe 4, verbessert")
    assert listed(site) == ["Ausgabe Mai", "Ausgabe <März>", "Ausgabe 4, verbessert"]
    root = document(site, "/issues/")
    assert [time.get("datetime") for time in root.iter("time")] == ["1970-05-31", "1970-03-22", "1970-01-11"]
    assert [time.text for time in root.iter("time")] == ["31. Mai 1970", "22. März 1970", "11. Januar 1970"]
    assert "Busse und <Bahnen>" in root.text_content()
    links = [link.get("href") for link in root.findall(".//main//h2/a")]
    assert links[1] == "https://news.seenland.example/issues/m%C3%A4rz/"
    assert site.ask("GET", links[1]).status_code == 200
    (feed,) = root.findall(".//link[@rel='alternate']")
    assert (feed.get("type"), feed.get("href")) == ("application/atom+xml", site.links.feed_url())
    assert root.find(".//meta[@name='robots']") is None
    assert root.get("lang") == "de"


def test_an_archive_with_nothing_in_it_says_so(site: Site) -> None:
    campaign(site, state="draft")
    assert "Noch ist nichts erschienen." in document(site, "/issues/").text_content()


def with_languages(site: Site, made: tuple[str, ...]) -> None:
    """The site's issue has blocks for German, English and the press; ``made`` are the variants that somebody got."""

    def says(words: str) -> Part:
        return Part((f"<html><head></head><body><p>{words} ", Slot("name", None, "text"), "</p></body></html>"))

    conditions = (Condition(("de",), ()), Condition(("en",), ()), Condition((), ("presse",)))
    words = {"100": "Deutsch", "010": "English", "101": "Presse", "011": "Press"}
    variants = tuple(Variant(name, Part(("x",)), says(words[name])) for name in made)
    edition = replace(site.edition, html=says("Deutsch"), conditions=conditions, variants=variants)
    with site.store.write() as connection:
        save_edition(connection, edition, slug="2024-12", moment=2)
        connection.execute(tables.campaign.update().values(edition_hash=edition.hash))
        connection.execute(tables.delivery.update().values(variant="100"))


def test_where_an_issue_has_several_languages_they_are_offered(site: Site) -> None:
    with_languages(site, ("010", "101"))
    german, english = document(site, ISSUE), document(site, f"{ISSUE}en/")
    assert german.find(".//main/p").text_content() == "Deutsch "
    assert english.find(".//main/p").text_content() == "English "
    (_archive, offered) = german.findall("./body/header//a")
    assert (offered.text_content(), offered.get("lang"), offered.get("hreflang")) == ("English", "en", "en")
    assert offered.get("href") == site.links.issue_url("2024-12", "en")
    (_archive, back) = english.findall("./body/header//a")
    assert (back.text_content(), back.get("href")) == ("Deutsch", site.links.issue_url("2024-12"))
    for root, own in ((german, site.links.issue_url("2024-12")), (english, site.links.issue_url("2024-12", "en"))):
        assert root.find(".//link[@rel='canonical']").get("href") == own
        others = {link.get("hreflang"): link.get("href") for link in root.iter("link") if link.get("hreflang")}
        assert others == {"de": site.links.issue_url("2024-12"), "en": site.links.issue_url("2024-12", "en")}
    for page in (german, english):
        assert "Presse" not in page.text_content()


def test_a_language_that_nobody_got_is_not_offered(site: Site) -> None:
    with_languages(site, ("101",))
    assert len(document(site, ISSUE).findall("./body/header//a")) == 1
    for language in ("en", "de", "fr", "presse", "101"):
        assert site.ask("GET", f"{ISSUE}{language}/").status_code == 404


def test_the_view_leads_to_the_readers_language(site: Site) -> None:
    with_languages(site, ("010",))
    with site.store.write() as connection:
        chosen = tables.delivery.c.address == "bert@example.org"
        connection.execute(
            tables.delivery.update().where(chosen).values(variant="010", data='{"name": "B", "language": "en-GB"}')
        )
    shares = [document(site, site.view[f"{who}@example.org"]).find(".//aside//a").get("href") for who in ("anna", "bert")]
    assert shares == [site.links.issue_url("2024-12"), site.links.issue_url("2024-12", "en")]


@pytest.mark.parametrize("path", ["/issues/", ISSUE, "/feed.atom"])
def test_what_is_known_is_not_sent_again(site: Site, path: str) -> None:
    first = site.ask("GET", path)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    earlier = format_datetime(parsedate_to_datetime(date) - timedelta(seconds=1), usegmt=True)
    for headers, status in [
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": f'"x", W/{tag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": date}, 200),
        ({"If-Modified-Since": date}, 304),
        ({"If-Modified-Since": earlier}, 200),
        ({"If-Modified-Since": "gestern"}, 200),
    ]:
        answer = site.ask("GET", path, headers=headers)
        assert (answer.status_code, bool(answer.content)) == (status, status == 200), headers
        assert (answer.headers["etag"], answer.headers["last-modified"]) == (tag, date)


def test_another_edition_is_another_version(site: Site) -> None:
    before = site.ask("GET", ISSUE)
    add_issue(site, "2024-12", number=2, at=5_000_000_000_000_000, title="Ausgabe 4, verbessert")
    after = site.ask("GET", ISSUE, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert "Ausgabe 4, verbessert" in after.text
    assert parsedate_to_datetime(after.headers["last-modified"]) > parsedate_to_datetime(before.headers["last-modified"])


@pytest.mark.parametrize("path", ["/issues/", "/issues", ISSUE, f"{ISSUE}en/", "/feed.atom"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_no_request_changes_anything(site: Site, path: str, method: str) -> None:
    before = site.dump()
    answer = site.ask(method, path, headers={"X-Forwarded-Host": "evil.example"})
    assert answer.status_code in ((200, 404) if method in ("GET", "HEAD") else (405,))
    assert b"evil" not in answer.content
    other = site.ask(method, path, headers={"Host": "evil.example"})
    assert other.status_code == 404  # S24: for another host there is nothing
    assert b"evil" not in other.content
    assert site.dump() == before


@pytest.mark.parametrize(
    "path", ["/issues/x", "/issues/%00", "/issues/2024-12//", "/issues/..%2F", "/issues/2024-12/../x/y", "/feed.atom/", "/feed"]
)
def test_what_is_no_issue_gets_the_usual_404(site: Site, path: str) -> None:
    usual, answer = site.ask("GET", "/nothing"), site.ask("GET", path)
    assert (answer.status_code, answer.content, answer.headers) == (404, usual.content, usual.headers)


@pytest.fixture
def looked_at(served: Site, tmp_path: Path) -> Iterator[Site]:
    """A site with two languages and a second issue."""
    with_languages(served, ("010",))
    add_issue(served, "mai", at=2_000_000, title="Ausgabe Mai")
    yield served
    assert not is_suppressed(served.store, served.links.mark("anna@example.org"))


@pytest.mark.real
def test_axe_finds_nothing_without_javascript_and_cookies(looked_at: Site, chromium: Browser, axe_source: str) -> None:
    reader = chromium.new_context()
    page = reader.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    links = looked_at.links
    own = looked_at.view["anna@example.org"]
    for url in (links.archive_url(), links.issue_url("2024-12"), links.issue_url("mai"), own):
        page.goto(url)
        # The invented mail of these tests has no lang of its own and no h1: the sample issue is looked at by test_web_sample.
        mail_only = ("html-has-lang:", "page-has-heading-one:", "document-title:")
        for look in each_look(page):
            wrong = [one for one in violations(page, axe_source, runOnly=RULES) if not one.startswith(mail_only)]
            assert wrong == [], look
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), look
    for _, scheme in each_look(page):
        ink, paper = page.locator("aside").evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
        assert (ink, paper) == (("rgb(0, 0, 0)", "rgb(255, 255, 255)") if scheme == "light" else ("rgb(255, 255, 255)", paper))
    assert reader.cookies() == []
    assert complaints == []
    reader.close()


@pytest.mark.real
def test_a_visitor_finds_the_way_without_javascript(looked_at: Site, chromium: Browser) -> None:
    reader = chromium.new_context(java_script_enabled=False)
    page = reader.new_page()
    page.goto(looked_at.view["anna@example.org"])
    page.get_by_role("complementary").get_by_role("link").click()
    assert page.url == looked_at.links.issue_url("2024-12")
    page.get_by_role("link", name="English").click()
    assert page.get_by_role("main").inner_text().startswith("English")
    page.get_by_role("link", name="Alle Ausgaben").click()
    assert page.url == looked_at.links.archive_url()
    page.get_by_role("link", name="Ausgabe Mai").click()
    assert page.url == looked_at.links.issue_url("mai")
    reader.close()
