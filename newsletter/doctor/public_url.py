"""The public address becomes verdicts: is it https, and does our own ``serve`` answer there, with our key?"""

import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from typing import IO
from urllib.parse import urlsplit

from newsletter.doctor.verdict import Told, verdict
from newsletter.links import Links
from newsletter.settings import is_loopback

_TIMEOUT = 10

_UNSET = verdict(
    "url-unset",
    "error",
    "NEWSLETTER_PUBLIC_URL is not set, so no link can be made and nothing can be sent",
    "give the https address of newsletter serve, or of your published pages",
)
_GOOD = verdict("url", "ok", "newsletter serve answers at {url}, with this key")
_REHEARSAL = verdict(
    "url-here", "note", "the public address {url} opens on this machine only: good for a rehearsal, not for readers"
)
_PAGES = verdict(
    "url-pages", "ok", "a web server answers at {url}; each issue's page must be there before its mail (newsletter publish)"
)
_NO_PAGES = verdict(
    "url-pages-silent",
    "error",
    "{url} does not answer ({why}); the view link and the pictures of the mails would lead nowhere",
    "see that the web server runs to which you upload the published pages, and that the address is right",
)
_SILENT = verdict(
    "url-silent",
    "error",
    "{url} does not answer ({why}); pictures, browser view and unsubscribing would not work",
    "start newsletter serve, and see that the web server passes on to it",
)
_SILENT_HERE = verdict("url-here-silent", "note", "newsletter serve does not run at {url} now")
_REDIRECTS = verdict(
    "url-redirects",
    "error",
    "{url} redirects to another address; mailbox providers do not follow it when somebody unsubscribes (RFC 8058)",
    "set NEWSLETTER_PUBLIC_URL to the address it leads to",
)
_OTHER = verdict(
    "url-other",
    "error",
    "{url} is answered by something else than newsletter serve",
    "see that the web server passes every path on to newsletter serve",
)
_KEY = verdict(
    "url-key",
    "error",
    "newsletter serve at {url} does not know this workspace's links",
    "run it with the same NEWSLETTER_SECRET_KEY and list_id as this workspace, and see that the web server passes the Host on",
)


class _StaysHere(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a redirect is an answer."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the library's own
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """None: the answer is raised as it is."""


def look_at_public_url(links: Links | None) -> Iterator[Told]:
    """Ask for ``/healthz``, and for the page of a draft's link, which only a ``serve`` with the same key and list knows (B11: a
    GET changes nothing; S9: no unsubscribe link is opened). ``links`` is None where no public address is set.
    """
    if links is None:
        yield _UNSET()
        return
    url = links.public_url
    here = is_loopback(urlsplit(url).hostname)
    if here:
        yield _REHEARSAL(url=url)
    try:
        status, body = _ask(f"{url}/healthz")
    except (OSError, ValueError) as error:
        yield _SILENT_HERE(url=url) if here else _SILENT(url=url, why=_words(error))
        return
    if 300 <= status < 400:
        yield _REDIRECTS(url=url)
    elif status == 503:
        yield _SILENT(url=url, why="503, its database does not answer")
    elif (status, body) != (200, b"ok\n"):
        yield _OTHER(url=url)
    elif _ask(links.view_url(0, 0))[0] != 200:
        yield _KEY(url=url)
    else:
        yield _GOOD(url=url)


def look_at_pages(links: Links | None) -> Iterator[Told]:
    """Where no ``serve`` runs (``links: static``): does any web server answer there? Whatever it says of that one address, the
    pages of the issues are no issue's yet.
    """
    if links is None:
        yield _UNSET()
        return
    url = links.public_url
    here = is_loopback(urlsplit(url).hostname)
    if here:
        yield _REHEARSAL(url=url)
    try:
        status, _ = _ask(f"{url}/")
    except (OSError, ValueError) as error:
        yield _SILENT_HERE(url=url) if here else _NO_PAGES(url=url, why=_words(error))
        return
    yield _PAGES(url=url) if status < 500 else _NO_PAGES(url=url, why=status)


def _ask(url: str) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(_StaysHere, urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT) as answer:
            return int(answer.status), answer.read(4096)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(4096)


def _words(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(getattr(cause, "verify_message", "") or getattr(cause, "strerror", "") or cause)
