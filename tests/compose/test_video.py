"""A video in a mail: one link of picture and words, a mark in the picture, and the same in the text part."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml.html import HtmlElement, document_fromstring
from PIL import Image

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition
from newsletter.problem import InputError
from newsletter.settings import Workspace

Compose = Callable[..., Edition]
LINKS = {VIEW: "https://news.example.org/view/x", UNSUBSCRIBE: "https://news.example.org/unsubscribe/x", "first_name": "Ada"}
VIDEO = "type: video, image: {src: ../pictures/foto.jpg, alt: Eine Fähre legt ab}, url: 'https://www.example.org/film'"


def link_of(edition: Edition) -> HtmlElement:
    """The one link to the film that the HTML has."""
    page = document_fromstring(edition.html.fill(LINKS))
    found = [link for link in page.iter("a") if link.get("href") == "https://www.example.org/film"]
    assert len(found) == 1
    return found[0]


def test_picture_and_words_are_one_link(compose: Compose) -> None:
    link = link_of(compose(f"{{{VIDEO}, title: Der Film}}"))
    (image,) = link.iter("img")
    assert image.get("alt") == "Eine Fähre legt ab"
    assert link.text_content() == "Video ansehen: Der Film"


@pytest.mark.parametrize(
    ("language", "title", "said"),
    [
        ("de", "", "Video ansehen"),
        ("en", "", "Watch the video"),
        ("en", ", title: Der Film", "Watch the video: Der Film"),
        ("de", ", title: 'Für {{ first_name }}'", "Video ansehen: Für Ada"),
    ],
)
def test_the_words_are_those_of_the_language(compose: Compose, language: str, title: str, said: str) -> None:
    head = f"title: Ausgabe\nsubject: Neues\ndate: 2026-12-01\nlanguage: {language}\n"
    edition = compose(f"{{{VIDEO}{title}}}", head)
    assert link_of(edition).text_content() == said
    text = edition.text.fill(LINKS)
    assert f"\n{said} [1]\n" in text
    assert "\n[1] https://www.example.org/film\n" in text


def test_the_duration_is_in_words_in_both_parts(compose: Compose) -> None:
    edition = compose(f"{{{VIDEO}, title: Der Film, duration: 3:20}}")
    assert "Video, 3 Minuten 20 Sekunden" in edition.html.fill(LINKS)
    assert "\nVideo, 3 Minuten 20 Sekunden\nDer Film\n--------\n" in edition.text.fill(LINKS)


def test_only_the_picture_of_the_video_has_the_mark(compose: Compose) -> None:
    edition = compose(f"{{{VIDEO}}}, {{type: article, title: A, body: b, image: {{src: ../pictures/foto.jpg, alt: Eine Fähre}}}}")
    marked, plain = (Image.open(io.BytesIO(picture.data)).convert("L") for picture in edition.pictures)
    x, y = marked.width // 2, marked.height // 2
    assert marked.size == plain.size
    assert marked.crop((x, y, x + 1, y + 1)).tobytes()[0] > 250
    assert plain.crop((x, y, x + 1, y + 1)).tobytes()[0] < 120


def test_a_picture_that_is_too_small_is_named(compose: Compose) -> None:
    with pytest.raises(InputError, match=r"picture \.\./pictures/klein\.png: has no room for a play mark at 40 × 30 pixels"):
        compose(f"{{{VIDEO.replace('foto.jpg', 'klein.png')}}}")


def test_a_theme_of_narrow_margins_has_columns_too(compose: Compose, workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "layouts" / "narrow"
    folder.mkdir(parents=True)
    shipped = workspace.layout_folder("plain")
    assert shipped is not None
    for file in ("layout.mjml.j2", "accents.mjml.j2", "imprint.mjml.j2"):
        (folder / file).write_bytes((shipped / file).read_bytes())
    theme = (shipped / "theme.yaml").read_text(encoding="utf-8").replace("padding: 32", "padding: 8")
    (folder / "theme.yaml").write_text(theme, encoding="utf-8")
    edition = compose(
        "{type: columns, items: [{title: A}, {title: B}]}", "title: A\nsubject: B\ndate: 2026-12-01\nlayout: narrow\n"
    )
    assert not re.search(r"[: ]-\d+px", edition.html.fill(LINKS))
