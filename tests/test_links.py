"""Tokens: made here, read here, and read nowhere else."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.links import MARK_SIZE, Delivered, Leaving, Links
from tests.thorough import examples

KEY = b"0123456789abcdef0123456789abcdef"
LINKS = Links("https://news.example.org", KEY, "region.example.org")
MARK = LINKS.mark("anna@example.org")
VIEW = LINKS.view_url(3, 77).rsplit("/", 1)[1]
UNSUBSCRIBE = LINKS.unsubscribe_url(3, 77, MARK).rsplit("/", 1)[1]
URL_SAFE = string.ascii_letters + string.digits + "-_."

campaigns = st.integers(0, 2**32 - 1)
deliveries = st.integers(0, 2**64 - 1)
marks = st.binary(min_size=MARK_SIZE, max_size=MARK_SIZE)
tokens = st.sampled_from([VIEW, UNSUBSCRIBE])


def refused(token: str) -> bool:
    return LINKS.read_view(token) is None and LINKS.read_unsubscribe(token) is None


@given(campaigns, deliveries)
def test_a_view_token_names_its_delivery(campaign: int, delivery: int) -> None:
    url = LINKS.view_url(campaign, delivery)
    assert url.startswith("https://news.example.org/view/")
    assert LINKS.read_view(url.rsplit("/", 1)[1]) == Delivered(campaign, delivery)


@given(campaigns, deliveries, marks)
def test_an_unsubscribe_token_names_its_recipient(campaign: int, delivery: int, mark: bytes) -> None:
    url = LINKS.unsubscribe_url(campaign, delivery, mark)
    assert url.startswith("https://news.example.org/unsubscribe/")
    assert LINKS.read_unsubscribe(url.rsplit("/", 1)[1]) == Leaving(campaign, delivery, mark)


@given(campaigns, deliveries, marks)
def test_a_token_is_one_plain_path_segment(campaign: int, delivery: int, mark: bytes) -> None:
    for url in (LINKS.view_url(campaign, delivery), LINKS.unsubscribe_url(campaign, delivery, mark)):
        assert set(url.rsplit("/", 1)[1]) <= set(URL_SAFE)


def test_a_token_of_another_purpose_is_none() -> None:
    assert LINKS.read_unsubscribe(VIEW) is None
    assert LINKS.read_view(UNSUBSCRIBE) is None


@pytest.mark.parametrize(
    "other",
    [
        Links("https://news.example.org", KEY[::-1], "region.example.org"),
        Links("https://news.example.org", KEY, "town.example.org"),
    ],
    ids=["key", "publication"],
)
def test_a_token_of_another_key_or_publication_is_none(other: Links) -> None:
    assert refused(other.view_url(3, 77).rsplit("/", 1)[1])
    assert refused(other.unsubscribe_url(3, 77, MARK).rsplit("/", 1)[1])


@pytest.mark.parametrize("token", [VIEW, UNSUBSCRIBE])
def test_every_cut_and_every_lengthening_is_refused(token: str) -> None:
    assert all(refused(token[:length]) for length in range(len(token)))
    assert all(refused(token[start:]) for start in range(1, len(token)))
    for extra in (*URL_SAFE, "=", "==", "!", " ", "\n", "%3D", "ü", "üü", "üüüü"):
        assert refused(token + extra)
        assert refused(extra + token)


@pytest.mark.parametrize("token", [VIEW, UNSUBSCRIBE])
def test_every_other_character_at_every_place_is_refused(token: str) -> None:
    """All of them: base64 leaves bits over in a last character, which must not make a second spelling of a token."""
    for place, right in enumerate(token):
        for other in URL_SAFE + "=+ ":
            if other != right:
                assert refused(token[:place] + other + token[place + 1 :]), (place, other)


@settings(max_examples=examples(3000), deadline=None)
@given(tokens, st.data())
def test_no_mutation_of_a_token_is_a_token(token: str, data: st.DataObject) -> None:
    mutated = token
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(mutated)))
        until = data.draw(st.integers(place, min(len(mutated), place + 3)))
        mutated = mutated[:place] + data.draw(st.text(URL_SAFE + "=/", max_size=3)) + mutated[until:]
    assert mutated == token or refused(mutated)


@settings(max_examples=examples(1000))
@given(st.text() | st.text(URL_SAFE, max_size=80))
def test_any_text_at_all_is_refused_and_raises_nothing(text: str) -> None:
    assert refused(text)


def test_a_lone_surrogate_is_refused() -> None:
    assert refused("\ud800." + VIEW)


def test_a_mark_is_of_the_address_and_the_key_alone() -> None:
    town = Links("https://elsewhere.example", KEY, "town.example.org")
    assert len(MARK) == MARK_SIZE
    assert town.mark("anna@example.org") == MARK
    assert LINKS.mark("bert@example.org") != MARK
    assert Links("https://news.example.org", KEY[::-1], "region.example.org").mark("anna@example.org") != MARK


def test_addresses_have_one_slash_between_their_parts() -> None:
    links = Links("https://news.example.org/letters/", KEY, "region.example.org")
    assert links.picture_url("3f.jpg") == "https://news.example.org/letters/pictures/3f.jpg"
    assert links.view_url(1, 2).startswith("https://news.example.org/letters/view/")


def test_the_public_addresses_are_the_same_for_everyone_and_readable() -> None:
    assert LINKS.archive_url() == "https://news.example.org/issues/"
    assert LINKS.issue_url("2026-12") == "https://news.example.org/issues/2026-12/"
    assert LINKS.issue_url("2026-12", "en") == "https://news.example.org/issues/2026-12/en/"
    assert LINKS.issue_url("Müll & a/b?") == "https://news.example.org/issues/M%C3%BCll%20%26%20a%2Fb%3F/"
    assert LINKS.feed_url() == "https://news.example.org/feed.atom"
