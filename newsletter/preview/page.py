"""Templates become the pages of the preview, in German or English; the mechanism is that of the subscribers' pages."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from newsletter.language import Language, language
from newsletter.preview.excerpt import excerpt

_FOLDER = Path(__file__).parent
#: The languages that the pages speak.
SPOKEN = ("de", "en")


def spoken(tag: str) -> Language:
    """The language of the pages for a BCP 47 tag: German, else English. Their words stand in ``words/de.po``."""
    return language("de" if tag.split("-")[0].lower() == "de" else "en", _FOLDER / "words")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["excerpt"] = excerpt
    return made


def page(name: str, speaks: Language, status: int = 200, **values: Any) -> Response:
    """The page of a template as an answer. In it ``t(…)`` says something in the language of the page."""
    words = {"language": speaks, "t": speaks.say} | values
    return Response(_templates().get_template(f"{name}.html.j2").render(words), status, media_type="text/html")


def static(name: str, media_type: str) -> Response:
    """The style sheet or the script."""
    return Response((_FOLDER / "pages" / name).read_bytes(), media_type=media_type)
