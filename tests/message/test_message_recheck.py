"""S2: a message that was changed after it was spliced is refused, with the reason."""

from collections.abc import Callable

import pytest

from newsletter.compose.edition import Edition
from newsletter.message.recheck import RecheckError, recheck
from newsletter.message.template import MessageTemplate

MakeEdition = Callable[..., Edition]
Build = Callable[..., bytes]

EXTRA_PART = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhi'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"Precedence: bulk", b"Precedence: bulk\r\nBcc: evil@example.org", "bcc that should not be there"),
        (b"Precedence: bulk", b"Precedence: bulk\r\nSubject: again", "subject that should not be there"),
        (b"To: reader@example.net", b"To: reader@example.net\r\nTo: evil@example.org", "to that should not be there"),
        (b"Precedence: bulk\r\n", b"", "lacks precedence"),
        (b"Precedence: bulk\r\n", b"\r\n", "lacks content-language, content-type"),
        (b"Precedence: bulk", b"Precedence: bulk\nBcc: evil@example.org", "bare LF"),
        (b"Liebe", b"Liebe\r", "bare CR"),
        (b"Liebe", b"Lie\0be", "NUL"),
        (b"Precedence: bulk", b"Precedence: b\xc3\xbclk", "Precedence is not ASCII"),
        (b"Liebe", b"L\xc3\xbcbe", "body is not ASCII"),
        (b"Liebe", b"Liebe" * 20, "body line has"),
        (b"Precedence: bulk", b"Precedence: " + b"b" * 1000, "header line has 1012 octets"),
        (b"text/plain", b"text/calendar", "consists of multipart/alternative, text/calendar, text/html"),
        (b'; charset="utf-8"\r\nContent-Transfer', b'; charset="latin1"\r\nContent-Transfer', "not declared as utf-8"),
        (b"Encoding: quoted-printable", b"Encoding: base64", "not quoted-printable"),
        (b"Encoding: quoted-printable", b"Encoding: quoted-printable\r\nX-More: 1", "x-more that should not be there"),
        (b"Liebe", b"Lie=be", "not valid quoted-printable"),
        (b"Liebe", b"Liebe \r\n", "not valid quoted-printable"),
        (b"J=C3=B6rg", b"J=C3rg", "not UTF-8"),
        (b"List-Id: Digitale Region", b"List-Id: =?utf-8?q?Digitale?=", "List-Id has an encoded word"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nno header at all", "lacks content-type"),
    ],
)
def test_a_changed_message_is_refused(old: bytes, new: bytes, reason: str, make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    raw = build(template)
    assert old in raw
    recheck(raw, template)
    with pytest.raises(RecheckError, match=reason):
        recheck(raw.replace(old, new, 1), template)


def test_a_third_part_is_refused(make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    raw = build(template)
    boundary = raw.split(b'boundary="')[1].split(b'"')[0]
    extra = b"--" + boundary + b"\r\n" + EXTRA_PART + b"\r\n--" + boundary + b"--\r\n"
    with pytest.raises(RecheckError, match="consists of multipart/alternative, text/plain, text/html, text/plain"):
        recheck(raw.replace(b"--" + boundary + b"--\r\n", extra), template)


def test_a_cut_message_is_refused(make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    raw = build(template)
    for end in (len(raw) - 2, len(raw) - 4, len(raw) // 2, 300, 0):
        with pytest.raises(RecheckError):
            recheck(raw[:end], template)


def test_a_message_of_another_edition_without_one_click_is_refused(make_edition: MakeEdition, build: Build) -> None:
    with pytest.raises(RecheckError, match="lacks list-unsubscribe, list-unsubscribe-post"):
        recheck(build(MessageTemplate(make_edition(), one_click=False)), MessageTemplate(make_edition()))
