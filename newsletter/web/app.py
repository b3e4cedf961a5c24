"""A store becomes the pages that readers open: the mail in the browser, unsubscribing, the mails' pictures, the archive."""

import logging
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.audience.leaving import leave
from newsletter.issue.model import Publication
from newsletter.links import MARK_SIZE, Links
from newsletter.store import Store, is_suppressed, picture_of
from newsletter.store.faults import cause_of
from newsletter.web.access import AccessLog
from newsletter.web.archive import Archive
from newsletter.web.host import HEALTH, OwnHost
from newsletter.web.issue_page import IssuePages
from newsletter.web.metrics import UNSUBSCRIBES
from newsletter.web.page import PICTURE_POLICY, SAFE_HEADERS, Pages
from newsletter.web.postman import Postman
from newsletter.web.preferences import PreferencePages
from newsletter.web.public import PublicPages, knows
from newsletter.web.subscribe import SubscribePages
from newsletter.web.view import ViewPages

log = logging.getLogger("newsletter.web")

#: Bytes of a POST that are read and thrown away; RFC 8058's body has 26, in a multipart form some 200.
_LARGEST_BODY = 64 * 1024


def create_app(
    store: Store, links: Links, publication: Publication, catalogues: Path | None = None, postman: Postman | None = None
) -> Starlette:
    """The ASGI application of one publication.

    GET, HEAD and OPTIONS never change anything (B11). Every path, token and picture that is none gets the same 404 page (S14);
    where the database does not answer, the page says so with 503. Addresses are made by ``links`` alone, never of a Host header,
    and a request for another host than theirs gets the 404 page, too.
    ``catalogues`` is the folder of the workspace's own words. Only where a ``postman`` sends the mails that confirm it can
    somebody subscribe.
    """
    pages = Pages(publication, catalogues)
    preferences = PreferencePages(store, links, publication, pages, postman)
    site = _Site(store, links, pages, preferences)
    archive = Archive(store, links, publication, pages, subscribable=postman is not None)
    view = ViewPages(store, links, pages, IssuePages(links, publication, pages), archive)
    joining = SubscribePages(postman, links, publication, pages).routes if postman is not None else []
    app = Starlette(
        routes=[
            *view.routes,
            Route("/unsubscribe/{token}", site.unsubscribe, methods=["GET", "POST"], name="unsubscribe"),
            Route("/pictures/{name}", site.picture, name="picture"),
            *joining,
            *preferences.routes,
            *PublicPages(archive, pages).routes,
            Route(HEALTH, site.health, name="health"),
        ],
        middleware=[
            Middleware(AccessLog),
            Middleware(OwnHost, public_url=links.public_url, refuse=partial(pages.answer, "missing", 404)),
        ],
        exception_handlers={
            404: site.missing,
            405: site.not_allowed,
            SQLAlchemyError: site.no_database,
            Exception: site.broken,
        },
    )
    app.router.redirect_slashes = False  # "/view/x/" is another address, and a redirect would say that "/view/x" is one
    return app


class _Site:
    """What each route does. Plain functions run in a thread, for the database blocks."""

    def __init__(self, store: Store, links: Links, pages: Pages, preferences: PreferencePages) -> None:
        self._store = store
        self._links = links
        self._pages = pages
        self._preferences = preferences

    async def unsubscribe(self, request: Request) -> Response:
        """GET shows one page with one button and changes nothing (B11); POST acts, by the token alone (RFC 8058 §3.2, B9)."""
        if request.method == "POST" and not await _read_away(request):
            return self._pages.answer("broken", 413)
        named = self._links.read_unsubscribe(request.path_params["token"])
        if named is None:
            raise HTTPException(404)
        if named.is_example:
            return self._pages.answer("example")
        if request.method != "POST":
            return await run_in_threadpool(self._preferences.before_leaving, named.mark)
        UNSUBSCRIBES.inc(await run_in_threadpool(leave, self._store, named))
        return self._preferences.after_leaving(named.mark)

    def picture(self, request: Request) -> Response:
        """A picture of a mail. Its name is made of its content, so whoever has it has it for ever (RFC 8246)."""
        name: str = request.path_params["name"]
        picture = picture_of(self._store, name)
        if picture is None:
            raise HTTPException(404)
        tag = f'"{name}"'
        headers = SAFE_HEADERS | {
            "Content-Security-Policy": PICTURE_POLICY,
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": tag,
        }
        if knows(request, tag):
            return Response(status_code=304, headers=headers)
        return Response(picture.data, headers=headers, media_type=picture.media_type)

    def health(self, _request: Request) -> Response:
        """``ok`` where the database answers: a look into one of its tables, for SQLite opens its file for nothing less."""
        is_suppressed(self._store, bytes(MARK_SIZE))
        return PlainTextResponse("ok\n", headers=SAFE_HEADERS | {"Cache-Control": "no-store"})

    async def missing(self, _request: Request, _error: Exception) -> Response:
        """The one page for whatever is not there (S14)."""
        return self._pages.answer("missing", 404)

    async def not_allowed(self, _request: Request, error: Exception) -> Response:
        """A method that the route does not have."""
        headers = error.headers if isinstance(error, HTTPException) and error.headers else {}
        return self._pages.answer("missing", 405, headers.get("Allow"))

    async def no_database(self, _request: Request, error: Exception) -> Response:
        """The database did not answer. The error's own text would name the reader's values (S22), so only its cause is logged."""
        log.error("the database does not answer: %s", cause_of(error))
        return self._pages.answer("broken", 503)

    async def broken(self, _request: Request, _error: Exception) -> Response:
        """A fault of the program; the server logs it."""
        return self._pages.answer("broken", 500)


async def _read_away(request: Request) -> bool:
    """Read the body without looking at it; False where it is too large or the sender went away."""
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > _LARGEST_BODY:
                return False
    except ClientDisconnect:
        return False
    return True
