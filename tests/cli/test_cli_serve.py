"""``newsletter serve`` as a process: nothing secret in what it writes, and it ends what is under way when it is told to stop."""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

import pytest

from newsletter.audience.address import normalise
from newsletter.store import is_suppressed, open_store
from tests.cli.conftest import PUBLICATION
from tests.cli.serving import FORM, Serving
from tests.cli.test_cli_pages import ask, free_port

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post


def test_no_token_and_no_address_in_anything_it_writes(office: "Office", post: "Post") -> None:
    metrics = f"127.0.0.1:{free_port()}"
    serving = Serving(office, post, metrics_listen=metrics)
    token, other = (path.rsplit("/", 1)[1] for path in (serving.view, serving.unsubscribe))
    secret = "someone.else@example.net"
    told = {"Referer": f"{serving.url}{serving.view}", "User-Agent": f"\x1b]0;{secret}\x07", "X-Forwarded-For": "9.9.9.9"}
    for path, status in (
        (serving.view, 200),
        (f"{serving.view}?to={quote(secret)}", 200),
        (f"{serving.view}{secret}", 404),
        (f"/nothing/{token}/%0d%0a%1b[31m{quote(secret)}", 404),
        (f"/preferences/{other}", 404),
        (f"/confirm/{quote(secret)}", 404),
    ):
        assert serving.request("GET", path, headers=told).status == status
    assert serving.request("DELETE", serving.view, headers=told).status == 405
    assert serving.request("POST", f"/pictures/{token}", secret.encode(), headers=told).status == 405
    assert serving.request("POST", serving.unsubscribe, b"x" * 70_000, headers=told).status == 413
    assert serving.request("GET", serving.view, headers={"Host": f"{token}.evil.example"}).status == 404
    # No HTTP at all, with a token in it: the library answers and warns.
    for line in (
        f"GET {serving.view}\x1b[31m HTTP/9\r\n\r\n",
        f"{token} {secret}\r\n\r\n",
        f"GET {serving.view} HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", serving.port), timeout=60) as wire:
            wire.sendall(line.encode())
            assert wire.makefile("rb").readline().startswith(b"HTTP/1.1 400 ")
    # A fault of the program, whose own words name a recipient; then a database that does not do what is asked of it.
    serving.sql(f"UPDATE delivery SET variant = '{secret}' WHERE address = '{serving.reader}'")
    assert serving.request("GET", serving.view, headers=told).status == 500
    assert serving.subscribe(secret) == 200
    serving.sql("ALTER TABLE suppression RENAME TO elsewhere")
    assert serving.request("POST", serving.unsubscribe, b"List-Unsubscribe=One-Click", headers=FORM).status == 503
    assert serving.request("GET", "/healthz").status == 503
    assert "newsletter_database_up 0.0" in ask(f"http://{metrics}/metrics")
    written = serving.stop()
    for words in (
        "KeyError",
        " in view\n",
        "no such table: suppression",
        "GET view 500",
        "POST unsubscribe 413",
        "Invalid HTTP request",
    ):
        assert words in written
    for leaked in (token, other, secret, serving.reader, "someone", "9.9.9.9", "evil", "Traceback", "\x1b", "\x07", "\r"):
        assert leaked not in written, written
    lines = written.splitlines()
    logged = re.compile(r"[\d-]+ [\d:,]+ .*|  (at \S+:\d+ in \S+|\w+)|Digitale Region: listening .*|metrics for Prometheus: .*")
    assert [line for line in lines if not logged.fullmatch(line)] == []


def test_the_limit_on_forms_counts_the_readers_networks_behind_a_proxy(office: "Office", post: "Post") -> None:
    """S17: through a proxy on this machine, each network by itself; what a reader writes into the header does not help him."""
    serving = Serving(office, post)
    statuses = [serving.subscribe(f"a{number}@example.net", f"1.2.3.{number}, 9.9.9.{number}") for number in range(21)]
    assert statuses == [200] * 20 + [429]
    assert serving.subscribe("b@example.net", "9.9.8.1") == 200
    serving.stop()


def test_without_trust_in_the_proxy_its_word_is_not_taken(office: "Office", post: "Post") -> None:
    serving = Serving(office, post, trusted_proxies="10.0.0.0/8")
    statuses = [serving.subscribe(f"a{number}@example.net", "9.9.9.9") for number in range(21)]
    assert statuses == [200] * 21
    serving.stop()


@contextmanager
def under_way(serving: Serving) -> Iterator[tuple[socket.socket, IO[bytes]]]:
    """A one-click request of which the body has not come: the server has said that it waits for it."""
    head = (
        f"POST {serving.unsubscribe} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 26\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", serving.port), timeout=60) as wire, wire.makefile("rb") as answer:
        wire.sendall(head.encode())
        assert answer.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answer.readline() == b"\r\n"
        yield wire, answer


def no_longer_listens(port: int) -> None:
    """Until it takes no new requests."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it closed while this one waited to be taken
            continue


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_a_request_and_a_confirmation_mail(
    office: "Office", post: "Post", order: signal.Signals
) -> None:
    serving = Serving(office, post)
    post.hold_at = len(post) + 1
    assert serving.subscribe("new@example.net") == 200
    assert post.holding.wait(60)  # the mail server has the confirmation mail and has not said so
    with under_way(serving) as (wire, answer):
        serving.process.send_signal(order)
        no_longer_listens(serving.port)
        assert serving.process.poll() is None
        wire.sendall(b"List-Unsubscribe=One-Click")
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        post.go_on.set()
        written = serving.ended()
    assert "POST unsubscribe 200" in written
    assert "confirmation mails sent: 1" in written
    assert serving.sql("SELECT state FROM signup") == [("sent",)]
    store = open_store(office.url)
    assert is_suppressed(store, serving.links.mark(normalise(serving.reader).key))
    store.close()


def test_what_is_old_goes_when_it_starts(office: "Office", post: "Post") -> None:
    serving = Serving(office, post)
    serving.sql("UPDATE campaign SET ended_at = 1")
    serving.stop()
    serving.process = office.process("serve", "--port", str(serving.port))
    ask(f"{serving.url}/healthz")
    while serving.sql("SELECT emptied_at FROM campaign") == [(None,)]:
        assert serving.process.poll() is None
    assert "deleted what is old: values 3" in serving.stop()
    assert serving.sql("SELECT DISTINCT address, data FROM delivery") == [("", None)]


def test_a_retention_that_cannot_be_read_stops_it_from_starting(office: "Office") -> None:
    (office.root / "issues" / "publication.yaml").write_text(PUBLICATION + "retention: {values: soon}\n", encoding="utf-8")
    ran = office.newsletter("serve")
    assert (ran.code, "retention.values: must be a whole number of days" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("trusted_proxies", "10.0.0.1/8", "'10.0.0.1/8' is no address and no network; write addresses"),
        ("trusted_proxies", "proxy.example.org", "'proxy.example.org' is no address and no network"),
        ("trusted_proxies", "*", "'*' is no address and no network"),
        ("metrics_listen", "9125", "must be an address of this machine and a port, such as 127.0.0.1:9125"),
        ("metrics_listen", "127.0.0.1:0", "must be an address of this machine and a port"),
        ("metrics_listen", "localhost:9125", "must be an address of this machine and a port"),
        ("metrics_listen", "127.0.0.1:99999", "must be an address of this machine and a port"),
    ],
)
def test_settings_that_cannot_be_are_named(office: "Office", name: str, value: str, wrong: str) -> None:
    office.settings(**{name: value})
    ran = office.newsletter("serve")
    assert (ran.code, f".env: NEWSLETTER_{name.upper()}: {wrong}" in ran.err) == (2, True)


def test_a_metrics_port_that_is_taken_is_named(office: "Office") -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
        office.settings(metrics_listen=f"127.0.0.1:{port}")
        ran = office.newsletter("serve", "--port", str(free_port()))
    assert ran.code == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in ran.err
    assert "choose another NEWSLETTER_METRICS_LISTEN" in ran.err
