"""The land around the lake: sky, hills, the far shore with its town, and water, for every picture that looks out on it."""

# ruff: noqa: PLR0913, PLR0917, S311
# A drawing is made of numbers: places, sizes and colours stand side by side, and chance is the same at every run.

import math
from random import Random

from docs.drawing.canvas import Canvas, Fade, Outline, Point, box, mix, oval, smooth

AMBER, CORAL, CREAM = "#f0a63f", "#dd6a4a", "#fbf4e9"
DEEP, PETROL, TEAL, MIST = "#0b3b49", "#14596b", "#2f8a98", "#bfe0df"


def hills(canvas: Canvas, base: float, height: float, colour: str, seed: int, bottom: float) -> None:
    """One range of hills: ``base`` is the height of its valleys, ``height`` of its tops above them."""
    random = Random(seed)
    waves = [(random.uniform(0.002, 0.009), random.uniform(0, math.tau), random.uniform(0.2, 0.5)) for _ in range(4)]
    ridge: list[Point] = []
    for x in range(-20, canvas.width + 40, 12):
        swing = sum(share * math.sin(x * pace + start) for pace, start, share in waves)
        ridge.append((x, base - height * (0.5 + 0.5 * swing)))
    canvas.shape([*ridge, (canvas.width + 40, bottom), (-20, bottom)], colour)


def trees(canvas: Canvas, left: float, right: float, ground: float, size: float, seed: int, colours: tuple[str, ...]) -> None:
    """A band of round tree tops along the shore."""
    random = Random(seed)
    x = left
    while x < right:
        reach = size * random.uniform(0.6, 1.2)
        canvas.shape(oval(x, ground - reach * 0.5, reach * 0.75, reach), random.choice(colours))
        x += reach * random.uniform(0.55, 1.0)


def water(canvas: Canvas, top: float, bottom: float, paint: Fade, seed: int, streaks: int, light: str = "#ffffff") -> None:
    """The lake's surface with thin streaks of light that grow towards the beholder."""
    random = Random(seed)
    canvas.shape(box(0, top, canvas.width, bottom - top), paint)
    for _ in range(streaks):
        depth = random.random() ** 1.4
        y = top + 4 + depth * (bottom - top - 6)
        length = (14 + 90 * depth) * random.uniform(0.5, 1.3)
        x = random.uniform(-40, canvas.width)
        canvas.stroke([(x, y), (x + length, y)], light, 1 + 2.2 * depth, alpha=random.uniform(0.10, 0.30))


def sun_path(canvas: Canvas, x: float, top: float, bottom: float, width: float, colour: str, seed: int) -> None:
    """The broken reflection of the sun on the water."""
    random = Random(seed)
    y = top + 2
    while y < bottom:
        depth = (y - top) / (bottom - top)
        half = width * (0.25 + 0.75 * depth) * random.uniform(0.35, 1)
        middle = x + random.uniform(-0.3, 0.3) * width * depth
        canvas.stroke([(middle - half, y), (middle + half, y)], colour, 1.4 + 3.6 * depth, alpha=0.62 - 0.30 * depth)
        y += 4 + 13 * depth


def town(canvas: Canvas, left: float, ground: float, size: float, seed: int, houses: int, dim: float = 0) -> None:
    """A row of gabled houses with a church among them; ``dim`` (0 to 1) lets it fade into the haze."""
    random = Random(seed)
    walls = [mix(colour, "#cfe3e2", dim) for colour in ("#f6e6cf", "#efd3b4", "#e9efe9", "#f3ddc6", "#d9e6e2")]
    roofs = [mix(colour, "#a9cdd0", dim) for colour in ("#b9583d", "#a44c37", "#c96f4b", "#7a4a44")]
    pane = mix(PETROL, "#cfe3e2", dim)
    x = left
    for index in range(houses):
        width = size * random.uniform(0.75, 1.15)
        height = size * random.uniform(0.8, 1.5)
        if index == houses // 2:
            church(canvas, x + width * 0.3, ground, size, walls[2], roofs[3], pane)
            x += size * 0.75
            continue
        wall = random.choice(walls)
        roof = ground - height
        canvas.shape(box(x, roof, width, height), wall)
        canvas.shape(box(x + width * 0.72, roof, width * 0.28, height), "#8a6a55", alpha=0.16)
        canvas.shape(
            [(x - width * 0.07, roof + 1), (x + width / 2, roof - size * 0.62), (x + width * 1.07, roof + 1)],
            random.choice(roofs),
        )
        _panes(canvas, x, roof, width, height, size, pane)
        x += width * random.uniform(0.92, 1.04)


def _panes(canvas: Canvas, x: float, roof: float, width: float, height: float, size: float, pane: str) -> None:
    rows = max(int(height / (size * 0.42)), 1)
    for row in range(rows):
        for column in range(2):
            place = (x + width * (0.2 + 0.38 * column), roof + size * (0.14 + 0.42 * row))
            canvas.shape(box(*place, width * 0.2, size * 0.2), pane, alpha=0.75)


def church(canvas: Canvas, x: float, ground: float, size: float, wall: str, roof: str, pane: str) -> None:
    """A tower with a pointed roof and a clock without hands to read."""
    width = size * 0.62
    top = ground - size * 2.3
    canvas.shape(box(x, top, width, ground - top), wall)
    canvas.shape(box(x + width * 0.68, top, width * 0.32, ground - top), "#8a6a55", alpha=0.16)
    canvas.shape([(x - 2, top + 1), (x + width / 2, top - size * 1.35), (x + width + 2, top + 1)], roof)
    canvas.shape(oval(x + width / 2, top + size * 0.38, size * 0.15, size * 0.15), pane, alpha=0.8)
    for step in range(2):
        canvas.shape(box(x + width * 0.4, top + size * (0.75 + 0.5 * step), width * 0.2, size * 0.25, width), pane, alpha=0.75)


def reeds(canvas: Canvas, left: float, right: float, ground: float, height: float, seed: int, colour: str) -> None:
    """Reeds with a few bulrushes, bent by a light wind."""
    random = Random(seed)
    count = int((right - left) / 7)
    for index in range(count):
        x = random.uniform(left, right)
        tall = height * random.uniform(0.45, 1)
        bend = tall * random.uniform(0.02, 0.28)
        tip = (x + bend, ground - tall)
        shade = mix(colour, DEEP, random.uniform(0, 0.45))
        blade = smooth([(x - 2.4, ground), (x + bend * 0.25 - 1, ground - tall * 0.55), tip], closed=False)
        back = smooth([tip, (x + bend * 0.25 + 2, ground - tall * 0.55), (x + 2.6, ground)], closed=False)
        canvas.shape([*blade, *back], shade)
        if index % 6 == 0:
            canvas.shape(box(tip[0] - 3.2, tip[1] - 4, 6.4, 26, 3.2, 8), "#7b4a2e")


def gull(canvas: Canvas, x: float, y: float, span: float, colour: str = "#ffffff") -> None:
    """A gull far off: two bent wings."""
    left = smooth([(x - span, y - span * 0.10), (x - span * 0.5, y - span * 0.34), (x, y)], closed=False)
    right = smooth([(x, y), (x + span * 0.5, y - span * 0.38), (x + span, y - span * 0.16)], closed=False)
    for wing in (left, right):
        canvas.stroke(wing, colour, span * 0.11)


def cloud(canvas: Canvas, x: float, y: float, size: float, alpha: float = 0.6) -> None:
    """A flat-bottomed cloud."""
    parts: list[Outline] = [oval(x + dx * size, y + dy * size, r * size, r * size * 0.6) for dx, dy, r in _PUFFS]
    for part in parts:
        canvas.shape(part, "#ffffff", alpha=alpha, blur=size * 0.05)


_PUFFS = ((-0.9, 0.05, 0.45), (-0.35, -0.12, 0.6), (0.35, -0.06, 0.62), (0.95, 0.06, 0.42))
