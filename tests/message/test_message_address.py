"""Addresses on the wire (S4, B20) and Message-IDs (B3)."""

import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.edition import Edition
from newsletter.message.address import needs_smtputf8, wire_address
from newsletter.message.headers import HeaderError
from newsletter.message.message_id import check_message_id, message_id
from newsletter.message.recheck import recheck
from newsletter.message.template import MessageTemplate
from tests.thorough import examples

MakeEdition = Callable[..., Edition]
Build = Callable[..., bytes]


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("Reader@Example.NET", "Reader@Example.NET"),
        ("first.last+news@sub.example.net", "first.last+news@sub.example.net"),
        ("o'neill!#$%&*/?=^_`{|}~-@example.net", "o'neill!#$%&*/?=^_`{|}~-@example.net"),
        ("root@localhost", "root@localhost"),
        ("post@münster.example", "post@xn--mnster-3ya.example"),
        ("post@MÜNSTER.example", "post@xn--mnster-3ya.example"),
        ("post@straße.example", "post@xn--strae-oqa.example"),
        ("jörg@example.net", "jörg@example.net"),
        ("jörg@münster.example", "jörg@xn--mnster-3ya.example"),
        ("用户@例え.example", "用户@xn--r8jz45g.example"),
        ("a" * 64 + "@example.net", "a" * 64 + "@example.net"),
        ("a@" + ".".join(["b" * 63] * 3) + ".example.net", "a@" + ".".join(["b" * 63] * 3) + ".example.net"),
    ],
)
def test_what_goes_on_the_wire(address: str, wire: str, make_edition: MakeEdition, build: Build) -> None:
    assert wire_address(address) == wire
    template = MessageTemplate(make_edition())
    raw = build(template, to=address)
    assert f"\r\nTo: {wire}\r\n".encode() in raw  # B27, and never folded
    assert raw.isascii() is not needs_smtputf8(address)
    recheck(raw, template)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "a",
            "@example.net",
            "a@",
            "a@@b.net",
            "a.@b.net",
            ".a@b.net",
            "a..b@b.net",
            "a@b..net",
            "a@.net",
            "a@b.net.",
            "a@-b.net",
            "a@b-.net",
        ),
        *(
            "a@b_c.net",
            "a@b c.net",
            "a@b/c.net",
            "a@[::1]",
            "a@" + "b" * 64 + ".net",
            "a" * 65 + "@b.net",
            "ü" * 33 + "@b.net",
            "a@" + "ü" * 70 + ".net",
        ),
        *(
            "a@" + "b.c" * 85 + ".net",
            "a@℀.net",
            "a@xn--ü.net",
            "\xa0a@b.net",
            "a\u200bb@b.net",
            "a\u202e@b.net",
            "(c)a@b.net",
            "a;b@b.net",
            "a,b@b.net",
        ),
    ],
)
def test_what_is_refused(address: str) -> None:
    with pytest.raises(HeaderError, match="To: "):
        wire_address(address)


@given(st.emails())
@settings(max_examples=examples(200), deadline=None)
def test_every_ordinary_address_is_taken_as_it_is(address: str) -> None:
    if "=?" not in address:
        assert wire_address(address) == address
        assert not needs_smtputf8(address)


@given(st.text(alphabet="ab@.<>\"' ,;:()[]\\\r\n\tü\u2028=?-", max_size=20))
@settings(max_examples=examples(1500), deadline=None)
def test_what_is_taken_is_one_address_to_every_parser(address: str) -> None:
    try:
        wire = wire_address(address)
    except HeaderError:
        return
    assert getaddresses([wire]) == [("", wire)]
    if wire.isascii():
        read = message_from_bytes(f"To: {wire}\r\n\r\n".encode(), policy=default)["To"].addresses
        assert [found.addr_spec for found in read] == [wire]


def test_b3_message_id() -> None:
    found = message_id("campaign", 7, "example.org")
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", found)
    assert found == message_id("campaign", 7, "example.org")
    others = {message_id(key, delivery, "example.org") for key in ("campaign", "campaign1", "other") for delivery in range(100)}
    assert len(others) == 300
    check_message_id(found, "Example.org")
    assert message_id("campaign", 7, "münster.example").endswith("@xn--mnster-3ya.example>")


@pytest.mark.parametrize(
    ("key", "domain"), [("", "example.org"), ("c", "localhost"), ("c", "exa mple.org"), ("c", ""), ("c", "x.org>\r\nBcc: a")]
)
def test_b3_no_message_id_without_key_or_full_domain(key: str, domain: str) -> None:
    with pytest.raises(HeaderError, match="Message-ID"):
        message_id(key, 1, domain)
