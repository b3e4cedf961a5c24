"""The header of a message: B1 to B19 on the bytes, and P1 to P3 and S1 with the strings that broke the standard library."""

import base64
import re
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32, default

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.compose.edition import UNSUBSCRIBE, Edition, Part, Slot
from newsletter.message.headers import HeaderError, list_id, mailbox, unstructured
from newsletter.message.recheck import recheck
from newsletter.message.template import MessageTemplate
from tests.thorough import examples

MakeEdition = Callable[..., Edition]
Build = Callable[..., bytes]

#: What P3 and S1 name, and their kin: each would add or end a header line somewhere.
INJECTIONS = [
    *(
        "x\r\nBcc: evil@example.org",
        "x\nBcc: evil@example.org",
        "x\rBcc: evil@example.org",
        "abc\n",
        "abc\r\n\r\nbody",
        "x\x85Bcc: evil",
    ),
    *("x\u2028Bcc: evil", "x\u2029Bcc: evil", "x\0", "x\x0b", "x\x0c", "x\x1e", "x\x7f", "x\x92", "\tx", "x\ud800"),
    *("=?utf-8?q?hi=0D=0ABcc:_evil@example.org?=", "=?utf-8?b?DQpCY2M6IHhAeQ==?=", "=?UTF-8?Q?=0A?=", "=?utf-8*de?b?Cg==?="),
    *("a =?utf-7?q?+AAo-Bcc:?= b", "=?=?utf-8?q?=0A?=", "=?latin1?q?=85?=", "=?utf-8?q?=E2=80=A8?="),
]
#: The same for what is no free text.
ODD_ADDRESSES = [
    *(
        "b@x.org>\r\nRCPT TO:<evil@x.org",
        "b@x.org\r\nBcc: evil@x.org",
        "b@x.org\n",
        "=?utf-8?q?=0D=0ABcc?=@example.org",
        "a@b.org, c@d.org",
    ),
    *(
        "Name <a@b.org>",
        "<a@b.org>",
        '"a@evil x"@internal.org',
        '"a b"@x.org',
        "a@b@c.org",
        "a b@x.org",
        "a@x.org ",
        "a@[127.0.0.1]",
        "@",
        "",
    ),
]
HOMELY = st.text(
    st.one_of(
        st.sampled_from(" .,;:<>@()[]\"\\'=?_-aZ9üß😀é"),
        st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]),
    )
)


def fields(raw: bytes) -> dict[str, str]:
    """The header, unfolded by RFC 5322 §2.2.3; a name twice would be an error."""
    lines = re.sub(r"\r\n(?=[ \t])", "", raw.split(b"\r\n\r\n", 1)[0].decode()).split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    assert max(Counter(name for name, _ in pairs).values()) == 1
    return dict(pairs)


def decoded_by_hand(value: str) -> str:
    """RFC 2047 for what we write: Base64 words of UTF-8, no character split (§5), the blanks between them dropped."""
    if not value.startswith("=?utf-8?b?"):
        return value
    words = value.split(" ")
    assert all(len(word) <= 75 for word in words)
    found = [re.fullmatch(r"=\?utf-8\?b\?([A-Za-z0-9+/=]+)\?=", word) for word in words]
    return "".join(base64.b64decode(match[1], validate=True).decode() if match else "\0" for match in found)


def test_the_whole_header(make_edition: MakeEdition, build: Build) -> None:
    raw = build(MessageTemplate(make_edition(from_name="Jörg Müller", reply_to="redaktion@example.org", language="de-AT")))
    found = fields(raw)
    assert found.pop("Content-Type").startswith('multipart/alternative; boundary="=_')
    assert found.pop("Message-ID").endswith("@example.org>")
    assert found == {
        "Date": "Sun, 01 Dec 2024 10:30:00 +0000",
        "From": "=?utf-8?b?SsO2cmcgTcO8bGxlcg==?= <newsletter@example.org>",
        "To": "reader@example.net",
        "Reply-To": "redaktion@example.org",
        "Subject": "=?utf-8?b?UsO8Y2tibGljayBhdWYgZGVuIEtvbmdyZXNz?=",
        "List-Unsubscribe": "<https://newsletter.example.org/unsubscribe/AAAAAQAAAAAAAAADoyr-vprftjEgRIaaoxpYgA.TQyGgbQUSYW1guagBxmKXw>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "Digitale Region <region.example.org>",
        "Precedence": "bulk",
        "Content-Language": "de-AT",
        "MIME-Version": "1.0",
    }


def test_header_names_are_those_of_the_message(make_edition: MakeEdition, build: Build) -> None:
    for one_click in (True, False):
        for reply_to in (None, "redaktion@example.org"):
            template = MessageTemplate(make_edition(reply_to=reply_to), one_click)
            assert sorted(fields(build(template))) == list(template.header_names)


def test_one_click_is_both_fields_or_none(make_edition: MakeEdition, build: Build) -> None:
    names = fields(build(MessageTemplate(make_edition(), one_click=False)))
    assert not [name for name in names if name.startswith("List-Unsubscribe")]  # B6


def test_p1_a_long_token_stays_one_click(make_edition: MakeEdition, build: Build) -> None:
    for length in (20, 42, 78, 200, 900):
        url = "https://newsletter.example.org/unsubscribe/" + "A" * length
        raw = build(MessageTemplate(make_edition()), {UNSUBSCRIBE: url})
        assert f"\r\nList-Unsubscribe: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode() in raw
        for policy in (compat32, default):
            assert str(message_from_bytes(raw, policy=policy)["List-Unsubscribe"]) == f"<{url}>"


def test_p2_long_headers_do_not_lengthen_the_body(make_edition: MakeEdition, build: Build) -> None:
    edition = make_edition(text=Part(("Grüße " * 500,)), html=Part(("<p>" + "Straße" * 500 + "</p>",)))
    head, body = build(MessageTemplate(edition), {UNSUBSCRIBE: "https://example.org/" + "A" * 500}).split(b"\r\n\r\n", 1)
    assert max(map(len, head.split(b"\r\n"))) > 500
    assert max(map(len, body.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("field", ["from_name", "list_name", "list_id", "language", "from_email", "reply_to"])
def test_p3_s1_no_injection_through_the_publication(field: str, text: str, make_edition: MakeEdition) -> None:
    names = {
        "from_name": "From",
        "list_name": "List-Id",
        "list_id": "List-Id",
        "language": "Content-Language",
        "reply_to": "Reply-To",
    }
    with pytest.raises(HeaderError) as caught:
        MessageTemplate(make_edition(**{field: text}))
    assert caught.value.header == names.get(field, "From")


@pytest.mark.parametrize("text", INJECTIONS)
def test_p3_s1_no_injection_through_the_subject(text: str, make_edition: MakeEdition, build: Build) -> None:
    with pytest.raises(HeaderError, match="Subject"):
        MessageTemplate(make_edition(subject=Part((text,)))) if "\ud800" not in text else unstructured("Subject", text)
    with pytest.raises(HeaderError, match="Subject"):
        build(MessageTemplate(make_edition(subject=Part((Slot("name", text.replace("\ud800", "\0"), "plain"),)))), {})


@pytest.mark.parametrize("text", INJECTIONS)
def test_p3_s1_no_injection_through_a_subject_value(text: str, make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition(subject=Part(("Für ", Slot("name", None, "plain")))))
    if "=?" in text:
        with pytest.raises(HeaderError, match="Subject: has an encoded word"):
            build(template, {"name": text})
        return
    raw = build(template, {"name": text})  # Slot.value makes one line of it, as it does for the body
    recheck(raw, template)
    assert decoded_by_hand(fields(raw)["Subject"]).isprintable()


def test_p3_an_encoded_word_made_of_a_piece_and_a_value_is_refused(make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition(subject=Part(("=?utf-8?", Slot("name", None, "plain")))))
    with pytest.raises(HeaderError, match="encoded word"):
        build(template, {"name": "q?\x00=0ABcc:?="})


@pytest.mark.parametrize("text", INJECTIONS + ODD_ADDRESSES)
def test_p3_s1_s4_no_injection_through_to(text: str, make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    for to in (text, text + "@example.net", "reader@" + text):
        with pytest.raises(HeaderError) as caught:
            build(template, to=to)
        assert caught.value.header == "To"


@pytest.mark.parametrize(
    "text",
    [*INJECTIONS, "<x@>", "<@example.org>", "<a b@example.org>", "<a@b@example.org>", "a@example.org", "<a@example.com>"],
)
def test_b3_s1_only_a_message_id_of_the_sending_domain(text: str, make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    for value in (text, f"<{text}@example.org>", f"<x@example.org>{text}", f"<x@{text}example.org>"):
        with pytest.raises(HeaderError, match="Message-ID"):
            build(template, message_id=value)


@pytest.mark.parametrize(
    "tail",
    [*INJECTIONS, " x", "<x", ">x", '"', "é", ",", "\\", "%0d%0aBcc:", "%0A", "%7f", "%1", "%zz", "?a=?utf-8?q?x?=", "A" * 980],
)
def test_b5_s1_only_a_clean_address_in_list_unsubscribe(tail: str, make_edition: MakeEdition, build: Build) -> None:
    with pytest.raises(HeaderError, match="List-Unsubscribe"):
        build(MessageTemplate(make_edition(text=Part(("x",)))), {UNSUBSCRIBE: "https://example.org/unsubscribe/" + tail})


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://example.org/u/T%20o?k=e&n=1", True),
        ("https://example.org:8443/u/T", True),
        ("https://[2001:db8::1]/u/T", True),
        ("http://127.0.0.1:8000/u/T", True),
        ("http://localhost/u/T", True),
        ("http://[::1]:8000/u/T", True),
        ("http://example.org/u/T", False),
        ("http://127.evil.org/u/T", False),
        ("http://localhost.evil.org/u/T", False),
        ("https://me@example.org/u/T", False),
        ("https://example.org", False),
        ("mailto:leave@example.org", False),
        ("javascript:alert(1)", False),
        ("https://münster.example.org/u/T", False),
    ],
)
def test_b5_https_or_loopback(url: str, good: bool, make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    if good:
        assert fields(build(template, {UNSUBSCRIBE: url}))["List-Unsubscribe"] == f"<{url}>"
        return
    with pytest.raises(HeaderError, match="List-Unsubscribe"):
        build(template, {UNSUBSCRIBE: url})


@given(text=HOMELY)
@settings(max_examples=examples(500), deadline=None)
@example(text="Ausgabe " * 30)
@example(text="a " * 40 + "  b" * 20)
@example(text="x" * 500)
@example(text="x" * 66 + " y" + " " * 90 + "z")
@example(text="😀" * 60)
@example(text="Was heißt =? und ?= hier")
def test_b19_a_subject_comes_back(text: str) -> None:
    if not text.strip():
        with pytest.raises(HeaderError, match="Subject: is empty"):
            unstructured("Subject", text)
        return
    if re.search(r"=\?[^?]*\?\s*[bq]\s*\?", text, re.IGNORECASE):
        return
    field = unstructured("Subject", text)
    lines = field.removesuffix("\r\n").split("\r\n")
    assert field.isascii()
    assert max(map(len, lines)) <= 76
    assert all(line.strip() for line in lines)
    assert all(line.startswith(" ") for line in lines[1:])
    unfolded = re.sub(r"\r\n(?= )", "", field).removesuffix("\r\n").removeprefix("Subject: ")
    assert decoded_by_hand(unfolded) == text.strip()
    message = message_from_bytes(field.encode() + b"\r\n", policy=compat32)
    assert str(make_header(decode_header(unfolded))) == text.strip()
    assert message.keys() == ["Subject"]


@given(name=HOMELY)
@settings(max_examples=examples(500), deadline=None)
@example(name="=?")
@example(name="Dr. Müller, Jörg <x@y>")
@example(name='He said "no" \\ and left')
@example(name="A name of several words that is much too long for a line of seventy-six characters")
def test_b19_a_from_name_comes_back(name: str) -> None:
    if re.search(r"=\?[^?]*\?\s*[bq]\s*\?", name, re.IGNORECASE):
        return
    field = mailbox("From", name, "newsletter@example.org")
    assert field.isascii()
    assert max(map(len, field.split("\r\n"))) <= 76
    value = re.sub(r"\r\n(?= )", "", field).removesuffix("\r\n").removeprefix("From: ")
    shown, _, address = value.rpartition("<")
    assert address.removesuffix(">") == "newsletter@example.org" if shown else value
    if shown.startswith('"'):
        assert re.sub(r"\\(.)", r"\1", shown.strip()[1:-1]) == name.strip()
    else:
        assert decoded_by_hand(shown.strip()) == name.strip()
    addresses = message_from_bytes(field.encode() + b"\r\n", policy=default)["From"].addresses
    assert [found.addr_spec for found in addresses] == ["newsletter@example.org"]  # B1


def test_a_long_address_is_never_folded_inside() -> None:
    address = "a" * 60 + "@" + "b" * 60 + ".example.org"
    assert mailbox("From", "Digitale Region", address) == f"From: Digitale Region\r\n <{address}>\r\n"
    assert mailbox("From", "", address) == f"From: {address}\r\n"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Digitale Region", "List-Id: Digitale Region <region.example.org>\r\n"),
        ("Region, digital", 'List-Id: "Region, digital" <region.example.org>\r\n'),
        ("Grünes Land", "List-Id: <region.example.org>\r\n"),
        ("", "List-Id: <region.example.org>\r\n"),
        ("x" * 60, "List-Id: " + "x" * 60 + "\r\n <region.example.org>\r\n"),
        ("x" * 90, "List-Id: <region.example.org>\r\n"),
    ],
)
def test_b8_b12_list_id_has_no_encoded_word(name: str, field: str) -> None:
    assert list_id(name, "region.example.org") == field


@pytest.mark.parametrize(
    "identifier", ["region", "", "a b.example.org", "a>b.example.org", "ä.example.org", "a..b", "a." + "b" * 254, "=?q?.org"]
)
def test_b12_a_list_id_is_checked(identifier: str) -> None:
    with pytest.raises(HeaderError, match="List-Id"):
        list_id("Name", identifier)


@pytest.mark.parametrize("address", ["jörg@example.org", "newsletter@localhost", "a@b@c.org"])
def test_b1_the_sender_is_one_ascii_address_of_a_full_domain(address: str, make_edition: MakeEdition) -> None:
    with pytest.raises(HeaderError, match="From"):
        MessageTemplate(make_edition(from_email=address))
