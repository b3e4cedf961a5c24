"""The ways off the list in the header: https first, a mail behind it, a mail alone where no service runs (B5, B6, B8, S1)."""

from email import message_from_bytes
from email.policy import compat32, default
from urllib.parse import urlsplit

import pytest

from newsletter.compose.edition import LEAVING, UNSUBSCRIBE, VIEW, Edition, Headers, MissingValue
from newsletter.links import Links
from newsletter.message import HeaderError, MessageTemplate, OwnLinks
from newsletter.message.recheck import recheck
from tests.message.conftest import LINKS, Build, MakeEdition

OWN = Links("https://news.example.org", b"k" * 32, "region.example.org")
MARK = OWN.mark("reader@example.net")
SUBJECT = OWN.unsubscribe_subject(1, 7, MARK)
MAIL = f"mailto:leave@example.org?subject={SUBJECT.replace(' ', '%20')}"


def value(raw: bytes, name: str) -> list[str]:
    """Every field of that name, read by both policies of the standard library, which must agree."""
    old, new = (message_from_bytes(raw, policy=policy).get_all(name, []) for policy in (compat32, default))
    assert [str(one) for one in old] == [str(one) for one in new]
    return [str(one) for one in old]


def test_the_mail_stands_behind_the_https_address(make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition(unsubscribe_email="leave@example.org"))
    raw = build(template, LINKS | {LEAVING: SUBJECT})
    assert value(raw, "List-Unsubscribe") == [f"<{LINKS[UNSUBSCRIBE]}>, <{MAIL}>"]
    assert value(raw, "List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    recheck(raw, template)


def test_a_mail_alone_has_no_one_click(make_edition: MakeEdition, build: Build) -> None:
    edition = make_edition(unsubscribe_email="leave@example.org", static=True)
    template = MessageTemplate(edition)
    raw = build(template, OwnLinks(OWN, edition.headers, "2026-12").values(1, 7, MARK) | {"first_name": "Ada"})
    assert value(raw, "List-Unsubscribe") == [f"<{MAIL}>"]
    assert value(raw, "List-Unsubscribe-Post") == []
    recheck(raw, template)


def test_a_test_mail_offers_no_way_out(make_edition: MakeEdition, build: Build) -> None:
    raw = build(MessageTemplate(make_edition(unsubscribe_email="leave@example.org", static=True), one_click=False))
    assert b"list-unsubscribe" not in raw.lower()


def test_what_each_edition_fills_in() -> None:
    def filled(**said: object) -> dict[str, str]:
        headers = Headers("N", "n@example.org", None, "region.example.org", "N", "de", **said)  # type: ignore[arg-type]
        return OwnLinks(OWN, headers, "2026-12").values(1, 7, MARK)

    web = {VIEW: OWN.view_url(1, 7), UNSUBSCRIBE: OWN.unsubscribe_url(1, 7, MARK)}
    assert filled() == {**web, LEAVING: ""}
    assert filled(unsubscribe_email="leave@example.org") == {**web, LEAVING: SUBJECT}
    static = filled(unsubscribe_email="leave@example.org", static=True)
    assert static == {VIEW: "https://news.example.org/issues/2026-12/", UNSUBSCRIBE: MAIL, LEAVING: SUBJECT}
    assert OWN.find_unsubscribe(urlsplit(static[UNSUBSCRIBE]).query) is not None


@pytest.mark.parametrize(
    "subject",
    [
        "x\r\nBcc: y@example.org",
        "x\n",
        "\x00",
        "x%0D%0Ay",
        "x>,<https://evil.example",
        "=?utf-8?q?x?=",
        "ü",
        " x",
        "x ",
        "x  y",
        "x&cc=y",
    ],
)
def test_s1_only_words_of_letters_and_digits_are_a_subject(subject: str, make_edition: MakeEdition, build: Build) -> None:
    with pytest.raises(HeaderError, match="List-Unsubscribe"):
        build(MessageTemplate(make_edition(unsubscribe_email="leave@example.org")), LINKS | {LEAVING: subject})


@pytest.mark.parametrize(
    "address",
    ["x", "a@b@example.org", "a b@example.org", "a@example.org\r\nBcc: x", "<a@example.org>", "ü@example.org", "=?u?q?x?=@a.de"],
)
def test_s1_only_an_address_takes_the_mail(address: str, make_edition: MakeEdition) -> None:
    with pytest.raises(HeaderError, match="List-Unsubscribe"):
        MessageTemplate(make_edition(unsubscribe_email=address))


def test_a_local_part_with_signs_of_its_own_is_encoded(make_edition: MakeEdition, build: Build) -> None:
    raw = build(MessageTemplate(make_edition(unsubscribe_email="a&b?c@example.org")), LINKS | {LEAVING: SUBJECT})
    assert "<mailto:a%26b%3Fc@example.org?subject=" in value(raw, "List-Unsubscribe")[0]


def test_nothing_is_made_without_the_subject(make_edition: MakeEdition, build: Build) -> None:
    with pytest.raises(MissingValue, match=LEAVING):
        build(MessageTemplate(make_edition(unsubscribe_email="leave@example.org")), LINKS | {LEAVING: ""})


def test_a_line_that_no_server_takes_is_refused(make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition(unsubscribe_email="leave@example.org"))
    long = LINKS | {LEAVING: SUBJECT, UNSUBSCRIBE: "https://example.org/" + "A" * 860}
    with pytest.raises(HeaderError, match="longer than 998"):
        build(template, long)
    raw = build(template, long | {UNSUBSCRIBE: "https://example.org/" + "A" * 800})
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_an_edition_of_before_keeps_its_hash(make_edition: MakeEdition) -> None:
    """What came later is only stored where it says something."""
    old = make_edition()
    assert '"unsubscribe_email"' not in old.to_json()
    assert '"static"' not in old.to_json()
    assert Edition.from_json(old.to_json(), {}) == old
    new = make_edition(unsubscribe_email="leave@example.org", static=True)
    assert Edition.from_json(new.to_json(), {}) == new
    assert new.hash != old.hash
