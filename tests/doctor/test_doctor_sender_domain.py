"""What is said of a sender's domain, by the records of a real DNS server (B25)."""

from typing import TYPE_CHECKING

import pytest

from newsletter.doctor import resolver
from newsletter.doctor.dmarc import find_policy, read_tags
from newsletter.doctor.resolver import Dns
from newsletter.doctor.sender_domain import look_at_sender
from newsletter.problem import InputError
from tests.doctor.conftest import ids

if TYPE_CHECKING:
    from newsletter.doctor.verdict import Told
    from tests.doctor.conftest import Zone

RELAY = "smtp.provider.example"


def put_in_order(zone: "Zone") -> None:
    zone.put("example.org", "MX", "10 mail.example.org.")
    zone.spf("example.org", "ip4:5.9.0.25 -all")
    zone.put("_dmarc.example.org", "TXT", "v=DMARC1; p=quarantine; rua=mailto:d@example.org")
    zone.address(RELAY, "5.9.0.25")


def look(dns: Dns, relay: str | None = RELAY) -> "list[Told]":
    return list(look_at_sender(dns, "news@Example.org", relay))


def test_a_domain_in_order(zone: "Zone", dns_client: Dns) -> None:
    put_in_order(zone)
    told = look(dns_client)
    assert ids(told) == ["mx", "spf", "dmarc", "dkim"]
    assert told[1].message("en") == "SPF: example.org names the mail server's address 5.9.0.25, with 0 of 10 lookups"
    assert all(one.level in ("ok", "note") for one in told)


MAIL_SERVERS: list[tuple[dict[tuple[str, str], list[str]], str]] = [
    ({("example.org", "MX"): ["0 ."]}, "mx-null"),
    ({("example.org", "A"): ["192.0.2.80"]}, "mx-none"),
    ({("example.org", "AAAA"): ["2001:db8::80"]}, "mx-none"),
    ({}, "mx-nowhere"),
]


@pytest.mark.parametrize(("records", "id_"), MAIL_SERVERS)
def test_where_answers_go(zone: "Zone", dns_client: Dns, records: dict[tuple[str, str], list[str]], id_: str) -> None:
    put_in_order(zone)
    del zone.records["example.org", "MX"]
    zone.records |= records
    assert ids(look(dns_client)) == [id_, "spf", "dmarc", "dkim"]


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ("ip4:192.0.2.1 -all", ["spf-there", "spf-not-named"]),
        ("ip4:5.9.0.25", ["spf", "spf-open"]),
        ("ip4:5.9.0.25 ?all", ["spf", "spf-open"]),
        ("+all", ["spf", "spf-everyone"]),
        ("ip4:5.9.0.25 ptr -all", ["spf", "spf-ptr"]),
        ("ip4:5.9.0.256 -all", ["spf-syntax"]),
        ("include:nothing.example -all", ["spf-include-none"]),
        ("include:example.org -all", ["spf-loop"]),
        ("a:x1.example a:x2.example a:x3.example ip4:5.9.0.25 -all", ["spf-voids"]),
        (" ".join(["a:mail.example.org"] * 11) + " -all", ["spf-lookups"]),
        (" ".join(["a:mail.example.org"] * 10) + " ip4:5.9.0.25 -all", ["spf"]),
        ("redirect=provider.example", ["spf"]),
    ],
)
def test_what_is_said_of_spf(zone: "Zone", dns_client: Dns, terms: str, found: list[str]) -> None:
    put_in_order(zone)
    zone.address("mail.example.org", "192.0.2.7")
    zone.spf("provider.example", "ip4:5.9.0.25 -all")
    zone.records["example.org", "TXT"] = [f'"v=spf1 {terms}"', '"another=record"']
    assert ids(look(dns_client)) == ["mx", *found, "dmarc", "dkim"]


def test_no_spf_record_and_two_of_them(zone: "Zone", dns_client: Dns) -> None:
    put_in_order(zone)
    zone.records["example.org", "TXT"] *= 2
    zone.records["example.org", "TXT"][1] = '"v=spf1 ~all"'
    assert ids(look(dns_client))[1] == "spf-several"
    del zone.records["example.org", "TXT"]
    assert ids(look(Dns(zone.place)))[1] == "spf-none"


@pytest.mark.parametrize("relay", [None, "127.0.0.1", "localhost", "10.0.0.25", "unknown.example"])
def test_where_the_relay_sends_from_is_not_guessed(zone: "Zone", dns_client: Dns, relay: str | None) -> None:
    put_in_order(zone)
    assert ids(look(dns_client, relay)) == ["mx", "spf-there", "spf-unsure", "dmarc", "dkim"]


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ("v=DMARC1; p=none", ["dmarc-none"]),
        ("v=DMARC1;p=reject;sp=none", ["dmarc"]),
        ("v=DMARC1; p=reject; pct=50; ri=86400; rf=afrf", ["dmarc", "dmarc-removed"]),
        ("v=DMARC1; p=rejct", ["dmarc-policy"]),
        ("v=DMARC1", ["dmarc-policy"]),
        ("v=dmarc1; p=reject", ["dmarc-missing"]),
        ("p=reject; v=DMARC1", ["dmarc-missing"]),
    ],
)
def test_what_is_said_of_dmarc(zone: "Zone", dns_client: Dns, record: str, found: list[str]) -> None:
    put_in_order(zone)
    zone.records["_dmarc.example.org", "TXT"] = [f'"{record}"']
    assert ids(look(dns_client)) == ["mx", "spf", *found, "dkim"]


def test_two_dmarc_records_are_none(zone: "Zone", dns_client: Dns) -> None:
    put_in_order(zone)
    zone.put("_dmarc.example.org", "TXT", "v=DMARC1; p=reject")
    assert ids(look(dns_client))[2] == "dmarc-several"


def test_the_removed_tags_are_named(zone: "Zone", dns_client: Dns) -> None:
    put_in_order(zone)
    zone.records["_dmarc.example.org", "TXT"] = ['"v=DMARC1; p=reject; ri=86400; pct=50"']
    assert "_dmarc.example.org has pct, ri, which" in look(dns_client)[3].message("en")


def test_the_policy_of_a_domain_above_holds(zone: "Zone", dns_client: Dns) -> None:
    zone.put("_dmarc.kreis.example", "TXT", "v=DMARC1; p=reject; sp=none")
    zone.put("_dmarc.example", "TXT", "v=DMARC1; p=none; psd=y")
    policy = find_policy(dns_client, "news.amt.kreis.example")
    assert policy is not None
    assert (policy.at, policy.own, policy.asked) == ("_dmarc.kreis.example", False, "none")
    above = find_policy(dns_client, "other.example")
    assert above is not None
    assert above.at == "_dmarc.example"


def test_a_long_domain_is_cut(zone: "Zone", dns_client: Dns) -> None:
    assert find_policy(dns_client, ".".join("abcdefghijklmn")) is None
    assert len(zone.asked) == 8  # RFC 9989 §4.10


def test_tags_are_read_with_blanks_and_without() -> None:
    assert read_tags(" v = DMARC1 ; P=reject;;") == {"v": "DMARC1", "p": "reject"}
    assert read_tags("") is None


def test_a_silent_dns_is_said_once_and_is_no_error(zone: "Zone", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_PATIENCE", 0.2)
    zone.mute = True
    (told,) = look(Dns(zone.place))
    assert (told.verdict.id, told.level) == ("dns-silent", "warning")
    assert "no answer about example.org" in told.message("en")


def test_one_record_that_cannot_be_had_leaves_the_others(zone: "Zone", dns_client: Dns) -> None:
    put_in_order(zone)
    zone.fails.add("_dmarc.example.org")
    assert ids(look(dns_client)) == ["mx", "spf", "dns-unanswered", "dkim"]


@pytest.mark.parametrize("place", ["dns.example.org", "192.0.2.53:x", "", "192.0.2.53:"])
def test_a_dns_server_is_an_address(place: str) -> None:
    with pytest.raises(InputError, match="is no address of a DNS server"):
        Dns(place)
