"""What a subscriber can do about himself: choose, move, leave, come back, take his data along, be forgotten (L7, L8, L10).

The address of each page is its reader's secret; it stands in for a login. GET changes nothing (B11).
"""

import json

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.audience.address import normalise
from newsletter.audience.proof import record_of
from newsletter.audience.signups import WEEK
from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.store import Store, Subscriber, erase, find_subscriber, is_suppressed, suppress
from newsletter.store.subscribers import change_subscriber, come_back
from newsletter.web.form import Choices, Form, comes_from_elsewhere, first, read_form
from newsletter.web.metrics import UNSUBSCRIBES
from newsletter.web.page import SAFE_HEADERS, Pages
from newsletter.web.postman import Postman


class PreferencePages:
    """The routes whose token is :meth:`Links.preferences_token`. Without a ``postman`` the address cannot be changed.

    Plain functions run in a thread, for the database blocks.
    """

    def __init__(self, store: Store, links: Links, publication: Publication, pages: Pages, postman: Postman | None) -> None:
        self._store = store
        self._links = links
        self._list_id = publication.own_list_id
        self._choices = Choices(publication)
        self._pages = pages
        self._postman = postman
        both = ["GET", "POST"]
        self.routes = [
            Route("/preferences/{token}", self.preferences, methods=both, name="preferences"),
            Route("/address/{token}", self.address, methods=both, name="address"),
            Route("/leave/{token}", self.leave, methods=both, name="leave"),
            Route("/return/{token}", self.come_back, methods=both, name="return"),
            Route("/erase/{token}", self.erase, methods=both, name="erase"),
            Route("/export/{token}", self.export, name="export"),
        ]

    # --- around the unsubscribe link ----------------------------------------------------------------------------------------

    def before_leaving(self, mark: bytes) -> Response:
        """The page with one button; a subscriber is shown the way to his settings, too."""
        if self._confirmed(mark) is None:
            return self._pages.answer("unsubscribe")
        return self._pages.fill("leave", token=self._links.preferences_token(mark))

    def after_leaving(self, mark: bytes) -> Response:
        """What is said to whoever has left: that it is done, and how to undo it."""
        return self._pages.fill("gone", token=self._links.preferences_token(mark))

    # --- the routes ---------------------------------------------------------------------------------------------------------

    async def preferences(self, request: Request) -> Response:
        """GET shows what is chosen, POST changes it."""
        mark = self._mark(request)
        if request.method != "POST":
            return await run_in_threadpool(self._show, mark)
        form = await _sent_here(request)
        return self._refused() if form is None else await run_in_threadpool(self._choose, mark, form)

    async def address(self, request: Request) -> Response:
        """POST asks the new mailbox to confirm; nothing changes before that."""
        mark = self._mark(request)
        if self._postman is None:
            raise HTTPException(404)
        if request.method != "POST":
            return await run_in_threadpool(self._show, mark)
        form = await _sent_here(request)
        return self._refused() if form is None else await run_in_threadpool(self._move, self._postman, mark, form)

    async def leave(self, request: Request) -> Response:
        """One button, which acts at once (L7)."""
        mark = self._mark(request)
        if request.method != "POST":
            return self._pages.answer("unsubscribe")
        if await _sent_here(request) is None:
            return self._refused()
        await run_in_threadpool(self._leave, mark)
        return self.after_leaving(mark)

    async def come_back(self, request: Request) -> Response:
        """Undo that the reader left, for a week."""
        mark = self._mark(request)
        if request.method != "POST":
            return self._pages.fill("return")
        if await _sent_here(request) is None:
            return self._refused()
        return await run_in_threadpool(self._come_back, mark)

    async def erase(self, request: Request) -> Response:
        """One button; all that is kept goes, but for the mark and the proof without an address (L8)."""
        mark = self._mark(request)
        if request.method != "POST":
            return self._pages.fill("erase")
        if await _sent_here(request) is None:
            return self._refused()
        await run_in_threadpool(erase, self._store, mark, self._list_id)
        return self._pages.fill("erased")

    def export(self, request: Request) -> Response:
        """All that is kept of the reader as a JSON file (Art. 15 and 20 DSGVO; L10)."""
        record = record_of(self._store, self._mark(request))
        if record is None:
            raise HTTPException(404)
        name = 'attachment; filename="newsletter.json"'
        headers = SAFE_HEADERS | {"Content-Disposition": name, "Cache-Control": "no-store"}
        body = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
        return Response(body, headers=headers, media_type="application/json")

    # --- what they do -------------------------------------------------------------------------------------------------------

    def _mark(self, request: Request) -> bytes:
        mark = self._links.read_preferences(request.path_params["token"])
        if mark is None:
            raise HTTPException(404)
        return mark

    def _refused(self) -> Response:
        return self._pages.answer("broken", 400)

    def _confirmed(self, mark: bytes) -> Subscriber | None:
        one = find_subscriber(self._store, mark)
        return one if one is not None and one.state == "confirmed" else None

    def _show(self, mark: bytes, note: str = "", form: Form | None = None, status: int = 200) -> Response:
        one = self._confirmed(mark)
        if one is None:
            if find_subscriber(self._store, mark) is None:
                raise HTTPException(404)
            return self.after_leaving(mark)
        return self._pages.fill(
            "preferences",
            status,
            address=one.address,
            note=note,
            email=first(form or {}, "email")[:254],
            languages=self._choices.languages(one.language),
            topics=self._choices.topics(one.topics),
            movable=self._postman is not None,
            token=self._links.preferences_token(mark),
        )

    def _choose(self, mark: bytes, form: Form) -> Response:
        one = self._confirmed(mark)
        if one is None:
            return self._show(mark)
        language, topics = self._choices.read_language(form, one.language), self._choices.read_topics(form, one.topics)
        change_subscriber(self._store, one.id, language=language, topics=topics)
        return self._show(mark, "saved")

    def _move(self, postman: Postman, mark: bytes, form: Form) -> Response:
        one = self._confirmed(mark)
        if one is None:
            return self._show(mark)
        try:
            address = normalise(first(form, "email"))
        except ValueError:
            return self._show(mark, "address", form, 400)
        if postman.signups.crowded():
            return self._pages.fill("crowded", 429)
        postman.signups.ask(address, None, None, former=one.mark)
        postman.ring()
        return self._pages.fill("asked")

    def _leave(self, mark: bytes) -> None:
        one = find_subscriber(self._store, mark)
        UNSUBSCRIBES.inc(suppress(self._store, mark, reason="unsubscribed", address=one.address if one is not None else None))

    def _come_back(self, mark: bytes) -> Response:
        if come_back(self._store, mark, self._store.clock() - WEEK) or not is_suppressed(self._store, mark):
            return self._pages.fill("returned")
        return self._pages.fill("late", 410)


async def _sent_here(request: Request) -> Form | None:
    """The form that a page of ours sent; None for anything else (S18)."""
    return None if comes_from_elsewhere(request) else await read_form(request)
