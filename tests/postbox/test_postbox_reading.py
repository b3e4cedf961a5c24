"""What strangers send: whatever it is, it is read within bounds or left, and never an error of ours (N6, N9)."""

import base64
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.postbox import Unreadable, date_of, field, is_automatic, own_words, parse, sender_of, words_of
from newsletter.postbox.box import LARGEST


def mail(head: str = "", body: str = "Hallo\n") -> bytes:
    return f"{head}\n\n{body}".encode()


def multipart(depth: int) -> bytes:
    """Nested so deep, the innermost a text."""
    data = b"Content-Type: text/plain\n\nHallo\n"
    for level in range(depth):
        boundary = f"b{level}".encode()
        data = b'Content-Type: multipart/mixed; boundary="%s"\n\n--%s\n%s\n--%s--\n' % (boundary, boundary, data, boundary)
    return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Subject: x\n\n" + b"x" * LARGEST, "larger than 5 MB"),
        (multipart(20), "nested more than 20"),
        (multipart(99), "nested more than 20"),
        (multipart(5000), "more than 100 parts"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100 + b"--b--\n", "more than 100 parts"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 500_000, "more than 100 parts"),
        (b"Content-Type: multipart/digest; boundary=b\n\n" + b"--b\n\nFrom: a\n\nx\n" * 60 + b"--b--\n", "more than 100 parts"),
        (b"Content-Type: text/plain; " + b'a="' * 100_000 + b"\n\nx", "header that is far too long"),
        (b"Content-Type: text/plain;" + b"\n x=y;" * 100_000 + b"\n\nx", "header that is far too long"),
    ],
    ids=["size", "depth", "deeper", "deepest", "parts", "delimiters", "digest", "quotes", "folds"],
)
def test_n9_what_is_beyond_bounds_is_left(data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        parse(data)


def test_n9_what_is_within_bounds_is_read() -> None:
    assert words_of(parse(multipart(19))).strip() == "Hallo"


@given(st.binary(max_size=2000) | st.text(max_size=500).map(lambda text: mail(text, text)))
def test_any_bytes_are_read_or_left(data: bytes) -> None:
    try:
        message = parse(data)
    except Unreadable:
        return
    assert isinstance(words_of(message) + own_words(message) + sender_of(message) + date_of(message), str)
    assert is_automatic(message) in (True, False)
    assert "\n" not in field(message, "Subject")


@given(
    charset=st.sampled_from(
        ["utf-8", "x-unknown", "idna", "punycode", "utf-7", "base64", "rot13", "unicode_escape", "\udcff", ""]
    ),
    body=st.binary(max_size=300),
    encoding=st.sampled_from(["base64", "quoted-printable", "8bit", "x-uuencode", "odd"]),
)
def test_any_charset_survives(charset: str, body: bytes, encoding: str) -> None:
    head = f'Content-Type: text/plain; charset="{charset}"\nContent-Transfer-Encoding: {encoding}\n\n'
    assert isinstance(words_of(parse(head.encode("utf-8", "surrogateescape") + body)), str)


def test_an_unknown_charset_leaves_what_can_be_read() -> None:
    assert words_of(parse(mail('Content-Type: text/plain; charset="x-none"', "unsubscribe ABC"))).strip() == "unsubscribe ABC"
    assert field(parse(mail("Subject: =?x-none?q?abc?= =?utf-8?b?ZGVm?= =?utf-8?b?!!?=")), "Subject").startswith("abc")


@pytest.mark.parametrize("head", [
    "Subject: " + "=?a?q?" * 200_000,
    "Subject: =?utf-8?b?" + "A" * 4_000_000,
    "From: " + "<" * 1_000_000,
    "Date: " + "1" * 1_000_000,
], ids=["words", "word", "brackets", "digits"])  # fmt: skip
def test_a_header_of_a_megabyte_takes_no_time_to_speak_of(head: str) -> None:
    message = parse(mail(head))
    assert len(field(message, "Subject")) <= 4000
    assert date_of(message) == ""
    assert len(sender_of(message)) <= 4000


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied; owner-email=x@example.org",
        "Auto-Submitted: Auto-Notified",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "Return-Path: <>",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "Subject: Abwesenheitsnotiz: unsubscribe 9ABC",
        "Subject: =?utf-8?q?Automatische_Antwort=3A?= Neues",
        "Subject: Re: Out of Office",
        "Subject: Undeliverable: Neues",
        "Subject: Gelesen: Neues",
    ],
)
def test_n6_a_machine_answers(head: str) -> None:
    assert is_automatic(parse(mail(head)))


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "Return-Path: <a@example.org>",
        "Subject: Re: unsubscribe",
        "",
    ],
)
def test_n6_a_person_or_a_provider_for_a_person_asks(head: str) -> None:
    assert not is_automatic(parse(mail(head)))


def test_the_words_are_the_text_else_the_html_and_nothing_that_lies_inside() -> None:
    inner = EmailMessage()
    inner.set_content("the mail that is answered")
    outer = EmailMessage()
    outer.set_content("plain")
    outer.add_alternative("<p>html</p>", subtype="html")
    outer.add_attachment(inner)
    outer.add_attachment("a file", filename="x.txt")
    assert words_of(parse(outer.as_bytes())).strip() == "plain"
    alone = EmailMessage()
    alone.set_content(
        "<html><head><style>p{}</style></head><p>eins<br>zwei</p><blockquote>alt</blockquote></html>", subtype="html"
    )
    assert words_of(parse(alone.as_bytes())).split() == ["eins", "zwei"]
    forwarded = EmailMessage()
    forwarded.set_content(inner)
    assert words_of(parse(forwarded.as_bytes())) == ""


def test_own_words_are_without_what_is_quoted() -> None:
    body = "mine\n> yours\n >> theirs\n| also\nmine again\n"
    assert own_words(parse(mail("", body))).split() == ["mine", "mine", "again"]


def test_base64_and_quoted_printable_are_decoded() -> None:
    text = base64.b64encode("Grüße".encode()).decode()
    assert words_of(parse(mail("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", text))) == "Grüße"
    quoted = mail("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "Gr=C3=BC=\n=C3=9Fe")
    assert words_of(parse(quoted)) == "Grüße"


def test_who_wrote_it_and_when() -> None:
    message = parse(mail("From: =?utf-8?q?=C3=84nne?= <aenne@example.org>\nDate: Tue, 01 Dec 2026 08:00:00 +0100"))
    assert (sender_of(message), date_of(message)) == ("aenne@example.org", "2026-12-01")
    assert (sender_of(parse(b"")), date_of(parse(b""))) == ("", "")
