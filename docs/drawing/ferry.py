"""The picture of the article: the electric ferry leaves the town on an autumn morning."""

from docs.drawing.canvas import Canvas, Fade, Shadow, box, mix, oval, smooth
from docs.drawing.lake import AMBER, CORAL, CREAM, DEEP, PETROL, TEAL, cloud, gull, hills, reeds, sun_path, town, trees, water

SHORE = 430


def ferry() -> Canvas:
    """1200 by 800."""
    canvas = Canvas(1200, 800)
    canvas.shape(box(0, 0, 1200, SHORE), Fade("#9ccdd4", "#fde3bd"))
    canvas.glow(930, 290, 300, "#ffdf9e", 0.9)
    canvas.shape(oval(930, 290, 46, 46), "#fff7e2")
    cloud(canvas, 300, 130, 90, 0.55)
    cloud(canvas, 640, 92, 60, 0.45)
    cloud(canvas, 1060, 150, 54, 0.4)
    hills(canvas, 400, 170, "#a8cdd0", 30, SHORE + 12)
    hills(canvas, 425, 100, "#80b2b8", 44, SHORE + 12)
    trees(canvas, -20, 90, SHORE, 34, 1, ("#c98a3c", "#a94f33", "#6f8f5a"))
    town(canvas, 84, SHORE, 58, 77, 9)
    trees(canvas, 560, 1220, SHORE, 22, 3, ("#c98a3c", "#b5652f", "#6f8f5a", "#d9a24a", "#5c7f58"))
    _quay(canvas)
    water(canvas, SHORE + 10, 800, Fade("#a9d2d2", "#1d6a78"), 15, 120)
    _reflection(canvas)
    sun_path(canvas, 930, SHORE + 12, 760, 110, "#fff0cd", 3)
    _ship(canvas, 640, 640)
    for x, y, span in ((470, 250, 24), (540, 214, 17), (760, 176, 14), (1050, 300, 16)):
        gull(canvas, x, y, span)
    reeds(canvas, -10, 150, 815, 210, 6, "#5f8a55")
    reeds(canvas, 1090, 1210, 815, 170, 8, "#5f8a55")
    return canvas


def _quay(canvas: Canvas) -> None:
    canvas.shape(box(0, SHORE - 2, 640, 16), Fade("#c9b69a", "#8d7a64"))
    for x in range(20, 640, 46):
        canvas.shape(box(x, SHORE + 6, 5, 16), "#5b4634")


def _reflection(canvas: Canvas) -> None:
    """The town's colours tremble in the water as short bars."""
    for step, colour in enumerate(("#f3dcc0", "#c96f4b", "#f6e6cf", "#b9583d") * 6):
        x = 90 + (step * 137) % 470
        y = SHORE + 24 + (step * 29) % 86
        canvas.stroke([(x, y), (x + 26 + (step * 13) % 34, y)], colour, 3.2, alpha=0.42)


def _ship(canvas: Canvas, x: float, y: float) -> None:
    canvas.shape(oval(x, y + 26, 330, 22), DEEP, alpha=0.35, blur=8)
    for step in range(7):  # the wake behind the stern
        canvas.stroke(
            [(x - 330 - step * 34, y + 14 + step * 3), (x - 292 - step * 20, y + 12 + step * 3)],
            "#ffffff",
            6 - step * 0.5,
            alpha=0.75 - step * 0.09,
        )
    _cabin(canvas, x, y)
    hull = [(x - 318, y - 62), (x + 344, y - 62), (x + 300, y + 6), (x + 262, y + 24), (x - 270, y + 24), (x - 304, y + 4)]
    canvas.shape(hull, Fade(PETROL, DEEP))
    canvas.shape([(x - 318, y - 62), (x + 344, y - 62), (x + 337, y - 51), (x - 314, y - 51)], CREAM)
    canvas.shape([(x - 308, y - 18), (x + 316, y - 18), (x + 309, y - 7), (x - 305, y - 7)], AMBER)
    for step in range(9):
        canvas.shape(oval(x - 230 + step * 54, y - 35, 9, 9), "#d8efef")
        canvas.shape(oval(x - 230 + step * 54, y - 35, 9, 9), "#2f8a98", alpha=0.45)
    bow = smooth([(x + 250, y + 26), (x + 290, y + 16), (x + 326, y + 24), (x + 290, y + 32)])
    canvas.shape(bow, "#ffffff", alpha=0.85)
    for step in range(6):
        canvas.stroke([(x - 250 + step * 92, y + 30), (x - 196 + step * 92, y + 30)], "#ffffff", 4, alpha=0.6)


def _cabin(canvas: Canvas, x: float, y: float) -> None:
    lower = [(x - 236, y - 62), (x - 226, y - 150), (x + 196, y - 150), (x + 238, y - 62)]
    canvas.shape(lower, Fade("#fffaf1", "#e8dcc9"))
    for step in range(6):
        pane = box(x - 206 + step * 66, y - 138, 54, 48, 7)
        canvas.shape(pane, Fade("#2c7482", "#a9d6d6"))
        with canvas.inside(pane):
            canvas.shape(
                [
                    (x - 196 + step * 66, y - 84),
                    (x - 176 + step * 66, y - 144),
                    (x - 162 + step * 66, y - 144),
                    (x - 182 + step * 66, y - 84),
                ],
                "#ffffff",
                alpha=0.28,
            )
            if step in (0, 2, 3, 5):
                _passenger(canvas, x - 180 + step * 66, y - 96, step)
    canvas.shape(box(x - 250, y - 164, 470, 15, 6), TEAL, shadow=Shadow(0, 4, 4, 0.2))
    bridge = [(x + 40, y - 164), (x + 50, y - 236), (x + 158, y - 236), (x + 186, y - 164)]
    canvas.shape(bridge, Fade("#fffaf1", "#efe4d3"))
    canvas.shape([(x + 62, y - 184), (x + 68, y - 224), (x + 104, y - 224), (x + 104, y - 184)], Fade("#2c7482", "#a9d6d6"))
    canvas.shape([(x + 112, y - 184), (x + 112, y - 224), (x + 150, y - 224), (x + 166, y - 184)], Fade("#2c7482", "#a9d6d6"))
    canvas.shape(box(x + 36, y - 248, 142, 13, 5), CORAL)
    for step in range(4):  # solar panels on the long roof
        left = x - 232 + step * 66
        canvas.shape(
            [(left, y - 166), (left + 14, y - 184), (left + 66, y - 184), (left + 54, y - 166)], Fade("#1c4f74", "#123a57")
        )
        canvas.stroke([(left + 27, y - 167), (left + 40, y - 183)], "#7fb3cf", 1.6)
        canvas.stroke([(left + 8, y - 175), (left + 60, y - 175)], "#7fb3cf", 1.6)
    canvas.stroke([(x + 92, y - 248), (x + 92, y - 312)], DEEP, 4)
    flag = smooth([(x + 92, y - 310), (x + 62, y - 303), (x + 30, y - 311)], closed=False)
    flag += smooth([(x + 34, y - 281), (x + 64, y - 274), (x + 92, y - 280)], closed=False)
    canvas.shape(flag, AMBER)
    canvas.shape(oval(x + 62, y - 290, 7, 7), CREAM)
    _rail(canvas, x, y)


def _passenger(canvas: Canvas, x: float, y: float, kind: int) -> None:
    coat = (CORAL, AMBER, DEEP, "#5f8a55")[kind % 4]
    skin = ("#f0c4a2", "#c98f68", "#8a5a3c", "#f0c4a2")[kind % 4]
    canvas.shape(smooth([(x - 16, y + 14), (x - 12, y - 4), (x, y - 9), (x + 12, y - 4), (x + 16, y + 14)]), coat)
    canvas.shape(oval(x, y - 16, 8.5, 10), skin)
    canvas.shape(
        smooth([(x - 9, y - 16), (x - 7, y - 27), (x + 6, y - 27), (x + 9, y - 17), (x + 2, y - 21)]),
        mix("#3a2418", "#d9a24a", kind / 6),
    )


def _rail(canvas: Canvas, x: float, y: float) -> None:
    for left, right in ((x - 312, x - 244), (x + 246, x + 334)):
        for high in (92, 110):
            canvas.stroke([(left, y - high), (right, y - high)], CREAM, 3)
        for step in range(4):
            post = left + (right - left) * step / 3
            canvas.stroke([(post, y - 60), (post, y - 111)], CREAM, 3)
