"""Ten thousand tokens that are none: all get the same answer, by the same work, whatever is wrong with them (S14)."""

import base64
import random
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.routing import Route

from newsletter.links import Links
from newsletter.store.glance import Glances
from tests.conformance.wire import Wire

if TYPE_CHECKING:
    from tests.conformance.conftest import Watched
    from tests.web.subscribing import Office

#: How many are tried over the whole table of routes.
MANY = 10_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#: Letters of other scripts, and of no script, that look like those of a token.
LOOK_ALIKES = str.maketrans("ABCEHKMOPTXaceopxy019-_.", "АВСЕНКМОРТХасеорху०１９‐＿․")
ANNA = "anna@example.org"


class Tokened(NamedTuple):
    """A route with a token in its path."""

    path: str
    methods: list[str]


def tokened(office: "Office") -> list[Tokened]:
    """From the table of routes, so that those of the future are tried too."""
    routes = [route for route in office.app.routes if isinstance(route, Route) and "{token}" in route.path]
    return [Tokened(route.path, sorted((route.methods or set()) & {"GET", "HEAD", "POST"})) for route in routes]


def good_tokens(links: Links) -> dict[str, str]:
    """A token of each purpose."""
    mark = links.mark(ANNA)
    tokens = {
        "view": links.view_url(1, 1),
        "unsubscribe": links.unsubscribe_url(1, 1, mark),
        "confirm": links.confirm_url(bytes(16)),
        "preferences": links.preferences_token(mark),
        "form": links.stamp(1),
    }
    return {purpose: token.rsplit("/", 1)[-1] for purpose, token in tokens.items()}


def made_by_others(links: Links) -> list[str]:
    """Good ones of another key, and of another publication with the same key."""
    others = [Links(links.public_url, b"another-key-0123456789abcdefghij", "region.seenland.example")]
    others.append(Links(links.public_url, b"only-for-tests-0123456789abcdef!", "town.seenland.example"))
    return [token for other in others for token in good_tokens(other).values()]


def mutations(token: str, chance: random.Random) -> Iterator[str]:
    """Percent-encoded path segments near a good token, without end; none of them decodes to it."""
    return (segment for segment in _near(token, chance) if unquote(segment) != token)


def _near(token: str, chance: random.Random) -> Iterator[str]:
    value, _, signature = token.partition(".")
    for place in range(len(token)):  # every byte, once for sure
        yield token[:place] + chance.choice(ALPHABET.replace(token[place], "")) + token[place + 1 :]
        yield token[:place] + token[place + 1 :]
        yield token[:place] + token[place].swapcase() + token[place + 1 :]
        yield quote(token[:place] + token[place:].translate(LOOK_ALIKES), safe="")
        yield token[:place] + f"%25{ord(token[place]):02X}" + token[place + 1 :]
        yield token[:place]
    for part in (value, signature):  # the bits that base64 does not use: 2 or 4 of the last character
        for last in ALPHABET:
            yield token.replace(part, part[:-1] + last)
        yield from (token.replace(part, part + more) for more in ("=", "==", "===", "A", "AA", "%0A", "%20", "%00", "-", "_"))
    yield from (
        token.replace("-", "+").replace("_", "%2F") + "=",
        token.upper(),
        token.lower(),
        token[::-1],
        f"{signature}.{value}",
    )
    yield from (f".{token}", f"{token}.", f"{value}..{signature}", f"{token}.{signature}", f"{value}%2E%2E{signature}", value)
    yield from ("", ".", "..", "%2E", "%00", "%FF%FE", "%C0%AE", "%ED%A0%80", "None", "0", "1", "-1", "null", "A" * 5000)
    yield base64.urlsafe_b64encode(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))[::-1]).decode() + "." + signature
    while True:
        places = chance.sample(range(len(token)), chance.randint(1, 4))
        letters = list(token)
        for place in places:
            letters[place] = chance.choice(ALPHABET)
        yield "".join(letters)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Whatever any database is asked from now on: by SQLAlchemy, or past it by a kept connection."""
    asked: list[str] = []
    row = Glances.row

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    def note_row(glances: Glances, text: str, values: Any) -> tuple[Any, ...] | None:
        asked.append(text)
        return row(glances, text, values)

    monkeypatch.setattr(Glances, "row", note_row)
    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


def test_ten_thousand_bad_tokens_get_one_answer(watched: "Watched", statements: list[str]) -> None:
    """The same bytes and headers as a path that never was; the database is not asked, nothing changes."""
    office = watched.office
    routes, good = tokened(office), good_tokens(office.links)
    assert {"view", "unsubscribe", "confirm", "preferences"} <= {route.path.split("/")[1] for route in routes}
    before = office.site.dump()
    tried = 0
    with Wire(office.links.public_url) as wire:
        for purpose in ("view", "preferences"):  # that asking is noticed: once by a kept connection, once by SQLAlchemy
            statements.clear()
            assert wire.ask("GET", f"/{purpose}/{watched.tokens[purpose]}").status == 200
            assert statements
        statements.clear()
        usual = {
            method: wire.ask(method, "/nothing", b"" if method == "POST" else None).fixed for method in ("GET", "HEAD", "POST")
        }
        for number, (path, methods) in enumerate(routes):
            chance = random.Random(number)
            wrong = [*good.values(), *made_by_others(office.links)]
            seeds = [mutations(token, chance) for token in good.values()]
            share = -(-MANY // len(routes))
            wrong += [next(seeds[one % len(seeds)]) for one in range(share - len(wrong))]
            for one, token in enumerate(wrong):
                if token in good.values() and _is_for(path, token, good):
                    continue
                method = methods[one % len(methods)]
                answer = wire.ask(method, path.replace("{token}", token), b"x=" if method == "POST" else None)
                assert answer.fixed == usual[method], (method, path, token)
                tried += 1
    assert tried >= MANY * 0.99
    assert statements == []
    assert office.site.dump() == before


def _is_for(path: str, token: str, good: dict[str, str]) -> bool:
    """Whether a good token, changed or not, is good here."""
    purpose = path.split("/")[1]
    return token == good[purpose if purpose in good else "preferences"]


def _work(links: Links, purpose: str, token: str) -> list[str]:
    """The calls, in their order, by which a token is read."""
    read = {
        "view": links.read_view,
        "unsubscribe": links.read_unsubscribe,
        "confirm": links.read_confirm,
        "preferences": links.read_preferences,
        "form": links.read_stamp,
    }[purpose]
    calls: list[str] = []

    def note(frame: FrameType, kind: str, called: Any) -> None:
        if kind in ("call", "c_call"):
            calls.append(frame.f_code.co_qualname if kind == "call" else called.__name__)

    sys.setprofile(note)
    try:
        found = read(token)
    finally:
        sys.setprofile(None)
    assert found is None
    return calls[:-1]  # the last one takes the profiler away


def test_which_byte_is_wrong_makes_no_difference_to_the_work(watched: "Watched") -> None:
    """S14, without a stop-watch (bench/serve.py has one): the same calls wherever a token is wrong, and one comparison in all.

    Only the last character of each half is left out: to come near it one must know the rest.
    """
    links = watched.office.links
    for purpose, token in good_tokens(links).items():
        chance = random.Random(purpose)
        wrong = [token for token in made_by_others(links) if len(token) == len(good_tokens(links)[purpose])]
        for place, letter in enumerate(token[:-1]):
            if letter != "." and token[place + 1] != ".":  # what stands before the dot has bits that are not used, too
                wrong.append(token[:place] + chance.choice(ALPHABET.replace(letter, "")) + token[place + 1 :])
        works = [_work(links, purpose, one) for one in wrong]
        assert all(work == works[0] for work in works)
        assert works[0].count("compare_digest") == 1
