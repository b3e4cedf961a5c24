"""Draws the pictures and the logo of the sample publication into ``issues/``: ``python -m docs.draw_pictures [FOLDER]``."""

import sys
from collections.abc import Callable
from pathlib import Path

from docs.drawing.canvas import Canvas
from docs.drawing.emblem import emblem, shield
from docs.drawing.ferry import ferry
from docs.drawing.gallery import badges, board, jetty, workshop
from docs.drawing.hall import hall
from docs.drawing.portrait import person

ISSUE = "2026-11"
#: In CSS pixels, as publication.yaml says.
LOGO_WIDTH = 72
#: What draws each picture, and its width in pixels: twice the width at which the layout shows it.
PICTURES: dict[str, tuple[Callable[[], Canvas], int]] = {
    "uferkonferenz.jpg": (hall, 1200),
    "faehre.jpg": (ferry, 1200),
    "portraet.jpg": (person, 600),
    "themenwand.jpg": (board, 800),
    "namensschilder.jpg": (badges, 800),
    "messstelle.jpg": (jetty, 800),
    "werkstatt.jpg": (workshop, 800),
}


def main(folder: Path) -> None:
    """Draw every picture into ``folder``, which has a folder for the issue, and say how large it became."""
    for name, (draw, width) in PICTURES.items():
        size = draw().save(folder / ISSUE / name, width)
        print(f"{ISSUE}/{name}: {size / 1000:.0f} kB")
    print(f"logo.png: {emblem().save_cut(folder / 'logo.png', 2 * LOGO_WIDTH, shield()) / 1000:.1f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "issues")
