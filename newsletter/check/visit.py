"""The links and pictures of a page become what the web says of them (``--online``)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from newsletter.check.fetch import Answer, NotAllowed, Unreachable, fetch
from newsletter.check.rules.links import links
from newsletter.check.subject import Online, Page, Visit
from newsletter.links import Links

#: Addresses asked for at the same time, and at most in all.
_AT_ONCE, _MOST = 8, 200


def visit(page: Page, own: Links, ask: Callable[[str], Answer] = fetch) -> Online:
    """Ask for every web address of a page once. Our own server is never asked: its links act, or show nothing yet (S9, B11).

    Pages that are published are no such server (``links: static``): they have to be there before the mail.
    """
    named = [address for _, address, _ in links(page)] + [image.get("src", "") for image in page.modern.iter("img")]
    home = None if page.subject.edition.headers.static else urlsplit(own.view_url(0, 0)).netloc
    wanted = dict.fromkeys(address for address in named if _is_elsewhere(address, home))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = list(wanted)[:_MOST]
        return Online(page, dict(zip(asked, pool.map(lambda address: _visit(address, ask), asked), strict=True)))


def _is_elsewhere(address: str, home: str | None) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and (home is None or parts.netloc.lower() != home.lower())


def _visit(address: str, ask: Callable[[str], Answer]) -> Visit:
    try:
        answer = ask(address)
    except NotAllowed as error:
        return Visit(error=str(error), private=True)
    except Unreachable as error:
        return Visit(error=str(error))
    return Visit(answer.status, answer.media_type)
