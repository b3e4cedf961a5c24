"""A view token becomes the mail that its recipient was sent, or the issue for everyone once the values are deleted (L8, L17)."""

from functools import lru_cache
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from newsletter.compose.edition import Slot
from newsletter.issue.only import primary
from newsletter.links import Delivered, Links
from newsletter.message import OwnLinks
from newsletter.store import Shown, Store, Unready, load_edition, shown_at_once, shown_of
from newsletter.web.archive import Archive
from newsletter.web.issue_page import IssuePages
from newsletter.web.page import MAIL_POLICY, SAFE_HEADERS, Pages

#: Variants of editions whose HTML is kept at hand: readers open the last issues.
_VARIANTS = 32
_HEADERS = SAFE_HEADERS | {"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "private, no-cache"}
_RAW_HEADERS = [one for one in Response(headers=_HEADERS, media_type="text/html").raw_headers if one[0] != b"content-length"]


def _mail(body: bytes | str) -> Response:
    """A mail as an answer: its headers are always the same but for the length, so they are made once."""
    answer = Response(body)
    answer.raw_headers = [*_RAW_HEADERS, (b"content-length", b"%d" % len(answer.body))]
    return answer


class _Page(NamedTuple):
    """What the pages of one variant's recipients have in common: their HTML, encoded but for its slots, and what fills these."""

    pieces: tuple[bytes | Slot, ...]
    own: OwnLinks


class ViewPages:
    """``/view/TOKEN``."""

    def __init__(self, store: Store, links: Links, pages: Pages, issue_pages: IssuePages, archive: Archive) -> None:
        self._store = store
        self._links = links
        self._pages = pages
        self._issue_pages = issue_pages
        self._archive = archive
        self._page = lru_cache(_VARIANTS)(self._make_page)  # an edition never changes
        self.routes = [Route("/view/{token}", self.view, name="view")]

    async def view(self, request: Request) -> Response:
        """Exactly the mail that was sent: the stored edition with the recipient's stored values, its own links included."""
        named = self._links.read_view(request.path_params["token"])
        if named is None:
            raise HTTPException(404)
        if named == Delivered(0, 0):
            return self._pages.answer("example")
        try:
            shown = shown_at_once(self._store, named.campaign, named.delivery)  # a row of a file is there sooner than a thread
        except Unready:
            return await run_in_threadpool(self._show_patiently, named)
        return self._show(named, shown)

    def _show_patiently(self, named: Delivered) -> Response:
        return self._show(named, shown_of(self._store, named.campaign, named.delivery))

    def _show(self, named: Delivered, shown: Shown | None) -> Response:
        if shown is None:
            raise HTTPException(404)
        if shown.fields is None:
            return self._without_values(shown)
        share_url = self._archive.share_url(shown, primary(shown.fields.get("language", "")))
        page = self._page(shown.edition_hash, shown.variant, shown.slug, share_url)
        values = shown.fields | page.own.values(named.campaign, named.delivery, shown.mark)
        body = b"".join([piece if isinstance(piece, bytes) else piece.fill(values).encode() for piece in page.pieces])
        return _mail(body)

    def _without_values(self, shown: Shown) -> Response:
        """The issue for everyone, never the variant that the recipient had: his tags are nobody's business any more.

        A redirect, so that the token leaves the address bar: what is passed on or kept as a bookmark then names nobody (L19).
        An issue that is not public has no such address; whoever has the token was sent it, and is shown it here.
        """
        share_url = self._archive.share_url(shown, "")
        if share_url is not None:
            return RedirectResponse(share_url, 303, SAFE_HEADERS | {"Cache-Control": "no-store"})
        return _mail(self._archive.unlisted(shown.edition_hash))

    def _make_page(self, edition_hash: str, variant: str | None, slug: str, share_url: str | None) -> _Page:
        edition = load_edition(self._store, edition_hash, with_files=False)
        if edition is None:
            raise HTTPException(404)
        html = edition.variant(variant).html_on_the_web(self._links.picture_url)
        page = self._issue_pages.own(html, edition.title, share_url)
        pieces = tuple(piece if isinstance(piece, Slot) else piece.encode() for piece in page.pieces)
        return _Page(pieces, OwnLinks(self._links, edition.headers, slug))
