"""An office on disk, the command as people type it, and a mail server on a real socket that does what a test tells it to."""

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.cli.app import run
from newsletter.preview.inbox import Inbox
from newsletter.store import Campaign, list_campaigns, open_store

SLUG = "2026-12"
KEY = "k" * 40

PUBLICATION = """\
name: Digitale Region
language: de
sender: {email: newsletter@example.org}
imprint: {organisation: Landkreis Beispiel, street: Weg 1, postal_code: "01067", city: Beispielstadt, email: info@example.org}
"""

ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region
date: 2026-12-01
blocks:
  - type: letter
    salutation: "Guten Tag, {{ first_name | default('liebe Leute') }},"
    body: Die Fähre fährt.
"""


class Terminal(io.StringIO):
    """Someone types these answers."""

    def isatty(self) -> bool:
        return True


@dataclass
class Post(Inbox):
    """The inbox, with an opinion: ``refuses`` gets the address at RCPT and may give a reply.

    After ``hold_at`` messages it has taken one and does not say so before ``go_on`` is set; ``holding`` says when.
    """

    refuses: Callable[[str], str | None] = lambda _address: None
    hold_at: int = 0
    holding: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if reply := self.refuses(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = await super().handle_DATA(server, session, envelope)
        if len(self) == self.hold_at:
            self.holding.set()
            while not self.go_on.is_set():  # noqa: ASYNC110 - set by another thread
                await asyncio.sleep(0.005)
        return reply

    def texts(self) -> dict[str, str]:
        """The text part that each address got."""
        parts = ((received.recipients[0], received.message.get_body(("plain",))) for received in self)
        return {address: str(part.get_content()) for address, part in parts if part is not None}

    def addresses(self) -> Counter[str]:
        """Who got how many."""
        return Counter(address for received in self for address in received.recipients)


@dataclass(frozen=True)
class Ran:
    """What a command said and with which code it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


@dataclass
class Office:
    """The current folder is a workspace whose ``.env`` names the database ``url`` and the post."""

    root: Path
    url: str
    post: Post
    _monkeypatch: pytest.MonkeyPatch
    _capsys: pytest.CaptureFixture[str]
    _ends: list[tuple["subprocess.Popen[str]", threading.Timer]] = field(default_factory=list)

    def newsletter(self, *arguments: str, types: str | None = None) -> Ran:
        """Run the command here; ``types`` is what someone answers on the terminal, None where nobody is there."""
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO() if types is None else Terminal(types))
            self._capsys.readouterr()
            code = run(arguments)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return Ran(code, said.out, said.err)

    def send(self, *options: str, **how: Any) -> Ran:
        """``newsletter send 2026-12 --to list.csv --yes``."""
        return self.newsletter("send", SLUG, "--to", "list.csv", "--yes", *options, **how)

    def process(self, *arguments: str, **how: Any) -> "subprocess.Popen[str]":
        """The command as a process of its own."""
        command = [sys.executable, "-m", "newsletter", *arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        process = subprocess.Popen(command, cwd=self.root, text=True, env=os.environ | {"COLUMNS": "80"}, **pipes)
        end = threading.Timer(90, process.kill)  # so that a test which waits for a word in vain fails
        end.start()
        self._ends.append((process, end))
        return process

    def close(self) -> None:
        """End what a failed test left running."""
        for process, end in self._ends:
            end.cancel()
            process.kill()
            process.wait()

    def recipients(self, *rows: str) -> None:
        """Write ``list.csv``."""
        (self.root / "list.csv").write_text("\n".join(("email;vorname", *rows)) + "\n", encoding="utf-8")

    def crowd(self, count: int) -> None:
        """Write a list of so many."""
        self.recipients(*(f"p{number}@example.org;P{number}" for number in range(count)))

    def issue(self, text: str) -> None:
        """Write the issue file."""
        self.issue_file.parent.mkdir(parents=True, exist_ok=True)
        self.issue_file.write_text(text, encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Change words of the issue file."""
        text = self.issue_file.read_text(encoding="utf-8")
        assert old in text
        self.issue(text.replace(old, new))

    @property
    def issue_file(self) -> Path:
        """``issues/2026-12/issue.yaml``."""
        return self.root / "issues" / SLUG / "issue.yaml"

    def settings(self, **values: str) -> None:
        """Write ``.env``: what is needed to send, with these changes."""
        chosen = {
            "smtp_host": "127.0.0.1",
            "smtp_port": str(self.post.port),
            "smtp_security": "none",
            "smtp_connections": "1",
            "public_url": "http://127.0.0.1:8025",
            "secret_key": KEY,
            "database_url": self.url,
        } | values
        text = "".join(f"NEWSLETTER_{name.upper()}={value}\n" for name, value in chosen.items())
        (self.root / ".env").write_text(text, encoding="utf-8")

    def campaigns(self) -> list[Campaign]:
        """What the database knows."""
        store = open_store(self.url)
        found = list_campaigns(store)
        store.close()
        return found

    def account(self) -> Any:
        """``status --json`` of the issue."""
        return self.newsletter("status", SLUG, "--json").json


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """A command that writes a log to stderr leaves no handler behind: the next test would log to a stderr that is closed."""
    ours, root, excepthook = logging.getLogger("newsletter"), logging.getLogger(), threading.excepthook
    handlers, levels = root.handlers[:], (ours.level, root.level)
    yield
    root.handlers[:] = handlers
    ours.setLevel(levels[0])
    root.setLevel(levels[1])
    threading.excepthook = excepthook


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as post:
        yield post
        post.go_on.set()


@pytest.fixture
def office(
    tmp_path: Path, database_url: str, post: Post, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Office]:
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "publication.yaml").write_text(PUBLICATION, encoding="utf-8")
    office = Office(tmp_path, database_url, post, monkeypatch, capsys)
    office.issue(ISSUE)
    office.recipients("ada@example.org;Ada", "bob@example.org;Bob", "cyd@example.org;")
    office.settings()
    yield office
    office.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once, and a mail server that does not answer is soon given up."""
    from newsletter.cli import driving
    from newsletter.delivery.drive import drive
    from newsletter.delivery.replies import Pauses

    monkeypatch.setattr(driving, "_PAUSES", ())
    assert drive.__kwdefaults__ is not None
    monkeypatch.setitem(drive.__kwdefaults__, "pauses", Pauses(first=0.02, longest=0.05, connecting=(0.01, 0.01)))


@pytest.fixture
def hosts(office: Office) -> Office:
    """An office whose database is ready for workers, which have a short lease."""
    from newsletter.store.jobs import upgrade_jobs

    store = open_store(office.url)
    upgrade_jobs(store)
    store.close()
    office.settings(lease="4")
    return office
