"""Only requests for the publication's own host get to the pages; whoever asks for another one learns nothing (S24)."""

import logging
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.settings import is_loopback

log = logging.getLogger("newsletter.web")

#: RFC 9110 §7.2: a name or an address, an IPv6 one in brackets, and perhaps a port.
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
#: What a monitor on this machine may ask for by its own name.
HEALTH = "/healthz"
#: Spellings of hosts that are kept at hand; a proxy writes one, and who makes up others only drives out his own.
_AT_HAND = 64


class OwnHost:
    """ASGI middleware that answers requests for other hosts with ``refuse``, and passes on all others.

    ``public_url`` names the host, whatever the port: proxies leave it out or not. Where that is this machine itself, all its
    names are right.
    """

    def __init__(self, app: ASGIApp, public_url: str, refuse: Callable[[], Response]) -> None:
        self._app = app
        self._own = urlsplit(public_url).hostname
        self._refuse = refuse
        self._told = False
        self._is_own = lru_cache(_AT_HAND)(self._find_out)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_own(_host(scope), scope["path"] == HEALTH):
            await self._app(scope, receive, send)
            return
        if not self._told:
            self._told = True
            log.warning("requests for another host than %s get a page that says 404; see that a proxy passes Host on", self._own)
        await self._refuse()(scope, receive, send)

    def _find_out(self, host: bytes, of_a_monitor: bool) -> bool:
        written = _HOST.fullmatch(host.decode("latin-1"))
        if written is None:
            return False
        asked = written[1].lower().rstrip(".")
        here = is_loopback(asked) and (is_loopback(self._own) or of_a_monitor)
        return here or asked.strip("[]") == self._own


def _host(scope: Scope) -> bytes:
    """The Host of a request as it is written, empty where there is none."""
    return next((value for name, value in scope["headers"] if name == b"host"), b"")
