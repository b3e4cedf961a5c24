"""Only requests for the own host get a page; only trusted proxies may say where a request comes from (S17, S24)."""

import http.client
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import uvicorn
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from newsletter.web.host import OwnHost
from newsletter.web.server import _config, listen
from tests.thorough import examples
from tests.web.conftest import make_site

if TYPE_CHECKING:
    from tests.web.conftest import Site

ANNA, BERT = "anna@example.org", "bert@example.org"
OTHERS = [
    *(
        "evil.example",
        "evil.example:443",
        "news.seenland.example.evil.example",
        "seenland.example",
        "x@news.seenland.example.evil",
    ),
    *(
        "127.0.0.1",
        "localhost:8025",
        "[::1]",
        "10.0.0.1",
        "",
        " ",
        "[",
        "news.seenland.example:x:y",
        "news.seenland.example/evil",
    ),
]


@pytest.mark.parametrize("host", OTHERS)
def test_for_another_host_there_is_nothing_and_nothing_happens(site: "Site", host: str) -> None:
    before = site.dump()
    missing = site.ask("GET", "/nothing")
    for method, url in (("GET", site.view[ANNA]), ("POST", site.unsubscribe[BERT]), ("GET", "/pictures/3f9a.png"), ("GET", "/")):
        headers = {"Host": host, "X-Forwarded-Host": "news.seenland.example", "Forwarded": "host=news.seenland.example"}
        answer = site.ask(method, url, headers=headers)
        assert (answer.status_code, answer.content) == (404, missing.content)
        assert answer.headers == missing.headers
        assert "evil" not in answer.text
    assert site.dump() == before


@pytest.mark.parametrize(
    "host", ["news.seenland.example", "NEWS.Seenland.example:443", "news.seenland.example.", "news.seenland.example:8025"]
)
def test_the_own_host_however_the_proxy_writes_it(site: "Site", host: str) -> None:
    answer = site.ask("GET", site.view[ANNA], headers={"Host": host, "X-Forwarded-Host": "evil.example"})
    assert answer.content == site.ask("GET", site.view[ANNA]).content
    assert b"evil.example" not in answer.content


def test_a_monitor_on_this_machine_may_ask_how_it_is(site: "Site") -> None:
    for host in ("127.0.0.1:8025", "localhost", "[::1]:8025", "news.seenland.example"):
        assert site.ask("GET", "/healthz", headers={"Host": host}).text == "ok\n"
    for host in ("evil.example", "10.0.0.1"):
        assert site.ask("GET", "/healthz", headers={"Host": host}).status_code == 404


def test_a_rehearsal_on_this_machine_goes_by_all_its_names(database_url: str) -> None:
    made = make_site(database_url, "http://127.0.0.1:8025")
    for host, status in (("localhost:8025", 200), ("127.0.0.2", 200), ("[::1]:8025", 200), ("evil.example", 404)):
        assert made.ask("GET", urlsplit(made.view[ANNA]).path, headers={"Host": host}).status_code == status
    made.store.close()


def test_staff_are_told_once_and_without_the_other_host(site: "Site", caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        site.ask("GET", "/", headers={"Host": "evil.example"})
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "another host than news.seenland.example" in line
    assert "see that a proxy passes Host on" in line


def test_what_was_found_of_a_host_holds_for_no_other_path(site: "Site") -> None:
    for path, status in 2 * [("/healthz", 200), ("/issues/", 404)]:
        assert site.ask("GET", path, headers={"Host": "127.0.0.1:8025"}).status_code == status
    assert site.ask("GET", "/issues/").status_code == 200


@settings(max_examples=examples(300))
@given(st.text(max_size=40) | st.from_regex(r"[\[\]:@/.?#%a-z0-9-]{0,30}", fullmatch=True))
@example("[::1")
@example("news.example.org:99999999")
@example("news.example.org@evil.example")
def test_no_host_at_all_is_a_fault(host: str) -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("in")(scope, receive, send)

    app = OwnHost(inner, "https://news.example.org", lambda: PlainTextResponse("out", 404))
    answer = _raw(app, host.encode("utf-8", "surrogatepass"))
    assert answer in ("in", "out")
    assert answer == "out" or host.lower().rstrip("0123456789").rstrip(":.") == "news.example.org"


def _raw(app: OwnHost, host: bytes) -> str:
    """What the application answers where the Host has these bytes."""
    import asyncio

    said: list[bytes] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        said.append(message.get("body", b""))

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", host)]}
    asyncio.run(app(scope, receive, send))
    return b"".join(said).decode()


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        (None, "127.0.0.1"),
        ("9.9.9.9", "9.9.9.9"),
        ("1.1.1.1, 9.9.9.9", "9.9.9.9"),  # what the reader wrote himself stands before what the proxy adds
        ("9.9.9.9, 10.1.2.3", "9.9.9.9"),  # a second proxy, trusted too
        ("9.9.9.9, 10.2.2.3", "10.2.2.3"),
        ("127.0.0.1, 9.9.9.9", "9.9.9.9"),
        ("2620:fe::9", "2620:fe::9"),
        ("rubbish, 9.9.9.9", "9.9.9.9"),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_is_the_readers(forwarded: str | None, seen: str) -> None:
    assert _seen(("127.0.0.0/8", "10.1.0.0/16"), forwarded) == seen


def test_nobody_else_is_believed() -> None:
    assert _seen(("10.1.0.0/16",), "9.9.9.9") == "127.0.0.1"
    assert _seen((), "9.9.9.9") == "127.0.0.1"


def _seen(proxies: tuple[str, ...], forwarded: str | None) -> str:
    """Which client the application sees, behind the server as it is configured for these proxies."""
    seen = ""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal seen
        seen = scope["client"][0]
        await PlainTextResponse("ok")(scope, receive, send)

    place = listen("127.0.0.1", 0)
    server = uvicorn.Server(_config(app, proxies))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    try:
        wire = http.client.HTTPConnection("127.0.0.1", place.getsockname()[1], timeout=60)
        wire.request("GET", "/", headers={} if forwarded is None else {"X-Forwarded-For": forwarded})
        assert wire.getresponse().status == 200
        wire.close()
    finally:
        server.should_exit = True
        thread.join()
        place.close()
    return seen
