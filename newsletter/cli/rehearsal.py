"""What arrived in the inbox is held against what was to be sent: every mail once, every link working."""

import re
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from newsletter.delivery.account import Account
    from newsletter.preview.inbox import Inbox, Received

_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class MailLinks:
    """The two addresses that a recipient got, and the HTML part they stood in."""

    view: str
    unsubscribe: str
    html: str


class Tried(NamedTuple):
    """One thing that was tried: whether it works, and in words what was found."""

    works: bool
    words: str


class _Answer(NamedTuple):
    status: int | None
    page: str

    def __str__(self) -> str:
        return "no answer" if self.status is None else str(self.status)


def links_of(received: "Received") -> MailLinks:
    """Read the addresses from the delivered message, as a reader's client would. Raises ValueError where one is missing."""
    message = received.message
    part = message.get_body(("html",))
    header = re.fullmatch(r"<(https?://[^>\s]+)>(?:, <mailto:[^>\s]+>)?", str(message["List-Unsubscribe"]))
    html = str(part.get_content()) if part is not None else ""
    view = re.search(r'href="([^"]+/view/[^"]+)"', html)
    if header is None or view is None:
        raise ValueError(f"the mail to {received.recipients[0]} lacks a link")
    return MailLinks(unescape(view[1]), header[1], html)


def check_arrived(inbox: "Inbox", account: "Account") -> list[str]:
    """What is wrong with what arrived, as sentences; nothing where each recipient has one whole mail."""
    addresses = Counter(address for received in inbox for address in received.recipients)
    faults = [f"{address} got {count} mails" for address, count in addresses.items() if count != 1]
    if not len(addresses) == account.sent == account.audience > 0:
        faults.append(f"{account.audience} recipients, {account.sent} sent, mail arrived at {len(addresses)} addresses")
    for received in inbox:
        faults += _check_mail(received)
    return faults


def _check_mail(received: "Received") -> list[str]:
    types = [part.get_content_type() for part in received.message.walk()]
    if types != ["multipart/alternative", "text/plain", "text/html"]:
        return [f"the mail to {received.recipients[0]} is built of {', '.join(types)}"]
    try:
        links = links_of(received)
    except ValueError as error:
        return [str(error)]
    text = received.message.get_body(("plain",))
    words = str(text.get_content()) if text is not None else ""
    return [f"{url} is missing from the text part" for url in (links.view, links.unsubscribe) if url not in words]


def try_links(received: "Received") -> Iterator[Tried]:
    """Open the links of one mail as a browser does, then leave the list with one click."""
    from newsletter.web.public_html import unframed

    links = links_of(received)
    view = _ask(links.view)
    same = _unwrapped(unframed(view.page)) == _unwrapped(links.html)
    yield Tried(view.status == 200 and same, f"view in browser: {view}, {'the same mail' if same else 'not the same mail'}")
    pictures = sorted(set(re.findall(r'src="(https?://[^"]+/pictures/[^"]+)"', links.html)))
    loaded = sum(_ask(unescape(url)).status == 200 for url in pictures)
    yield Tried(loaded == len(pictures), f"pictures: {loaded} of {len(pictures)} load")
    page = _ask(links.unsubscribe)
    button = "<form" in page.page
    yield Tried(page.status == 200 and button, f"unsubscribe page: {page}, {'one button' if button else 'no button'}")
    click = _ask(links.unsubscribe, b"List-Unsubscribe=One-Click")
    left = f"{received.recipients[0]} is {'' if click.status == 200 else 'not '}off the list"
    yield Tried(click.status == 200, f"one-click unsubscribe (RFC 8058): {click}, {left}")


def _unwrapped(html: str) -> str:
    return html.replace("\r\n", "\n").strip()


def _ask(url: str, body: bytes | None = None) -> _Answer:
    request = urllib.request.Request(url, data=body)  # noqa: S310 - read from our own mail: http on this machine
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            return _Answer(answer.status, answer.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        return _Answer(error.code, "")
    except OSError:
        return _Answer(None, "")
