"""A small issue that no rule finds fault with, and what becomes of it when one thing in it is broken."""

import atexit
import dataclasses
import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from newsletter.audience.csv_list import open_list
from newsletter.check import Report, Subject, check
from newsletter.check.people import read_people
from newsletter.check.sampling import Writer, invented_variants, messages
from newsletter.check.variants import needed_variants
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import Edition, Part
from newsletter.issue import load_issue
from newsletter.links import Links
from newsletter.settings import Settings, Workspace, program_folder

PUBLICATION = """\
name: Digitale Region
language: de
layout: region
sender: {name: Staatskanzlei, email: newsletter@region.example.org, reply_to: redaktion@region.example.org}
list_id: digital.region.example.org
homepage: https://www.example.org/
imprint:
  organisation: Ministerium für Wege und Netze des Landes Beispiel
  street: Hauptstraße 1
  postal_code: "01067"
  city: Beispielstadt
  email: info@region.example.org
  phone: 030 23125 417
  responsible: Dr. Ada Beispiel, Anschrift wie oben
privacy_url: https://www.example.org/datenschutz
accessibility_url: https://www.example.org/barrierefreiheit
"""
ISSUE = """\
title: Digitale Region, Ausgabe 4
subject: Rückblick auf den Kongress und neue Termine
preheader: Was der Kongress gebracht hat, und wo Sie uns im Dezember treffen können.
date: 2026-12-01
blocks:
  - type: letter
    salutation: "Guten Tag, {{ first_name | default('liebe Leserinnen und Leser') }},"
    body: |
      der Kongress ist vorbei. Was bleibt, lesen Sie hier, und im
      [Bericht über den Kongress](https://www.example.org/kongress) steht der Rest.
    signature: Ihr Team
  - type: article
    title: Was der Kongress gebracht hat
    image: {src: saal.jpg, alt: Ein voller Saal von der Bühne aus gesehen, credit: A. Foto}
    body: Dreihundert Gäste, zwölf Gespräche und ein Plan für das neue Jahr.
    link: {label: Alle Vorträge als Text, url: "https://www.example.org/vortraege"}
"""
URL = "https://news.example.org"


@functools.cache
def _scaled() -> str:
    """A folder for the scaled pictures of all benches: hundreds have the same one."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Bench:
    """A workspace with one issue. Change its files or its edition, then :meth:`check`."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        self.workspace.picture_cache.parent.mkdir()
        self.workspace.picture_cache.symlink_to(_scaled())
        self.folder = root / "issues" / "4"
        self.folder.mkdir(parents=True)
        self.settings = Settings(public_url=URL, smtp_host="mail.example.org")
        self.list = root / "list.csv"
        self.write(PUBLICATION, ISSUE)
        Image.new("RGB", (1200, 600), "#0a6273").save(self.folder / "saal.jpg")
        self._changes: list[Callable[[Edition], Edition]] = []
        self._raw: list[tuple[bytes, bytes]] = []

    def write(self, publication: str = PUBLICATION, issue: str = ISSUE) -> None:
        """Write both files."""
        (self.workspace.issues / "publication.yaml").write_text(publication, encoding="utf-8")
        (self.folder / "issue.yaml").write_text(issue, encoding="utf-8")

    def replace(self, old: str, new: str) -> None:
        """Replace text in the issue file or in ``publication.yaml``, wherever it stands."""
        files = (self.folder / "issue.yaml", self.workspace.issues / "publication.yaml")
        texts = [file.read_text(encoding="utf-8") for file in files]
        assert any(old in text for text in texts), old
        for file, text in zip(files, texts, strict=True):
            file.write_text(text.replace(old, new), encoding="utf-8")

    def layout(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the layout: in a copy of it in the workspace (``blocks/article.mjml.j2``, ``text.j2`` …)."""
        for folder in ("base", "region"):
            source, copy = program_folder("layouts") / folder, self.workspace.root / "layouts" / folder
            for file in source.rglob("*"):
                if file.is_file() and not (copy / file.relative_to(source)).exists():
                    (copy / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
                    (copy / file.relative_to(source)).write_bytes(file.read_bytes())
        files = [self.workspace.root / "layouts" / folder / name for folder in ("region", "base")]
        file = next(file for file in files if file.is_file())
        text = file.read_text(encoding="utf-8")
        assert old in text, old
        file.write_text(text.replace(old, new), encoding="utf-8")

    def html(self, old: str, new: str) -> None:
        """Replace text in the compiled HTML, as a layout of somebody's own might have it."""
        self._changes.append(lambda edition: dataclasses.replace(edition, html=_replaced(edition.html, old, new)))

    def text(self, old: str, new: str) -> None:
        """Replace text in the compiled text part."""
        self._changes.append(lambda edition: dataclasses.replace(edition, text=_replaced(edition.text, old, new)))

    def edition(self, change: Callable[[Edition], Edition]) -> None:
        """Change the edition in any other way."""
        self._changes.append(change)

    def raw(self, old: bytes, new: bytes) -> None:
        """Replace bytes in the messages, where no edition can bring them about."""
        self._raw.append((old, new))

    def check(self) -> Report:
        """Compile, apply the changes, make the sample messages and hold them against all rules."""
        issue = load_issue(self.workspace, "4")
        links = Links(URL, b"k" * 32, issue.publication.own_list_id)
        rows = open_list(self.list) if self.list.exists() else None
        variants = needed_variants(issue, rows) if rows is not None else invented_variants(issue)
        edition = compile_issue(issue, self.workspace, links.picture_url, variants)
        for change in self._changes:
            edition = change(edition)
        writer = Writer(edition, links, issue.slug)
        people = read_people(rows, edition, writer) if rows is not None else None
        subject = Subject(issue, edition, self.settings, people)
        made = messages(subject, writer)
        for old, new in self._raw:
            assert all(old in message.raw for message in made), old
            made = [dataclasses.replace(message, raw=message.raw.replace(old, new, 1)) for message in made]
        return check(subject, made)

    def rules(self) -> set[str]:
        """The ids of the rules that are broken."""
        return {finding.rule.id for finding in self.check().findings}


def _replaced(part: Part, old: str, new: str) -> Part:
    assert any(isinstance(piece, str) and old in piece for piece in part.pieces), old
    return Part(tuple(piece.replace(old, new) if isinstance(piece, str) else piece for piece in part.pieces))
