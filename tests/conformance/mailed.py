"""A workspace whose issue goes out by ``newsletter send`` and whose pages are served by ``newsletter serve``, as in an office."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsletter.preview.inbox import Inbox

KEY = "k" * 40

PUBLICATION = """\
name: Digitale Region
language: de
languages: [de, en]
topics: {presse: Für die Presse}
sender: {email: newsletter@example.org}
homepage: https://www.example.org/region
privacy_url: https://www.example.org/datenschutz
imprint: {organisation: Landkreis Beispiel, street: Weg 1, postal_code: "01067", city: Beispielstadt, email: info@example.org}
"""

ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region
preheader: Die Fähre fährt wieder, und der Kreistag tagt.
date: 2026-12-01
blocks:
  - type: letter
    salutation: "Guten Tag {{ name | default('zusammen') }},"
    body: Die Fähre fährt. Mehr steht auf den [Seiten des Kreises](https://www.example.org/faehre).
  - type: image
    src: see.png
    alt: Der See am Morgen
  - type: article
    title: Kreistag
    body: Er tagt am Montag.
    link: {label: Tagesordnung lesen, url: "https://www.example.org/kreistag"}
"""


@dataclass(frozen=True)
class Workplace:
    """A folder with a publication and an issue ``2026-12``, its mail server, and the address of its pages."""

    root: Path
    inbox: Inbox
    url: str

    @property
    def file(self) -> Path:
        """The database."""
        return self.root / "newsletter.db"

    def write_list(self, name: str, people: Sequence[str]) -> Path:
        """Write a list of addresses; each has a name with what must be escaped."""
        rows = (f"{address};Änne & <{address.partition('@')[0]}>" for address in people)
        (self.root / name).write_text("\n".join(["email;name", *rows]) + "\n", encoding="utf-8")
        return self.root / name

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """The command in a process of its own; what it says goes to a file named after it, for a full pipe would stop it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        with self.log(arguments[0]).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "newsletter", *arguments], cwd=self.root, env=clean, stdout=log, stderr=log
            )

    def run(self, *arguments: str) -> None:
        """The command to its end, which must be a good one."""
        assert self.start(*arguments).wait(timeout=120) == 0, self.log(arguments[0]).read_text(encoding="utf-8")

    def log(self, command: str) -> Path:
        """What a command said."""
        return self.root / f"{command}.log"

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """What the database says, to somebody else than the program."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(sql, values).fetchall()

    def dump(self) -> list[str]:
        """All tables, row for row."""
        with closing(sqlite3.connect(self.file)) as connection:
            return list(connection.iterdump())

    def suppressed(self) -> set[str]:
        """Who may not be written to."""
        return {str(address) for (address,) in self.ask("SELECT address FROM suppression")}

    @contextmanager
    def served(self) -> Iterator["subprocess.Popen[bytes]"]:
        """``newsletter serve`` while the block lasts."""
        process = self.start("serve", "--port", self.url.rsplit(":", 1)[1])
        try:
            while not _is_up(int(self.url.rsplit(":", 1)[1])):
                assert process.poll() is None, self.log("serve").read_text(encoding="utf-8")
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def _is_up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60):
            return True
    except ConnectionRefusedError:
        return False


def make_workplace(root: Path, inbox: Inbox, connections: int = 4) -> Workplace:
    """Write the files; the address of the pages is a free port."""
    from PIL import Image

    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    folder = root / "issues" / "2026-12"
    folder.mkdir(parents=True)
    (root / "issues" / "publication.yaml").write_text(PUBLICATION, encoding="utf-8")
    (folder / "issue.yaml").write_text(ISSUE, encoding="utf-8")
    Image.linear_gradient("L").resize((1200, 400)).convert("RGB").save(folder / "see.png")
    settings = {
        "smtp_host": inbox.host,
        "smtp_port": inbox.port,
        "smtp_security": "none",
        "smtp_connections": connections,
        "public_url": url,
        "secret_key": KEY,
    }
    lines = (f"NEWSLETTER_{name.upper()}={value}\n" for name, value in settings.items())
    (root / ".env").write_text("".join(lines), encoding="utf-8")
    return Workplace(root, inbox, url)
