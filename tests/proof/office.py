"""An office on disk: an issue, a list, an ``.env``; and its ``newsletter send`` as a process that can be killed.

:class:`Command` is what people run. :class:`Quick` runs the same command in a process that was forked from one that had imported
everything already, with short pauses between the tries of a delivery: for the test that everybody runs.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Protocol

from newsletter.links import Links
from newsletter.settings import is_loopback

SLUG = "2026-12"
CONNECTIONS = 10
#: Signs the links.
KEY = "k" * 40
PUBLIC_URL = "http://127.0.0.1:8025"
LIST_ID = "newsletter.example.org"

_PUBLICATION = f"""\
name: Digitale Region
language: de
list_id: {LIST_ID}
sender: {{email: newsletter@example.org}}
imprint: {{organisation: Landkreis Beispiel, street: Weg 1, postal_code: "01067", city: Beispielstadt, email: info@example.org}}
"""
_ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region
date: 2026-12-01
blocks:
  - type: letter
    salutation: "Guten Tag, {{ first_name | default('liebe Leute') }},"
    body: |
"""
#: Makes a message of about 60 kB: more than a socket's buffers take at once, so that it can be cut inside.
_PARAGRAPHS = 48
_WORDS = "Die Fähre fährt seit Montag jede Stunde, und wer am Steg wartet, liest dort auf einer Tafel, wann sie kommt. " * 4


@dataclass(frozen=True)
class Office:
    """A workspace. ``connections`` are as many as the sender opens."""

    folder: Path
    connections: int = CONNECTIONS
    #: Of a ledger on a server, whose workers have a lease of so many seconds.
    server_url: str | None = None
    lease: int = 3
    #: The same server as those reach it that send on other hosts, and the mail server there.
    far_url: str | None = None
    smtp_host: str = "127.0.0.1"
    #: Whether some are refused at first, which takes minutes unless the sender is :class:`Quick`.
    greylists: bool = True

    @property
    def database(self) -> Path:
        """The ledger's file."""
        return self.folder / "newsletter.db"

    @property
    def ledger(self) -> Path | str:
        """Where others than the program find it: the file, or the server's address."""
        return self.database if self.server_url is None else self.server_url.replace("+psycopg", "")

    @property
    def database_url(self) -> str:
        """The ledger's address."""
        return self.server_url or f"sqlite:///{self.database}"

    @property
    def links(self) -> Links:
        """What signs for this publication."""
        return Links(PUBLIC_URL, KEY.encode(), LIST_ID)

    @property
    def arguments(self) -> list[str]:
        """The command line that begins the campaign and goes on with it."""
        return self.command("send", SLUG, "--to", str(self.folder / "list.csv"), "--yes", "--json")

    def command(self, *words: str) -> list[str]:
        """Another command line."""
        return ["--workspace", str(self.folder), *words]

    def furnish(self, deliveries: int, port: int) -> None:
        """Write the files. One address in a hundred is refused for good by the sink, one in fifty at first."""
        (self.folder / "issues" / SLUG).mkdir(parents=True)
        (self.folder / "issues" / "publication.yaml").write_text(_PUBLICATION, encoding="utf-8")
        body = "\n\n".join(f"      {_WORDS}" for _ in range(_PARAGRAPHS))
        (self.folder / "issues" / SLUG / "issue.yaml").write_text(_ISSUE + body + "\n", encoding="utf-8")
        with (self.folder / "list.csv").open("w", encoding="utf-8") as file:
            file.write("email,first_name\n")
            file.writelines(f"{self._name(number)}{number}@example.org,Ada {number}\n" for number in range(deliveries))
        settings = {
            "SMTP_HOST": self.smtp_host,
            "SMTP_PORT": port,
            "SMTP_SECURITY": "none" if is_loopback(self.smtp_host) else "tls",
            "SMTP_CONNECTIONS": self.connections,
            "PUBLIC_URL": PUBLIC_URL,
            "SECRET_KEY": KEY,
            "DATABASE_URL": self.far_url or self.database_url,
            "LEASE": self.lease,
        }
        lines = [f"NEWSLETTER_{name}={value}\n" for name, value in settings.items()]
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")

    def _name(self, number: int) -> str:
        return "gone" if number % 100 == 7 else "later" if number % 50 == 3 and self.greylists else "p"


class Sender(Protocol):
    """A running ``newsletter send``."""

    @property
    def pid(self) -> int:
        """The process."""

    def wait(self, seconds: float | None) -> int | None:
        """Its exit code, or None where it still runs after so many seconds; negative where a signal ended it."""


#: Starts one: the command line, and the file for what it prints.
Start = Callable[[list[str], Path], Sender]


class Command:
    """``python -m newsletter …``; behind the ``door`` (a command that becomes it), with more in its environment."""

    def __init__(
        self, arguments: list[str], said: Path, *, door: Sequence[str] = (), knows: Mapping[str, str] | None = None
    ) -> None:
        with said.open("ab") as file:
            self._process = subprocess.Popen(
                [*door, sys.executable, "-m", "newsletter", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **(knows or {})},
            )
        self.pid = self._process.pid

    def wait(self, seconds: float | None) -> int | None:
        """See :class:`Sender`."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


class Quick:
    """The same, without the second that the imports take, and with pauses of a few hundredths of a second."""

    _context = multiprocessing.get_context("forkserver")
    _context.set_forkserver_preload(
        ["newsletter.cli.app", "newsletter.compose.compile", "newsletter.delivery", "sqlalchemy", __name__]
    )

    def __init__(self, arguments: list[str], said: Path) -> None:
        self._process: ForkServerProcess = self._context.Process(target=_run, args=(arguments, said))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def wait(self, seconds: float | None) -> int | None:
        """See :class:`Sender`."""
        self._process.join(seconds)
        return self._process.exitcode


def _run(arguments: list[str], said: Path) -> None:
    from newsletter.cli.app import run
    from newsletter.delivery.drive import drive
    from newsletter.delivery.replies import Pauses

    if "worker" in arguments:
        _hurry_worker()
    defaults: dict[str, Any] | None = drive.__kwdefaults__
    assert defaults is not None
    defaults["pauses"] = Pauses(first=0.05, longest=0.2, connecting=(0.02,) * 20)
    with said.open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        code = run(arguments)
    os._exit(code)


def _hurry_worker() -> None:
    from newsletter.delivery import engine

    engine.SWEEP, engine._PAUSES = 0.5, (0.5,)


def last_account(said: Path) -> dict[str, Any] | None:
    """The account that the last sender printed, if it came so far."""
    for line in reversed(said.read_text(encoding="utf-8").splitlines()):
        if line.startswith('{"issue"'):
            found: dict[str, Any] = json.loads(line)
            return found
    return None
