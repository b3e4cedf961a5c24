"""The token in the subject of a mail: it survives what mail programs do to it, and nothing else is one."""

import base64
import random
import re
import string
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.links import MARK_SIZE, Leaving, Links, _base32, mail_link
from newsletter.postbox import field, parse
from tests.thorough import examples

KEY = b"0123456789abcdef0123456789abcdef"
LINKS = Links("https://news.example.org", KEY, "region.example.org")
MARK = LINKS.mark("anna@example.org")
SUBJECT = LINKS.unsubscribe_subject(3, 77, MARK)
TOKEN = SUBJECT.partition(" ")[2]
ANNA = Leaving(3, 77, MARK)

campaigns = st.integers(0, 2**32 - 1)
deliveries = st.integers(0, 2**64 - 1)
marks = st.binary(min_size=MARK_SIZE, max_size=MARK_SIZE)
#: What mail programs put between, before and behind: blanks of all kinds, quotes, soft hyphens, emoji.
noise = st.text(alphabet=" \t\r\n>|*_-=.,:;<>()[]\"'\u00a0\u00ad\u200b\u202f\ufeff„“»«👍", max_size=6)


@given(campaigns, deliveries, marks)
def test_a_token_names_its_recipient(campaign: int, delivery: int, mark: bytes) -> None:
    subject = LINKS.unsubscribe_subject(campaign, delivery, mark)
    assert LINKS.find_unsubscribe(subject) == Leaving(campaign, delivery, mark)
    assert re.fullmatch(r"unsubscribe 9[A-Z2-7]{71}", subject)


@given(st.binary(min_size=28 + MARK_SIZE, max_size=28 + MARK_SIZE))
def test_base32_is_that_of_the_standard_library(content: bytes) -> None:
    assert _base32(content) == base64.b32encode(content).decode().rstrip("=")


@settings(max_examples=examples(500))
@given(st.lists(st.tuples(st.integers(1, len(SUBJECT) - 1), noise), max_size=8), st.text(max_size=40), st.text(max_size=40))
@example([], "Re: AW: WG: [EXTERN] ", " (was: unsubscribe)")
def test_it_survives_folding_quoting_and_prefixes(breaks: list[tuple[int, str]], before: str, after: str) -> None:
    mangled = SUBJECT
    for place, put in sorted(breaks, reverse=True):
        mangled = mangled[:place] + put + mangled[place:]
    for text in (mangled, mangled.lower(), mangled.upper()):
        assert LINKS.find_unsubscribe(f"{before} {text} {after}") == ANNA


@pytest.mark.parametrize(
    "subject",
    [
        quote(SUBJECT),
        SUBJECT.replace(" ", "+"),
        SUBJECT.replace(" ", "%2520"),
        f"Re: {SUBJECT}",
        f"AW: Antwort: {SUBJECT}",
        f"„{SUBJECT}“",
        "\r\n ".join(SUBJECT[start : start + 20] for start in range(0, len(SUBJECT), 20)),
        "\n> ".join(SUBJECT[start : start + 20] for start in range(0, len(SUBJECT), 20)),
        SUBJECT.lower(),
        TOKEN,
        f"{TOKEN} {TOKEN[::-1]}",
        f"9{'A' * 71} {TOKEN}",
    ],
)
def test_what_mail_programs_have_been_seen_to_make_of_it(subject: str) -> None:
    assert LINKS.find_unsubscribe(subject) == ANNA


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "us-ascii", "utf-16", "shift_jis"])
@pytest.mark.parametrize("width", [30, 76, 998])
def test_it_survives_encoded_words(charset: str, width: int) -> None:
    written = Header(f"AW: {SUBJECT}", charset, maxlinelen=width).encode(linesep="\r\n")
    message = parse(b"Subject: " + written.encode("ascii") + b"\r\n\r\n")
    assert LINKS.find_unsubscribe(field(message, "Subject")) == ANNA


def test_it_survives_the_folding_of_the_standard_library() -> None:
    for width in (30, 60, 78):
        mail = EmailMessage(policy=SMTP.clone(max_line_length=width))
        mail["Subject"] = f"Fwd: „Abmeldung“ {SUBJECT}"
        assert LINKS.find_unsubscribe(field(parse(mail.as_bytes()), "Subject")) == ANNA


def test_the_link_opens_a_mail_with_this_subject() -> None:
    url = urlsplit(mail_link("leave+x@example.org", SUBJECT))
    assert (url.scheme, url.path) == ("mailto", "leave+x@example.org")
    assert parse_qs(url.query) == {"subject": [SUBJECT]}
    odd = urlsplit(mail_link("a&b?c=d%e/f#g@example.org", "x y"))
    assert unquote(odd.path) == "a&b?c=d%e/f#g@example.org"
    assert odd.query == "subject=x%20y"


@pytest.mark.parametrize(
    "other",
    [
        Links("https://news.example.org", KEY[::-1], "region.example.org"),
        Links("https://news.example.org", KEY, "town.example.org"),
    ],
    ids=["key", "publication"],
)
def test_a_token_of_another_key_or_publication_is_none(other: Links) -> None:
    assert LINKS.find_unsubscribe(other.unsubscribe_subject(3, 77, MARK)) is None


def test_a_token_of_another_purpose_is_none() -> None:
    """The same content, sealed for the web, is no token in a mail, and the other way round (S14)."""
    web = LINKS.unsubscribe_url(3, 77, MARK).rpartition("/")[2]
    content, seal = (base64.urlsafe_b64decode(part + "==") for part in web.split("."))
    assert LINKS.find_unsubscribe("9" + base64.b32encode(content + seal).decode().rstrip("=")) is None
    sealed = base64.b32decode(TOKEN[1:] + "=")
    parts = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (sealed[:28], sealed[28:]))
    assert LINKS.read_unsubscribe(".".join(parts)) is None


def test_every_other_letter_at_every_place_is_refused() -> None:
    """All of them, the last one too, whose bits to spare must not make a second spelling."""
    for place, right in enumerate(TOKEN):
        for other in string.ascii_uppercase + string.digits:
            if other != right:
                assert LINKS.find_unsubscribe(TOKEN[:place] + other + TOKEN[place + 1 :]) is None, (place, other)


def test_no_piece_of_a_token_is_one() -> None:
    assert all(LINKS.find_unsubscribe(TOKEN[:length]) is None for length in range(len(TOKEN)))
    assert all(LINKS.find_unsubscribe(TOKEN[start:]) is None for start in range(1, len(TOKEN)))


def test_ten_thousand_mutations_are_never_accepted() -> None:
    chance = random.Random(8058)
    letters = string.ascii_uppercase + string.digits
    for _ in range(10_000):
        mutated = list(TOKEN)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(mutated))
            match chance.randrange(4):
                case 0:
                    mutated[place] = chance.choice(letters)
                case 1:
                    mutated[place : place + 1] = []
                case 2:
                    mutated.insert(place, chance.choice(letters))
                case _:
                    other = chance.randrange(len(mutated))
                    mutated[place], mutated[other] = mutated[other], mutated[place]
        token = "".join(mutated)
        # A whole token in it is still one: what stands around it does not count.
        assert TOKEN in token or LINKS.find_unsubscribe(f"unsubscribe {token}") is None, token


@settings(max_examples=examples(1000))
@given(st.text() | st.text("9" + string.ascii_uppercase + "234567", min_size=72, max_size=300))
def test_any_text_at_all_names_nobody_and_raises_nothing(text: str) -> None:
    assert LINKS.find_unsubscribe(text) is None


def test_a_lone_surrogate_does_no_harm() -> None:
    assert LINKS.find_unsubscribe(f"\ud800{SUBJECT}\udfff") == ANNA
