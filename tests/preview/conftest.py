"""A small office whose issue has a finding, merge fields and a block for some alone; and its preview."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

from newsletter.preview.app import Studio, create_app
from newsletter.preview.inbox import Inbox
from newsletter.preview.people import People
from newsletter.preview.server import Preview
from newsletter.settings import Workspace

HOST = "127.0.0.1:8026"
TOKEN = "a-token-of-the-test"

PUBLICATION = """\
name: Digitale Region
language: de
sender: {email: newsletter@example.org}
privacy_url: https://region.example/datenschutz
imprint: {organisation: Landkreis Beispiel, street: Weg 1, postal_code: "01067", city: Beispielstadt, email: info@example.org}
"""

ISSUE = """\
title: Ausgabe Dezember
subject: Neues aus der Region für den ganzen Dezember
preheader: Die Fähre fährt wieder, und der See hat einen neuen Steg für alle
date: 2026-12-01
blocks:
  - type: letter
    salutation: "Guten Tag, {{ first_name | default('liebe Leute') }},"
    body: Die Fähre fährt wieder, jeden Tag von sechs bis zehn.
  - type: article
    title: Der neue Steg
    image: {src: steg.png, alt: Ein Steg aus hellem Holz am Ufer des Sees, credit: Redaktion}
    body: Mehr über den Steg steht [hier](https://region.example/steg).
  - type: text
    title: Nur für die Presse
    only: {tag: presse}
    body: Bilder in hoher Auflösung gibt es auf Anfrage.
"""


@dataclass
class Office:
    """A workspace on disk, the current folder."""

    root: Path

    @property
    def issue(self) -> Path:
        """The issue file."""
        return self.root / "issues" / "2026-12" / "issue.yaml"

    def edit(self, old: str, new: str) -> None:
        """Save the issue with other words."""
        text = self.issue.read_text(encoding="utf-8")
        assert old in text
        self.issue.write_text(text.replace(old, new), encoding="utf-8")

    def recipients(self, *rows: str) -> None:
        """Write ``list.csv``."""
        (self.root / "list.csv").write_text("\n".join(("email;vorname;tags", *rows)) + "\n", encoding="utf-8")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    made = Office(tmp_path)
    made.issue.parent.mkdir(parents=True)
    (tmp_path / "issues" / "publication.yaml").write_text(PUBLICATION, encoding="utf-8")
    made.issue.write_text(ISSUE, encoding="utf-8")
    Image.new("RGB", (900, 600), "#88aabb").save(made.issue.parent / "steg.png")
    made.recipients("ada@example.org;Ada;", "bob@example.org;Bob;presse", "cyd@example.org;;")
    return made


@pytest.fixture
def studio(office: Office) -> Iterator[Studio]:
    with Inbox() as inbox:
        made = Studio(office.root, inbox, People(office.root / "list.csv"))
        yield made
        made.close()


@dataclass
class Visitor:
    """Somebody with a browser who has the address."""

    app: Starlette

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """What is answered; a redirect is followed."""

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", follow_redirects=True) as client:
                return await client.request(method, path, **request)

        return asyncio.run(exchange())

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page below ``/TOKEN/``."""
        return self.ask("GET", f"/{TOKEN}/{path}", headers=headers)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """A form of a page, sent from there."""
        return self.ask("POST", f"/{TOKEN}/{path}", data=fields, headers={"Origin": f"http://{HOST}"})


@pytest.fixture
def visitor(studio: Studio) -> Visitor:
    return Visitor(create_app(studio, TOKEN))


@pytest.fixture
def running(office: Office) -> Iterator[Preview]:
    """The preview as the command starts it."""
    with Preview(Workspace(office.root), "2026-12") as preview:
        yield preview
