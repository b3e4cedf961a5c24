"""The pages through a real server and a real socket."""

import http.client
import signal
import socket
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.problem import InputError
from newsletter.store import is_suppressed, list_suppressions
from newsletter.web.server import BackgroundServer, listen
from tests.thorough import examples

if TYPE_CHECKING:
    from tests.web.conftest import Site

BERT = "bert@example.org"


def test_one_click_over_the_wire(served: "Site") -> None:
    """The bytes that a mailbox provider sends: RFC 8058 §8.3."""
    url = urlsplit(served.unsubscribe[BERT])
    request = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 26\r\nConnection: close\r\n\r\nList-Unsubscribe=One-Click"
    )
    with socket.create_connection((url.hostname or "", url.port or 0)) as wire:
        wire.sendall(request.encode())
        status = wire.makefile("rb").readline()
        assert is_suppressed(served.store, served.links.mark(BERT))
    assert status.startswith(b"HTTP/1.1 200 ")


def test_head_is_get_without_the_body(served: "Site") -> None:
    for path in (served.view[BERT], served.unsubscribe[BERT], "/pictures/3f9a.png", "/healthz", "/nothing"):
        url = path if path.startswith("http") else served.links.public_url + path
        get, head = httpx.get(url), httpx.head(url)
        assert head.content == b""
        assert head.status_code == get.status_code
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
    assert not list(list_suppressions(served.store))


def test_the_server_says_nothing_of_itself(served: "Site") -> None:
    assert "server" not in httpx.get(served.links.public_url + "/healthz").headers


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "DELETE"]),
    st.lists(st.sampled_from(["view", "unsubscribe", "pictures", "healthz", ".."]) | st.text(max_size=20), max_size=4),
    st.text(max_size=20),
)
def test_no_path_at_all_is_a_fault(served: "Site", method: str, segments: list[str], query: str) -> None:
    from urllib.parse import quote

    path = "/" + "/".join(quote(segment, safe="") for segment in segments) + "?" + quote(query)
    url = urlsplit(served.links.public_url)
    wire = http.client.HTTPConnection(url.hostname or "", url.port)
    wire.request(method, path)
    assert wire.getresponse().status in (200, 404, 405)
    wire.close()
    assert not list(list_suppressions(served.store))


def test_a_place_that_is_taken_is_named() -> None:
    with BackgroundServer() as server:
        port = urlsplit(server.url).port or 0
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1, port {port}: .* choose another --host or --port"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70000), ("a..b", 0)])
def test_a_place_that_is_none_is_named(host: str, port: int) -> None:
    with pytest.raises(InputError, match="cannot listen on"):
        listen(host, port)


def test_an_answer_over_a_kept_connection_waits_for_nothing() -> None:
    """Head and body are two writes: with Nagle's algorithm the second would wait for the reader's delayed ACK, 40 ms."""
    with listen("127.0.0.1", 0) as place, socket.create_connection(place.getsockname()), place.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_ipv6_has_its_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        server = BackgroundServer("::1")
    except InputError as error:
        pytest.skip(str(error))
    with server:
        assert server.url.startswith("http://[::1]:")


def test_after_it_stopped_nobody_listens(served: "Site") -> None:
    with BackgroundServer() as server:
        server.start(served.app)
        assert httpx.get(server.url + "/healthz").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/healthz")


PROGRAM = textwrap.dedent(
    """
    import asyncio, socket, sys
    from newsletter.web.server import serve

    async def app(scope, receive, send):
        print("asked", flush=True)
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    serve(app, "127.0.0.1", int(sys.argv[1]))
    print("ended", flush=True)
    """
)


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_what_is_under_way(order: signal.Signals) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)], stdout=subprocess.PIPE, text=True) as process:
        wire = connected(port, process)
        wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        process.send_signal(order)
        assert b"done" in wire.makefile("rb").read()
        assert process.stdout.read() == "ended\n"
        wire.close()
    assert process.returncode == 0


def connected(port: int, process: subprocess.Popen[str]) -> socket.socket:
    """A connection to the process, as soon as it listens."""
    while process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            continue
    raise AssertionError("the server did not start")
