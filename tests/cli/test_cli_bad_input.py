"""Broken files through ``newsletter send``, with a mail server that would take the mail: a line each, and nothing happens."""

import os
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

ISSUE_TESTS = Path(__file__).parents[1] / "issue"
#: Name, file with § where the mistake is, dotted place, piece of the message.
CASES: list[tuple[str, str, str, str]] = runpy.run_path(str(ISSUE_TESTS / "test_bad_input.py"))["CASES"]
PICTURES: dict[str, Any] = runpy.run_path(str(ISSUE_TESTS / "conftest.py"))


def nothing_happened(office: "Office", post: "Post") -> None:
    assert len(post) == 0
    assert office.campaigns() == []


def test_every_broken_issue_file_gives_its_line_and_sends_nothing(office: "Office", post: "Post") -> None:
    assert len(CASES) >= 25
    folder = office.issue_file.parent
    (folder / "foto.jpg").write_bytes(PICTURES["picture"]("JPEG"))
    (folder / "bild.png").write_bytes(PICTURES["picture"]("PNG"))
    for name, marked, place, piece in CASES:
        before, _, after = marked.partition("§")
        office.issue_file.write_bytes((before + after).encode())
        ran = office.send()
        where = f"issues/2026-12/issue.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "
        assert (ran.code, ran.out) == (2, ""), name
        assert ran.err.startswith(where + (f"{place}: " if place else "")), name
        assert piece in ran.err, name
        assert ran.err.count("\n") == 1, name
    nothing_happened(office, post)


def test_every_problem_of_both_files_has_its_own_line(office: "Office", post: "Post") -> None:
    office.issue("titel: a\ndate: morgen\nblocks:\n  - type: image\n    src: weg.png\n")
    publication = office.root / "issues" / "publication.yaml"
    publication.write_text("name: N\nlanguage: de\nsender: {email: keine}\n", encoding="utf-8")
    ran = office.send()
    assert ran.code == 2
    lines = ran.err.splitlines()
    assert len(lines) == 8
    assert all(re.match(r"issues/(2026-12/issue|publication)\.yaml:\d+:\d+: ", line) for line in lines)
    assert lines == sorted(lines)
    nothing_happened(office, post)


@pytest.mark.parametrize(
    ("content", "piece"),
    [
        (b"title: \xfcber\n", ":1:8: "),
        (b"title: a" + b"#" * 3_000_000, "issue.yaml"),
        (b"", ":1:1: is empty"),
        (b"a: &a [x]\nb: *a\n", ":1:4: "),
    ],
    ids=["Latin-1", "3 MB", "nothing", "alias"],
)
def test_files_that_are_no_issue(office: "Office", post: "Post", content: bytes, piece: str) -> None:
    office.issue_file.write_bytes(content)
    ran = office.send()
    assert ran.code == 2
    assert piece in ran.err
    assert ran.err.count("\n") == 1
    nothing_happened(office, post)


def test_pictures_that_are_none(office: "Office", post: "Post") -> None:
    folder = office.issue_file.parent
    with (folder / "huge.png").open("wb") as stream:
        stream.write(PICTURES["picture"]("PNG"))
        stream.truncate(50_000_000)
    (folder / "text.png").write_text("no picture", encoding="utf-8")
    (office.root.parent / "outside.png").write_bytes(PICTURES["picture"]("PNG"))
    (folder / "outside.png").symlink_to("../../../outside.png")
    os.mkfifo(folder / "pipe.png")
    for name in ("huge.png", "text.png", "outside.png", "pipe.png"):
        office.issue(f"title: a\nsubject: b\ndate: 2026-12-01\nblocks:\n  - type: image\n    alt: c\n    src: {name}\n")
        ran = office.send()
        assert ran.code == 2
        assert ran.err.startswith(f"issues/2026-12/issue.yaml:7:10: blocks[0].src: {name}: ")
        assert ran.err.count("\n") == 1
    nothing_happened(office, post)


def test_an_issue_that_is_not_there(office: "Office", post: "Post") -> None:
    ran = office.newsletter("send", "2026-21", "--to", "list.csv", "--yes")
    assert (ran.code, ran.err) == (2, "there is no issue '2026-21' in issues; did you mean '2026-12'?\n")
    nothing_happened(office, post)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sned", "2026-12"], "No such command 'sned'"),
        (["send"], "Missing argument 'ISSUE'"),
        (["send", "2026-12", "--tow", "x"], "No such option: --tow"),
        (["send", "2026-12", "--limit", "0"], "--limit"),
        (["serve", "--port", "99999"], "--port"),
        (["render", "2026-12"], "Missing option '--out'"),
    ],
)
def test_wrong_words_on_the_command_line(office: "Office", arguments: list[str], words: str) -> None:
    ran = office.newsletter(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert "Usage: newsletter" in ran.err
