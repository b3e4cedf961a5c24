"""Requests become the public pages: the archive, an issue, the feed, whoever asks (GET and HEAD alone; B11)."""

from email.utils import format_datetime, parsedate_to_datetime
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.store.clock import SECOND, as_datetime
from newsletter.web.archive import Archive, PublicPage
from newsletter.web.page import MAIL_POLICY, PICTURE_POLICY, Pages

#: Not ``noindex``: these pages are meant to be found. Not cached blindly: an issue may be taken back.
_HEADERS = MappingProxyType(
    {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, no-cache"}
)


class PublicPages:
    """``/issues/``, ``/issues/SLUG/``, ``/issues/SLUG/LANGUAGE/`` and ``/feed.atom``.

    The slash at the end may be missing: people type such addresses. Plain functions run in a thread, for the database blocks.
    """

    def __init__(self, archive: Archive, pages: Pages) -> None:
        self._archive = archive
        self._pages = pages
        self.routes = [
            *_both("/issues", self.index, "issues"),
            *_both("/issues/{slug}", self.issue, "issue"),
            *_both("/issues/{slug}/{language}", self.issue, "issue"),
            Route("/feed.atom", self.feed, name="feed"),
        ]

    def index(self, request: Request) -> Response:
        """All public issues, newest first."""
        return _answer(request, self._archive.index(), self._pages.policy)

    def issue(self, request: Request) -> Response:
        """One public issue, for nobody in particular."""
        asked = request.path_params
        return _answer(request, self._archive.issue(asked["slug"], asked.get("language")), MAIL_POLICY)

    def feed(self, request: Request) -> Response:
        """The Atom feed."""
        return _answer(request, self._archive.feed(), PICTURE_POLICY)


def _both(path: str, endpoint: object, name: str) -> list[Route]:
    return [Route(path, endpoint, name=name), Route(f"{path}/", endpoint, name=name)]  # type: ignore[arg-type]


def _answer(request: Request, page: PublicPage | None, policy: str) -> Response:
    if page is None:
        raise HTTPException(404)
    changed = as_datetime(page.changed_at // SECOND * SECOND)
    headers = _HEADERS | {
        "Content-Security-Policy": policy,
        "ETag": page.tag,
        "Last-Modified": format_datetime(changed, usegmt=True),
    }
    if knows(request, page.tag, page.changed_at):
        return Response(status_code=304, headers=headers)
    return Response(page.body, headers=headers, media_type=page.media_type)


def knows(request: Request, tag: str, changed_at: int | None = None) -> bool:
    """Whether the client holds this version already, and a 304 will do.

    RFC 9110 §13.1.2: a list of tags, compared weakly, or ``*``. Only where it names none counts the date (§13.1.3), to the
    second; ``changed_at`` is in microseconds UTC.
    """
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        held = [entry.strip().removeprefix("W/") for entry in tags.split(",")]
        return tag in held or "*" in held
    since = request.headers.get("If-Modified-Since")
    if since is None or changed_at is None:
        return False
    try:
        return changed_at // SECOND <= parsedate_to_datetime(since).timestamp()
    except (ValueError, OverflowError):
        return False
