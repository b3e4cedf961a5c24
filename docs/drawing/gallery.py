"""The four pictures of the gallery: the topic wall, the badges, the measuring post on the jetty, the workshop table."""

# ruff: noqa: PLR0913, PLR0917, S311
# A drawing is made of numbers: places, sizes and colours stand side by side, and chance is the same at every run.

import math
from random import Random

from docs.drawing.canvas import Canvas, Fade, Outline, Point, Shadow, box, mix, oval, smooth, turned
from docs.drawing.lake import AMBER, CORAL, CREAM, DEEP, MIST, PETROL, TEAL, gull, hills, reeds, sun_path, trees, water

NOTES = ("#f6c667", "#f3a183", "#a9d8d6", "#fdf0d5", "#c9dfa8")
SOFT = Shadow(4, 7, 7, 0.26)


def board() -> Canvas:
    """A wall of notes at the barcamp, and someone who adds one; 800 by 600."""
    canvas = Canvas(800, 600)
    canvas.shape(box(0, 0, 800, 600), Fade("#e7efec", "#d3e2e0"))
    canvas.shape(box(0, 540, 800, 60), Fade("#c9a57c", "#a98259"))
    canvas.shape(box(0, 536, 800, 7), "#f4ede2")
    for x in (120, 560):
        canvas.stroke([(x, 60), (x - 26, 574)], "#6b4a33", 12)
    canvas.shape(box(48, 40, 600, 450, 10), "#8a5f40", shadow=Shadow(8, 14, 16, 0.32))
    canvas.shape(box(60, 52, 576, 426, 4), Fade("#fbf4e9", "#f2e7d6"))
    for column in range(4):
        x = 78 + column * 140
        canvas.shape(box(x, 68, 120, 34, 6), (PETROL, TEAL, PETROL, TEAL)[column])
        _mark(canvas, x + 60, 85, column)
        if column:
            canvas.stroke([(x - 10, 70), (x - 10, 462)], "#d9c9b0", 2)
    random = Random(4)
    for row in range(4):
        for column in range(4):
            if (row, column) in ((3, 3), (2, 1), (1, 3)):
                continue
            place = (78 + column * 140 + random.uniform(4, 26), 116 + row * 88 + random.uniform(-4, 5))
            _note(canvas, place, random.choice(NOTES), random.uniform(-6, 6), random)
    _adding(canvas)
    return canvas


def _mark(canvas: Canvas, x: float, y: float, kind: int) -> None:
    if kind == 0:
        canvas.stroke(smooth([(x - 22, y + 3), (x - 8, y - 6), (x + 6, y + 5), (x + 22, y - 4)], closed=False), CREAM, 4)
    elif kind == 1:
        for step in (-16, 0, 16):
            canvas.shape(oval(x + step, y, 5.5, 5.5), CREAM)
    elif kind == 2:
        canvas.shape([(x - 15, y + 9), (x, y - 11), (x + 15, y + 9)], CREAM)
    else:
        canvas.shape(box(x - 9, y - 9, 18, 18, 3, 45), CREAM)


def _note(canvas: Canvas, place: Point, colour: str, turn: float, random: Random) -> None:
    x, y = place
    middle = (x + 37, y + 37)
    canvas.shape(box(x, y, 74, 72, 1.5, turn), Fade(mix(colour, "#ffffff", 0.15), colour), shadow=SOFT)
    for line in range(random.choice((2, 3))):
        length = random.uniform(26, 54)
        stroke = turned([(x + 11, y + 22 + line * 14), (x + 11 + length, y + 22 + line * 14)], turn, middle)
        canvas.stroke(stroke, mix(colour, DEEP, 0.62), 3.4)
    for dot in range(random.choice((0, 0, 2, 3))):
        spot = turned([(x + 14 + dot * 11, y + 62)], turn, middle)[0]
        canvas.shape(oval(*spot, 4, 4), CORAL if dot % 2 else PETROL)


def _adding(canvas: Canvas) -> None:
    """Someone from behind, on the right, whose hand puts up a note."""
    random = Random(8)
    body = [(560, 640), (572, 500), (598, 424), (648, 392), (704, 390), (752, 424), (780, 500), (800, 640)]
    _note(canvas, (506, 214), "#f6c667", 4, random)
    arm = smooth([(612, 452), (560, 398), (566, 330), (566, 292)], closed=False)
    canvas.stroke(arm, mix(CORAL, DEEP, 0.12), 42, shadow=Shadow(6, 10, 10, 0.2))
    hand = smooth([(548, 292), (546, 262), (556, 246), (574, 246), (586, 264), (586, 292)])
    canvas.shape(hand, "#d9a27c")
    for x in (556, 567, 577):
        canvas.stroke([(x, 262), (x - 3, 240)], "#d9a27c", 9.5)
    canvas.stroke([(586, 276), (594, 260)], "#d9a27c", 9)
    canvas.shape(box(544, 282, 46, 15, 5), CREAM)
    canvas.shape(smooth(body), Fade(CORAL, mix(CORAL, DEEP, 0.3)), shadow=Shadow(-4, 6, 14, 0.25))
    canvas.shape(box(652, 340, 46, 70, 18), "#c48d68")
    canvas.shape(smooth([(642, 396), (675, 408), (710, 396), (706, 414), (675, 424), (646, 414)]), CREAM)
    canvas.shape(oval(674, 300, 58, 68), "#d9a27c")
    hair = [
        (612, 316),
        (610, 262),
        (640, 226),
        (684, 220),
        (726, 246),
        (738, 296),
        (728, 350),
        (690, 372),
        (646, 366),
        (620, 346),
    ]
    canvas.shape(smooth(hair), Fade("#5a3a2a", "#33201a"))
    canvas.shape(oval(690, 214, 32, 29), "#4a2f23")
    canvas.stroke(smooth([(664, 228), (688, 236), (714, 226)], closed=False), AMBER, 7)
    for shift in (0, 18, 36):
        strand = smooth([(634 + shift, 350), (640 + shift, 290), (672 + shift * 0.5, 240)], closed=False)
        canvas.stroke(strand, "#7a5442", 2.4, alpha=0.55)


def badges() -> Canvas:
    """Blank name badges with lanyards on a wooden table, from above; 800 by 600."""
    canvas = Canvas(800, 600)
    _planks(canvas, "#d9a873", "#c8935d")
    canvas.glow(150, 80, 420, "#fff0cf", 0.5)
    cards = ((60, 92, -9, TEAL), (302, 54, 5, CORAL), (548, 112, -4, PETROL), (170, 338, 7, AMBER), (440, 356, -8, TEAL))
    for index, (x, y, turn, colour) in enumerate(cards):
        _lanyard(canvas, x, y, turn, colour, index)
    for index, (x, y, turn, colour) in enumerate(cards):
        _card(canvas, x, y, turn, colour, index)
    _pen(canvas, (700, 392), (772, 566))
    return canvas


def _planks(canvas: Canvas, light: str, dark: str) -> None:
    random = Random(3)
    for row in range(5):
        y = row * 120
        canvas.shape(box(0, y, canvas.width, 120), mix(light, dark, random.random()))
        canvas.shape(box(0, y, canvas.width, 2.5), "#7d5232", alpha=0.55)
        for _ in range(4):
            start, level = random.uniform(-80, 700), y + random.uniform(16, 108)
            grain = [(start + step * 60, level + random.uniform(-3, 3)) for step in range(5)]
            canvas.stroke(smooth(grain, closed=False), "#8f5f3a", 1.8, alpha=0.35)


def _lanyard(canvas: Canvas, x: float, y: float, turn: float, colour: str, index: int) -> None:
    middle = (x + 90, y + 100)
    lean = (-64, 58, 70, -76, 60)[index]
    loop = [
        (x + 90, y + 8),
        (x + 60 + lean, y - 50),
        (x - 6 + lean, y - 96),
        (x + 86 + lean, y - 150),
        (x + 178 + lean, y - 92),
        (x + 122 + lean, y - 46),
        (x + 90, y + 8),
    ]
    canvas.stroke(turned(smooth(loop, closed=False), turn, middle), colour, 15, shadow=Shadow(3, 6, 5, 0.3))
    canvas.stroke(turned(smooth(loop, closed=False), turn, middle), mix(colour, "#ffffff", 0.35), 2, alpha=0.7)


def _card(canvas: Canvas, x: float, y: float, turn: float, colour: str, index: int) -> None:
    middle = (x + 90, y + 100)

    def put(outline: Outline) -> list[Point]:
        return turned(outline, turn, middle)

    canvas.shape(put(box(x + 82, y - 10, 16, 34, 6)), Fade("#e9eef0", "#9fb0b6"), shadow=Shadow(2, 4, 3, 0.3))
    canvas.shape(put(box(x, y + 12, 180, 208, 12)), "#fffdf8", shadow=Shadow(7, 11, 11, 0.34))
    canvas.shape(put(box(x + 70, y + 20, 40, 8, 4)), "#c9d5d6")
    with canvas.inside(put(box(x + 10, y + 38, 160, 172, 6))):
        canvas.shape(put(box(x, y + 28, 180, 192)), CREAM)
        canvas.shape(put(box(x, y + 28, 180, 62)), colour)
        for step in range(2):
            wave = smooth([(x - 6 + i * 32, y + 70 + step * 11 + (4 if i % 2 else -4)) for i in range(7)], closed=False)
            canvas.stroke(put(wave), CREAM, 3.5, alpha=0.75)
    canvas.shape(put(box(x + 28, y + 116, 124, 16, 8)), "#c9b69a", alpha=0.65)
    canvas.shape(put(box(x + 46, y + 144, 88, 11, 5.5)), "#d9c9b0", alpha=0.7)
    for dot in range(index % 3 + 1):
        spot = put([(x + 90 - (index % 3) * 12 + dot * 24, y + 184)])[0]
        canvas.shape(oval(*spot, 9, 9), (CORAL, AMBER, TEAL)[(index + dot) % 3])


def _pen(canvas: Canvas, tip: Point, end: Point) -> None:
    def along(share: float) -> Point:
        return (tip[0] + (end[0] - tip[0]) * share, tip[1] + (end[1] - tip[1]) * share)

    canvas.stroke([tip, end], DEEP, 15, shadow=Shadow(5, 8, 6, 0.32))
    canvas.stroke([tip, along(0.26)], AMBER, 15)
    canvas.stroke([along(0.4), along(0.95)], "#3f8f9b", 3, alpha=0.8)


def jetty() -> Canvas:
    """A measuring post with a small solar panel at the end of a jetty; 800 by 600."""
    canvas = Canvas(800, 600)
    canvas.shape(box(0, 0, 800, 280), Fade("#8fc6cf", "#fbe2bd"))
    canvas.glow(210, 214, 220, "#ffe0a2", 0.9)
    canvas.shape(oval(210, 214, 32, 32), "#fff7e2")
    hills(canvas, 262, 110, "#a5cdd1", 17, 282)
    hills(canvas, 276, 56, "#76abb2", 25, 282)
    trees(canvas, 480, 820, 284, 20, 5, ("#c98a3c", "#b5652f", "#6f8f5a", "#d9a24a"))
    water(canvas, 280, 600, Fade("#b7dad7", "#1f6f7d"), 11, 80)
    sun_path(canvas, 210, 282, 560, 70, "#fff0cd", 9)
    deck = [(330, 620), (446, 352), (560, 352), (820, 620)]
    canvas.shape([(x - 14, y + 20) for x, y in deck], DEEP, alpha=0.3, blur=10)
    for x in (440, 566):
        canvas.stroke([(x, 350), (x, 404)], "#4d3322", 13)
    canvas.shape(deck, Fade("#b98a5f", "#d8ab7a"))
    with canvas.inside(deck):
        y = 352.0
        while y < 620:
            canvas.stroke([(300, y), (830, y)], "#6b4a31", 1 + (y - 352) / 90, alpha=0.7)
            y += 7 + (y - 352) * 0.11
    for x, y in ((352, 530), (740, 500)):
        canvas.stroke([(x, y), (x, y + 84)], Fade("#6b4a31", "#3d281b"), 22)
        canvas.shape(oval(x, y - 3, 11, 5), "#8f6846")
    _post(canvas)
    for x, y, span in ((352, 120, 22), (398, 92, 15), (90, 90, 13)):
        gull(canvas, x, y, span)
    reeds(canvas, -10, 250, 615, 230, 2, "#6a8f52")
    return canvas


def _post(canvas: Canvas) -> None:
    canvas.shape(oval(508, 440, 44, 9), DEEP, alpha=0.35, blur=4)
    canvas.shape(box(498, 140, 18, 300, 4), Fade("#eef3f3", "#8fa5aa", sideways=True))
    canvas.shape(box(478, 428, 58, 14, 4), "#5f757b")
    canvas.shape([(430, 150), (452, 92), (590, 92), (568, 150)], Fade("#1f5f8a", "#123a57"), shadow=Shadow(4, 8, 6, 0.25))
    for share in (0.25, 0.5, 0.75):
        canvas.stroke([(430 + 138 * share, 149), (452 + 138 * share, 93)], "#8fc3de", 2)
    canvas.stroke([(441, 121), (579, 121)], "#8fc3de", 2)
    canvas.stroke([(430, 150), (568, 150), (590, 92), (452, 92), (430, 150)], "#e8eff0", 4)
    canvas.shape(box(462, 196, 92, 122, 12), Fade("#fffdf8", "#dfe6e4"), shadow=Shadow(6, 9, 8, 0.3))
    canvas.shape(box(474, 210, 68, 44, 6), Fade("#14596b", "#0b3b49"))
    wave = smooth([(482, 238), (494, 226), (506, 236), (518, 222), (534, 230)], closed=False)
    canvas.stroke(wave, AMBER, 4)
    for x, colour in ((486, "#67b26f"), (508, AMBER), (530, MIST)):
        canvas.shape(oval(x, 278, 7, 7), colour)
    for y in (296, 304):
        canvas.stroke([(484, y), (532, y)], "#b9c6c5", 3)
    canvas.stroke([(546, 200), (546, 166)], DEEP, 4)
    canvas.shape(oval(546, 164, 6, 6), CORAL)
    for reach in (16, 27, 38):
        arc = [(546 + reach * math.cos(math.radians(a)), 164 + reach * math.sin(math.radians(a))) for a in range(-40, 41, 8)]
        canvas.stroke(arc, CORAL, 3.4, alpha=0.8)
    cable = smooth([(480, 318), (474, 356), (450, 390), (410, 414), (376, 428), (366, 462)], closed=False)
    canvas.stroke(cable, DEEP, 5)
    for reach in (10, 20):
        canvas.stroke(oval(366, 464, reach, reach * 0.28), "#ffffff", 2, alpha=0.7)


def workshop() -> Canvas:
    """A table from above at which four people plan with cards, a laptop and coffee; 800 by 600."""
    canvas = Canvas(800, 600)
    canvas.shape(box(0, 0, 800, 600), Fade("#14596b", "#0b3b49"))
    canvas.shape(box(70, 80, 660, 440, 60), Fade("#e8c396", "#d6a772"), shadow=Shadow(8, 16, 22, 0.5))
    canvas.shape(box(82, 92, 636, 416, 52), "#f0d2aa", alpha=0.35)
    _map(canvas)
    _laptop(canvas)
    random = Random(11)
    for x, y, turn, colour in ((244, 118, -8, 0), (330, 108, 6, 1), (590, 372, 9, 2), (508, 398, -5, 0), (136, 214, 4, 2)):
        _note(canvas, (x, y), NOTES[colour], turn, random)
    for x, y in ((632, 214), (212, 438)):
        _cup(canvas, x, y)
    _pen(canvas, (400, 444), (486, 478))
    _helper(canvas, (250, -30), (318, 212), CORAL, "#f0c4a2", "#6a3d25", (230, 18))
    _helper(canvas, (566, -34), (474, 186), AMBER, "#8a5a3c", "#231a18", (590, 14))
    _helper(canvas, (300, 640), (352, 404), TEAL, "#c98f68", "#2b2320", (276, 584))
    _helper(canvas, (660, 640), (596, 470), CREAM, "#f0c4a2", "#b98a4a", (684, 586))
    return canvas


def _map(canvas: Canvas) -> None:
    sheet = box(258, 196, 262, 196, 3, -3)
    canvas.shape(sheet, "#fffaf0", shadow=SOFT)
    with canvas.inside(sheet):
        lake = smooth(
            [(300, 300), (330, 246), (392, 232), (430, 262), (476, 268), (488, 320), (440, 356), (372, 342), (330, 350)]
        )
        canvas.shape(lake, Fade("#a9d8d6", "#6fb6be"))
        road = smooth([(250, 380), (300, 366), (312, 320), (304, 262), (350, 214), (420, 214), (530, 230)], closed=False)
        canvas.stroke(road, "#dcc7a6", 8)
        route = smooth([(338, 262), (382, 288), (420, 314), (470, 306)], closed=False)
        for step in range(0, len(route) - 3, 6):
            canvas.stroke(route[step : step + 3], CORAL, 4)
    for x, y, colour in ((338, 258, CORAL), (470, 302, CORAL), (304, 262, PETROL), (420, 214, AMBER)):
        canvas.shape(oval(x, y, 9, 9), colour, shadow=Shadow(2, 3, 2, 0.35))
        canvas.shape(oval(x, y, 3.4, 3.4), CREAM)


def _laptop(canvas: Canvas) -> None:
    canvas.shape(box(552, 252, 140, 96, 8, 6), Fade("#eef2f2", "#c3cfd0"), shadow=SOFT)
    around = (622, 300)
    for row in range(3):
        for column in range(9):
            canvas.shape(turned(box(564 + column * 13, 262 + row * 13, 10, 9, 2), 6, around), "#54696e")
    canvas.shape(turned(box(598, 310, 48, 28, 4), 6, around), "#aebcbd")


def _cup(canvas: Canvas, x: float, y: float) -> None:
    canvas.shape(oval(x, y, 35, 35), "#fffdf8", shadow=SOFT)
    canvas.shape(oval(x, y, 29, 29), "#ece3d4")
    canvas.stroke([(x + 18, y - 16), (x + 34, y - 30)], "#fffdf8", 9)
    canvas.shape(oval(x, y, 22, 22), "#fffdf8", shadow=Shadow(2, 3, 3, 0.25))
    canvas.shape(oval(x, y, 18, 18), Fade("#6b3f24", "#8a5634"))
    canvas.shape(smooth([(x - 9, y - 3), (x, y - 9), (x + 9, y - 3), (x, y + 9)]), "#d9ae7c")


def _helper(canvas: Canvas, shoulder: Point, hand: Point, coat: str, skin: str, hair: str, head: Point) -> None:
    """Someone at the table from above: shoulders, head, and an arm that reaches to the middle."""
    far = 1 if hand[1] > shoulder[1] else -1
    elbow = ((shoulder[0] + hand[0]) / 2 + 26 * (1 if shoulder[0] < hand[0] else -1), (shoulder[1] + hand[1]) / 2)
    wrist = (hand[0] + (elbow[0] - hand[0]) * 0.34, hand[1] + (elbow[1] - hand[1]) * 0.34)
    shade = mix(skin, "#6b3d2e", 0.22)
    for paint, shift in ((shade, 2.5), (skin, 0.0)):
        canvas.stroke([wrist, hand], paint, 25)
        canvas.shape(oval(hand[0] + shift, hand[1], 17, 18), paint)
        for reach in (-12, -4, 4, 12):
            tip = (hand[0] + reach * 1.15 + shift, hand[1] + far * (30 - abs(reach) * 0.6) + shift)
            canvas.stroke([(hand[0] + reach + shift, hand[1]), tip], paint, 7.6)
        thumb = 1 if shoulder[0] < hand[0] else -1
        canvas.stroke(
            [(hand[0] + thumb * 13 + shift, hand[1] - far * 4), (hand[0] + thumb * 25 + shift, hand[1] + far * 12)], paint, 8
        )
    canvas.stroke(smooth([shoulder, elbow, wrist], closed=False), mix(coat, DEEP, 0.12), 38, shadow=Shadow(6, 10, 9, 0.3))
    canvas.shape(oval(head[0], head[1] - far * 6, 104, 46), Fade(coat, mix(coat, DEEP, 0.2)), shadow=Shadow(5, 9, 12, 0.35))
    canvas.shape(oval(*head, 37, 41), hair, shadow=Shadow(4, 7, 7, 0.35))
    canvas.shape(oval(head[0] - 10, head[1] - 12, 15, 11, -30), mix(hair, "#ffffff", 0.25), alpha=0.5, blur=4)
