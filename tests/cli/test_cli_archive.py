"""``newsletter publish --out``: the archive as files, the same that ``serve`` gives out, and who is in it."""

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from newsletter.issue import load_publication
from newsletter.links import Links
from newsletter.settings import Workspace
from newsletter.store import begun_issue, open_store
from newsletter.web.app import create_app

if TYPE_CHECKING:
    from tests.cli.conftest import Office

ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region
date: 2026-12-01
blocks:
  - {type: image, src: see.png, alt: Ein See}
  - {type: text, body: Die Fähre fährt., only: {language: de}}
  - {type: text, body: The ferry sails., only: {language: en}}
"""
URL = "http://127.0.0.1:8025"


@pytest.fixture
def bilingual(office: "Office") -> "Office":
    """The office with a picture and two languages in its issue, and a reader of each."""
    office.issue(ISSUE)
    Image.new("RGB", (400, 300), "#0b4a57").save(office.issue_file.parent / "see.png")
    (office.root / "list.csv").write_text("email;language\nada@example.org;de\nbob@example.org;en\n", encoding="utf-8")
    return office


def files(office: "Office", folder: str = "web") -> dict[str, bytes]:
    root = office.root / folder
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def say(office: "Office", file: str, line: str) -> None:
    place = office.root / "issues" / file
    place.write_text(f"{line}\n{place.read_text(encoding='utf-8')}", encoding="utf-8")


def test_the_files_are_what_serve_gives_out_byte_for_byte(bilingual: "Office") -> None:
    assert bilingual.send().code == 0
    said = bilingual.newsletter("publish", "--out", "web", "--json").json
    published = files(bilingual)
    assert {name for name in published if not name.startswith("pictures/")} == {
        "feed.atom",
        "issues/2026-12/en/index.html",
        "issues/2026-12/index.html",
        "issues/index.html",
    }
    assert len(published) == 5
    workspace = Workspace(bilingual.root)
    publication = load_publication(workspace)
    store = open_store(bilingual.url)
    app = create_app(store, Links(URL, b"k" * 40, publication.own_list_id), publication, workspace.catalogues)

    async def ask(url: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=URL) as client:
            return await client.get(url)

    for file in said["files"]:
        assert file["written"]
        answer = asyncio.run(ask(file["url"]))
        assert answer.status_code == 200
        assert answer.content == (bilingual.root / file["file"]).read_bytes()
        path = urlsplit(file["url"]).path
        assert file["file"] == f"web{path}{'index.html' if path.endswith('/') else ''}"
    assert said["archive"] == f"{URL}/issues/"
    store.close()


def test_every_address_in_the_pages_leads_to_a_file(bilingual: "Office") -> None:
    bilingual.send()
    bilingual.newsletter("publish", "--out", "web")
    published = files(bilingual)
    for data in published.values():
        for path in re.findall(rf'(?:href|src|content)="{URL}([^"#]*)', data.decode("utf-8", "ignore")):
            assert f"{path[1:]}index.html" in published or path[1:] in published


def test_what_is_not_begun_is_in_no_file(office: "Office") -> None:
    office.newsletter("send", "2026-12", "--to", "list.csv", types="n\n")
    ran = office.newsletter("publish", "--out", "web")
    assert ran.code == 0
    assert set(files(office)) == {"issues/index.html", "feed.atom"}
    assert ran.err.endswith(f"next: upload web to {URL}/ (2 new or changed, 0 as before)\n")


def test_an_issue_that_is_taken_back_is_removed_and_the_rest_stays(office: "Office") -> None:
    office.send()
    office.newsletter("publish", "--out", "web")
    (office.root / "web" / "index.html").write_text("mine", encoding="utf-8")
    say(office, "2026-12/issue.yaml", "public: false")
    ran = office.newsletter("publish", "--out", "web")
    assert "  web/issues/2026-12/index.html  removed: it is not public any more\n" in ran.err
    assert set(files(office)) == {"issues/index.html", "feed.atom", "index.html"}
    assert b"Ausgabe Dezember" not in files(office)["issues/index.html"]


def test_a_file_that_is_gone_or_broken_does_not_make_an_issue_public(office: "Office") -> None:
    say(office, "2026-12/issue.yaml", "public: false")
    office.send()
    office.issue("public: [")
    office.newsletter("publish", "--out", "web")
    assert set(files(office)) == {"issues/index.html", "feed.atom"}
    office.issue_file.unlink()
    office.newsletter("publish", "--out", "web")
    assert set(files(office)) == {"issues/index.html", "feed.atom"}
    office.issue(ISSUE.replace("title:", "public: true\ntitle:"))
    office.newsletter("publish", "--out", "web")
    assert "issues/2026-12/index.html" in files(office)


def test_a_publication_without_archive_publishes_what_says_so_alone(office: "Office") -> None:
    say(office, "publication.yaml", "archive: false")
    assert "archive" not in office.newsletter("send", "2026-12", "--to", "list.csv", types="n\n").err
    office.send()
    ran = office.newsletter("publish", "--out", "web")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "nothing is public: archive: false in publication.yaml" in ran.err
    assert not (office.root / "web").exists()
    say(office, "2026-12/issue.yaml", "public: true")
    assert office.newsletter("publish", "--out", "web").code == 0
    assert set(files(office)) == {"issues/index.html", "issues/2026-12/index.html", "feed.atom"}


def test_the_plan_says_that_an_issue_will_be_public(office: "Office") -> None:
    plan = office.newsletter("send", "2026-12", "--to", "list.csv", types="n\n").err
    assert f"  archive   public at {URL}/issues/2026-12/ once it is sent; public: false in the issue keeps it out\n" in plan


def test_serve_reads_what_the_files_say_when_it_starts(office: "Office", monkeypatch: pytest.MonkeyPatch) -> None:
    office.send()
    say(office, "2026-12/issue.yaml", "public: false")
    monkeypatch.setattr("newsletter.web.server.serve", lambda *_arguments: None)
    assert office.newsletter("serve").code == 0
    store = open_store(office.url)
    issue = begun_issue(store, "2026-12")
    store.close()
    assert issue is not None
    assert issue.public is False


def test_a_page_can_be_there_before_the_mails_are(bilingual: "Office") -> None:
    ran = bilingual.newsletter("publish", "--out", "web", "--ahead", "2026-12")
    assert ran.code == 0
    ahead = files(bilingual)
    assert {"issues/2026-12/index.html", "issues/2026-12/en/index.html"} < set(ahead)
    assert b"2026-12" not in ahead["issues/index.html"] + ahead["feed.atom"]
    assert sum(name.startswith("pictures/") for name in ahead) == 1
    bilingual.send()
    assert bilingual.newsletter("publish", "--out", "web", "--ahead", "2026-12").code == 0
    after = files(bilingual)
    assert set(after) == set(ahead)
    assert b"2026-12" in after["issues/index.html"]
    assert b"article:published_time" in after["issues/2026-12/index.html"]


def test_what_cannot_be_is_told(office: "Office") -> None:
    assert office.newsletter("publish").code == 2
    wrong = office.newsletter("publish", "2026-12", "--ahead", "2026-12", "--out", "web")
    assert (wrong.code, wrong.err) == (2, "--ahead belongs to the archive; leave the issue before it out\n")
    say(office, "2026-12/issue.yaml", "public: false")
    hidden = office.newsletter("publish", "--ahead", "2026-12", "--out", "web")
    assert hidden.code == 2
    assert "issue.yaml: is not public" in hidden.err
    office.settings(public_url="")
    nowhere = office.newsletter("publish", "--out", "web")
    assert nowhere.code == 2
    assert "NEWSLETTER_PUBLIC_URL: is not set; the pages need the address" in nowhere.err
    assert not (office.root / "web").exists()
