"""A still picture becomes one that says it is a video: a dark disc with a white triangle, drawn into the pixels.

Nothing can be laid over a picture in Outlook or GMX, so the mark is part of it.
"""

from PIL import Image, ImageDraw

#: CSS pixels across that the mark has at least (WCAG 2.2, 2.5.5), and its share of the picture's width: 94 of 536, 44 on a phone.
SMALLEST = 44
_SHARE = 0.175
#: White on the disc has a contrast above 9, whatever shines through it; its white rim shows where the picture is dark.
_DARK, _WHITE, _COVER = "#101010", "#ffffff", 0.82
_RIM, _TRIANGLE = 0.045, 0.5
#: Drawn so many times larger and scaled down: smooth edges.
_FINE = 4


def mark_size(width: int, height: int) -> int:
    """How many CSS pixels the mark of a picture shown ``width`` × ``height`` is across: half the picture's sides at most.

    Raises ValueError where the picture is too small to carry one.
    """
    if min(width, height) < 2 * SMALLEST:
        raise ValueError(f"has no room for a play mark at {width} × {height} pixels; take a larger picture")
    return max(SMALLEST, min(round(width * _SHARE), min(width, height) // 2))


def draw_play_mark(picture: Image.Image, diameter: int) -> None:
    """Draw the mark into the middle of an RGB or RGBA ``picture``; ``diameter`` in the picture's own pixels."""
    disc, white = _masks(diameter)
    place = ((picture.width - diameter) // 2, (picture.height - diameter) // 2)
    picture.paste(_DARK, place, disc)
    picture.paste(_WHITE, place, white)


def _masks(diameter: int) -> tuple[Image.Image, Image.Image]:
    """Where the disc's dark goes, and where its rim and the triangle go, whose centre of gravity is the disc's middle."""
    size = diameter * _FINE
    disc, white = Image.new("L", (size, size)), Image.new("L", (size, size))
    whole = (0, 0, size - 1, size - 1)
    ImageDraw.Draw(disc).ellipse(whole, fill=round(255 * _COVER))
    pen = ImageDraw.Draw(white)
    pen.ellipse(whole, outline=255, width=max(1, round(size * _RIM)))
    pen.regular_polygon((size / 2, size / 2, size / 2 * _TRIANGLE), 3, rotation=270, fill=255)
    return disc.reduce(_FINE), white.reduce(_FINE)
