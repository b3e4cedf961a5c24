"""What ``newsletter new`` writes: it loads as it is, shows every block, and can be taken apart."""

import datetime as dt
import io
from collections.abc import Callable

import pytest
from PIL import Image

from newsletter.issue import Issue, new_issue, new_pictures
from newsletter.issue.blocks import Block
from newsletter.settings import Workspace

TITLE = "Neues: \"Region\" #4 {'x'} \\ – Ü 🙂"
SET = "Neues: „Region“ #4 {‚x‘} \\ – Ü 🙂"
DAY = dt.date(2026, 12, 15)


@pytest.fixture(params=["de", "en", "de-AT", "fr"])
def issue(request: pytest.FixtureRequest, workspace: Workspace, load: Callable[[str], Issue]) -> Issue:
    for name, content in new_pictures().items():
        (workspace.issues / "4" / name).write_bytes(content)
    return load(new_issue(request.param, TITLE, DAY))


def test_it_loads_with_every_block(issue: Issue) -> None:
    models = Block.__origin__.__args__  # type: ignore[attr-defined]
    assert {type(block) for block in issue.content.blocks} == set(models)
    assert issue.content.title == SET
    assert issue.content.subject.sample() == SET
    assert issue.content.subject.raw == TITLE
    assert issue.content.date == DAY


def test_every_merge_field_has_a_default(issue: Issue) -> None:
    assert issue.merge_fields()
    assert all(use.default for use in issue.merge_fields())


def test_the_words_are_the_publications() -> None:
    assert "In dieser Ausgabe" in new_issue("de-CH", "T", DAY)
    assert "In this issue" in new_issue("en", "T", DAY)
    assert "@" not in new_issue("de", "T", DAY)


def test_both_languages_show_the_same() -> None:
    def keys(language: str) -> list[str]:
        lines = new_issue(language, "T", DAY).splitlines()
        return [line[: line.index(":")] for line in lines if ":" in line and not line.lstrip().startswith(("#", "-", "*"))]

    assert keys("de") == keys("en")


def test_a_title_that_is_no_header_is_refused() -> None:
    for title in ("a\r\nBcc: b", "", "{{ name }}"):
        with pytest.raises(ValueError, match=r"control character|is empty|the same for everyone"):
            new_issue("de", title, DAY)


def test_pictures_are_small_and_whole() -> None:
    for name, content in new_pictures().items():
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert picture.width >= 480, name
        assert len(content) < 30_000
    assert new_pictures() == new_pictures()
