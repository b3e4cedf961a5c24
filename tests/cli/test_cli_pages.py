"""``newsletter serve`` and ``demo``: the links of mail that was really sent are opened."""

import os
import pty
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.smtp import Envelope

from newsletter.cli.rehearsal import links_of
from newsletter.preview.inbox import Inbox, Received
from newsletter.web.public_html import unframed
from newsletter.web.server import BackgroundServer

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


def ask(url: str, body: bytes | None = None) -> str:
    """Ask until the server is up."""
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > end:
                raise
            time.sleep(0.05)


def test_serve_answers_for_mail_that_was_sent(office: "Office", post: "Post") -> None:
    port = free_port()
    office.settings(public_url=f"http://127.0.0.1:{port}")
    assert office.send().code == 0
    mail = next(iter(post))
    links = links_of(mail)
    serving = office.process("serve", "--port", str(port))
    assert unframed(ask(links.view)).strip() == links.html.replace("\r\n", "\n").strip()
    assert "<form" in ask(links.unsubscribe)
    ask(links.unsubscribe, b"List-Unsubscribe=One-Click")
    serving.send_signal(signal.SIGTERM)
    out, err = serving.communicate(timeout=60)
    assert (serving.returncode, out) == (0, "")
    assert err.startswith(f"Digitale Region: listening on http://127.0.0.1:{port}, links lead to http://127.0.0.1:{port}; Ctrl-C")
    assert re.search(r"^[\d-]+ [\d:,]+ GET view 200 ", err, re.MULTILINE)
    assert links.view.rsplit("/", 1)[1] not in err
    assert mail.recipients[0] not in err
    assert "Traceback" not in err
    again = office.send("--again", "--json").json
    assert (again["sent"], again["suppressed"], again["audience"]) == (2, 1, 3)


def test_serve_on_a_port_that_is_taken(office: "Office") -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
        ran = office.newsletter("serve", "--port", str(port))
    assert ran.code == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in ran.err


def test_serve_needs_the_key(office: "Office") -> None:
    office.settings(secret_key="")
    ran = office.newsletter("serve")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith(".env: NEWSLETTER_SECRET_KEY: is not set")


def test_demo_once_checks_what_arrived(office: "Office", tmp_path: Path) -> None:
    ran = office.newsletter("demo", "--once", "--out", "shown")
    assert (ran.code, ran.out) == (0, "")
    arrived = sorted(folder.name for folder in (tmp_path / "shown" / "arrived").iterdir())
    assert len(arrived) == 6
    for folder in arrived:
        names = {file.name for file in (tmp_path / "shown" / "arrived" / folder).iterdir()}
        assert names == {"message.html", "message.txt", "message.eml", "pictures"}
    for words in (
        "view in browser: 200, the same mail",
        "pictures: 8 of 8 load",
        "unsubscribe page: 200, one button",
        "2026-11: done",
    ):
        assert words in ran.err
    assert "http://" not in ran.err  # the servers are gone
    assert max(len(line) for line in ran.err.splitlines() if str(tmp_path) not in line) <= 80


def test_demo_says_what_failed(office: "Office", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BackgroundServer, "start", lambda server, _app: server.stop())
    ran = office.newsletter("demo", "--once", "--out", "shown")
    assert ran.code == 1
    assert "demo failed: view in browser: no answer, not the same mail\n" in ran.err
    assert "demo failed: pictures: 0 of 8 load\n" in ran.err
    assert re.search(r"demo failed: one-click unsubscribe \(RFC 8058\): no answer, \S+ is not off the list\n", ran.err)


def test_demo_counts_what_arrived(office: "Office", monkeypatch: pytest.MonkeyPatch) -> None:
    async def lose_one_double_one(inbox: Inbox, server: object, session: object, envelope: Envelope) -> str:
        address = envelope.rcpt_tos[0]
        copies = {"joerg.weiss@example.org": 2, "ole.tvedt@example.net": 0}.get(address, 1)
        inbox._received += [Received("", (address,), envelope.original_content or b"")] * copies
        return "250 ok"

    monkeypatch.setattr(Inbox, "handle_DATA", lose_one_double_one)
    ran = office.newsletter("demo", "--once", "--out", "shown")
    assert ran.code == 1
    assert "demo failed: joerg.weiss@example.org got 2 mails\n" in ran.err
    assert "demo failed: 6 recipients, 6 sent, mail arrived at 5 addresses\n" in ran.err


def test_demo_touches_nothing_that_is_there(office: "Office") -> None:
    (office.root / "newsletter.db").write_text("the office's own", encoding="utf-8")
    ran = office.newsletter("demo", "--once", "--out", ".")
    assert (ran.code, ran.err) == (2, ".: is not empty; name a folder that does not exist yet\n")
    assert (office.root / "newsletter.db").read_text(encoding="utf-8") == "the office's own"


def test_demo_stays_up_on_a_terminal(office: "Office") -> None:
    master, slave = pty.openpty()
    showing = office.process("demo", "--out", "shown", stdout=slave)
    os.close(slave)
    assert showing.stderr is not None
    found = {}
    for line in showing.stderr:
        if match := re.match(r"  (view in browser|unsubscribe) +(http\S+)", line):
            found[match[1]] = match[2]
        if len(found) == 2:
            break
    assert "Ein See, ein Fahrplan" in ask(found["view in browser"])
    assert "<form" in ask(found["unsubscribe"])
    showing.send_signal(signal.SIGINT)
    _, err = showing.communicate(timeout=60)
    os.close(master)
    assert (showing.returncode, "Traceback" in err) == (0, False)
