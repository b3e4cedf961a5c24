"""A real ``serve`` process beside an issue that was sent, and whoever asks it."""

import http.client
import signal
import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from newsletter.cli.rehearsal import links_of
from newsletter.links import Links
from newsletter.store.clock import now
from tests.cli.conftest import KEY
from tests.cli.test_cli_pages import ask, free_port

if TYPE_CHECKING:
    import subprocess

    from tests.cli.conftest import Office, Post

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Serving:
    """A real ``serve`` beside an issue that was sent to three."""

    def __init__(self, office: "Office", post: "Post", **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        chosen = {"public_url": self.url} | settings
        office.settings(**chosen)
        self.office = office
        self.links = Links(chosen["public_url"], KEY.encode(), "newsletter.example.org")
        assert office.send().code == 0
        self.mail = next(iter(post))
        self.reader = self.mail.recipients[0]
        self.view = urlsplit(links_of(self.mail).view).path
        self.unsubscribe = urlsplit(links_of(self.mail).unsubscribe).path
        self.process: subprocess.Popen[str] = office.process("serve", "--port", str(self.port))
        ask(f"{self.url}/healthz")

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> http.client.HTTPResponse:
        """One request, over a connection of its own."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        wire.request(method, path, body, dict(headers))
        answer = wire.getresponse()
        answer.read()
        wire.close()
        return answer

    def subscribe(self, address: str, forwarded: str | None = None, host: str | None = None) -> int:
        """Fill the form; gives the status."""
        body = urlencode({"email": address, "stamp": self.links.stamp(now()), "website": ""}).encode()
        headers = FORM | ({"X-Forwarded-For": forwarded} if forwarded else {}) | ({"Host": host} if host else {})
        return self.request("POST", "/subscribe", body, headers).status

    def stop(self, order: signal.Signals = signal.SIGTERM) -> str:
        """What it wrote, to both, until it ended with 0."""
        self.process.send_signal(order)
        return self.ended()

    def ended(self) -> str:
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return out + err

    def sql(self, statement: str) -> list[Any]:
        """A change by another hand, or a look."""
        with sqlite3.connect(self.office.root / "newsletter.db", timeout=30) as connection:
            found = connection.execute(statement).fetchall()
        connection.close()
        return found
