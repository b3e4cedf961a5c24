"""Themes: colours that readers cannot tell apart are refused, in light and under forced inversion (A8, H11)."""

from pathlib import Path

import pytest

from newsletter.compose.contrast import contrast, inverted
from newsletter.compose.theme import load_theme
from newsletter.problem import InputError
from newsletter.settings import program_folder


def theme(folder: Path, **colours: str) -> list[str]:
    """What is wrong with a theme of these colours."""
    (folder / "theme.yaml").write_text("".join(f"{name}: '{colour}'\n" for name, colour in colours.items()), encoding="utf-8")
    try:
        load_theme(folder)
    except InputError as error:
        return [f"{problem.where}: {problem.message}" for problem in error.problems]
    return []


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("colour", "ground", "shown"),
    [
        ("#ffffff", True, "#212121"),  # L 100 becomes 12.5
        ("#000000", False, "#dbdbdb"),  # L 0 becomes 87.5
        ("#ffffff", False, "#ffffff"),  # a light text stays, and so does a dark ground
        ("#0b4a57", True, "#0b4a57"),
    ],
)
def test_forced_inversion_changes_light_grounds_and_dark_texts(colour: str, ground: bool, shown: str) -> None:
    assert inverted(colour, ground=ground) == shown


def test_forced_inversion_keeps_the_hue_and_takes_colour_away() -> None:
    red, green, blue = (int(inverted("#14508c", ground=False)[at : at + 2], 16) for at in (1, 3, 5))
    assert red < green < blue
    assert blue - red < 0x8C - 0x14


@pytest.mark.parametrize("folder", ["region", "plain"])
def test_the_programs_layouts_pass(folder: str) -> None:
    assert load_theme(program_folder("layouts") / folder).width == 600


@pytest.mark.parametrize(
    ("colours", "said"),
    [
        (
            {"ink": "#999999"},
            "ink: ink #999999 on paper #ffffff has a contrast of 2.84; it needs 4.5, so move the two further apart",
        ),
        ({"rule": "#c5d3d6"}, "rule: rule #c5d3d6 on paper #ffffff has a contrast of 1.53; it needs 3,"),
        ({"button": "#8fd0dd"}, "button: button #8fd0dd on paper #ffffff has a contrast of 1.7"),
        (
            {"muted": "#4f5f65"},
            "muted: muted #4f5f65 on page #e9eff0 has a contrast of 4.24 in forced dark mode, as #818e93 on #272b2b;",
        ),
        ({"button": "#0b4a57"}, "button: button #0b4a57 on paper #ffffff has a contrast of 1.6"),
        ({"on_band": "#0b4a57"}, "on_band: on_band #0b4a57 on band #0b4a57 has a contrast of 1.00;"),
    ],
)
def test_faint_colours_are_named_with_their_contrast(tmp_path: Path, colours: dict[str, str], said: str) -> None:
    found = theme(tmp_path, **colours)
    assert any(line.startswith(said) for line in found), found


def test_a_theme_that_says_nothing_is_good(tmp_path: Path) -> None:
    assert theme(tmp_path) == []
    assert theme(tmp_path, band="#112233") == []
