"""Requests from elsewhere are turned away: the app is for the person who started it, on this machine alone (S24)."""

import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The page may run its own script, which may ask it for news; nothing else comes from anywhere.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: A mail in its frame: nothing runs and nothing is sent, by the frame's sandbox and once more by this (S7).
MAIL_POLICY = (
    "default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox {may}"
)
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "same-origin",  # nothing to elsewhere; with less, a form of ours would come from nowhere (Origin: null)
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)


class Guard:
    """ASGI middleware. A request must name this machine (against DNS rebinding) and the session's token in its path; one that
    changes something must come from a page of ours. What is answered has the headers that keep it in its place.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refused = self._refused(scope, Headers(scope=scope))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), _HEADERS)
            await send(message)

        await (refused or self._app)(scope, receive, guarded)

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not _HOST.fullmatch(host):
            return PlainTextResponse("This is for the machine that it runs on alone.\n", 421)
        named = scope["path"].split("/", 2)[1].encode() if scope["path"].startswith("/") else b""
        if not secrets.compare_digest(named, self._token):
            return PlainTextResponse("Nothing here: use the address that newsletter preview printed.\n", 404)
        if scope["method"] not in ("GET", "HEAD") and headers.get("origin", "").lower() != f"http://{host}".lower():
            return PlainTextResponse("This did not come from the preview's own page.\n", 403)
        return None


def _add(headers: MutableHeaders, wanted: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        headers.setdefault(name, value)
