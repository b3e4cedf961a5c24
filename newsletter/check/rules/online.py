"""What only the web can say: whether links and pictures are there (H13, H7, S8, S9). These rules run with ``--online`` alone."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.check.rule import Found, found, rule
from newsletter.check.rules.links import links, own_pages
from newsletter.check.subject import Online


def _web_links(online: Online) -> Iterator[tuple[object, str]]:
    for link, address, _ in links(online.page):
        if online.may_ask(address) and not _published(online, address):
            yield link, address


def _published(online: Online, address: str) -> bool:
    """Whether it is the issue's own page for everyone (``links: static``)."""
    static, home = online.page.subject.edition.headers.static, own_pages(online.page)
    return static and bool(home) and address.startswith(f"{home}/issues/")


@rule(
    "H13-link-broken",
    "error",
    "the page {address} is not there: {reason}",
    "open it in a browser, and correct the address or take the link out",
    "standards.md H13",
    Online,
)
def link_broken(online: Online) -> Iterator[Found]:
    """Only what is surely gone counts: a server that does not know the page, or a name that nobody has."""
    for link, address in _web_links(online):
        answer = online.answers[address]
        gone = answer.error if answer.error and not answer.private else None
        if answer.status in (404, 410) or gone:
            yield found(online.page.place(link), address=address, reason=gone or f"HTTP {answer.status}")


@rule(
    "H13-link-unsure",
    "warning",
    "the page {address} answers with HTTP {status}",
    "open it in a browser; some servers turn programs away that readers may visit",
    "standards.md H13",
    Online,
)
def link_unsure(online: Online) -> Iterator[Found]:
    """A server that is in trouble, or that asks for a login."""
    for link, address in _web_links(online):
        status = online.answers[address].status
        if status is not None and status >= 400 and status not in (404, 410):
            yield found(online.page.place(link), address=address, status=status)


@rule(
    "S8-link-inside",
    "error",
    "the link {address} leads into this office's own network, where readers cannot go",
    "link to a page on the public web",
    "standards.md S8",
    Online,
)
def link_inside(online: Online) -> Iterator[Found]:
    """Nothing was asked of that machine."""
    for link, address in _web_links(online):
        if online.answers[address].private:
            yield found(online.page.place(link), address=address)


@rule(
    "H14-not-published",
    "error",
    "the issue's page {address}, to which the view link leads, is not there: {reason}",
    "publish it first: newsletter publish --out DIR --ahead ISSUE writes what has to be uploaded",
    "standards.md H14",
    Online,
)
def not_published(online: Online) -> Iterator[Found]:
    """Of ``links: static``; else ``newsletter serve`` shows the mail as soon as it is sent."""
    for _, address, _ in links(online.page):
        if online.may_ask(address) and _published(online, address):
            answer = online.answers[address]
            if answer.status != 200:
                yield found(online.page.origin.key(), address=address, reason=answer.error or f"HTTP {answer.status}")


@rule(
    "H7-picture-not-there",
    "error",
    "the picture {name} is not at its address: {reason}",
    "upload the pictures first: newsletter publish ISSUE --out DIR writes them",
    "standards.md H7",
    Online,
)
def picture_not_there(online: Online) -> Iterator[Found]:
    """Pictures of a web server of one's own; those of ``newsletter serve`` are there when the mail is sent."""
    for image in online.page.modern.iter("img"):
        address = image.get("src", "")
        if address in online.answers:
            answer = online.answers[address]
            wrong = answer.error or (f"HTTP {answer.status}" if answer.status != 200 else None)
            if wrong is None and answer.media_type and not answer.media_type.startswith("image/"):
                wrong = answer.media_type
            if wrong:
                yield found(online.page.place(image), name=urlsplit(address).path.rpartition("/")[2], reason=wrong)
