"""The sample publication, its two issues, their pictures and the sample list are what a careful office would send."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image as Pillow

from newsletter.audience.csv_list import open_list
from newsletter.audience.recipient import Recipient, Refused
from newsletter.issue import Issue, load_issue
from newsletter.issue.blocks import Block, Button, Mjml
from newsletter.issue.markdown import Markdown
from newsletter.issue.parts import Link, Picture
from newsletter.issue.text import Line
from newsletter.settings import Workspace

ROOT = Path(__file__).parents[2]
SLUGS = ("2026-11", "2026-11-en")
#: Shown by ``newsletter new`` alone: the samples are as long as a mail should be.
LEFT_OUT = {"video", "columns"}
TYPES = {kind.model_fields["type"].annotation.__args__[0] for kind in Block.__origin__.__args__}  # type: ignore[attr-defined]


@pytest.fixture(scope="module", params=SLUGS)
def issue(request: pytest.FixtureRequest) -> Issue:
    return load_issue(Workspace(ROOT), request.param)


def _values(issue: Issue) -> Iterator[Any]:
    return (value for _, value in issue.content.walk())


def _links(issue: Issue) -> Iterator[tuple[str, str]]:
    """The words and the target of every link that readers see."""
    for value in _values(issue):
        if isinstance(value, Link | Button):
            yield value.label.raw, value.url
        elif isinstance(value, Markdown):
            yield from re.findall(r"\[([^]]+)\]\(([^)]+)\)", value.raw)


def test_every_block_type_is_shown(issue: Issue) -> None:
    assert {block.type for block in issue.content.blocks} == TYPES - LEFT_OUT


def test_subject_and_preheader_have_the_advised_length(issue: Issue) -> None:
    assert 30 <= len(issue.content.subject.sample()) <= 60  # B24
    assert issue.content.preheader is not None
    assert 40 <= len(issue.content.preheader.sample()) <= 100  # B23


def test_every_alt_describes_and_is_not_the_caption_again(issue: Issue) -> None:
    for picture in (value for value in _values(issue) if isinstance(value, Picture)):
        assert picture.alt is not None
        assert 20 <= len(picture.alt.sample()) <= 150  # A5
        assert picture.caption is None or picture.caption.sample() != picture.alt.sample()
        assert picture.credit is not None  # L16
        assert picture.credit.sample() not in picture.alt.sample()


def test_same_words_lead_to_the_same_place(issue: Issue) -> None:
    links = list(_links(issue))
    assert len(links) > 6
    assert len({words for words, _ in links}) == len(dict.fromkeys(links))  # A6
    assert all(len(words) > 8 for words, _ in links)


def test_only_reserved_names_are_linked(issue: Issue) -> None:
    for _, url in _links(issue):
        host = urlsplit(url).hostname or url.rpartition("@")[2]
        assert host.endswith("example.org"), url  # RFC 2606 §3


def test_salutation_has_a_default(issue: Issue) -> None:
    fields = [field for value in _values(issue) if isinstance(value, Line | Markdown) for field in value.fields]
    assert [(field.name, bool(field.default)) for field in fields] == [("first_name", True)]


def test_raw_mjml_is_readable(issue: Issue) -> None:
    for block in issue.content.blocks:
        if isinstance(block, Mjml):
            background = re.findall(r'background-color="(#\w{6})"', block.source)
            inks = re.findall(r'(?<![-\w])color(?:="|: )(#\w{6})', block.source)
            assert background
            assert inks
            assert all(_contrast(ink, background[0]) >= 7 for ink in inks)  # WCAG 1.4.6


def _contrast(first: str, second: str) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_dates_in_the_text_are_written_out() -> None:
    for slug in SLUGS:
        values = _values(load_issue(Workspace(ROOT), slug))
        text = " ".join(value.raw for value in values if isinstance(value, Line | Markdown))
        assert not re.search(r"\d{1,2}\.\s?\d{1,2}\.|\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/", text)  # A16


def test_pictures_are_small_and_all_used() -> None:
    pictures = sorted((ROOT / "issues").glob("*/*.jpg"))
    sizes = [picture.stat().st_size for picture in pictures]
    assert max(sizes) <= 90_000
    assert sum(sizes) <= 500_000
    for picture in pictures:
        with Pillow.open(picture) as opened:
            assert opened.format == "JPEG"
            assert opened.width >= 600
    for slug in SLUGS:
        folder = ROOT / "issues" / slug
        values = _values(load_issue(Workspace(ROOT), slug))
        used = {(folder / value.src).resolve() for value in values if isinstance(value, Picture)}
        assert used == {picture.resolve() for picture in pictures}


def test_the_list_has_what_office_lists_have() -> None:
    rows = list(open_list(ROOT / "issues" / "sample-list.csv"))
    people = [row for row in rows if isinstance(row, Recipient)]
    refused = [row for row in rows if isinstance(row, Refused)]
    assert [row.line for row in refused] == [7]
    keys = [row.key for row in people]
    assert len(keys) - len(set(keys)) == 1
    assert any("xn--" in key for key in keys)
    assert any("first_name" not in row.fields for row in people)
    assert any(len(row.fields.get("last_name", "")) > 50 for row in people)
    assert all(re.search(r"(^|[@.])example\.(org|com|net)$", key) for key in keys)
