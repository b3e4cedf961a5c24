"""Joined sections: fewer bytes, and nothing on the page moves."""

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from playwright.sync_api import Page

from newsletter.compose import mjml
from newsletter.compose.edition import Edition
from newsletter.compose.join import join_sections

TEXT = '<mj-text padding="1px 2px 3px 4px">x</mj-text>'
PLACES = """() => [...document.querySelectorAll('h1, h2, h3, p, li, img, a')].map(element =>
  (({left, top, width, height}) => [element.tagName, left, top, width, height])(element.getBoundingClientRect()))"""


def section(content: str = TEXT, attributes: str = 'padding="10px 32px 20px 32px"', column: str = 'width="536px"') -> str:
    return f"<mj-section {attributes}><mj-column {column}>{content}</mj-column></mj-section>"


def joined(*sections: str) -> list[str]:
    """The sections of a body after joining, as MJML."""
    root = etree.fromstring(f"<mjml><mj-body>{''.join(sections)}</mj-body></mjml>")
    join_sections(root)
    return [etree.tostring(child).decode() for child in root[0]]


def test_the_space_between_two_sections_goes_into_the_second_ones_first_element() -> None:
    (one,) = joined(section(), section(), section('<mj-image padding="0px 0px 0px 0px" src="x" />' + TEXT))
    assert one == section(TEXT + TEXT.replace("1px", "31px", 1) + '<mj-image padding="30px 0px 0px 0px" src="x"/>' + TEXT)


@pytest.mark.parametrize(
    "other",
    [
        section(attributes='padding="10px 32px 20px 32px" background-color="#112233"'),
        section(attributes='padding="10px 24px 20px 32px"'),
        section(attributes='padding="10px 32px"'),
        section(attributes='padding="10px 32px 20px 32px" text-align="left"'),
        section(column='width="536px" background-color="#112233"'),
        section(column=""),
        section("<mj-text>x</mj-text>"),
        section('<mj-text padding="1px 2px 3px 4px" container-background-color="#112233">x</mj-text>'),
        section('<mj-table padding="1px 2px 3px 4px"></mj-table>'),
        section(""),
        f"<mj-section><mj-column>{TEXT}</mj-column><mj-column>{TEXT}</mj-column></mj-section>",
        "<mj-raw>x</mj-raw>",
        "<!-- x -->",
    ],
)
def test_what_looks_otherwise_stays_apart(other: str) -> None:
    assert len(joined(section(), other)) == 2


@pytest.mark.real
@pytest.mark.parametrize("style", ["kept", "dropped"])
def test_nothing_moves(
    layout_name: str, style: str, sheet: Page, each_sample: Callable[[str], list[Edition]], monkeypatch: pytest.MonkeyPatch
) -> None:
    links = {"view_url": "https://n.example.org/v", "unsubscribe_url": "https://n.example.org/u"}
    joined_pages = [edition.html.fill(links) for edition in each_sample(layout_name)]
    monkeypatch.setattr(mjml, "join_sections", list)
    pages = [edition.html.fill(links) for edition in each_sample(layout_name)]
    for before, after in zip(pages, joined_pages, strict=True):
        assert len(after) < len(before) - 3000
        found: list[list[Any]] = []
        for html in (before, after):
            sheet.set_content(
                html if style == "kept" else html.replace("<style", "<script type=x").replace("</style", "</script")
            )
            found.append([])
            for width in (320, 800):
                sheet.set_viewport_size({"width": width, "height": 900})
                found[-1].append(sheet.evaluate(PLACES))
        assert found[0] == found[1]
        assert found[0][0] != found[0][1]
        assert min(map(len, found[0])) > 60


#: Gmail cuts at about 102 kB; a letter is short.
LARGEST = {"region": 64_000, "plain": 60_000}


def test_samples_are_small(layout_name: str, sample: str, html_of: Callable[[str, str], str]) -> None:
    assert len(html_of(layout_name, sample).encode()) < LARGEST[layout_name]
