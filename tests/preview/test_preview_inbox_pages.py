"""The inbox's pages show what came, and nothing in it can do anything."""

import smtplib
from email.message import EmailMessage

import pytest

from newsletter.preview.app import Studio
from tests.preview.conftest import Visitor


@pytest.fixture
def raw(studio: Studio) -> bytes:
    """A mail from outside that is up to no good, in the inbox."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "<b>Grüße</b>", "eve@example.org", "me@example.org"
    mail.set_content("Nur Text & mehr\n")
    mail.add_alternative('<html><head></head><body><script>alert(1)</script><img src="cid:p@x"></body></html>', subtype="html")
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(b"\x89PNG", "image", "png", cid="<p@x>")  # type: ignore[union-attr]
    mail.add_attachment(b"<script>alert(2)</script>", "text", "html", filename='../x".html')
    data = mail.as_bytes().replace(b"\n", b"\r\n")
    with smtplib.SMTP(studio.inbox.host, studio.inbox.port) as client:
        client.sendmail("eve@example.org", ["me@example.org"], data)
    (received,) = studio.inbox
    return received.data


def test_an_empty_inbox_says_so(visitor: Visitor) -> None:
    assert "Noch ist nichts angekommen" in visitor.get("inbox").text


def test_the_list_names_what_came_the_newest_first(visitor: Visitor, studio: Studio, raw: bytes) -> None:
    with smtplib.SMTP(studio.inbox.host, studio.inbox.port) as client:
        client.sendmail("a@example.org", ["b@example.org"], b"To: b@example.org\r\n\r\nhi\r\n")
    text = visitor.get("inbox").text
    assert text.index("(ohne Betreff)") < text.index("&lt;b&gt;Grüße&lt;/b&gt;")
    assert '<span class="count">2</span>' in text
    assert f"{studio.inbox.host}:{studio.inbox.port}" in text


def test_a_mail_is_shown_in_all_its_parts(visitor: Visitor, raw: bytes) -> None:
    page = visitor.get("inbox/1").text
    assert "<b>Grüße" not in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "multipart/mixed" in page
    assert "Nur Text &amp; mehr" in visitor.get("inbox/1?view=text").text
    assert "Subject:" in visitor.get("inbox/1?view=headers").text
    assert "Content-Transfer-Encoding" in visitor.get("inbox/1?view=source").text


def test_the_bytes_are_those_that_came(visitor: Visitor, raw: bytes) -> None:
    answer = visitor.get("inbox/1/message.eml")
    assert (answer.content, answer.headers["Content-Type"]) == (raw, "message/rfc822")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="message-1.eml"'


def test_its_html_can_do_nothing(visitor: Visitor, raw: bytes) -> None:
    answer = visitor.get("inbox/1/mail")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self' http://127.0.0.1:*")
    assert policy.endswith("sandbox allow-popups allow-popups-to-escape-sandbox")
    assert "script-src" not in policy
    assert "/parts/5" in answer.text


def test_parts_are_shown_as_pictures_or_saved(visitor: Visitor, raw: bytes) -> None:
    picture = visitor.get("inbox/1/parts/5")
    assert (picture.content, picture.headers["Content-Type"]) == (b"\x89PNG", "image/png")
    attached = visitor.get("inbox/1/parts/6")
    assert attached.content.startswith(b"<script>")
    assert attached.headers["Content-Type"] == "application/octet-stream"
    assert attached.headers["Content-Disposition"] == 'attachment; filename="x-.html"'
    assert visitor.get("inbox/1/parts/0").status_code == 404  # it is made of others


def test_pictures_of_a_test_mail_come_from_here(visitor: Visitor) -> None:
    visitor.post("issue/2026-12/test", address="me@example.org")
    html = visitor.get("inbox/1/mail").text
    assert "127.0.0.1:8025/pictures" not in html
    address = html.split("<img", 1)[1].split('src="', 1)[1].split('"')[0]
    assert visitor.ask("GET", address).status_code == 200
