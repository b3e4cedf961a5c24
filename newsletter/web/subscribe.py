"""Subscribing by double opt-in: the form, the page that confirms, and what they answer (L3 to L6, S17)."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.audience.address import normalise
from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.store.clock import HOUR, now
from newsletter.web.form import Choices, Form, comes_from_elsewhere, first, read_form
from newsletter.web.limits import Limits
from newsletter.web.metrics import CONFIRMATIONS, SIGNUPS
from newsletter.web.page import Pages
from newsletter.web.postman import Postman

#: How long a form that was opened may be sent.
_FORM_GOOD_FOR = 24 * HOUR
#: A field that people do not see and machines fill in.
TRAP = "website"


class SubscribePages:
    """``/subscribe`` and ``/confirm/TOKEN``. Plain functions run in a thread, for the database blocks."""

    def __init__(self, postman: Postman, links: Links, publication: Publication, pages: Pages) -> None:
        self._signups = postman.signups
        self._postman = postman
        self._links = links
        self._choices = Choices(publication)
        self._pages = pages
        self._limits = Limits()
        self.routes = [
            Route("/subscribe", self.subscribe, methods=["GET", "POST"], name="subscribe"),
            Route("/confirm/{token}", self.confirm, methods=["GET", "POST"], name="confirm"),
        ]

    async def subscribe(self, request: Request) -> Response:
        """GET shows the form; POST keeps a request, and answers the same whoever asks (L6)."""
        if request.method != "POST":
            return self._form({})
        form = await read_form(request)
        if form is None or comes_from_elsewhere(request):
            return self._pages.answer("broken", 400)
        host = request.client.host if request.client else None
        return await run_in_threadpool(self._ask, form, host)

    def _ask(self, form: Form, host: str | None) -> Response:
        if first(form, TRAP):
            return self._pages.fill("asked")
        made = self._links.read_stamp(first(form, "stamp"))
        if made is None or not 0 <= now() - made <= _FORM_GOOD_FOR:
            return self._form(form, "late", 400)
        try:
            address = normalise(first(form, "email"))
        except ValueError:
            return self._form(form, "address", 400)
        if not self._limits.take(host, now()) or self._signups.crowded():
            return self._pages.fill("crowded", 429)
        self._signups.ask(address, self._choices.read_language(form), self._choices.read_topics(form))
        SIGNUPS.inc()
        self._postman.ring()
        return self._pages.fill("asked")

    def _form(self, form: Form, wrong: str = "", status: int = 200) -> Response:
        return self._pages.fill(
            "subscribe",
            status,
            wrong=wrong,
            email=first(form, "email")[:254],
            languages=self._choices.languages(first(form, "language") or None),
            topics=self._choices.topics(", ".join(form.get("topics", ()))),
            declaration=self._signups.declaration,
            stamp=self._links.stamp(now()),
            trap=TRAP,
        )

    async def confirm(self, request: Request) -> Response:
        """GET shows one page with one button and changes nothing (B11); POST does what was asked for, once (L5)."""
        key = self._links.read_confirm(request.path_params["token"])
        if key is None:
            raise HTTPException(404)
        if request.method == "POST":
            if await read_form(request) is None or comes_from_elsewhere(request):
                return self._pages.answer("broken", 400)
            return await run_in_threadpool(self._confirm, key)
        one = await run_in_threadpool(self._signups.open, key)
        if one is None:
            return self._pages.fill("expired", 410)
        return self._pages.fill("confirm", address=one.address, moves=one.former is not None)

    def _confirm(self, key: bytes) -> Response:
        one = self._signups.confirm(key)
        if one is None:
            return self._pages.fill("expired", 410)
        CONFIRMATIONS.inc()
        return self._pages.fill(
            "confirmed", moves=one.former is not None, address=one.address, token=self._links.preferences_token(one.mark)
        )
