"""A new issue: the commented text of an issue file with a sample of each block, and the pictures it shows."""

import datetime as dt
import io
import json
from pathlib import Path

from PIL import Image, ImageDraw

from newsletter.issue.text import plain_text

_TEXTS = Path(__file__).parent / "samples"
#: The samples show what lies ahead of the issue: an event some weeks later.
_AHEAD = dt.timedelta(days=21)


def new_issue(language: str, title: str, date: dt.date) -> str:
    """The text of an issue file for ``newsletter new``: German words for a German publication, else English.

    ``language`` is the publication's BCP 47 tag. It loads as it is, beside the files of :func:`new_pictures`. Raises
    ValueError for a title that cannot stand in a header.
    """
    file = _TEXTS / ("issue.de.yaml" if language.split("-")[0].lower() == "de" else "issue.en.yaml")
    values = {
        "TITLE": json.dumps(plain_text(title), ensure_ascii=False),  # a JSON string is a YAML string
        "DATE": date.isoformat(),
        "EVENT": (date + _AHEAD).isoformat(),
    }
    text = file.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def new_pictures() -> dict[str, bytes]:
    """The pictures that :func:`new_issue` shows, drawn: file names and their bytes."""
    return {"landscape.png": _png(_landscape()), "portrait.png": _png(_portrait())}


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _landscape() -> Image.Image:
    """Hills under a low sun, 1200 × 630."""
    width, height, fine = 1200, 630, 2  # drawn twice as large and scaled down, so that edges are smooth
    picture = Image.new("RGB", (width * fine, height * fine), "#e8f1f2")
    draw = ImageDraw.Draw(picture)
    draw.ellipse(_box(860, 250, 90, fine), fill="#f6c667")
    for centre, top, radius, colour in (
        (250, 330, 700, "#b7d3c6"),
        (1050, 380, 620, "#8fbcab"),
        (480, 440, 900, "#5f9a88"),
        (1000, 520, 800, "#3c7a6b"),
    ):
        draw.ellipse(_box(centre, top + radius, radius, fine), fill=colour)
    for x, y in ((180, 496), (230, 480), (300, 463)):
        draw.polygon([(at * fine, top * fine) for at, top in ((x - 22, y), (x + 22, y), (x, y - 80))], fill="#2b5d52")
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _portrait() -> Image.Image:
    """Head and shoulders as plain shapes, 480 × 480."""
    size, fine = 480, 2
    picture = Image.new("RGB", (size * fine, size * fine), "#dbe7e4")
    draw = ImageDraw.Draw(picture)
    draw.ellipse(_box(240, 505, 185, fine), fill="#5f9a88")
    draw.ellipse(_box(240, 210, 92, fine), fill="#3c7a6b")
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _box(x: int, y: int, radius: int, fine: int) -> tuple[int, int, int, int]:
    return (x - radius) * fine, (y - radius) * fine, (x + radius) * fine, (y + radius) * fine
