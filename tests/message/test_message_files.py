"""Pictures inside the message and attachments, against ``EmailMessage`` and by what mail programs demand of them (B16)."""

import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP, compat32, default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.compose.edition import AttachedFile, Edition, Part, PictureFile, Slot, cid_url
from newsletter.message.file_part import FilePart
from newsletter.message.headers import HeaderError
from newsletter.message.recheck import RecheckError, recheck
from newsletter.message.template import MessageTemplate

MakeEdition = Callable[..., Edition]
Build = Callable[..., bytes]

JPEG = b"\xff\xd8\xff" + bytes(range(256)) * 3
PNG = b"\x89PNG\r\n\x1a\n--=_\r\n.\r\n\0"
PDF = b"%PDF-1.7\n" + b"x" * 57 * 4
ID = "region.example.org"
NAMES = {"see.jpg": ("image/jpeg", JPEG), "linie.png": ("image/png", PNG)}
HTML = Part(
    (
        f'<p>Liebe <img src="{cid_url("see.jpg", ID)}" alt=""> ',
        Slot("first_name", "Leute", "text"),
        f'</p>\n<img src="{cid_url("linie.png", ID)}" alt="">\n',
    )
)
ATTACHED = (
    AttachedFile("attached-1.pdf", "Programm für Änne.pdf", "application/pdf", PDF),
    AttachedFile("attached-2.ics", "Termine.ics", "text/calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
)


def with_files(make_edition: MakeEdition, *, inline: bool, attached: bool) -> Edition:
    pictures = tuple(PictureFile(name, kind, 1, 1, data) for name, (kind, data) in NAMES.items())
    edition = make_edition(html=HTML)
    return replace(edition, pictures=pictures, inline=inline, attachments=ATTACHED if attached else ())


def by_email_message(edition: Edition, values: dict[str, str]) -> bytes:
    """The same by the library: add_related, add_attachment."""
    message = EmailMessage(policy=SMTP)
    message.set_content(edition.text.fill(values), cte="quoted-printable")
    message.add_alternative(edition.html.fill(values), subtype="html", cte="quoted-printable")
    html = message.get_body(("html",))
    assert html is not None
    for picture in edition.pictures if edition.inline else ():
        main, sub = picture.media_type.split("/")
        cid = f"<{edition.content_id(picture.name)}>"
        html.add_related(picture.data, main, sub, cid=cid, disposition="inline", filename=picture.name)
    for file in edition.attachments:
        main, sub = file.media_type.split("/")
        message.add_attachment(file.data, main, sub, filename=file.filename)
    return message.as_bytes()


def described(raw: bytes) -> list[tuple[object, ...]]:
    """Every part as a mail program sees it: type, file name, disposition, Content-ID, content."""
    found: list[tuple[object, ...]] = []
    for part in message_from_bytes(raw, policy=default).walk():
        assert isinstance(part, EmailMessage | Message)
        assert not part.defects
        content = None if part.is_multipart() else part.get_payload(decode=True)
        if isinstance(content, bytes) and part.get_content_type() in ("text/plain", "text/html"):
            content = content.replace(b"\r\n", b"\n")
        found.append((part.get_content_type(), part.get_filename(), part.get_content_disposition(), part["Content-ID"], content))
    return found


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("attached", [True, False])
def test_the_parts_are_those_of_email_message(inline: bool, attached: bool, make_edition: MakeEdition, build: Build) -> None:
    edition = with_files(make_edition, inline=inline, attached=attached)
    template = MessageTemplate(edition)
    raw = build(template)
    assert described(raw) == described(by_email_message(edition, {"first_name": "Jörg"} | _links(raw)))
    recheck(raw, template)


def _links(raw: bytes) -> dict[str, str]:
    found = re.search(rb"List-Unsubscribe: <(.*?)>", raw)
    assert found is not None
    return {"unsubscribe_url": found[1].decode()}


def test_the_bytes_keep_the_rules_of_the_wire(make_edition: MakeEdition, build: Build) -> None:
    raw = build(MessageTemplate(with_files(make_edition, inline=True, attached=True)))
    assert raw.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    assert max(map(len, raw.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))) <= 76
    boundaries = re.findall(rb'boundary="(.*?)"', raw)
    assert len(boundaries) == len(set(boundaries)) == 3
    assert [raw.count(b"--" + boundary) for boundary in boundaries] == [4, 3, 4]  # each part and the end; none begins another


def test_hosted_pictures_stay_outside(make_edition: MakeEdition, build: Build) -> None:
    plain = make_edition(html=HTML)
    hosted = with_files(make_edition, inline=False, attached=False)
    sizes = [len(build(MessageTemplate(edition))) for edition in (plain, hosted)]
    assert sizes[0] == sizes[1]


def test_thunderbird_lists_no_picture_as_an_attachment(make_edition: MakeEdition, build: Build) -> None:
    """B16: it does so with one that has no file name, is not inline, or is not shown by the HTML beside it."""
    edition = with_files(make_edition, inline=True, attached=True)
    unseen = PictureFile("unseen.png", "image/png", 1, 1, PNG)
    message = message_from_bytes(build(MessageTemplate(replace(edition, pictures=(*edition.pictures, unseen)))), policy=default)
    (related,) = (part for part in message.walk() if part.get_content_type() == "multipart/related")
    assert related.get_param("type") == "text/html"  # RFC 2387 §3.1
    html, *pictures = related.iter_parts()
    assert [picture.get_filename() for picture in pictures] == ["see.jpg", "linie.png"]
    for picture in pictures:
        assert picture.get_content_disposition() == "inline"
        assert f'src="cid:{str(picture["Content-ID"])[1:-1]}"' in html.get_content()
    assert [part.get_filename() for part in message.iter_attachments()] == ["Programm für Änne.pdf", "Termine.ics"]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=300).map(str.strip).filter(bool))
@example("a" * 64 + ".pdf")
@example("Ä" * 120 + ".pdf")
@example('"; filename="evil.exe')
@example("100 %'s.pdf")
@example("C:\\x.pdf")
def test_every_file_name_is_read_back(name: str) -> None:
    part = FilePart(name, "application/pdf", PDF)
    try:
        raw = part.encoded()
    except HeaderError:
        assert "=?" in name
        return
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    for policy in (default, compat32):
        found = message_from_bytes(raw, policy=policy)
        assert found.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
        assert found.get_content_disposition() == "attachment"
        assert found.get_payload(decode=True) == PDF
    # The old parser gives the name as it was written; the new one drops blanks around it and mends what it takes for damage.
    assert message_from_bytes(raw, policy=compat32).get_filename() == name


@pytest.mark.parametrize(
    ("part", "header"),
    [
        (FilePart("a\r\nBcc: x", "application/pdf", PDF), "Content-Disposition"),
        (FilePart("", "application/pdf", PDF), "Content-Disposition"),
        (FilePart("a.pdf ", "application/pdf", PDF), "Content-Disposition"),
        (FilePart("=?utf-8?q?a=0D=0A?=.pdf", "application/pdf", PDF), "Content-Disposition"),
        (FilePart("a.pdf", "application/pdf\r\nBcc: x", PDF), "Content-Type"),
        (FilePart("a.png", "image/png", PNG, "a b@example.org"), "Content-ID"),
        (FilePart("a.png", "image/png", PNG, "a>\r\nBcc: x@example.org"), "Content-ID"),
    ],
)
def test_nothing_unchecked_gets_into_a_header(part: FilePart, header: str) -> None:
    with pytest.raises(HeaderError) as caught:
        part.encoded()
    assert caught.value.header == header


def test_an_edition_without_its_files_makes_no_messages(make_edition: MakeEdition) -> None:
    for inline, attached in ((True, False), (False, True)):
        edition = with_files(make_edition, inline=inline, attached=attached)
        MessageTemplate(edition)
        with pytest.raises(ValueError, match="has no content; load the edition with its files"):
            MessageTemplate(Edition.from_json(edition.to_json(), {}))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"Content-Disposition: inline", b"Content-Disposition: attachment", "see.jpg is not an attachment, or a picture"),
        (b"Content-Disposition: attachment", b"Content-Disposition: inline", "Programm für Änne.pdf is not an attachment"),
        (b'filename="see.jpg"', b'filename="evil.exe"', "see.jpg is not an attachment, or a picture"),
        (b"Content-ID: <see.jpg@", b"Content-ID: <other.jpg@", "see.jpg is not an attachment, or a picture"),
        (b"Content-ID: <see.jpg@region.example.org>\r\n", b"", "see.jpg lacks content-id"),
        (b"Encoding: base64", b"Encoding: base64\r\nX-More: 1", "see.jpg has x-more that should not be there"),
        (b"Encoding: base64", b"Encoding: 7bit", "see.jpg is not Base64"),
        (b"\r\n/9j/", b"\r\n/9j+", "see.jpg does not hold the file's bytes"),
        (b"\r\nJVBERi0", b"\r\nJVBERi1", "Programm für Änne.pdf does not hold the file's bytes"),
        (b'type="text/html"', b'type="text/plain"', "does not say that it begins with text/html"),
        (b"image/png", b"image/gif", "consists of .*image/jpeg, image/gif"),
        (
            b"multipart/related",
            b"multipart/mixed",
            "consists of multipart/mixed, multipart/alternative, text/plain, multipart/mixed",
        ),
    ],
)
def test_a_changed_file_is_refused(old: bytes, new: bytes, reason: str, make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(with_files(make_edition, inline=True, attached=True))
    raw = build(template)
    assert old in raw
    with pytest.raises(RecheckError, match=reason):
        recheck(raw.replace(old, new, 1), template)
