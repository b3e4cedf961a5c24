"""A view token becomes the mail that its recipient was sent, or the issue for everyone once the values are deleted (L8, L17)."""

from functools import lru_cache
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from newsletter.compose.edition import Headers, Part
from newsletter.issue.only import primary
from newsletter.links import Delivered, Links
from newsletter.message import OwnLinks
from newsletter.store import Store, StoredDelivery, delivery_of, load_edition
from newsletter.web.archive import Archive
from newsletter.web.issue_page import IssuePages
from newsletter.web.page import MAIL_POLICY, SAFE_HEADERS, Pages

#: Variants of editions whose HTML is kept at hand: readers open the last issues.
_VARIANTS = 32
_HEADERS = SAFE_HEADERS | {"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "private, no-cache"}


class _Stored(NamedTuple):
    """What of an edition's variant the page is made of."""

    title: str
    html: Part
    headers: Headers


class ViewPages:
    """``/view/TOKEN``. A plain function runs in a thread, for the database blocks."""

    def __init__(self, store: Store, links: Links, pages: Pages, issue_pages: IssuePages, archive: Archive) -> None:
        self._store = store
        self._links = links
        self._pages = pages
        self._issue_pages = issue_pages
        self._archive = archive
        self._stored = lru_cache(_VARIANTS)(self._read)  # an edition never changes
        self.routes = [Route("/view/{token}", self.view, name="view")]

    def view(self, request: Request) -> Response:
        """Exactly the mail that was sent: the stored edition with the recipient's stored values, its own links included."""
        named = self._links.read_view(request.path_params["token"])
        if named is None:
            raise HTTPException(404)
        if named == Delivered(0, 0):
            return self._pages.answer("example")
        row = delivery_of(self._store, named.campaign, named.delivery)
        if row is None:
            raise HTTPException(404)
        if row.fields is None:
            return self._without_values(row)
        stored = self._stored(row.edition_hash, row.variant)
        own = OwnLinks(self._links, stored.headers, row.slug)
        values = row.fields | own.values(row.campaign_id, row.id, row.mark)
        share_url = self._archive.share_url(row.slug, primary(row.fields.get("language", "")))
        page = self._issue_pages.own(stored.html.fill(values), stored.title, share_url)
        return Response(page, headers=_HEADERS, media_type="text/html")

    def _without_values(self, row: StoredDelivery) -> Response:
        """The issue for everyone, never the variant that the recipient had: his tags are nobody's business any more.

        A redirect, so that the token leaves the address bar: what is passed on or kept as a bookmark then names nobody (L19).
        An issue that is not public has no such address; whoever has the token was sent it, and is shown it here.
        """
        share_url = self._archive.share_url(row.slug, "")
        if share_url is not None:
            return RedirectResponse(share_url, 303, SAFE_HEADERS | {"Cache-Control": "no-store"})
        return Response(self._archive.unlisted(row.edition_hash), headers=_HEADERS, media_type="text/html")

    def _read(self, edition_hash: str, variant: str | None) -> _Stored:
        edition = load_edition(self._store, edition_hash, with_files=False)
        if edition is None:
            raise HTTPException(404)
        html = edition.variant(variant).html_on_the_web(self._links.picture_url)
        return _Stored(edition.title, html, edition.headers)
