"""People in a few shapes: someone standing, someone in the audience, someone who looks at us."""

# ruff: noqa: PLR0913, PLR0917
# A drawing is made of numbers: places, sizes and colours stand side by side.

from dataclasses import dataclass

from docs.drawing.canvas import Canvas, Fade, Point, Shadow, box, mix, oval, smooth


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a person."""

    skin: str
    hair: str
    coat: str
    shirt: str
    trousers: str


def standing(canvas: Canvas, x: float, ground: float, tall: float, look: Look, hands: tuple[Point, Point], hair: str) -> None:
    """A standing person; ``hands`` are the places of the left and right hand, in parts of the height from (x, ground) up."""
    u = tall / 100

    def at(right: float, up: float) -> Point:
        return (x + right * u, ground - up * u)

    canvas.shape(oval(x + 2 * u, ground, 15 * u, 2.2 * u), "#08242e", alpha=0.25, blur=2 * u)
    for side in (-1, 1):
        leg = [at(side * 1.0, 50), at(side * 8, 50), at(side * 6.6, 2), at(side * 2.2, 2)]
        canvas.shape(leg, mix(look.trousers, "#08242e", 0.0 if side < 0 else 0.18))
        canvas.shape(box(x + side * 4.8 * u - 3.8 * u + side * 0.8 * u, ground - 2.8 * u, 7.6 * u, 3 * u, 1.4 * u), "#08242e")
    _arm(canvas, at(9, 76), at(*_elbow(hands[1], 1)), at(*hands[1]), u, mix(look.coat, "#08242e", 0.22), look.skin)
    torso = [at(-4, 82), at(-10.5, 79), at(-11.6, 70), at(-9, 58), at(-10.6, 42), at(10.6, 42), at(9, 58), at(11.6, 70)]
    canvas.shape(smooth([*torso, at(10.5, 79), at(4, 82)]), Fade(look.coat, mix(look.coat, "#08242e", 0.2)))
    canvas.shape([at(-3.4, 82.4), at(0, 66), at(3.4, 82.4)], look.shirt)
    if hair == "long":
        canvas.shape(
            smooth([at(-6.6, 92), at(-6, 100), at(2, 101), at(7, 95), at(7.6, 86), at(6.4, 79), at(-4.8, 79), at(-7, 86)]),
            look.hair,
        )
    canvas.shape(smooth([at(-2.5, 88), at(2.5, 88), at(2.7, 81), at(0, 76.5), at(-2.7, 81)]), mix(look.skin, "#6b3d2e", 0.28))
    canvas.shape(oval(x, ground - 91 * u, 5.5 * u, 6.8 * u), look.skin)
    top = [at(-5.9, 90), at(-6.2, 96), at(-2, 99.6), at(4, 98.8), at(6.4, 94), at(5.8, 90.4), at(4.2, 94.4), at(-2, 94.6)]
    canvas.shape(smooth(top), look.hair)
    if hair == "bun":
        canvas.shape(oval(x - 4.6 * u, ground - 99.4 * u, 3 * u, 3 * u), look.hair)
    _arm(canvas, at(-9, 76), at(*_elbow(hands[0], -1)), at(*hands[0]), u, mix(look.coat, "#08242e", 0.1), look.skin)


def _elbow(hand: Point, side: int) -> Point:
    """Where the elbow is when the hand is there: half way and a little outwards."""
    return (side * 9 * 0.5 + hand[0] * 0.5 + side * 4.2, (76 + hand[1]) / 2 - 5)


def _arm(canvas: Canvas, shoulder: Point, elbow: Point, hand: Point, u: float, sleeve: str, skin: str) -> None:
    canvas.shape(oval(*hand, 2.5 * u, 2.5 * u), skin)
    near = (elbow[0] + (hand[0] - elbow[0]) * 0.84, elbow[1] + (hand[1] - elbow[1]) * 0.84)
    canvas.stroke(smooth([shoulder, elbow, near], closed=False), sleeve, 5.2 * u)


def seated_from_behind(canvas: Canvas, x: float, y: float, size: float, colour: str, hair: str, lit: str) -> None:
    """Head and shoulders from behind; (x, y) is the middle of the head, ``lit`` the colour of the edge that catches light."""
    for shift, paint in ((-0.035, lit), (0.0, colour)):
        cx, cy = x + shift * size, y + shift * size * 0.8
        side = [(0.14, 0.2), (0.15, 0.34), (0.24, 0.44), (0.5, 0.53), (0.66, 0.7), (0.73, 1.0), (0.76, 1.5), (0.76, 4.2)]
        right = smooth([(cx + px * size, cy + py * size) for px, py in side], closed=False)
        left = smooth([(cx - px * size, cy + py * size) for px, py in side], closed=False)
        canvas.shape([*right, *reversed(left)], paint)
        canvas.shape(oval(cx, cy, 0.31 * size, 0.4 * size), paint)
        for ear in (-1, 1):
            canvas.shape(oval(cx + ear * 0.31 * size, cy + 0.05 * size, 0.055 * size, 0.1 * size), paint)
        _hair_from_behind(canvas, cx, cy, size, paint, hair)


def _hair_from_behind(canvas: Canvas, x: float, y: float, size: float, paint: str, hair: str) -> None:
    if hair == "bun":
        canvas.shape(oval(x + 0.05 * size, y - 0.46 * size, 0.17 * size, 0.16 * size), paint)
    elif hair == "bob":
        bob = [
            (-0.38, 0.1),
            (-0.33, -0.24),
            (-0.18, -0.42),
            (0, -0.47),
            (0.18, -0.42),
            (0.33, -0.24),
            (0.38, 0.1),
            (0.41, 0.36),
            (0.2, 0.44),
            (-0.2, 0.44),
            (-0.41, 0.36),
        ]
        canvas.shape(smooth([(x + px * size, y + py * size) for px, py in bob]), paint)
    elif hair == "curls":
        for px, py in ((-0.3, -0.1), (-0.24, -0.32), (0, -0.4), (0.24, -0.32), (0.3, -0.1), (0.33, 0.12), (-0.33, 0.12)):
            canvas.shape(oval(x + px * size, y + py * size, 0.17 * size, 0.17 * size), paint)
    elif hair == "tail":
        canvas.shape(
            smooth(
                [
                    (x - 0.1 * size, y - 0.2 * size),
                    (x + 0.12 * size, y - 0.2 * size),
                    (x + 0.2 * size, y + 0.5 * size),
                    (x + 0.02 * size, y + 0.9 * size),
                    (x - 0.1 * size, y + 0.4 * size),
                ]
            ),
            paint,
        )


def portrait(canvas: Canvas, look: Look) -> None:
    """Head and shoulders of a woman with glasses who looks at us, on a square of 600."""
    dark = mix(look.skin, "#7a3f2c", 0.30)
    # hair behind the face, neck, shoulders
    back = [(186, 250), (196, 150), (300, 92), (404, 148), (416, 250), (420, 340), (392, 392), (300, 398), (208, 392), (180, 340)]
    canvas.shape(smooth(back), Fade(look.hair, mix(look.hair, "#08242e", 0.35)), shadow=Shadow(6, 10, 18, 0.22))
    coat = [
        (44, 660),
        (58, 560),
        (92, 500),
        (150, 468),
        (226, 438),
        (300, 446),
        (374, 438),
        (450, 468),
        (508, 500),
        (542, 560),
        (556, 660),
    ]
    canvas.shape(smooth(coat), Fade(look.coat, mix(look.coat, "#08242e", 0.45)), shadow=Shadow(0, -2, 14, 0.2))
    canvas.shape(smooth([(222, 430), (300, 424), (378, 430), (372, 500), (300, 610), (228, 500)]), look.shirt)
    neck = [(256, 330), (344, 330), (346, 420), (362, 446), (300, 512), (238, 446), (254, 420)]
    canvas.shape(smooth(neck), look.skin)
    with canvas.inside(smooth(neck)):
        canvas.shape(oval(300, 352, 92, 62), dark, alpha=0.6, blur=5)
    for side in (-1, 1):
        lapel = [(300 + side * x, y) for x, y in ((70, 432), (104, 448), (132, 520), (96, 540), (102, 572), (10, 640), (40, 560))]
        canvas.shape(lapel, mix(look.coat, "#ffffff", 0.10 if side < 0 else 0.02), shadow=Shadow(-side * 2, 3, 5, 0.3))
    _face(canvas, look, dark)


def _face(canvas: Canvas, look: Look, dark: str) -> None:
    face = smooth(
        [(208, 236), (222, 168), (300, 142), (378, 168), (392, 236), (386, 300), (352, 356), (300, 382), (248, 356), (214, 300)]
    )
    canvas.shape(face, Fade(mix(look.skin, "#ffffff", 0.10), look.skin))
    with canvas.inside(face):
        canvas.shape(smooth([(330, 130), (420, 130), (420, 400), (300, 400), (350, 350), (368, 260)]), dark, alpha=0.28, blur=10)
        for x in (240, 360):
            canvas.glow(x, 296, 34, "#e98a72", 0.42)
    for side in (-1, 1):
        eye = 300 + side * 44
        brow = smooth([(eye - 24, 207), (eye - 4 * side, 200), (eye + 24, 207)], closed=False)
        canvas.stroke(brow, mix(look.hair, "#3a2418", 0.3), 5)
        canvas.shape(smooth([(eye - 20, 246), (eye, 234), (eye + 20, 246), (eye, 256)]), "#fffdf8")
        canvas.shape(oval(eye, 245, 9.5, 9.8), "#2c5c63")
        canvas.shape(oval(eye, 245, 4.6, 4.8), "#08242e")
        canvas.shape(oval(eye - 3, 241, 2.4, 2.4), "#ffffff")
        canvas.stroke(smooth([(eye - 21, 246), (eye, 232.5), (eye + 21, 246)], closed=False), "#3a2418", 4)
        canvas.stroke(oval(eye, 246, 35, 32), "#123f4c", 5)
        canvas.shape(oval(eye - 10, 234, 12, 8, -30), "#ffffff", alpha=0.22, blur=2)
        canvas.stroke([(eye + side * 35, 240), (300 + side * 92, 232)], "#123f4c", 5)
    canvas.stroke(smooth([(291, 241), (300, 237), (309, 241)], closed=False), "#123f4c", 5)
    canvas.stroke(smooth([(303, 258), (311, 286), (306, 296), (294, 297)], closed=False), dark, 4, alpha=0.85)
    mouth = smooth([(262, 321), (280, 327), (300, 329), (320, 327), (338, 321), (326, 338), (300, 347), (274, 338)])
    canvas.shape(mouth, "#a8413c")
    with canvas.inside(mouth):
        canvas.shape(smooth([(264, 318), (300, 326), (336, 318), (328, 332), (300, 337), (272, 332)]), "#fffaf3")
    canvas.stroke(
        smooth([(258, 317), (263, 322), (280, 327.5), (300, 329.5), (320, 327.5), (337, 322), (342, 317)], closed=False),
        "#9c3d38",
        3.2,
    )
    canvas.stroke(smooth([(284, 360), (300, 363), (316, 360)], closed=False), dark, 3, alpha=0.5)
    fringe = [
        (196, 262),
        (188, 190),
        (228, 118),
        (310, 98),
        (388, 134),
        (412, 200),
        (406, 262),
        (392, 224),
        (370, 188),
        (322, 160),
    ]
    canvas.shape(smooth([*fringe, (282, 178), (236, 196), (212, 224)]), Fade(mix(look.hair, "#ffffff", 0.14), look.hair))
    for start in ((262, 124), (300, 116), (338, 120)):
        strand = [start, (start[0] - 30, start[1] + 22), (start[0] - 52, start[1] + 52)]
        canvas.stroke(smooth(strand, closed=False), mix(look.hair, "#ffffff", 0.3), 2.2, alpha=0.45)
    for side in (-1, 1):
        canvas.shape(oval(300 + side * 95, 312, 6, 8), "#f0a63f")
