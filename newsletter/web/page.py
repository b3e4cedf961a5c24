"""A publication becomes the pages around its mails: rendered once, with headers that keep a reader's address secret."""

import base64
import hashlib
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from newsletter.issue.model import Publication
from newsletter.language import language

_FOLDER = Path(__file__).parent / "pages"

#: What a page is about; the name of its template.
Name = Literal["unsubscribe", "left", "example", "missing", "broken"]
_NAMES: tuple[Name, ...] = ("unsubscribe", "left", "example", "missing", "broken")

#: S7 and S15, on everything that is given out: the address of a page is its reader's secret.
SAFE_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
#: For a mail, whose styles are its own: nothing in it can run, send or be framed (S7).
MAIL_POLICY = (
    "default-src 'none'; img-src 'self' https: ; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: For a picture that is opened by itself.
PICTURE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


class Pages:
    """The pages of one publication, in its language. Those that hold nothing of a reader are rendered once and for all."""

    def __init__(self, publication: Publication, catalogues: Path | None = None) -> None:
        """``catalogues`` is the folder of the workspace's own words."""
        style = "".join((_FOLDER / name).read_text(encoding="utf-8") for name in ("style.css", "forms.css", "archive.css"))
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        #: The Content-Security-Policy of every page that is rendered here.
        self.policy = policy
        self._headers = SAFE_HEADERS | {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        templates = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        spoken = language(publication.language, catalogues)
        words = {"publication": publication, "language": spoken, "say": spoken.say, "style": Markup(style)}  # noqa: S704
        templates.globals |= words
        self.language = spoken
        self._templates = templates
        self._bodies = {name: templates.get_template(f"{name}.html.j2").render().encode() for name in _NAMES}

    def fill(self, name: str, status: int = 200, **values: object) -> Response:
        """A page with something of its reader's in it, rendered for this one answer. ``name`` is that of its template."""
        return Response(self.render(name, **values), status, self._headers, media_type="text/html")

    def render(self, name: str, **values: object) -> str:
        """What the template of this name makes of the values: a page, or a piece of one."""
        return self._templates.get_template(f"{name}.html.j2").render(values)

    def answer(self, name: Name, status: int = 200, allow: str | None = None) -> Response:
        """The page as an HTTP answer; ``allow`` names the methods that a 405 leaves (RFC 9110 §10.2.1)."""
        headers = self._headers | ({"Allow": allow} if allow else {})
        return Response(self._bodies[name], status, headers, media_type="text/html")
