"""A store becomes the pages that subscribers open: the mail in the browser, unsubscribing, and the mails' pictures."""

import logging
from functools import lru_cache, partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Part
from newsletter.issue.model import Publication
from newsletter.links import MARK_SIZE, Delivered, Leaving, Links
from newsletter.store import Store, delivery_of, is_suppressed, load_edition, picture_of, suppress
from newsletter.web.access import AccessLog
from newsletter.web.host import HEALTH, OwnHost
from newsletter.web.metrics import UNSUBSCRIBES
from newsletter.web.page import MAIL_POLICY, PICTURE_POLICY, SAFE_HEADERS, Pages
from newsletter.web.postman import Postman
from newsletter.web.preferences import PreferencePages
from newsletter.web.subscribe import SubscribePages

log = logging.getLogger("newsletter.web")

#: Bytes of a POST that are read and thrown away; RFC 8058's body has 26, in a multipart form some 200.
_LARGEST_BODY = 64 * 1024
#: Variants of editions whose HTML is kept at hand: readers open the last issues.
_VARIANTS = 32


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
    joining = SubscribePages(postman, links, publication, pages).routes if postman is not None else []
    app = Starlette(
        routes=[
            Route("/view/{token}", site.view, name="view"),
            Route("/unsubscribe/{token}", site.unsubscribe, methods=["GET", "POST"], name="unsubscribe"),
            Route("/pictures/{name}", site.picture, name="picture"),
            *joining,
            *preferences.routes,
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
        self._html = lru_cache(_VARIANTS)(self._stored_html)  # an edition never changes

    def view(self, request: Request) -> Response:
        """Exactly the mail that was sent: the stored edition with the recipient's stored values, its own links included."""
        named = self._links.read_view(request.path_params["token"])
        if named is None:
            raise HTTPException(404)
        if named == Delivered(0, 0):
            return self._pages.answer("example")
        row = delivery_of(self._store, named.campaign, named.delivery)
        if row is None or row.fields is None:
            raise HTTPException(404)
        values = row.fields | {
            VIEW: self._links.view_url(row.campaign_id, row.id),
            UNSUBSCRIBE: self._links.unsubscribe_url(row.campaign_id, row.id, row.mark),
        }
        headers = SAFE_HEADERS | {"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "private, no-cache"}
        return Response(self._html(row.edition_hash, row.variant).fill(values), headers=headers, media_type="text/html")

    def _stored_html(self, edition_hash: str, variant: str | None) -> Part:
        edition = load_edition(self._store, edition_hash, with_files=False)
        if edition is None:
            raise HTTPException(404)
        return edition.variant(variant).html_on_the_web(self._links.picture_url)

    async def unsubscribe(self, request: Request) -> Response:
        """GET shows one page with one button and changes nothing (B11); POST acts, by the token alone (RFC 8058 §3.2, B9)."""
        if request.method == "POST" and not await _read_away(request):
            return self._pages.answer("broken", 413)
        named = self._links.read_unsubscribe(request.path_params["token"])
        if named is None:
            raise HTTPException(404)
        if (named.campaign, named.delivery) == (0, 0):
            return self._pages.answer("example")
        if request.method != "POST":
            return await run_in_threadpool(self._preferences.before_leaving, named.mark)
        await run_in_threadpool(self._leave, named)
        return self._preferences.after_leaving(named.mark)

    def _leave(self, named: Leaving) -> None:
        """On disk when this returns (B28). The mark is enough; the address is kept beside it where its row is still there."""
        row = delivery_of(self._store, named.campaign, named.delivery)
        new = suppress(
            self._store,
            named.mark,
            reason="unsubscribed",
            address=(row.address or None) if row is not None and row.mark == named.mark else None,
            campaign_id=named.campaign,
            delivery_id=named.delivery,
        )
        UNSUBSCRIBES.inc(new)

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
        if _knows(request, tag):
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
        log.error("the database does not answer: %s", getattr(error, "orig", None) or type(error).__name__)
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


def _knows(request: Request, tag: str) -> bool:
    """Whether the client holds this version already (RFC 9110 §13.1.2: a list, compared weakly, or ``*``)."""
    held = [entry.strip().removeprefix("W/") for entry in request.headers.get("If-None-Match", "").split(",")]
    return tag in held or "*" in held
