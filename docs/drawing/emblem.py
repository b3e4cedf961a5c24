"""The sign of the invented region, for the head of the mail: a sun over the waves of a lake, on a shield."""

from docs.drawing.canvas import Canvas, Outline, box, oval, smooth

WIDTH, HEIGHT = 240, 280


def shield(inset: float = 0) -> Outline:
    """The outline, so much smaller on all sides."""
    left, right, top, low = inset, WIDTH - inset, inset, HEIGHT - inset
    side = [(right, 150), (right - 14, 196), (right - 52, 240), (WIDTH / 2, low)]
    mirrored = [(WIDTH - x, y) for x, y in reversed(side[:-1])]
    round_ = smooth([*side, *mirrored], closed=False)
    return [(left, top), (right, top), *round_, (left, 150)]


def emblem() -> Canvas:
    """The picture; what lies outside of the shield is to be cut off."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.shape(shield(), "#ffffff")
    with canvas.inside(shield(8)):
        canvas.shape(box(0, 0, WIDTH, HEIGHT), "#d37d29")
        canvas.shape(oval(WIDTH / 2, 132, 40, 40), "#ffffff")
        for top, colour in ((142, "#0b4a57"), (170, "#ffffff"), (182, "#0b4a57"), (210, "#ffffff"), (222, "#0b4a57")):
            crest = [(x, top + (9 if (x // 40) % 2 else -9)) for x in range(-40, WIDTH + 81, 40)]
            canvas.shape([*smooth(crest, closed=False), (WIDTH + 80, HEIGHT), (-40, HEIGHT)], colour)
    return canvas
