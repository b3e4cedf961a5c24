"""No request at all is a fault, and none but a whole POST with a good token or stamp changes anything."""

import contextlib
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.described import METHODS, described, routes_of
from tests.conformance.wire import Wire
from tests.thorough import examples

if TYPE_CHECKING:
    from tests.conformance.conftest import Watched

FORM = "application/x-www-form-urlencoded"
OFTEN = settings(max_examples=examples(600), suppress_health_check=list(HealthCheck))


def test_whatever_a_client_sends_is_answered(watched: "Watched") -> None:
    """Schemathesis over every route and method; good tokens, stamps and pictures are among what it tries."""
    known = {
        "token": list(watched.tokens.values()),
        "name": ["3f9a.png"],
        "stamp": [watched.office.links.stamp(watched.office.site.store.clock())],
        "email": ["new@example.org"],
        "Sec-Fetch-Site": ["cross-site", "same-origin", "none"],
        "If-None-Match": ["*", '"3f9a.png"'],
    }
    schema = schemathesis.openapi.from_dict(described(watched.office.app, known))
    operations = [schema[path][method] for path in schema for method in METHODS]
    assert len(operations) == 8 * len(watched.office.app.routes)
    paths = {route.path for route in routes_of(watched.office.app) if "POST" in (route.methods or ())}
    acting = [operation for operation in operations if operation.method == "post" and operation.path in paths]
    changed: Counter[str] = Counter()

    @OFTEN
    @given(st.data())
    def one(data: st.DataObject) -> None:
        whole = data.draw(st.booleans())  # alone it would hardly ever choose a good token, nor a form that changes something
        case = data.draw(data.draw(st.sampled_from(acting) | st.sampled_from(operations)).as_strategy())
        purpose = case.path.split("/")[1]
        if "token" in case.path_parameters and (whole or data.draw(st.booleans())):
            case.path_parameters["token"] = watched.tokens.get(purpose, watched.tokens["preferences"])
        if case.method.upper() == "POST" and whole:
            case.media_type, case.body = FORM, {"stamp": known["stamp"][0], "email": known["email"][0]}
        before = watched.written()
        answer = case.call(base_url=watched.url, timeout=60, allow_redirects=False)
        assert answer.status_code < 500
        assert "set-cookie" not in answer.headers
        for place in answer.headers.get("location", ()):  # S16; only the mail of somebody who was erased leads on, to the archive
            assert (purpose, place) == ("view", f"{watched.url}/issues/2024-12/")
        if watched.written() != before:  # B11
            assert case.method.upper() == "POST"
            assert case.path == "/subscribe" or unquote(case.path_parameters["token"]) in watched.tokens.values()
            changed[purpose] += 1

    one()
    assert changed  # so that all this could have failed
    watched.is_well()


_BYTES = st.binary(max_size=40)
_METHODS = st.sampled_from(
    [b"GET", b"HEAD", b"POST", b"OPTIONS", b"get", b"PURGE", b"CONNECT", b"M-SEARCH", b"\xff", b"", b"G\x00T"]
)
_PATHS = st.sampled_from(
    [
        b"*",
        b"/",
        b"//",
        b"/view",
        b"/view/%",
        b"/view/%zz",
        b"/view/%F",
        b"/view/\xff",
        b"/%2e%2e/%2e%2e/etc/passwd",
        b"/" + b"a" * 70_000,
    ]
) | _BYTES.map(lambda tail: b"/unsubscribe/" + tail)
_HEADERS = st.lists(
    st.sampled_from(
        [
            *(
                b"Host: evil.example",
                b"Host:",
                b"Host: \xff",
                b"Content-Length: 5",
                b"Content-Length: -1",
                b"Content-Length: 1e9",
            ),
            *(b"Content-Length: 99999999999999999999", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b": nothing"),
            *(b"Expect: 100-continue", b"Connection: Upgrade\r\nUpgrade: websocket", b"Upgrade: h2c", b"Range: bytes=0-0,5-2"),
            *(
                b"Content-Type: application/x-www-form-urlencoded",
                b"Content-Type: multipart/form-data",
                b"Cookie: a=\xff;;=",
                b"X" * 300,
            ),
            *(b"A: " + b"b" * 70_000, b" folded", b"X-A: 1\r\n continued", b"If-None-Match: \xff", b"Content-Type: ;;=\xff"),
        ]
    )
    | _BYTES,
    max_size=5,
)
_VERSIONS = st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"ICY", b""])
_BODIES = _BYTES | st.sampled_from(
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhel",
        b"zz\r\n",
        b"-1\r\nx\r\n",
        b"ffffffffffffffffff\r\nx",
        b"1;" + b"e" * 70_000,
        b"x" * 200_000,
    ]
)


def said(url: str, sent: bytes) -> bytes:
    """What comes back for these bytes; the client is silent then and hears to the end."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=60) as wire:
        with contextlib.suppress(OSError):  # it may have had enough of us
            wire.sendall(sent)
            wire.shutdown(socket.SHUT_WR)
        heard = b""
        with contextlib.suppress(ConnectionError):
            while more := wire.recv(65536):
                heard += more
    return heard


def _host(url: str) -> bytes:
    return f"Host: {urlsplit(url).netloc}".encode()


def _is_no_fault(heard: bytes) -> None:
    assert not heard or heard.startswith(b"HTTP/1.")
    assert heard[9:10] != b"5", heard[:200]


def test_bytes_that_are_hardly_http_do_no_harm(watched: "Watched") -> None:
    """Raw sockets: odd methods, paths, headers, lengths and chunks; and noise, and what is meant for other servers."""

    @OFTEN
    @given(st.tuples(_METHODS, _PATHS, _VERSIONS), st.sampled_from([[], [_host(watched.url)]]), _HEADERS, _BODIES)
    def request(first: tuple[bytes, ...], host: list[bytes], headers: list[bytes], body: bytes) -> None:
        head = b"\r\n".join([b" ".join(first), *host, *headers])
        _is_no_fault(said(watched.url, head + b"\r\n\r\n" + body))

    @settings(OFTEN, max_examples=examples(150))
    @given(_BYTES | st.binary(min_size=2000, max_size=3000))
    def noise(sent: bytes) -> None:
        _is_no_fault(said(watched.url, sent))

    before = watched.written()
    request()
    noise()
    for sent in (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"EHLO x\r\n",
        b"\r\n" * 5000,
        b"\0" * 100_000,
    ):
        _is_no_fault(said(watched.url, sent))
    assert watched.written() == before
    watched.is_well()


def posts(watched: "Watched") -> dict[str, tuple[str, bytes]]:
    """POSTs that would do something, by path: their kind and body."""
    stamp = watched.office.links.stamp(watched.office.site.store.clock())
    paths = {f"/{name}/{watched.tokens['preferences']}" for name in ("preferences", "address", "leave", "return", "erase")}
    paths |= {f"/{name}/{watched.tokens[name]}" for name in ("unsubscribe", "confirm")} | {"/subscribe"}
    form = f"email=other%40example.org&topics=presse&language=en&stamp={stamp}&website=".encode()
    return dict.fromkeys(paths, (FORM, form))


def test_a_post_that_was_cut_off_changes_nothing(watched: "Watched") -> None:
    """Whoever hangs up in the middle has not asked: by length, by chunks, after the head."""
    before = watched.written()
    for path, (kind, body) in posts(watched).items():
        head = f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\n".encode() + _host(watched.url) + b"\r\n"
        for rest in (
            b"Content-Length: 500\r\n\r\n" + body,
            b"Content-Length: 500\r\n\r\n",
            b"Content-Length: 500\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(body):x}\r\n".encode() + body + b"\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(body) + 9:x}\r\n".encode() + body,
            b"Transfer-Encoding: chunked\r\n\r\nnot hex\r\n" + body,
        ):
            _is_no_fault(said(watched.url, head + rest))
            assert watched.written() == before, (path, rest)
    watched.is_well()


def test_what_is_whole_does_change_something(watched: "Watched") -> None:
    """So that the tests above can fail: the same requests, whole."""
    order = sorted(posts(watched).items(), key=lambda one: one[0].startswith("/erase"))
    done: dict[str, bool] = {}
    for path, (kind, body) in order:
        before = watched.written()
        with Wire(watched.url) as wire:
            answer: Any = wire.ask("POST", path, body, Content_Type=kind)
        done[path.split("/")[1]] = watched.written() != before
        assert answer.status in (200, 410), path
    assert {name for name, changed in done.items() if changed} >= {"unsubscribe", "subscribe", "confirm", "erase", "leave"}
