"""An issue whose blocks are for some recipients only, from the files to the mailboxes, the browser and ``render``."""

import asyncio
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from newsletter.issue import load_publication
from newsletter.links import Links
from newsletter.settings import Workspace
from newsletter.store import open_store
from newsletter.web.app import create_app
from newsletter.web.public_html import unframed
from tests.real.postgresql import both

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region
date: 2026-12-01
blocks:
  - {type: contents}
  - {type: text, title: Die Fähre fährt, only: {language: de}}
  - {type: text, title: The ferry sails, only: {language: en}}
  - {type: divider}
  - {type: article, title: Für die Presse, body: "Fragen an {{ kontakt }}", only: {tag: presse}}
  - {type: event, title: Pressetermin, starts: 2026-12-05, calendar: true, only: {tag: presse, language: de}}
"""
LIST = """\
email;vorname;sprache;themen;kontakt
ada@example.org;Ada;;;
bob@example.org;Bob;en-GB;Sport;
cyd@example.org;Cyd;DE;"Sport, Presse";030 1
dan@example.org;Dan;en;presse;030 2
eve@example.org;Eve;;kommunen;
"""
WORDS = ("Die Fähre fährt", "The ferry sails", "Für die Presse", "Pressetermin")
#: What each gets of the words.
GETS = {"ada": "1000", "bob": "0100", "cyd": "1011", "dan": "0110", "eve": "1000"}


@pytest.fixture
def varied(office: "Office") -> "Office":
    office.issue(ISSUE)
    (office.root / "list.csv").write_text(LIST, encoding="utf-8")
    return office


def has(text: str) -> str:
    """Which of the words stand in a text."""
    return "".join("01"[word in text] for word in WORDS)


@both
def test_everyone_gets_what_is_for_them_in_mail_and_browser(varied: "Office", post: "Post") -> None:
    ran = varied.send()
    assert ran.code == 0
    plan = ran.err[ran.err.index("  variants ") :].splitlines()[:4]
    assert plan == [
        "  variants  2 get it without “The ferry sails”, “Für die Presse” and “Pressetermin”",
        "            1 gets it without “Die Fähre fährt”, “Für die Presse” and “Pressetermin”",
        "            1 gets it without “Die Fähre fährt” and “Pressetermin”",
        "            1 gets it without “The ferry sails”",
    ]
    texts = post.texts()
    assert {address.split("@")[0]: has(text) for address, text in texts.items()} == GETS
    assert "Fragen an 030 2" in texts["dan@example.org"]
    assert ("* * *" in texts["ada@example.org"], "* * *" in texts["cyd@example.org"]) == (False, True)
    publication = load_publication(Workspace(varied.root))
    store = open_store(varied.url)
    app = create_app(store, Links("http://127.0.0.1:8025", b"k" * 40, publication.own_list_id), publication)

    async def get(url: str) -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return (await client.get(url)).text

    for received in post:
        name = received.recipients[0].split("@")[0]
        body = received.message.get_body(("html",))
        assert body is not None
        html = body.get_content()
        assert has(html) == GETS[name]
        (view,) = set(re.findall(r'href="(http://127.0.0.1:8025/view/[^"]+)"', html))
        assert unframed(asyncio.run(get(view))).splitlines() == html.splitlines()
        files = [part.get_filename() for part in received.message.iter_attachments()]
        assert files == (["Pressetermin.ics"] if name == "cyd" else [])
    store.close()


def test_what_a_variant_needs_is_asked_of_those_who_get_it(varied: "Office", post: "Post") -> None:
    text = (varied.root / "list.csv").read_text(encoding="utf-8")
    (varied.root / "list.csv").write_text(text.replace("030 2", ""), encoding="utf-8")
    ran = varied.send()
    assert ran.code == 2
    assert [line for line in ran.err.splitlines() if "kontakt" in line] == [
        "list.csv:5:1: dan@example.org has no kontakt, which the issue needs;"
        " fill the cell, or give the merge field a default: {{ kontakt | default('…') }} (M2-empty-field)"
    ]
    varied.recipients("ada@example.org;Ada")  # no column for it, and nobody of the press
    assert varied.send().code == 0
    assert has(post.texts()["ada@example.org"]) == GETS["ada"]


def test_a_column_that_somebody_needs_is_missed(varied: "Office", post: "Post") -> None:
    (varied.root / "list.csv").write_text("email;tags\nada@example.org;presse\n", encoding="utf-8")
    ran = varied.send()
    assert (ran.code, len(post)) == (2, 0)
    assert "issue.yaml:9:61: blocks[4].body: the merge field kontakt is no column of list.csv" in ran.err


def test_what_goes_on_later_is_what_was_frozen(varied: "Office", post: "Post") -> None:
    assert varied.send("--limit", "2").code == 0
    assert "changed since" not in varied.send("--limit", "1").err
    varied.edit("only: {tag: presse}", "only: {tag: [presse, kommunen]}")
    assert "changed since" in varied.send().err
    assert {address.split("@")[0]: has(text) for address, text in post.texts().items()} == GETS


def test_another_word_in_a_block_for_some_is_pointed_out(varied: "Office") -> None:
    assert varied.send("--limit", "1").code == 0
    varied.edit("Fragen an", "Anfragen an")
    assert "changed since" in varied.send().err


def test_a_mail_without_content_is_refused(varied: "Office", post: "Post") -> None:
    text = (varied.root / "list.csv").read_text(encoding="utf-8")
    (varied.root / "list.csv").write_text(text + "fay@example.org;Fay;fr;;\ngus@example.org;Gus;fr;;\n", encoding="utf-8")
    ran = varied.send()
    assert (ran.code, len(post)) == (2, 0)
    assert [line for line in ran.err.splitlines() if "no block" in line] == [
        "list.csv:7:1: fay@example.org gets no block of the issue that says anything;"
        " write one without only, or one that is for them"
    ]
    rendered = varied.newsletter("render", "2026-12", "--out", "out", "--language", "fr")
    assert rendered.code == 2
    assert "issue.yaml:5:3: blocks: ada.lovelace@example.org gets no block" in rendered.err
    assert not (varied.root / "out").exists()


def test_conditions_alone_do_not_explode(office: "Office", post: "Post") -> None:
    tags = [f"t{number}" for number in range(40)]
    blocks = "".join(f"  - {{type: text, body: w{tag}w, only: {{tag: {tag}}}}}\n" for tag in tags)
    office.issue(f"title: T\nsubject: S\ndate: 2026-12-01\nblocks:\n  - {{type: text, body: x}}\n{blocks}")
    rows = [f"p{number}@example.org;{'t1;t2' if number % 2 else ''}" for number in range(6)]
    (office.root / "list.csv").write_text(
        "\n".join(["email,tags", *(row.replace(";", ",", 1) for row in rows)]), encoding="utf-8"
    )
    assert office.send().code == 0
    assert "wt2w" in post.texts()["p1@example.org"]
    assert "wt2w" not in post.texts()["p0@example.org"]
    many = "\n".join(["email,tags", *(f"q{number}@example.org,{tag}" for number, tag in enumerate(tags))])
    (office.root / "list.csv").write_text(many, encoding="utf-8")
    ran = office.send("--again")
    assert ran.code == 2
    assert "blocks: the recipients of list.csv would get more than 32 different mails, for the blocks have 40" in ran.err


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((), "1000"),
        (("--language", "en"), "0100"),
        (("--tag", "presse"), "1011"),
        (("--tag", "sport", "--tag", "Presse", "--language", "EN-us"), "0110"),
        (("--to", "list.csv", "--email", "dan@example.org"), "0110"),
        (("--to", "list.csv", "--email", "dan@example.org", "--language", "de"), "1011"),
        (("--to", "list.csv"), "1000"),
    ],
)
def test_render_shows_any_variant(varied: "Office", options: tuple[str, ...], wanted: str) -> None:
    ran = varied.newsletter("render", "2026-12", "--out", "out", *options)
    assert ran.code == 0
    for name in ("message.html", "message.txt"):
        assert has((varied.root / "out" / name).read_text(encoding="utf-8")) == wanted
    assert ("Pressetermin.ics" in (varied.root / "out" / "message.eml").read_text()) == (wanted[3] == "1")
    assert "gets it without “" in ran.err


def test_pictures_to_upload_are_those_of_every_block(office: "Office") -> None:
    office.issue(
        "title: T\nsubject: S\ndate: 2026-12-01\nblocks:\n  - {type: text, body: x}\n"
        "  - {type: image, src: see.png, alt: Ein See, only: {tag: presse}}\n"
    )
    Image.new("RGB", (40, 30), "#0b4a57").save(office.issue_file.parent / "see.png")
    publication = office.root / "issues" / "publication.yaml"
    text = publication.read_text(encoding="utf-8")
    publication.write_text(text + "pictures: {base_url: 'https://bilder.example.org'}\n", encoding="utf-8")
    assert office.newsletter("render", "2026-12", "--out", "out").code == 0
    assert len(list((office.root / "out" / "pictures").iterdir())) == 1
    assert "bilder.example.org" not in (office.root / "out" / "message.eml").read_text()
