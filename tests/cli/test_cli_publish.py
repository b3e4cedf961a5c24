"""``newsletter publish``: the pictures of an issue under the names that its mails use, and nothing else touched."""

import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

BASE = "https://www.example.org/bilder"
ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region
date: 2026-12-01
blocks:
  - {type: image, src: see.png, alt: Ein See}
  - {type: image, src: wald.png, alt: Ein Wald}
"""


def choose(office: "Office", pictures: str) -> None:
    publication = office.root / "issues" / "publication.yaml"
    publication.write_text(f"{publication.read_text(encoding='utf-8')}pictures: {pictures}\n", encoding="utf-8")


@pytest.fixture
def shown(office: "Office") -> "Office":
    """The office with an issue that shows two pictures."""
    office.issue(ISSUE)
    Image.new("RGB", (40, 30), "#0b4a57").save(office.issue_file.parent / "see.png")
    Image.new("RGB", (40, 30), "#0a5a20").save(office.issue_file.parent / "wald.png")
    return office


def test_the_mails_find_their_pictures_where_the_folder_is_uploaded(shown: "Office", post: "Post") -> None:
    choose(shown, f"{{base_url: {BASE}/}}")
    ran = shown.newsletter("publish", "2026-12", "--out", "web/bilder")
    assert ran.code == 0
    assert shown.send().code == 0
    html = next(iter(post)).message.get_body(("html",))
    assert html is not None
    sources = re.findall(r'src="([^"]+)"', html.get_content())
    assert len(sources) == 2
    for source in sources:
        folder, name = source.rsplit("/", 1)
        assert folder == BASE
        assert (shown.root / "web" / "bilder" / name).read_bytes().startswith(b"\x89PNG")
        assert f"  web/bilder/{name}  written\n    {source}\n" in ran.err
    assert ran.err.endswith(f"next: upload what is in web/bilder to {BASE}, then send\n")
    assert len(list((shown.root / "web" / "bilder").iterdir())) == 2  # no part is left over


def test_what_is_there_stays(shown: "Office") -> None:
    choose(shown, f"{{base_url: '{BASE}'}}")
    folder = shown.root / "web"
    folder.mkdir()
    (folder / "index.html").write_text("mine", encoding="utf-8")
    first = shown.newsletter("publish", "2026-12", "--out", "web", "--json").json
    assert [file["written"] for file in first["files"]] == [True, True]
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    again = shown.newsletter("publish", "2026-12", "--out", "web", "--json").json
    assert again == {
        "issue": "2026-12",
        "files": [{"file": file["file"], "url": f"{BASE}/{file['file'][4:]}", "written": False} for file in first["files"]],
    }
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    assert shown.newsletter("publish", "2026-12", "--out", "web").err.count("there already") == 2


def test_another_file_of_the_same_name_is_never_overwritten(shown: "Office") -> None:
    choose(shown, f"{{base_url: '{BASE}'}}")
    shown.newsletter("publish", "2026-12", "--out", "web")
    first, second = sorted((shown.root / "web").iterdir())
    first.write_bytes(b"mine")
    second.unlink()
    ran = shown.newsletter("publish", "2026-12", "--out", "web")
    assert ran.code == 2
    assert ran.err.startswith(f"web/{first.name}: is something else than what this issue needs there; ")
    assert first.read_bytes() == b"mine"
    assert not second.exists()


@pytest.mark.parametrize(
    ("pictures", "said"),
    [("hosted", "newsletter serve gives the pictures out"), ("inline", "the pictures travel inside each mail")],
)
def test_where_pictures_are_not_elsewhere_it_says_that_they_are_not_needed(shown: "Office", pictures: str, said: str) -> None:
    choose(shown, pictures)
    ran = shown.newsletter("publish", "2026-12", "--out", "web")
    assert ran.code == 0
    assert f"these files are not needed: {said}" in ran.err
    assert len(list((shown.root / "web").iterdir())) == 2


def test_an_issue_without_pictures_needs_no_upload(office: "Office") -> None:
    ran = office.newsletter("publish", "2026-12", "--out", "web")
    assert ran.code == 0
    assert "nothing needs to be uploaded" in ran.err


def test_a_folder_that_cannot_be_made_is_told(shown: "Office") -> None:
    (shown.root / "web").write_text("a file", encoding="utf-8")
    ran = shown.newsletter("publish", "2026-12", "--out", "web")
    assert (ran.code, ran.err) == (2, "web: is a file; name a folder, which need not exist yet\n")


def test_the_plan_reminds_of_it_only_where_pictures_are_elsewhere(shown: "Office") -> None:
    assert "publish" not in shown.newsletter("send", "2026-12", "--to", "list.csv", types="n\n").err
    choose(shown, f"{{base_url: '{BASE}'}}")
    plan = shown.newsletter("send", "2026-12", "--to", "list.csv", types="n\n").err
    assert f"  pictures  at {BASE}; newsletter publish 2026-12 --out DIR writes what must be there\n" in plan
