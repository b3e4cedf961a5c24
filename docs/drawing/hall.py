"""The hero picture: a speaker on the stage of a hall whose window front looks out on the lake, seen from the last row."""

# ruff: noqa: S311
# Chance is the same at every run.

from random import Random

from docs.drawing.canvas import Canvas, Fade, Shadow, box, mix, oval, smooth
from docs.drawing.lake import AMBER, CORAL, CREAM, DEEP, PETROL, gull, hills, sun_path, town, trees, water
from docs.drawing.people import Look, seated_from_behind, standing

SHORE, SILL = 352, 500


def hall() -> Canvas:
    """1600 by 900."""
    canvas = Canvas(1600, 900, 2)
    _outside(canvas)
    _windows(canvas)
    _ceiling(canvas)
    _stage(canvas)
    _audience(canvas)
    return canvas


def _outside(canvas: Canvas) -> None:
    canvas.shape(box(0, 0, 1600, SHORE), Fade("#a9d3d8", "#fde6c4"))
    canvas.glow(1120, 262, 330, "#ffe2a8", 0.85)
    canvas.shape(oval(1120, 262, 44, 44), "#fff6df")
    hills(canvas, 330, 150, "#a5c9cc", 3, SHORE)
    hills(canvas, 345, 92, "#7fb0b6", 21, SHORE)
    hills(canvas, 352, 46, "#5c949c", 8, SHORE + 2)
    trees(canvas, -10, 560, SHORE, 17, 4, ("#c98a3c", "#b5652f", "#6f8f5a", "#d9a24a"))
    trees(canvas, 1240, 1620, SHORE, 20, 6, ("#c98a3c", "#b5652f", "#6f8f5a", "#a94f33"))
    town(canvas, 590, SHORE, 30, 12, 9, dim=0.22)
    water(canvas, SHORE, SILL + 60, Fade("#b9d9d6", "#3f8f9b"), 2, 50)
    sun_path(canvas, 1120, SHORE, SILL + 50, 70, "#fff0cd", 5)
    _sail(canvas, 330, SHORE + 60, 1.0)
    _sail(canvas, 470, SHORE + 34, 0.55)
    for x, y, span in ((452, 226, 17), (500, 250, 12), (1410, 236, 15)):
        gull(canvas, x, y, span)


def _sail(canvas: Canvas, x: float, y: float, size: float) -> None:
    canvas.shape([(x, y - 82 * size), (x, y - 8 * size), (x + 44 * size, y - 8 * size)], CREAM)
    canvas.shape([(x - 4 * size, y - 70 * size), (x - 4 * size, y - 8 * size), (x - 30 * size, y - 8 * size)], AMBER)
    canvas.shape(
        smooth(
            [
                (x - 36 * size, y - 5 * size),
                (x + 46 * size, y - 5 * size),
                (x + 30 * size, y + 8 * size),
                (x - 26 * size, y + 8 * size),
            ]
        ),
        DEEP,
    )
    canvas.stroke([(x - 20 * size, y + 14 * size), (x + 34 * size, y + 14 * size)], DEEP, 3 * size, alpha=0.25)


def _windows(canvas: Canvas) -> None:
    for x in range(-120, 1700, 260):  # light falls through the panes in slanting bands
        canvas.shape([(x + 40, 60), (x + 96, 60), (x - 10, SILL), (x - 66, SILL)], "#ffffff", alpha=0.10)
    for x in range(0, 1640, 200):
        canvas.shape(box(x - 6, 60, 12, SILL - 60), Fade("#0d3c4a", "#14596b"))
        canvas.shape(box(x - 6, 60, 3, SILL - 60), "#6fb1b9", alpha=0.5)
    canvas.shape(box(0, 188, 1600, 7), "#11485a")
    canvas.shape(box(0, SILL - 10, 1600, 16), "#0d3c4a")
    canvas.shape(box(0, SILL + 4, 1600, 400), Fade("#124f60", "#0b3543"))
    for x in range(40, 1600, 160):
        canvas.shape(box(x, SILL + 16, 2, 390), "#08242e", alpha=0.25)


def _ceiling(canvas: Canvas) -> None:
    canvas.shape(box(0, 0, 1600, 86), Fade("#5a3a28", "#a8754b"))
    canvas.shape(box(0, 84, 1600, 10), "#6b452d")
    for step in range(-16, 17):
        canvas.stroke([(800 + step * 94, -4), (800 + step * 52, 84)], "#3f2719", 3, alpha=0.5)
    for x, drop in ((260, 150), (530, 128), (800, 118), (1070, 128), (1340, 150)):
        canvas.stroke([(x, 40), (x, drop)], "#2b1b12", 2.4)
        canvas.glow(x, drop + 24, 120, "#ffd892", 0.55)
        canvas.shape(smooth([(x - 9, drop), (x + 9, drop), (x + 34, drop + 26), (x - 34, drop + 26)]), Fade("#14596b", "#0b3b49"))
        canvas.shape(oval(x, drop + 27, 27, 6), "#fff1cf")


def _stage(canvas: Canvas) -> None:
    canvas.shape([(250, 560), (1350, 560), (1440, 628), (160, 628)], Fade("#e3b98a", "#c98f5c"), shadow=Shadow(0, 14, 22, 0.5))
    for step in range(-7, 8):
        canvas.stroke([(800 + step * 76, 560), (800 + step * 88, 628)], "#8a5b38", 1.6, alpha=0.45)
    canvas.shape([(160, 628), (1440, 628), (1436, 676), (164, 676)], Fade("#7d4f30", "#4d2f1d"))
    canvas.shape(box(160, 624, 1280, 5), "#f3d6ae")
    canvas.glow(980, 590, 260, "#fff0cf", 0.5)
    canvas.glow(560, 592, 190, "#fff0cf", 0.38)
    _plant(canvas, 330, 590, 1.0)
    _plant(canvas, 1280, 592, 1.1)
    _table(canvas, 640, 604)
    moderator = Look("#c98f68", "#2b2320", "#24505c", CREAM, "#0b2c38")
    standing(canvas, 545, 606, 236, moderator, ((-9, 62), (13, 66)), "short")
    canvas.shape(box(569, 436, 20, 27, 2, 12), CREAM)
    speaker = Look("#f0c4a2", "#6a3d25", CORAL, CREAM, "#123f4c")
    standing(canvas, 980, 600, 246, speaker, ((-28, 84), (19, 62)), "long")
    _lectern(canvas, 1030, 614)


def _plant(canvas: Canvas, x: float, ground: float, size: float) -> None:
    canvas.shape(oval(x, ground + 2, 40 * size, 7 * size), "#08242e", alpha=0.3, blur=4)
    for turn, tall in ((-46, 96), (-24, 124), (0, 138), (22, 120), (44, 92), (-66, 66), (64, 64)):
        tip = (x + turn * size * 1.15, ground - 50 * size - tall * size + abs(turn) * 0.5 * size)
        leaf = smooth(
            [
                (x - 3, ground - 44 * size),
                ((x + tip[0]) / 2 - 13 * size, (ground + tip[1]) / 2 - 18 * size),
                tip,
                ((x + tip[0]) / 2 + 13 * size, (ground + tip[1]) / 2 - 12 * size),
                (x + 3, ground - 44 * size),
            ]
        )
        canvas.shape(leaf, mix("#3f8a6b", "#1f5a52", abs(turn) / 70))
    canvas.shape(
        [
            (x - 30 * size, ground - 52 * size),
            (x + 30 * size, ground - 52 * size),
            (x + 22 * size, ground),
            (x - 22 * size, ground),
        ],
        Fade("#f6ead9", "#d8c3a8", sideways=True),
    )


def _table(canvas: Canvas, x: float, ground: float) -> None:
    canvas.shape(oval(x, ground, 40, 7), "#08242e", alpha=0.28, blur=4)
    canvas.shape(box(x - 4, ground - 104, 8, 104), "#f2e6d5")
    canvas.shape(oval(x, ground - 2, 30, 6), "#e2d2bb")
    canvas.shape(oval(x, ground - 106, 50, 9), CREAM, shadow=Shadow(0, 5, 4, 0.3))
    canvas.shape(box(x - 24, ground - 134, 11, 26, 3), "#d8f0ef", alpha=0.9)
    canvas.shape(box(x + 10, ground - 128, 14, 20, 3), AMBER)


def _lectern(canvas: Canvas, x: float, ground: float) -> None:
    canvas.shape(oval(x + 6, ground, 70, 8), "#08242e", alpha=0.32, blur=5)
    canvas.shape([(x - 44, ground - 128), (x + 62, ground - 128), (x + 50, ground), (x - 32, ground)], Fade(PETROL, DEEP))
    canvas.shape([(x - 44, ground - 128), (x - 22, ground - 128), (x - 16, ground), (x - 32, ground)], "#2f8a98", alpha=0.5)
    canvas.shape([(x - 56, ground - 130), (x + 72, ground - 130), (x + 66, ground - 144), (x - 46, ground - 144)], "#e8c79c")
    canvas.shape(box(x - 56, ground - 131, 128, 7, 3), "#b98552")
    for step, colour in enumerate(("#bfe0df", "#f0a63f", "#bfe0df")):
        wave = smooth([(x - 14 + i * 16, ground - 82 + step * 13 + (5 if i % 2 else -5)) for i in range(4)], closed=False)
        canvas.stroke(wave, colour, 4.5)
    canvas.stroke(smooth([(x - 14, ground - 142), (x - 20, ground - 168), (x - 34, ground - 184)], closed=False), "#08242e", 3)
    canvas.shape(oval(x - 36, ground - 186, 6, 5, 40), "#08242e")


def _audience(canvas: Canvas) -> None:
    random = Random(19)
    kinds = ("short", "bun", "bob", "curls", "short", "tail", "bob", "short")
    rows = ((696, 62, 104, "#1f6373", "#5fa6af"), (768, 84, 140, "#124a5a", "#3d8996"), (858, 116, 200, "#082c39", "#2c7482"))
    for row, (y, size, step, colour, lit) in enumerate(rows):
        start = -30 + row * 41
        for index in range(int(1680 / step) + 1):
            x = start + index * step + random.uniform(-0.1, 0.1) * step
            high = y + random.uniform(-0.13, 0.13) * size
            kind = kinds[(index * 3 + row * 2) % len(kinds)]
            seated_from_behind(
                canvas, x, high, size * random.uniform(0.93, 1.07), mix(colour, "#0b3b49", random.uniform(0, 0.3)), kind, lit
            )
    _raised_phone(canvas, 1244, 760)


def _raised_phone(canvas: Canvas, x: float, y: float) -> None:
    canvas.stroke(smooth([(x + 46, y + 190), (x + 40, y + 90), (x + 6, y + 20)], closed=False), "#082c39", 27)
    canvas.shape(oval(x + 2, y + 6, 19, 23), "#0a3340")
    canvas.shape(box(x - 26, y - 52, 46, 80, 7, -6), "#08242e")
    canvas.shape(box(x - 22, y - 47, 38, 68, 4, -6), Fade("#fde6c4", "#5aa3ad"))
    canvas.shape(box(x - 14, y - 4, 22, 6, 2, -6), "#c98f5c")
