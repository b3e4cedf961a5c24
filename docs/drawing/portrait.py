"""The portrait of the interview: someone with glasses in front of a soft lake."""

from docs.drawing.canvas import Canvas, Fade, box, oval
from docs.drawing.lake import CORAL, CREAM, hills
from docs.drawing.people import Look, portrait


def person() -> Canvas:
    """A square of 600."""
    canvas = Canvas(600, 600)
    canvas.shape(box(0, 0, 600, 600), Fade("#dcecea", "#f8e9d6"))
    canvas.glow(470, 150, 190, "#fbd9a4", 0.8)
    hills(canvas, 330, 90, "#b4d5d6", 5, 600)
    hills(canvas, 372, 60, "#8fbfc4", 9, 600)
    canvas.shape(box(0, 384, 600, 216), Fade("#7fb8bf", "#4b98a3"))
    for x, y, reach in ((80, 430, 40), (150, 520, 60), (520, 440, 46), (470, 540, 40)):
        canvas.shape(oval(x, y, reach, 3), "#ffffff", alpha=0.35, blur=1)
    portrait(canvas, Look(skin="#f0c6a6", hair="#5b4438", coat="#14596b", shirt=CREAM, trousers=CORAL))
    return canvas
