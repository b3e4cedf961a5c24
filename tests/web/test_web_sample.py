"""The sample issue on the web, in each layout: nothing of a recipient is left, and everyone can use it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from newsletter.compose.compile import compile_issue
from newsletter.issue import load_issue
from newsletter.links import Links
from newsletter.settings import Workspace
from newsletter.store import open_store, save_edition, tables
from newsletter.web.app import create_app
from newsletter.web.public_html import unframed
from newsletter.web.server import BackgroundServer
from tests.conftest import ROOT
from tests.real.axe import RULES, each_look, violations
from tests.thorough import only_thorough

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Sent:
    """The sample, sent to one recipient: its two pages, and the mail as it was sent."""

    own: str
    public: str
    mail: str


@pytest.fixture(scope="module", params=["region", pytest.param("plain", marks=only_thorough)])
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    root = tmp_path_factory.mktemp("office")
    shutil.copytree(ROOT / "issues", root / "issues")
    description = root / "issues" / "publication.yaml"
    text = description.read_text(encoding="utf-8")
    description.write_text(text.replace("layout: region ", f"layout: {request.param} "), encoding="utf-8")
    issue = load_issue(Workspace(root), "2026-11")
    assert issue.layout == request.param
    store = open_store(f"sqlite:///{root / 'newsletter.db'}")
    with BackgroundServer() as server:
        links = Links(server.url, b"k" * 32, issue.publication.own_list_id)
        edition = compile_issue(issue, Workspace(root), links.picture_url)
        row = {"id": 1, "key": "k", "slug": "2026-11", "number": 1, "edition_hash": edition.hash, "state": "done"}
        row |= {"list_name": "l", "candidates": 1, "duplicates": 0, "refused": 0, "created_at": 1, "started_at": 1}
        person = {"id": 1, "campaign_id": 1, "address_key": "a@b.c", "address": "a@b.c", "mark": b"m" * 16, "line": 2}
        person |= {"data": '{"first_name": "Ömer"}', "state": "sent", "updated_at": 1}
        with store.write() as connection:
            save_edition(connection, edition, slug="2026-11", moment=1)
            connection.execute(tables.campaign.insert().values(row))
            connection.execute(tables.delivery.insert().values(person))
        server.start(create_app(store, links, issue.publication))
        own = links.view_url(1, 1)
        values = {"first_name": "Ömer", "view_url": own, "unsubscribe_url": links.unsubscribe_url(1, 1, b"m" * 16)}
        yield Sent(own, links.issue_url("2026-11"), edition.html.fill(values))
    store.close()


def test_axe_finds_nothing(sent: Sent, chromium: Browser, axe_source: str) -> None:
    reader = chromium.new_context()
    page = reader.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    for url in (sent.own, sent.public):
        page.goto(url)
        for look in each_look(page):
            assert violations(page, axe_source, runOnly=RULES) == [], look
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), look
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth)")
    assert complaints == []
    reader.close()


def test_what_is_public_has_nothing_of_a_recipient(sent: Sent, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(sent.public)
    text = page.content()
    for private in ("Ömer", "/view/", "/unsubscribe/", "abbestellen", "im Browser ansehen", "nicht mehr erhalten"):
        assert private not in text
        assert private in sent.mail
    assert "Guten Tag, liebe Leserinnen und Leser," in text
    assert page.locator("meta[property='og:image']").get_attribute("content")
    page.close()


def test_what_is_the_readers_own_is_the_mail(sent: Sent, chromium: Browser) -> None:
    page = chromium.new_page()
    answer = page.goto(sent.own)
    assert answer is not None
    assert unframed(answer.text()) == sent.mail
    page.close()
