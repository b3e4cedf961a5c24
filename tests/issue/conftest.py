"""A small workspace on disk: a publication, one issue, two pictures."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from newsletter.issue import Issue, load_issue
from newsletter.settings import Workspace

PUBLICATION = """\
name: Digitale Region
language: de
sender: {email: newsletter@example.org}
imprint:
  organisation: Landkreis Beispiel
  street: Hauptstraße 1
  postal_code: 01067
  city: Beispielstadt
  email: info@example.org
"""

ISSUE = """\
title: Ausgabe 4
subject: Neues aus der Region
date: 2026-12-01
blocks:
"""


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    """A whole picture file."""
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert("P" if kind == "GIF" else "RGB").save(stream, kind)
    return stream.getvalue()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace, also the current folder; ``issues/4/`` holds ``foto.jpg`` and ``bild.png``."""
    folder = tmp_path / "issues" / "4"
    folder.mkdir(parents=True)
    (tmp_path / "layouts" / "region").mkdir(parents=True)
    (tmp_path / "layouts" / "region" / "layout.mjml.j2").touch()
    (tmp_path / "issues" / "publication.yaml").write_text(PUBLICATION, encoding="utf-8")
    (folder / "foto.jpg").write_bytes(picture("JPEG"))
    (folder / "bild.png").write_bytes(picture("PNG"))
    monkeypatch.chdir(tmp_path)
    return Workspace(Path())


@pytest.fixture
def load(workspace: Workspace) -> Callable[[str | bytes], Issue]:
    """Write ``issues/4/issue.yaml`` and load it."""

    def write_and_load(text: str | bytes) -> Issue:
        file = workspace.issues / "4" / "issue.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_issue(workspace, "4")

    return write_and_load
