"""What a mail carries besides its words: pictures inside it or on another server, attachments, and how large it may grow."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml.html import HtmlElement, document_fromstring

from newsletter.compose.attachments import check_size, message_size, shown_name, size_warning
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, Part
from newsletter.issue import Issue, load_issue
from newsletter.problem import InputError
from newsletter.settings import Workspace

Write = Callable[..., Issue]
HOSTED = "https://news.example.org/pictures/{}".format
BLOCKS = (
    "{type: image, src: ../pictures/foto.jpg, alt: x, url: 'https://www.example.org/'},"
    "{type: gallery, images: [{src: ../pictures/foto.jpg, alt: x}, {src: ../pictures/klein.png, decorative: true}]}"
)
HEAD = "title: T\nsubject: S\ndate: 2026-12-01\n"
PDF = b"%PDF-1.7\n"


def compiled(workspace: Workspace, pictures: str) -> Edition:
    text = workspace.publication_file.read_text(encoding="utf-8")
    workspace.publication_file.write_text(f"{text}pictures: {pictures}\n", encoding="utf-8")
    return compile_issue(load_issue(workspace, "4"), workspace, HOSTED)


def sources(html: Part) -> set[str]:
    page: HtmlElement = document_fromstring(html.fill({VIEW: "https://x.example/v", UNSUBSCRIBE: "https://x.example/u"}))
    return {str(image.get("src")) for image in page.iter("img")}


def test_pictures_inside_the_mail(workspace: Workspace, write: Write) -> None:
    write(BLOCKS)
    edition = compiled(workspace, "inline")
    assert len(edition.pictures) == 3
    assert edition.embedded == edition.pictures
    assert sources(edition.html) == {f"cid:{picture.name}@region.example.org" for picture in edition.pictures}
    assert all(picture.data for picture in edition.embedded)


def test_on_the_web_they_are_hosted_all_the_same(workspace: Workspace, write: Write) -> None:
    hosted = compile_issue(write(BLOCKS), workspace, HOSTED)
    inline = compiled(workspace, "inline")
    assert inline.html_on_the_web(HOSTED) == hosted.html
    assert hosted.html_on_the_web("https://elsewhere.example/{}".format) == hosted.html
    assert hosted.embedded == ()
    assert hosted.hash != inline.hash


def test_pictures_on_another_server(workspace: Workspace, write: Write) -> None:
    write(BLOCKS)
    edition = compiled(workspace, "{base_url: 'https://bilder.example.org/newsletter/'}")
    assert sources(edition.html) == {f"https://bilder.example.org/newsletter/{picture.name}" for picture in edition.pictures}
    assert not edition.inline


def test_a_list_id_of_odd_characters_is_quoted_in_addresses(workspace: Workspace, write: Write) -> None:
    write(BLOCKS)
    text = workspace.publication_file.read_text(encoding="utf-8")
    workspace.publication_file.write_text(text.replace("region.example.org", "re%20gi'on.example.org"), encoding="utf-8")
    edition = compiled(workspace, "inline")
    assert len(edition.embedded) == 3
    assert all(source.endswith("@re%2520gi%27on.example.org") for source in sources(edition.html))
    assert edition.content_id("x").endswith("@re%20gi'on.example.org")


def attach(workspace: Workspace, write: Write, *entries: str, pdf: bytes = PDF) -> Edition:
    (workspace.issues / "4").mkdir(exist_ok=True)
    (workspace.issues / "4" / "programm.pdf").write_bytes(pdf)
    (workspace.issues / "4" / "klein.TXT").write_bytes(b"x")
    return compile_issue(write("{type: text, body: x}", f"{HEAD}attachments: [{', '.join(entries)}]\n"), workspace, HOSTED)


def test_attachments_are_part_of_the_edition(workspace: Workspace, write: Write) -> None:
    edition = attach(workspace, write, "{file: programm.pdf, title: Programm für alle}", "{file: klein.TXT}")
    found = [(file.filename, file.media_type, file.data) for file in edition.attachments]
    assert found == [("Programm für alle.pdf", "application/pdf", PDF), ("klein.TXT", "text/plain", b"x")]
    assert Edition.from_json(edition.to_json(), {file.name: file.data for file in edition.files}) == edition
    assert len({file.name for file in edition.files}) == 2
    other = attach(workspace, write, "{file: programm.pdf, title: Programm für alle}", "{file: klein.TXT}", pdf=PDF + b"%")
    assert other.hash != edition.hash


def test_an_edition_without_them_keeps_its_hash(compose: Callable[..., Edition]) -> None:
    stored = compose("{type: text, body: x}").to_json()
    assert '"inline":' not in stored
    assert '"attachments":' not in stored
    assert Edition.from_json(stored, {}).to_json() == stored


@pytest.mark.parametrize(
    ("file", "title", "shown"),
    [
        ("ordner/programm.pdf", None, "programm.pdf"),
        ("programm.pdf", "Das Programm", "Das Programm.pdf"),
        ("programm.pdf", "Das Programm.PDF", "Das Programm.PDF"),
        ("programm.pdf", "3/4: <Ä>?", "3-4- -Ä.pdf"),
        ("programm.pdf", "../../etc/passwd", "etc-passwd.pdf"),
        ("programm.pdf", "Nr. 4", "Nr. 4.pdf"),
        ("programm.pdf", "...", "programm.pdf"),
    ],
)
def test_the_name_that_recipients_see(file: str, title: str | None, shown: str) -> None:
    assert shown_name(file, title) == shown


def test_a_file_that_went_or_changed_meanwhile_is_told(workspace: Workspace, write: Write) -> None:
    attach(workspace, write, "{file: programm.pdf}")
    issue = load_issue(workspace, "4")
    file = issue.folder / "programm.pdf"
    file.write_bytes(b"MZ")
    with pytest.raises(InputError, match=r"issue.yaml:4:22: attachments\[0\].file: programm.pdf: is not a PDF file"):
        compile_issue(issue, workspace, HOSTED)
    file.unlink()
    with pytest.raises(InputError, match=r"programm.pdf: there is no such file"):
        compile_issue(issue, workspace, HOSTED)


def test_a_large_message_is_warned_of(workspace: Workspace, write: Write) -> None:
    assert size_warning(attach(workspace, write, "{file: programm.pdf}", pdf=PDF + bytes(700_000))) is None
    warning = size_warning(attach(workspace, write, "{file: programm.pdf}", pdf=PDF + bytes(900_000)))
    assert warning is not None
    assert warning.startswith("each mail has 1.2 MB")


def test_a_message_too_large_names_the_largest_attachment(workspace: Workspace, write: Write) -> None:
    (workspace.issues / "4").mkdir()
    (workspace.issues / "4" / "gross.pdf").write_bytes(PDF + bytes(4_000_000))
    with pytest.raises(InputError) as caught:
        attach(workspace, write, "{file: gross.pdf}", "{file: programm.pdf}", pdf=PDF + bytes(4_500_000))
    (problem,) = caught.value.problems
    assert problem.where == "attachments[1].file"
    assert problem.message.startswith("programm.pdf: each mail would have 11.6 MB, and most servers refuse more than 10 MB")


def test_pictures_inside_the_mail_count_too(workspace: Workspace, write: Write) -> None:
    issue = write(BLOCKS)
    edition = compiled(workspace, "inline")
    large = replace(edition, pictures=tuple(replace(file, data=bytes(4_000_000)) for file in edition.pictures))
    with pytest.raises(InputError, match="take smaller pictures, or write 'pictures: hosted'"):
        check_size(issue, large)
    hosted = replace(large, inline=False)
    check_size(issue, hosted)
    assert message_size(hosted) < 100_000
    assert message_size(large) > 12_000_000


def test_the_size_is_near_enough(workspace: Workspace, write: Write) -> None:
    from datetime import UTC, datetime

    from newsletter.message import MessageTemplate

    edition = attach(workspace, write, "{file: programm.pdf}", pdf=PDF + bytes(range(256)) * 2000)
    links = {VIEW: "https://x.example/v", UNSUBSCRIBE: "https://x.example/u"}
    mail = MessageTemplate(edition).build(
        to="a@example.org", values=links, message_id="<a@example.org>", date=datetime(2026, 12, 1, tzinfo=UTC)
    )
    assert abs(message_size(edition) - len(mail)) < 0.02 * len(mail)
