"""What every answer says in its headers, who may act, and whom an answer believes: over all routes, those of the future too."""

import asyncio
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
from lxml.html import document_fromstring

from newsletter.web.limits import MOST
from tests.conformance.described import routes_of
from tests.conformance.wire import Answer, Wire

if TYPE_CHECKING:
    from tests.conformance.conftest import Watched

FORM = "application/x-www-form-urlencoded"
#: What a path's parameter may be besides a token.
SAMPLES = {"name": "3f9a.png", "slug": "2024-12"}


class Place(NamedTuple):
    """A route with its parameters filled in."""

    name: str
    path: str
    methods: frozenset[str]
    is_secret: bool


def places(watched: "Watched") -> Iterator[Place]:
    """All routes, with good tokens and with bad ones."""
    for route in routes_of(watched.office.app):
        name = route.path.split("/")[1]
        good = watched.tokens.get(name, watched.tokens["preferences"])
        for token in (good, good[:-1] + "_") if "token" in route.param_convertors else ("",):
            filled = {key: token if key == "token" else SAMPLES.get(key, "x") for key in route.param_convertors}
            path = re.sub(r"{(\w+)(?::\w+)?}", lambda found: filled[found[1]], route.path)  # noqa: B023 - used at once
            yield Place(name, path, frozenset(route.methods or ()), bool(token))


def answers(watched: "Watched") -> Iterator[tuple[Place, str, Answer]]:
    """What comes back, good and bad, from everywhere; and from a path that is none, and for a POST that is refused."""
    with Wire(watched.url) as wire:
        for place in [*places(watched), Place("none", "/nothing", frozenset(), is_secret=False)]:
            for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
                yield place, method, wire.ask(method, place.path)
            if place.name != "unsubscribe":
                yield place, "POST", wire.ask("POST", place.path, b"x", Content_Type="text/plain")
        huge = Place("unsubscribe", f"/unsubscribe/{watched.tokens['unsubscribe']}", frozenset(), is_secret=True)
        yield huge, "POST", wire.ask("POST", huge.path, b"x" * 70_000)


def test_every_answer_is_fenced_in(watched: "Watched") -> None:
    """S7: nothing in it can run, be framed or be taken for something else. S15: its address is told to nobody."""
    seen: set[int] = set()
    for place, method, answer in answers(watched):
        seen.add(answer.status)
        where = (method, place.path, answer.status)
        assert answer["Referrer-Policy"] == "no-referrer", where
        assert answer["X-Content-Type-Options"] == "nosniff", where
        assert answer["Set-Cookie"] is answer["Location"] is answer["Server"] is answer["Access-Control-Allow-Origin"] is None, (
            where
        )
        assert answer["Cache-Control"] is not None, where
        if place.is_secret or answer.status >= 400:
            assert answer["X-Robots-Tag"] == "noindex", where
            assert {"no-store", "private"} & set(str(answer["Cache-Control"]).split(", ")), where
        if str(answer["Content-Type"]).startswith(("text/html", "image/")):
            policy = [part.strip() for part in str(answer["Content-Security-Policy"]).split(";")]
            assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy), where
            assert not [part for part in policy if part.startswith("script-src") or "unsafe-eval" in part], where
    assert seen >= {200, 404, 405, 400, 413}
    watched.is_well()


def test_a_page_with_a_secret_address_loads_nothing_and_tells_nobody(watched: "Watched") -> None:
    """S15, L19: no resource of others, no meta refresh, and no token in the page but in the links that need it."""
    pictures = re.compile(rf"{re.escape(watched.url)}/pictures/")
    for place, method, answer in answers(watched):
        if method != "GET" or not place.is_secret or not str(answer["Content-Type"]).startswith("text/html"):
            continue
        root = document_fromstring(answer.body.decode())
        assert not list(root.iter("script", "iframe", "object", "embed", "link", "base")), place
        assert not [meta for meta in root.iter("meta") if meta.get("http-equiv")], place
        for picture in root.iter("img"):
            assert pictures.match(str(picture.get("src"))), place
        assert not re.search(rb"@import|url\(", answer.body), place
        for link in root.iter("a", "form"):
            for name in ("href", "action"):
                target = str(link.get(name, ""))
                if any(token in target for token in watched.tokens.values()):
                    assert target.startswith(("../", watched.url)), place  # to our own pages alone


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_no_page_of_others_can_act(watched: "Watched", site: str) -> None:
    """S18: every POST but the one-click, which mailbox providers send from elsewhere (B9)."""
    stamp = watched.office.links.stamp(watched.office.site.store.clock())
    form = f"email=other%40example.org&topics=presse&language=en&stamp={stamp}&website=".encode()
    before = watched.written()
    tried = set()
    with Wire(watched.url) as wire:
        for place in places(watched):
            if "POST" in place.methods and place.name != "unsubscribe":
                sent = {"Content_Type": FORM, "Sec_Fetch_Site": site, "Origin": "https://evil.example", "Cookie": "a=b"}
                assert wire.ask("POST", place.path, form, **sent).status in (400, 403, 404), place
                tried.add(place.name)
        assert tried >= {"subscribe", "confirm", "preferences", "address", "leave", "return", "erase"}
        assert watched.written() == before
        for kind in (
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/json",
            "",
        ):  # what a page can send without asking
            for place in places(watched):
                if "POST" in place.methods and place.name != "unsubscribe":
                    assert wire.ask("POST", place.path, form, Content_Type=kind).status in (400, 404, 415), (place, kind)
        assert watched.written() == before
        one_click = f"/unsubscribe/{watched.tokens['unsubscribe']}"
        answer = wire.ask("POST", one_click, b"List-Unsubscribe=One-Click", Content_Type=FORM, Sec_Fetch_Site=site, Origin="null")
    assert answer.status == 200
    assert watched.written() != before


def test_who_asks_whom_makes_no_address(watched: "Watched") -> None:
    """S16, and host-header attacks: links are made of the public URL alone, whatever Host, proxies or a whole target say."""
    evil = "evil.example"
    lies = [
        {"Host": evil},
        {
            "X_Forwarded_Host": evil,
            "X_Forwarded_Proto": "gopher",
            "Forwarded": f"host={evil};proto=http",
            "X_Forwarded_Prefix": "/evil",
        },
        {
            "X_Original_URL": f"https://{evil}/",
            "X_Rewrite_URL": f"//{evil}",
            "X_HTTP_Method_Override": "POST",
            "Referer": f"https://{evil}/",
        },
    ]
    before = watched.written()
    with Wire(watched.url) as wire:
        for place in places(watched):
            usual = wire.ask("GET", place.path)
            stable = place.name != "subscribe"  # its stamp holds the time
            for lie in lies:
                told = wire.ask("GET", place.path, None, **lie)
                assert told.status in (usual.status, 400, 404, 421), (place, lie)
                assert told.status != usual.status or not stable or told.fixed == usual.fixed, (place, lie)
                assert evil not in str(told), (place, lie)
            for query in ("?next=https://evil.example/", "?url=//evil.example", "?redirect=javascript:alert(1)", "?_method=POST"):
                told = wire.ask("GET", place.path + query)
                assert told["Location"] is None, (place, query)
                assert not stable or told.fixed == usual.fixed, (place, query)
        for path in (
            "//evil.example/",
            "/\\evil.example/",
            "http://evil.example/view/x",
            "/%2F%2Fevil.example",
            "/view/../nothing",
        ):
            told = wire.ask("GET", path)
            assert (told.status, told["Location"]) == (404, None)
            assert evil not in str(told)
    assert watched.written() == before
    watched.is_well()


def test_a_network_sends_so_many_forms_an_hour(watched: "Watched") -> None:
    """S17: whoever takes another address of the same network is heard no more; others are, and nobody is told who is known."""
    office = watched.office

    async def send(host: str, address: str) -> int:
        transport = httpx.ASGITransport(office.app, client=(host, 4711))
        async with httpx.AsyncClient(transport=transport, base_url=office.links.public_url) as client:
            stamp = office.links.stamp(office.site.store.clock())
            return (await client.post("/subscribe", data={"email": address, "stamp": stamp, "website": ""})).status_code

    async def all_of_them() -> list[int]:
        crowd = [await send(f"9.9.9.{number}", f"p{number}@example.org") for number in range(MOST + 2)]
        return [*crowd, await send("9.9.10.1", "other@example.org"), await send("9.9.9.250", "anna@example.org")]

    assert asyncio.run(all_of_them()) == [200] * MOST + [429, 429, 200, 429]
    assert [row.address_key for row in office.rows()][-1] == "other@example.org"
