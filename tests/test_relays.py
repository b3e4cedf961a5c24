"""The list of mail servers is read, or refused with one clear sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.relays import Relay, read_relays


@pytest.mark.parametrize(
    ("text", "relays"),
    [
        ("mx1.example.org", [Relay("mx1.example.org")]),
        ("mx1.example.org, mx2.example.org:587*2", [Relay("mx1.example.org"), Relay("mx2.example.org", 587, 2)]),
        ("a*3,b:25", [Relay("a", None, 3), Relay("b", 25)]),
        ("::1", [Relay("::1")]),
        ("[2001:db8::1]:587*2, [::1]", [Relay("2001:db8::1", 587, 2), Relay("::1")]),
    ],
)
def test_relays_are_read(text: str, relays: list[Relay]) -> None:
    assert list(read_relays(text)) == relays


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,", "a comma with no server"),
        ("a:0", "port of 'a:0' must be a number from 1 to 65535"),
        ("a:", "port of 'a:'"),
        ("a:x", "port of 'a:x'"),
        ("a*0", "weight of 'a\\*0' must be a number from 1 to 100"),
        ("a*", "weight of 'a\\*'"),
        ("a*2:25", "weight of"),
        ("a b", "no mail server"),
        ("[mx1]:25", "no IPv6 address between its brackets"),
        ("user@a", "no name of a mail server"),
        ("a, A", "names A twice|names a twice"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        read_relays(text)
    assert "\n" not in str(caught.value)


_HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,8}(\.[a-z]{2,5})?", fullmatch=True) | st.ip_addresses(v=6).map(str)
_RELAYS = st.builds(Relay, _HOSTS, st.none() | st.integers(1, 65535), st.integers(1, 100))


@given(st.lists(_RELAYS, min_size=1, max_size=5, unique_by=lambda relay: relay.host))
def test_what_is_written_is_read(relays: list[Relay]) -> None:
    def written(one: Relay) -> str:
        host = f"[{one.host}]" if ":" in one.host else one.host
        return f"{host}{f':{one.port}' if one.port else ''}*{one.weight}"

    assert list(read_relays(" , ".join(map(written, relays)))) == relays


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        relays = read_relays(text)
    except ValueError:
        return  # nothing else is raised
    assert all(relay.host and 1 <= relay.weight <= 100 for relay in relays)
