"""Attachments: inside the workspace, of a type that runs nothing, and what their names say; pictures and time zone beside."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.issue import Issue, load_publication
from newsletter.issue.attachments import LARGEST_ATTACHMENT, read_attachment
from newsletter.issue.files import UnfitFile
from newsletter.issue.model import PicturesElsewhere
from newsletter.problem import InputError
from newsletter.settings import Workspace

Load = Callable[[str], Issue]
ISSUE = "title: T\nsubject: S\ndate: 2026-12-01\nblocks: [{{type: text, body: x}}]\nattachments:\n  - {}\n"
ZIP = b"PK\x03\x04rest"


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.PDF", b"%PDF-1.4\n", "application/pdf"),
        ("a.ics", b"\xef\xbb\xbfBEGIN:VCALENDAR\r\n", "text/calendar"),
        ("a.csv", "Straße;Ort\r\n".encode(), "text/csv"),
        ("a.txt", b"x", "text/plain"),
        ("a.docx", ZIP, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.xlsx", ZIP, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.ods", ZIP, "application/vnd.oasis.opendocument.spreadsheet"),
        ("a.jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "image/png"),
    ],
)
def test_what_may_be_attached(name: str, data: bytes, media_type: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert read_attachment(tmp_path / name) == (media_type, data)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.zip", ZIP, r"a \.zip file cannot be attached; these can: pdf, ics, csv"),
        ("a.exe", b"MZ", r"a \.exe file cannot be attached"),
        ("a.html", b"<html>", r"a \.html file cannot be attached"),
        ("a.svg", b"<svg>", r"a \.svg file cannot be attached"),
        ("a.docm", ZIP, r"a \.docm file cannot be attached"),
        ("a.pdf.exe", b"%PDF-", r"a \.exe file cannot be attached"),
        ("a", b"%PDF-", "a nameless file cannot be attached"),
        ("a.pdf", b"MZ\x90", r"is not a PDF file, though its name ends in \.pdf"),
        ("a.docx", b"\xd0\xcf\x11\xe0", "is not a Word document"),
        ("a.ics", b"Hello", "is not a calendar file"),
        ("a.txt", "Straße".encode("cp1252"), "is not UTF-8 text"),
        ("a.csv", "a;b".encode("utf-16"), "is not UTF-8 text"),
        ("a.txt", b"", "is empty"),
        ("a.pdf", b"%PDF-" + bytes(LARGEST_ATTACHMENT), r"has 7\.0 MB; 7 MB are the most"),
    ],
)
def test_what_may_not_be_attached(name: str, data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UnfitFile, match=reason):
        read_attachment(tmp_path / name)


def test_a_good_attachment_loads(workspace: Workspace, load: Load) -> None:
    (workspace.issues / "4" / "programm.pdf").write_bytes(b"%PDF-1.4\n")
    issue = load(ISSUE.format("{file: programm.pdf, title: Das Programm}"))
    assert [(found.file, found.title) for found in issue.content.attachments] == [("programm.pdf", "Das Programm")]
    assert issue.attachment_path("programm.pdf").read_bytes() == b"%PDF-1.4\n"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("{file: programm.pdf}", "programm.pdf: there is no such file; did you mean Programme.pdf?"),
        ("{file: ../../../etc/passwd}", "lies outside of the workspace"),
        ("{file: /etc/passwd}", "is a path of your own machine"),
        ("{file: link.pdf}", "is a link to another place; put the attachment itself"),
        ("{file: 'https://example.org/a.pdf'}", "is an address; put the attachment file beside"),
        ("{file: ordner.pdf}", "is no file"),
        ("{title: Programm}", "missing; an attachment needs a file"),
        ("{file: Programme.pdf, name: x}", "is not a key of an attachment"),
        ("Programme.pdf", "it must have keys of its own: file, title"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(written: str, reason: str, workspace: Workspace, load: Load) -> None:
    folder = workspace.issues / "4"
    (folder / "Programme.pdf").write_bytes(b"%PDF-1.4\n")
    (folder / "ordner.pdf").mkdir()
    (folder / "link.pdf").symlink_to("Programme.pdf")
    with pytest.raises(InputError) as caught:
        load(ISSUE.format(written))
    (problem,) = caught.value.problems
    assert reason in problem.message
    assert (problem.line, problem.where.startswith("attachments[0]")) == (6, True)


PUBLICATION = """\
name: N
language: de
sender: {email: n@example.org}
imprint: {organisation: O, street: S, postal_code: "1", city: C, email: i@example.org}
"""


def test_where_pictures_live(workspace: Workspace, load: Load) -> None:
    def publication(text: str) -> object:
        workspace.publication_file.write_text(PUBLICATION + text, encoding="utf-8")
        return load("title: T\nsubject: S\ndate: 2026-12-01\nblocks: [{type: text, body: x}]\n").publication.pictures

    assert publication("") == publication("pictures: hosted") == "hosted"
    assert publication("pictures: inline") == "inline"
    found = publication("pictures: {base_url: https://Bilder.example.org/ä/}")
    assert isinstance(found, PicturesElsewhere)
    assert found.base_url == "https://bilder.example.org/%C3%A4"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("cid", "must be hosted (on the newsletter's own server), inline"),
        ("[inline]", "must be hosted"),
        ("{base_url: http://example.org}", "pictures.base_url: must be https"),
        ("{base_url: 'https://example.org/?a='}", "pictures.base_url: a ? or # cannot stand in it"),
        ("{base_url: mailto:a@example.org}", "pictures.base_url: must be an https address"),
        ("{}", "pictures.base_url: missing; pictures needs a base_url"),
        ("{url: https://example.org}", "pictures.url: is not a key of pictures; "),
    ],
)
def test_where_pictures_cannot_live(written: str, reason: str, workspace: Workspace) -> None:
    workspace.publication_file.write_text(f"{PUBLICATION}pictures: {written}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_publication(workspace)
    assert any(reason in str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize("written", ["Berlin", "../etc/passwd", "Europe", "/etc/passwd", "MEZ+1"])
def test_what_is_no_time_zone(written: str, workspace: Workspace) -> None:
    workspace.publication_file.write_text(f"{PUBLICATION}timezone: {written}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"timezone: .* is no time zone; write e.g. Europe/Berlin"):
        load_publication(workspace)
    workspace.publication_file.write_text(f"{PUBLICATION}timezone: Europe/Vienna\n", encoding="utf-8")
    assert load_publication(workspace).timezone == "Europe/Vienna"
