"""``newsletter new-layout``: a complete copy that looks as what it was made of, and nothing overwritten."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from newsletter.settings import Workspace, program_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Office


def rendered(office: "Office", layout: str) -> bytes:
    head = office.issue_file.read_text(encoding="utf-8")
    office.issue_file.write_text(f"layout: {layout}\n{head}", encoding="utf-8")
    ran = office.newsletter("render", "2026-12", "--out", "out")
    office.issue_file.write_text(head, encoding="utf-8")
    assert (ran.code, ran.out) == (0, "")
    return (office.root / "out" / "message.html").read_bytes()


@pytest.mark.parametrize("source", ["region", "plain"])
def test_a_new_layout_looks_as_its_source(office: "Office", source: str) -> None:
    ran = office.newsletter("new-layout", "our-county", "--from", source)
    folder = office.root / "layouts" / "our-county"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith(f"made layouts/our-county with {len(files)} files, from {source}\n")
    assert rendered(office, "our-county") == rendered(office, source)
    own = program_folder("layouts") / source / "theme.yaml"
    assert (folder / "theme.yaml").read_bytes() == own.read_bytes()


def test_a_new_layout_needs_nothing_of_the_base(office: "Office") -> None:
    """Everything is in it: what is changed there changes the mail, and an update of the program does not."""
    assert office.newsletter("new-layout", "ours").code == 0
    folder = office.root / "layouts" / "ours"
    base = program_folder("layouts") / "base"
    assert {file.relative_to(base) for file in base.rglob("*.j2")} <= {file.relative_to(folder) for file in folder.rglob("*.j2")}
    parts = folder / "parts.mjml.j2"
    parts.write_text(parts.read_text(encoding="utf-8").replace('css-class="prose"', 'css-class="prose ours"'), encoding="utf-8")
    assert b"prose ours" in rendered(office, "ours")
    assert office.newsletter("new-layout", "theirs", "--from", "ours").code == 0
    assert b"prose ours" in rendered(office, "theirs")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a b", ".x", "base", "Größe", "a\nb"])
def test_bad_names_are_refused(office: "Office", name: str) -> None:
    before = sorted(office.root.rglob("*"))
    ran = office.newsletter("new-layout", "--", name)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "cannot be a layout's name" in ran.err
    assert sorted(office.root.rglob("*")) == before


def test_what_is_there_is_not_overwritten(office: "Office") -> None:
    assert office.newsletter("new-layout", "ours").code == 0
    before = {file: file.stat().st_mtime_ns for file in office.root.rglob("*")}
    for name in ("ours", "region", "plain"):
        ran = office.newsletter("new-layout", name)
        assert (ran.code, ran.err) == (2, f"there is a layout {name!r} already; choose another name\n")
    ran = office.newsletter("new-layout", "mine", "--from", "regoin")
    assert (ran.code, ran.err) == (2, "--from: there is no layout 'regoin'; there are: ours, plain, region\n")
    assert {file: file.stat().st_mtime_ns for file in office.root.rglob("*")} == before
    (office.root / "layouts" / "half").mkdir()
    ran = office.newsletter("new-layout", "half")
    assert (ran.code, ran.err) == (2, "layouts/half: is there already; choose another name\n")
    assert Workspace(Path()).layout_names() == ["ours", "plain", "region"]
