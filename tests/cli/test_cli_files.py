"""Pictures inside the mail and attachments, from the issue file to the mailbox, to the files of ``render`` and the view page."""

import asyncio
import re
from email.message import EmailMessage, Message
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from newsletter.issue import load_publication
from newsletter.links import Links
from newsletter.settings import Workspace
from newsletter.store import open_store
from newsletter.web.app import create_app

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

KEY = "k" * 40
PDF = b"%PDF-1.7\n" + bytes(range(256))
ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region
date: 2026-12-01
attachments:
  - {file: programm.pdf, title: Programm für alle}
blocks:
  - {type: image, src: see.png, alt: Ein See}
"""


@pytest.fixture
def filled(office: "Office") -> "Office":
    """The office with an issue that shows a picture inside the mail and carries an attachment."""
    office.issue(ISSUE)
    Image.new("RGB", (40, 30), "#0b4a57").save(office.issue_file.parent / "see.png")
    (office.issue_file.parent / "programm.pdf").write_bytes(PDF)
    publication = office.root / "issues" / "publication.yaml"
    publication.write_text(publication.read_text(encoding="utf-8") + "pictures: inline\n", encoding="utf-8")
    return office


def parts_of(message: EmailMessage) -> tuple[str, bytes, list[tuple[str | None, bytes]]]:
    """The HTML, the one picture inside the mail, and the attachments."""
    html = message.get_body(("html",))
    assert html is not None
    (picture,) = (part for part in message.walk() if part["Content-ID"])
    content = html.get_content()
    assert f'src="cid:{picture["Content-ID"][1:-1]}"' in content
    attached = [(part.get_filename(), content_of(part)) for part in message.iter_attachments()]
    return content, content_of(picture), attached


def content_of(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def test_what_is_sent_is_complete_also_in_what_is_sent_later(filled: "Office", post: "Post") -> None:
    assert filled.send("--limit", "1").code in (0, 1)
    (filled.issue_file.parent / "programm.pdf").write_bytes(PDF + b"edited since")
    assert filled.send().code == 0
    assert len(post) == 3
    first, *others = (parts_of(received.message) for received in post)
    assert first[1].startswith(b"\x89PNG")
    assert first[2] == [("Programm für alle.pdf", PDF)]
    for other in others:
        assert other[1:] == first[1:]


def test_the_view_page_shows_the_picture_from_the_web_and_hands_out_no_attachment(filled: "Office", post: "Post") -> None:
    filled.send()
    html, picture, _attached = parts_of(next(iter(post)).message)
    view = re.findall(r'href="(http://127.0.0.1:8025/view/[^"]+)"', html)[0]
    publication = load_publication(Workspace(filled.root))
    store = open_store(filled.url)
    app = create_app(store, Links("http://127.0.0.1:8025", KEY.encode(), publication.own_list_id), publication)

    async def get(url: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.get(url)

    page = asyncio.run(get(view)).text
    assert "cid:" not in page
    (source,) = re.findall(r'src="([^"]+)"', page)
    assert asyncio.run(get(source)).content == picture
    with store.read() as connection:
        (stored,) = connection.exec_driver_sql("SELECT name FROM picture WHERE media_type = 'application/pdf'").scalars()
    assert asyncio.run(get(f"http://127.0.0.1:8025/pictures/{stored}")).status_code == 404
    store.close()


@pytest.mark.parametrize("pictures", ["inline", "hosted", "{base_url: 'https://bilder.example.org'}"])
def test_render_shows_the_pictures_wherever_they_live(filled: "Office", pictures: str) -> None:
    publication = filled.root / "issues" / "publication.yaml"
    publication.write_text(publication.read_text(encoding="utf-8").replace("inline", pictures), encoding="utf-8")
    ran = filled.newsletter("render", "2026-12", "--out", "out")
    assert ran.code == 0
    html = (filled.root / "out" / "message.html").read_text(encoding="utf-8")
    (source,) = re.findall(r'src="([^"]+)"', html)
    assert (filled.root / "out" / source).read_bytes().startswith(b"\x89PNG")
    assert "warning" not in ran.err
    mail = (filled.root / "out" / "message.eml").read_bytes()
    assert (b"Content-ID" in mail) == (pictures == "inline")


def test_a_large_mail_is_warned_of_and_one_too_large_is_not_sent(filled: "Office", post: "Post") -> None:
    file = filled.issue_file.parent / "programm.pdf"
    file.write_bytes(PDF + bytes(900_000))
    assert "warning: each mail has 1.2 MB" in filled.newsletter("render", "2026-12", "--out", "out").err
    plan = filled.newsletter("send", "2026-12", "--to", "list.csv", types="n\n").err
    assert re.search(r"^  checks    \d+ warnings, .*; newsletter check 2026-12 shows them$", plan, re.MULTILINE)
    assert "B22-message-heavy" in filled.newsletter("check", "2026-12").err
    file.write_bytes(PDF + bytes(6_900_000))
    filled.edit("  - {file", "  - {file: zweites.pdf}\n  - {file")
    (filled.issue_file.parent / "zweites.pdf").write_bytes(PDF + bytes(900_000))
    ran = filled.send()
    assert ran.code == 2
    assert "issue.yaml:6:12: attachments[1].file: programm.pdf: each mail would have 10.7 MB" in ran.err
    assert len(post) == 0
