"""The play mark in a picture: large enough for a finger, seen on any picture, smooth, its triangle in the middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageStat

from newsletter.compose.play_mark import SMALLEST, draw_play_mark, mark_size


def luminance(pixel: tuple[int, ...]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in pixel[:3]))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@given(st.integers(88, 640), st.integers(88, 2000))
def test_never_smaller_than_a_finger_and_never_more_than_half_the_picture(width: int, height: int) -> None:
    assert SMALLEST <= mark_size(width, height) <= min(width, height) / 2


def test_it_is_a_finger_wide_still_on_a_phone() -> None:
    assert mark_size(536, 302) * 256 / 536 >= SMALLEST  # 320 pixels less 32 on either side


@pytest.mark.parametrize(("width", "height"), [(87, 300), (300, 87), (1, 1)])
def test_where_it_has_no_room_it_is_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match=f"{width} × {height}"):
        mark_size(width, height)


@pytest.mark.parametrize(
    "ground", ["#ffffff", "#000000", "#101010", "#767676", "#949494", "#c0c0c0", "#ff0000", "#ffff00", "#0a6273"]
)
def test_it_is_seen_on_every_ground(ground: str) -> None:
    """1.4.11: the triangle on its disc, and the mark as a whole, by its disc or by its rim."""
    picture = Image.new("RGB", (400, 300), ground)
    draw_play_mark(picture, 100)
    pixel = {
        name: tuple(picture.crop((x, 150, x + 1, 151)).tobytes())
        for name, x in (("ground", 140), ("rim", 152), ("disc", 170), ("triangle", 200))
    }
    assert contrast(pixel["triangle"], pixel["disc"]) >= 9
    assert max(contrast(pixel["rim"], pixel["ground"]), contrast(pixel["disc"], pixel["ground"])) >= 3


def test_it_is_smooth_and_its_triangle_stands_in_the_middle() -> None:
    picture = Image.new("L", (200, 200), 16).convert("RGB")
    draw_play_mark(picture, 160)
    inner = picture.crop((50, 50, 150, 150)).convert("L")  # within the rim
    shades = {shade for _, shade in inner.getcolors(256) or ()}
    assert len(shades) > 12
    weight = [0.0, 0.0]
    total = 0
    for at, value in enumerate(inner.tobytes()):
        if value > 128:
            total += 1
            weight = [weight[0] + at % 100, weight[1] + at // 100]
    assert [weight[0] / total, weight[1] / total] == pytest.approx([49.5, 49.5], abs=1.5)
    box = inner.point(lambda value: 255 * (value > 128)).getbbox()
    assert box is not None
    assert box[2] - 50 > 50 - box[0] + 10  # its tip is to the right


def test_the_rest_of_the_picture_stays() -> None:
    picture = Image.new("RGB", (300, 200), "#0a6273")
    draw_play_mark(picture, 60)
    assert ImageStat.Stat(picture.crop((0, 0, 119, 200))).extrema == [(10, 10), (98, 98), (115, 115)]
