"""The logo at the head of a mail: from the publication or the layout, linked, described, and on a ground that lasts (H11)."""

import io

import pytest
from lxml.html import HtmlElement, document_fromstring
from PIL import Image

from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition
from newsletter.compose.new_layout import copy_layout
from newsletter.compose.pictures import make_picture
from newsletter.issue import load_issue, load_publication
from newsletter.problem import InputError
from newsletter.settings import Workspace, program_folder

DARK, LIGHT, MIDDLE = (20, 20, 30), (250, 245, 230), (211, 125, 41)
BAND, PAPER = "#0b4a57", "#ffffff"


def logo(colour: tuple[int, int, int], size: tuple[int, int] = (400, 200), margin: int = 50) -> bytes:
    """A mark of one colour with nothing around it."""
    picture = Image.new("RGBA", (size[0] + 2 * margin, size[1] + 2 * margin), (0, 0, 0, 0))
    picture.paste((*colour, 255), (margin, margin, margin + size[0], margin + size[1]))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def add_logo(workspace: Workspace, entry: str, colour: tuple[int, int, int] = LIGHT) -> None:
    (workspace.issues / "logo.png").write_bytes(logo(colour))
    file = workspace.publication_file
    file.write_text(f"{file.read_text(encoding='utf-8')}logo: {entry}\n", encoding="utf-8")


def compiled(workspace: Workspace, layout: str = "region") -> Edition:
    (workspace.issues / "4").mkdir(exist_ok=True)
    (workspace.issues / "4" / "issue.yaml").write_text(
        f"title: Vier\nsubject: Vier\ndate: 2026-12-01\nlayout: {layout}\nblocks: [{{type: text, body: x}}]\n", encoding="utf-8"
    )
    return compile_issue(load_issue(workspace, "4"), workspace, "https://n.example.org/{}".format)


def page_of(edition: Edition) -> HtmlElement:
    return document_fromstring(edition.html.fill({VIEW: "https://n.example.org/v", UNSUBSCRIBE: "https://n.example.org/u"}))


def image(edition: Edition) -> Image.Image:
    (file,) = edition.pictures
    return Image.open(io.BytesIO(file.data))


@pytest.mark.parametrize("layout", ["region", "plain"])
def test_the_publications_logo_stands_at_the_head_and_leads_home(workspace: Workspace, layout: str) -> None:
    add_logo(workspace, "{src: logo.png, alt: Land Beispiel, width: 90}")
    edition = compiled(workspace, layout)
    page = page_of(edition)
    (shown,) = page.iter("img")
    assert (shown.get("alt"), shown.get("width")) == ("Land Beispiel", "90")
    assert shown.get("src") == f"https://n.example.org/{edition.pictures[0].name}"
    assert shown.getparent().get("href") == "https://www.example.org/"
    assert image(edition).width == 180
    # the name still stands below it, but is no second link to the same place (A7)
    assert "Digitale Region" in page.text_content()
    assert len(page.xpath("//a[@href='https://www.example.org/']")) == 1


def test_a_logo_that_says_the_name_stands_for_it(workspace: Workspace) -> None:
    add_logo(workspace, "{src: logo.png, alt: Digitale Region}")
    edition = compiled(workspace)
    head = page_of(edition).xpath("//h1/preceding::text()")
    assert not [words for words in head if "Digitale Region" in words]
    assert "Digitale Region" in edition.text.fill({VIEW: "v", UNSUBSCRIBE: "u"})


def test_without_a_logo_the_name_leads_home(workspace: Workspace) -> None:
    edition = compiled(workspace)
    assert edition.pictures == ()
    (link,) = page_of(edition).xpath("//a[@href='https://www.example.org/']")
    assert link.text == "Digitale Region"


def test_a_layout_brings_a_logo_and_the_publications_own_wins(workspace: Workspace) -> None:
    folder = workspace.root / "layouts" / "ours"
    copy_layout(program_folder("layouts") / "region", folder)
    (folder / "sign.png").write_bytes(logo(LIGHT, (100, 100)))
    with (folder / "theme.yaml").open("a", encoding="utf-8") as theme:
        theme.write("logo: {src: sign.png, alt: Kreis Beispiel}\n")
    assert [shown.get("alt") for shown in page_of(compiled(workspace, "ours")).iter("img")] == ["Kreis Beispiel"]
    add_logo(workspace, "{src: logo.png, alt: Land Beispiel}")
    assert [shown.get("alt") for shown in page_of(compiled(workspace, "ours")).iter("img")] == ["Land Beispiel"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "{src: kein.png, alt: Land}",
            "publication.yaml:20:13: logo.src: kein.png: there is no such file; there are: logo.png",
        ),
        ("{src: logo.png}", "publication.yaml:20:7: logo.alt: missing; a logo needs an alt"),
        ("{src: logo.png, alt: Land, width: 5}", "logo.width: must be a whole number of pixels, 24 to 536"),
        ("{src: ../../logo.png, alt: Land}", "lies outside of the workspace; put the picture beside the file that names it"),
        ("{src: publication.yaml, alt: Land}", "logo.src: publication.yaml: is no picture that mail programs show; save it as"),
    ],
)
def test_a_logo_that_cannot_be_used_is_named(workspace: Workspace, entry: str, said: str) -> None:
    add_logo(workspace, entry)
    with pytest.raises(InputError) as caught:
        load_publication(workspace)
    assert said in str(caught.value)


def test_a_layouts_logo_that_is_not_there_is_named(workspace: Workspace) -> None:
    folder = workspace.root / "layouts" / "ours"
    copy_layout(program_folder("layouts") / "region", folder)
    (folder / "theme.yaml").write_text("logo: {src: ../logo.png, alt: Land}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"ours/theme.yaml: logo.src: ../logo.png: lies outside"):
        compiled(workspace, "ours")


def corner(data: bytes) -> tuple[int, ...]:
    pixel = Image.open(io.BytesIO(data)).convert("RGBA").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize(
    ("colour", "place", "plate", "ground"),
    [
        (LIGHT, BAND, PAPER, LIGHT),  # on the band: all of it is the mark itself, its empty margins are gone
        (DARK, BAND, PAPER, (255, 255, 255)),  # invisible there: a plate with a margin
        (LIGHT, PAPER, BAND, (11, 74, 87)),
        (DARK, PAPER, BAND, DARK),
    ],
)
def test_a_ground_on_which_it_shows(colour: tuple[int, int, int], place: str, plate: str, ground: tuple[int, int, int]) -> None:
    made = make_picture(logo(colour), 100, place, plate)
    assert corner(made.data) == (*ground, 255)
    assert Image.open(io.BytesIO(made.data)).mode == "RGB"  # what has its own ground loses it nowhere
    assert (made.width, made.height) == ((200, 100) if ground == colour else (200, 114))


def test_what_shows_everywhere_needs_no_ground() -> None:
    round_ = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    round_.paste((*MIDDLE, 255), (0, 50, 200, 150))
    round_.paste((*MIDDLE, 255), (50, 0, 150, 200))
    out = io.BytesIO()
    round_.save(out, "PNG")
    for place, plate in ((BAND, PAPER), (PAPER, BAND)):
        assert corner(make_picture(out.getvalue(), 100, place, plate).data)[3] == 0
    assert corner(make_picture(out.getvalue(), 100).data)[3] == 0


def test_a_picture_without_transparency_stays_as_it_is() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (200, 100), (*DARK, 255)).save(out, "PNG")
    assert corner(make_picture(out.getvalue(), 100, BAND, PAPER).data) == (*DARK, 255)


def test_a_mail_with_its_pictures_inside_carries_the_logo(workspace: Workspace) -> None:
    add_logo(workspace, "{src: logo.png, alt: Land Beispiel}\npictures: inline")
    edition = compiled(workspace)
    assert edition.embedded == edition.pictures != ()


def test_descriptions_have_a_face_of_their_own(workspace: Workspace, layout_name: str) -> None:
    add_logo(workspace, "{src: logo.png, alt: Land Beispiel}")
    for shown in page_of(compiled(workspace, layout_name)).iter("img"):
        style = shown.get("style", "")
        assert "font:14px/20px " in style
        assert "font-size:14px" in style
        assert "color:#" in style


def test_the_sample_logo_is_small() -> None:
    assert (program_folder("issues") / "logo.png").stat().st_size < 4000
