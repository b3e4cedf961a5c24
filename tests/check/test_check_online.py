"""``--online``: a real web server is asked, machines of the local network are not, and our own links are never opened."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from newsletter.check.fetch import Answer, NotAllowed, Unreachable, fetch, is_public
from newsletter.check.run import check
from newsletter.check.sampling import Writer, messages
from newsletter.check.subject import Subject
from newsletter.check.visit import visit
from newsletter.compose.compile import compile_issue
from newsletter.issue import load_issue
from newsletter.links import Links
from tests.check.broken import URL, Bench


class Site(ThreadingHTTPServer):
    """A web server that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        """The path is the wanted status, or where to be led."""
        self.server.asked.append(f"{self.command} {self.path}")
        path = self.path.strip("/")
        if path.startswith("to/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("to/"))
        elif path == "nohead" and self.command == "HEAD":
            self.send_response(405)
        else:
            self.send_response(int(path) if path.isdecimal() else 200)
            self.send_header("Content-Type", "image/png" if path == "png" else "text/html; charset=utf-8")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def running(site: Site) -> Iterator[Site]:
    thread = threading.Thread(target=site.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        site.shutdown()
        thread.join()
        site.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with running(Site()) as site:
        yield site


anyone = partial(fetch, allowed=lambda _address: True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.20.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "2001:0:53aa:64c::",
        "2001:2::1",
    ],
)
def test_addresses_of_the_inside(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "9.9.9.9",
        "193.99.144.80",
        "172.32.0.1",
        "100.128.0.1",
        "2a02:2e0:3fe::1",
        "::ffff:9.9.9.9",
        "64:ff9b::909:909",
        "2002:909:909::",
    ],
)
def test_addresses_of_the_web(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_this_machine_is_not_asked(site: Site) -> None:
    with pytest.raises(NotAllowed, match=r"127\.0\.0\.1 is 127\.0\.0\.1, a machine of this office's own network"):
        fetch(f"{site.url}/200")
    with pytest.raises(NotAllowed):
        fetch(f"http://localhost:{site.server_port}/200")
    assert site.asked == []


def test_a_redirect_is_judged_anew(site: Site) -> None:
    calls: list[str] = []

    def once(address: object) -> bool:
        calls.append(str(address))
        return len(calls) == 1

    with pytest.raises(NotAllowed):
        fetch(f"{site.url}/to/{site.url}/200", once)
    assert site.asked == [f"HEAD /to/{site.url}/200"]


def test_what_a_server_says(site: Site) -> None:
    assert anyone(f"{site.url}/404").status == 404
    assert anyone(f"{site.url}/nohead").status == 200
    assert site.asked[-2:] == ["HEAD /nohead", "GET /nohead"]
    assert anyone(f"{site.url}/to//200") == Answer(200, f"{site.url}/200", "text/html", 0)
    with pytest.raises(Unreachable, match="on and on"):
        anyone(f"{site.url}/to//to//to//to//to//200")


@pytest.mark.parametrize("url", ["ftp://example.org/", "https://user:secret@example.org/", "file:///etc/passwd", "mailto:a@b.c"])
def test_only_plain_web_addresses_are_asked(url: str) -> None:
    with pytest.raises(NotAllowed):
        anyone(url)


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match="refuses the connection"):
        anyone(f"http://127.0.0.1:{port}/")
    with pytest.raises(Unreachable, match="there is no such server"):
        anyone("https://no-such-host.invalid/")


def test_the_certificate_is_verified_under_the_name() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    secure = Site()
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with running(secure):
        url = f"https://localhost:{secure.server_port}/200"
        with pytest.raises(Unreachable, match="certificate is not valid"):
            anyone(url)
        assert anyone(url, context=trusting).status == 200
        with pytest.raises(Unreachable, match="certificate is not valid"):
            anyone(url.replace("localhost", "127.0.0.1"), context=trusting)


def found(bench: Bench, ask: Callable[[str], Answer]) -> list[tuple[str, str]]:
    """What the rules find, with the answers of ``ask``."""
    issue = load_issue(bench.workspace, "4")
    own = Links(URL, b"k" * 32, issue.publication.own_list_id)
    edition = compile_issue(issue, bench.workspace, own.picture_url)
    subject = Subject(issue, edition, bench.settings)
    made = messages(subject, Writer(edition, own, issue.slug))
    report = check(subject, made, visit(made[0].page, own, ask))
    return [(finding.rule.id, str(finding.at).rpartition("/")[2]) for finding in report.findings]


def test_our_own_links_are_never_opened(bench: Bench) -> None:
    asked: list[str] = []

    def ask(url: str) -> Answer:
        asked.append(url)
        return Answer(200, url, "text/html", 1)

    assert found(bench, ask) == []
    assert "https://www.example.org/kongress" in asked
    assert len(asked) == len(set(asked))
    assert not [url for url in asked if url.startswith(URL)]


def test_each_answer_has_its_finding(bench: Bench, site: Site) -> None:
    bench.replace("language: de\n", f"language: de\npictures: {{base_url: {site.url}/404}}\n")
    bench.replace("https://www.example.org/vortraege", "https://www.example.org/intern")
    answers: dict[str, Callable[[str], Answer]] = {
        "https://www.example.org/kongress": lambda url: anyone(f"{site.url}/410#{url}"),
        "https://www.example.org/intern": lambda _url: fetch("http://192.168.0.1/"),
        "https://www.example.org/datenschutz": lambda _url: anyone(f"{site.url}/503"),
    }

    def ask(url: str) -> Answer:
        if url in answers:
            return answers[url](url)
        return anyone(f"{site.url}/404" if "/404/" in url else f"{site.url}/200")

    assert set(found(bench, ask)) == {
        ("H13-link-broken", "issue.yaml:10:35"),
        ("S8-link-inside", "issue.yaml:16:48"),
        ("H13-link-unsure", "publication.yaml:16:14"),
        ("H7-picture-not-there", "issue.yaml:14:18"),
    }
