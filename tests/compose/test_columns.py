"""Columns in a browser: beside each other on a desktop below each other on a phone, with ``<style>`` and without (H3, H4)."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from newsletter.compose.mjml import compile_mjml

#: Where every picture, name of a person and figure stands: left, top, width in CSS pixels.
PLACES = """() => {
  const place = element => (({left, top, width}) => [left, top, width].map(Math.round))(element.getBoundingClientRect());
  const large = element => parseFloat(getComputedStyle(element).fontSize) >= 30;
  const all = selector => [...document.querySelectorAll(selector)].map(place);
  return {
    pictures: all('img'),
    titles: all('td.small h2'),
    names: all('td.person h2, td.person h3'),
    figures: [...document.querySelectorAll('p')].filter(large).map(place),
    wide: document.documentElement.scrollWidth,
  };
}"""
Places = dict[str, Any]


def stripped(html: str) -> str:
    """What GMX and WEB.DE leave of a mail: no ``<style>``, no ``!important``."""
    return re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL).replace("!important", "")


@pytest.fixture
def measure(sheet: Page) -> Callable[[str, int], Places]:
    """The places in a document at a window's width."""
    square = io.BytesIO()
    Image.new("RGB", (8, 8)).save(square, "PNG")
    sheet.route("**/*", lambda route: route.fulfill(body=square.getvalue(), content_type="image/png"))

    shown: list[str] = []

    def places(html: str, width: int) -> Places:
        sheet.set_viewport_size({"width": width, "height": 900})
        if shown != [html]:
            sheet.set_content(html)
            shown[:] = [html]
        return dict(sheet.evaluate(PLACES))

    return places


@pytest.mark.real
@pytest.mark.parametrize("style", ["kept", "dropped"])
def test_a_gallery_has_two_columns_from_600_pixels_on(
    layout_name: str, style: str, measure: Callable[[str, int], Places], html_of: Callable[[str, str], str]
) -> None:
    html = html_of(layout_name, "gallery-untitled")
    html = html if style == "kept" else stripped(html)
    for width in (600, 800, 1200):
        (left, top, size), (other_left, other_top, other_size) = measure(html, width)["pictures"]
        assert top == other_top
        assert size == other_size > 200
        assert left + size + 8 <= other_left
    for width in (320, 400):
        places = measure(html, width)
        (left, top, size), (other_left, other_top, other_size) = places["pictures"]
        assert (left, size) == (other_left, other_size)
        assert other_top > top + size // 2
        assert places["wide"] <= width


@pytest.mark.real
@pytest.mark.parametrize("style", ["kept", "dropped"])
def test_two_teasers_stand_beside_each_other_and_on_a_phone_in_reading_order(
    layout_name: str, style: str, measure: Callable[[str, int], Places], html_of: Callable[[str, str], str]
) -> None:
    html = html_of(layout_name, "columns-untitled")
    html = html if style == "kept" else stripped(html)
    for width in (600, 800, 1200):
        places = measure(html, width)
        (left, top, size), (other_left, other_top, other_size) = places["pictures"]
        assert top == other_top
        assert size == other_size == 256
        assert left + size + 24 <= other_left
        assert [place[0] for place in places["titles"][:2]] == [left, other_left]
    places = measure(html, 320)
    (left, top, size), (other_left, other_top, other_size) = places["pictures"]
    (first_left, first_top, _), (second_left, second_top, _) = places["titles"][:2]
    assert left == other_left == first_left == second_left
    assert size == other_size == 256
    assert top + size // 2 < first_top < other_top < second_top
    assert places["wide"] <= 320


@pytest.mark.real
@pytest.mark.parametrize("style", ["kept", "dropped"])
def test_the_portrait_stands_beside_the_name(
    layout_name: str, style: str, measure: Callable[[str, int], Places], html_of: Callable[[str, str], str]
) -> None:
    html = html_of(layout_name, "interview")
    html = html if style == "kept" else stripped(html)
    for width in (600, 800, 1200):
        places = measure(html, width)
        (left, top, size), (name_left, name_top, _) = places["pictures"][0], places["names"][0]
        assert name_left >= left + size + 12
        assert top <= name_top <= top + size
    places = measure(html, 320)
    (left, top, size), (name_left, name_top, _) = places["pictures"][0], places["names"][0]
    assert name_left == left
    assert name_top > top + size // 2


@pytest.mark.real
@pytest.mark.parametrize("style", ["kept", "dropped"])
def test_figures_stand_in_a_row(
    layout_name: str, style: str, measure: Callable[[str, int], Places], html_of: Callable[[str, str], str]
) -> None:
    html = html_of(layout_name, "figures")
    html = html if style == "kept" else stripped(html)
    for width in (600, 800, 1200):
        figures = measure(html, width)["figures"]
        assert len({top for _, top, _ in figures}) == 1
        assert len({left for left, _, _ in figures}) == 4
    tops = [top for _, top, _ in measure(html, 320)["figures"]]
    assert tops[0] < tops[-1]


def test_only_columns_get_a_widest_width() -> None:
    """A column of pixels, of percents, and a group have the width of their Outlook cell; columns in a group keep their share."""
    column = "<mj-column{}><mj-text>x</mj-text></mj-column>"
    body = (
        f'<mj-section padding="0px 24px">{column.format(" width=" + chr(34) + "276px" + chr(34))}{column.format("")}</mj-section>'
        f"<mj-section><mj-group>{column.format('') * 2}</mj-group></mj-section>"
    )
    html, _ = compile_mjml(f"<mjml><mj-body>{body}</mj-body></mjml>")
    widest = re.findall(r'class="([^"]*mj-column[^"]*)" style="([^"]*)"', html)
    assert [(names.split()[-1], re.findall(r"max-width:(\w+)", css)) for names, css in widest] == [
        ("mj-column-px-276", ["276px"]),
        ("mj-column-per-50", ["276px"]),
        ("mj-outlook-group-fix", ["600px"]),
        ("mj-column-per-50", []),
        ("mj-column-per-50", []),
    ]
