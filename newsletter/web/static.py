"""The public side of a publication as files: what ``newsletter serve`` answers under the same addresses, byte for byte."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from newsletter.compose.edition import Edition
from newsletter.links import Links
from newsletter.store import Store, begun_editions, load_edition, picture_of
from newsletter.web.archive import Archive
from newsletter.web.folder import WebFile
from newsletter.web.public_html import forms_of


@dataclass(frozen=True, slots=True)
class Ahead:
    """An issue whose page is to be there before its mails are; no archive and no feed names it yet."""

    slug: str
    edition: Edition


def public_files(archive: Archive, store: Store, links: Links, ahead: Sequence[Ahead] = ()) -> list[WebFile]:
    """Every file, in the order in which a visitor may meet them: pictures, pages, the archive, the feed.

    Of pictures also those that mails show from here, whether their issue is public or not.
    """
    pages = [*_issue_pages(archive, links), *_ahead_pages(archive, links, ahead)]
    lists = [*_lists(archive, links)]
    names = _picture_names(store, links, ahead, pages)
    own = {picture.name: picture.data for one in ahead for picture in one.edition.pictures}
    pictures = []
    for name in names:
        stored = picture_of(store, name)
        data = stored.data if stored is not None else own.get(name)
        if data is not None:
            pictures.append(WebFile(f"pictures/{name}", links.picture_url(name), data, stays=True))
    return [*pictures, *pages, *lists]


def _issue_pages(archive: Archive, links: Links) -> Iterator[WebFile]:
    for issue in archive.issues():
        _own, *others = archive.languages(issue)
        for language in (None, *others):
            page = archive.issue(issue.slug, language)
            if page is not None:
                yield _page(links, issue.slug, language, page.body)


def _ahead_pages(archive: Archive, links: Links, ahead: Iterable[Ahead]) -> Iterator[WebFile]:
    for one in ahead:
        _own, *others = forms_of(one.edition)
        for language in (None, *others):
            page = archive.draft(one.edition, one.slug, language)
            if page is not None:
                yield _page(links, one.slug, language, page.body)


def _page(links: Links, slug: str, language: str | None, body: bytes) -> WebFile:
    folder = f"issues/{slug}" if language is None else f"issues/{slug}/{language}"
    return WebFile(f"{folder}/index.html", links.issue_url(slug, language), body)


def _lists(archive: Archive, links: Links) -> Iterator[WebFile]:
    if (index := archive.index()) is not None:
        yield WebFile("issues/index.html", links.archive_url(), index.body)
    if (feed := archive.feed()) is not None:
        yield WebFile("feed.atom", links.feed_url(), feed.body)


def _picture_names(store: Store, links: Links, ahead: Sequence[Ahead], pages: Sequence[WebFile]) -> list[str]:
    """The pictures that the pages or the mails show from our own address, each once."""
    editions = [one.edition for one in ahead]
    for edition_hash in begun_editions(store):
        if (edition := load_edition(store, edition_hash, with_files=False)) is not None:
            editions.append(edition)
    shown = "".join(page.data.decode() for page in pages)
    found: dict[str, None] = {}
    for edition in editions:
        mails = "".join(_literals(edition))
        for picture in edition.pictures:
            if links.picture_url(picture.name) in shown or links.picture_url(picture.name) in mails:
                found[picture.name] = None
    return list(found)


def _literals(edition: Edition) -> Iterator[str]:
    for part in (edition.html, *(variant.html for variant in edition.variants)):
        yield from (piece for piece in part.pieces if isinstance(piece, str))
