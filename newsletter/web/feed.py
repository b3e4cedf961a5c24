"""The public issues become an Atom feed (RFC 4287): how to follow the publication without giving an address (L1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_DNS, UUID, uuid5

from lxml import etree

from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.web.issue_page import timestamp

MEDIA_TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
#: The issues of some years; older ones stand in the archive.
MOST_ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """An issue as feed and archive tell it. Moments are microseconds UTC; ``language`` is the issue's."""

    slug: str
    title: str
    summary: str
    language: str
    url: str
    first_at: int
    latest_at: int


def atom(publication: Publication, links: Links, entries: Sequence[Entry]) -> bytes:
    """The feed with the first :data:`MOST_ENTRIES` of ``entries``, which are given newest first."""
    root = etree.Element(f"{{{_ATOM}}}feed", {_LANG: publication.language}, nsmap={None: _ATOM})  # type: ignore[dict-item]
    own_id = feed_id(publication.own_list_id)
    _add(root, "id", own_id.urn)
    _add(root, "title", publication.name)
    if publication.tagline:
        _add(root, "subtitle", publication.tagline)
    _add(root, "updated", timestamp(max((entry.latest_at for entry in entries), default=0)))
    _add(root, "link", rel="self", type=MEDIA_TYPE, href=links.feed_url())
    _add(root, "link", rel="alternate", type="text/html", href=links.archive_url())
    author = _add(root, "author")
    _add(author, "name", publication.imprint.organisation)
    if publication.imprint.website:
        _add(author, "uri", publication.imprint.website)
    for entry in entries[:MOST_ENTRIES]:
        _add_entry(root, entry, own_id)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)


def feed_id(list_id: str) -> UUID:
    """The feed's id (RFC 4287 §4.2.6), made of the List-Id: it stays the same wherever the feed is served."""
    return uuid5(NAMESPACE_DNS, list_id)


def _add_entry(root: etree._Element, entry: Entry, own_id: UUID) -> None:
    one = _add(root, "entry")
    one.set(_LANG, entry.language)
    _add(one, "id", uuid5(own_id, entry.slug).urn)
    _add(one, "title", entry.title)
    _add(one, "published", timestamp(entry.first_at))
    _add(one, "updated", timestamp(entry.latest_at))
    _add(one, "link", rel="alternate", type="text/html", hreflang=entry.language, href=entry.url)
    _add(one, "summary", entry.summary)


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = text
    return element
