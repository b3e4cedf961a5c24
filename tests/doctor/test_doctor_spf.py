"""SPF as receivers do it (RFC 7208): what a record says, what it costs, and whom it lets send."""

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.doctor.spf import SpfError, Walk, expand
from newsletter.doctor.spf_record import SpfSyntax, is_spf, read_record

if TYPE_CHECKING:
    from newsletter.doctor.resolver import Dns
    from tests.doctor.conftest import Zone

SENDER = "news@example.org"


def check(dns: "Dns", address: str | None = "192.0.2.25") -> tuple[str | None, Walk]:
    walk = Walk(dns, SENDER, ip_address(address) if address else None)
    return walk.check("example.org"), walk


@pytest.mark.parametrize(
    ("terms", "address", "result"),
    [
        ("ip4:192.0.2.0/24 -all", "192.0.2.25", "+"),
        ("ip4:192.0.2.0/24 -all", "198.51.100.1", "-"),
        ("ip4:192.0.2.25 ~all", "192.0.2.25", "+"),
        ("ip6:2001:db8::/32 ~all", "2001:db8::25", "+"),
        ("ip6:2001:db8::/32 ~all", "192.0.2.25", "~"),
        ("a -all", "192.0.2.80", "+"),
        ("a/24 -all", "192.0.2.25", "+"),
        ("a//64 -all", "2001:db8::99", "+"),
        ("a:mail.example.org -all", "192.0.2.25", "+"),
        ("mx -all", "192.0.2.25", "+"),
        ("MX -ALL", "192.0.2.25", "+"),
        ("mx//64 -all", "192.0.2.25", "+"),
        ("-ip4:192.0.2.25 +all", "192.0.2.25", "-"),
        ("?all", "192.0.2.25", "?"),
        ("", "192.0.2.25", None),
        ("include:provider.example -all", "192.0.2.25", "+"),
        ("include:provider.example -all", "192.0.2.99", "-"),
        ("redirect=provider.example", "192.0.2.25", "+"),
        ("redirect=provider.example", "192.0.2.99", "-"),
        ("redirect=provider.example ~all", "192.0.2.99", "~"),
        ("exists:%{ir}._spf.%{d} -all", "192.0.2.25", "+"),
        ("exists:%{ir}._spf.%{d} -all", "192.0.2.26", "-"),
        ("exp=why.example.org x-own=1 ip4:192.0.2.25 -all", "192.0.2.25", "+"),
    ],
)
def test_who_may_send(zone: "Zone", dns_client: "Dns", terms: str, address: str, result: str | None) -> None:
    zone.spf("example.org", terms)
    zone.spf("provider.example", "ip4:192.0.2.25 -all")
    zone.put("example.org", "MX", "10 mail.example.org.")
    zone.address("example.org", "192.0.2.80", "2001:db8::1")
    zone.address("mail.example.org", "192.0.2.25")
    zone.address("25.2.0.192._spf.example.org", "127.0.0.2")
    assert check(dns_client, address)[0] == result


def test_every_term_that_asks_is_counted_also_inside_and_behind_a_match(zone: "Zone", dns_client: "Dns") -> None:
    zone.spf("example.org", "ip4:192.0.2.25 a mx include:one.example exists:x.example ptr -all")
    zone.spf("one.example", "include:two.example ip6:2001:db8::/32 ~all")
    zone.spf("two.example", "a:nowhere.example ~all")
    zone.put("example.org", "MX", "10 mail.example.org.")
    zone.address("example.org", "192.0.2.80")
    zone.address("mail.example.org", "192.0.2.25")
    result, walk = check(dns_client)
    assert (result, walk.lookups, walk.voids, walk.ptr) == ("+", 7, 2, True)


@pytest.mark.parametrize(
    ("terms", "kind", "domain"),
    [
        ("include:nothing.example -all", "none", "nothing.example"),
        ("include:twice.example -all", "several", "twice.example"),
        ("include:circle.example -all", "loop", "example.org"),
        ("mx:many.example -all", "hosts", "example.org"),
    ],
)
def test_what_spoils_a_record_for_good(zone: "Zone", dns_client: "Dns", terms: str, kind: str, domain: str) -> None:
    zone.spf("example.org", terms)
    zone.spf("twice.example", "-all")
    zone.spf("twice.example", "~all")
    zone.spf("circle.example", "include:example.org -all")
    zone.put("many.example", "MX", *(f"10 h{number}.example." for number in range(11)))
    with pytest.raises(SpfError) as caught:
        check(dns_client)
    assert caught.value.kind == kind
    assert caught.value.domain in (domain, "many.example")


def test_without_the_relay_everything_is_followed_and_nothing_matches(zone: "Zone", dns_client: "Dns") -> None:
    zone.spf("example.org", "ip4:0.0.0.0/0 a exists:%{i}.example include:one.example ~all")
    zone.spf("one.example", "+all")
    zone.address("example.org", "192.0.2.80")
    result, walk = check(dns_client, None)
    assert (result, walk.lookups) == ("+", 3)  # of one.example, which lets everyone
    assert not [name for name, _ in zone.asked if name.endswith("i.example")]


@pytest.mark.parametrize(
    "part",
    [
        *("ip4:192.0.2.300", "ip4:", "ip4", "ip6:192.0.2.1", "ip4:192.0.2.0/33", "include", "include:", "exists", "all:x", "al"),
        *("a/33", "a//129", "mx/x", "ipv4:192.0.2.1", "include:%{z}", "include:%x", "redirect=", "ä", "192.0.2.1", "a:"),
    ],
)
def test_a_part_that_is_none_is_named(part: str) -> None:
    with pytest.raises(SpfSyntax) as caught:
        read_record(f"v=spf1 {part} -all")
    assert caught.value.part == part


def test_a_second_redirect_is_a_mistake() -> None:
    assert read_record("v=spf1 redirect=a.example").redirect == "a.example"
    with pytest.raises(SpfSyntax):
        read_record("v=spf1 redirect=a.example redirect=b.example")


@pytest.mark.parametrize(("text", "meant"), [("v=spf1", True), ("V=SPF1 -all", True), ("v=spf10 -all", False), ("v=spf", False)])
def test_which_record_is_meant_as_spf(text: str, meant: bool) -> None:
    assert is_spf(text) is meant


#: The examples of RFC 7208 §7.4.
MACROS = [
    ("%{s}", "strong-bad@email.example.com"),
    ("%{o}", "email.example.com"),
    ("%{d}", "email.example.com"),
    ("%{d4}", "email.example.com"),
    ("%{d3}", "email.example.com"),
    ("%{d2}", "example.com"),
    ("%{d1}", "com"),
    ("%{dr}", "com.example.email"),
    ("%{d2r}", "example.email"),
    ("%{l}", "strong-bad"),
    ("%{l-}", "strong.bad"),
    ("%{lr}", "strong-bad"),
    ("%{lr-}", "bad.strong"),
    ("%{l1r-}", "strong"),
    ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
    ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
    ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
    ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
]


@pytest.mark.parametrize(("spec", "expanded"), MACROS)
def test_macros_of_the_rfc(spec: str, expanded: str) -> None:
    relay = ip_address("192.0.2.3")
    assert expand(spec, "email.example.com", "strong-bad@email.example.com", relay, "x") == expanded


def test_macros_of_an_ipv6_address() -> None:
    relay = ip_address("2001:db8::cb01")
    expected = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    assert expand("%{ir}.%{v}._spf.%{d2}", "email.example.com", "a@b.example", relay, "x") == expected
    assert expand("%{i}.x", "d.example", "a@b.example", None, "x") is None


PIECES = [
    "a",
    "mx",
    "all",
    "ip4:",
    "ip6:",
    "include:",
    "ptr",
    "exists:",
    "redirect=",
    "+",
    "-",
    "~",
    "?",
    " ",
    "/",
    "//",
    "192.0.2.1",
]
PIECES += ["::", "x.y", "%{i}"]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_record_is_read_or_refused(text: str) -> None:
    try:
        record = read_record(f"v=spf1 {text}")
    except SpfSyntax:
        return
    for term in record.terms:
        assert (term.network is not None) == (term.kind in ("ip4", "ip6"))
        assert (term.target is not None) or term.kind not in ("include", "exists")
