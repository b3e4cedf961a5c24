"""The Atom feed, held against RFC 4287 element by element."""

import re
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.text import plain_text
from newsletter.links import Links
from newsletter.store import note_public
from newsletter.web.feed import MOST_ENTRIES, Entry, atom
from tests.web.conftest import make_publication
from tests.web.test_web_public import add_issue, campaign

if TYPE_CHECKING:
    from tests.web.conftest import Site

ATOM = "{http://www.w3.org/2005/Atom}"
LINKS = Links("https://news.seenland.example", b"k" * 32, "region.seenland.example")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def demand_rfc_4287(feed: bytes) -> ElementTree.Element:
    """The feed as another parser reads it; every MUST of §4.1 and §4.2 that can be seen from outside."""
    root = ElementTree.fromstring(feed)
    assert root.tag == f"{ATOM}feed"
    for element in root.iter():
        assert element.tag.startswith(ATOM)
    entries = root.findall(f"{ATOM}entry")
    for holder in (root, *entries):
        for name in ("id", "title", "updated"):
            (one,) = holder.findall(f"{ATOM}{name}")
            assert (one.text or "").strip()
            assert not list(one)
        for moment in (*holder.findall(f"{ATOM}updated"), *holder.findall(f"{ATOM}published")):
            assert _MOMENT.fullmatch(moment.text or "")
            assert datetime.fromisoformat(moment.text or "").tzinfo is not None  # §3.3
        for link in holder.findall(f"{ATOM}link"):
            assert urlsplit(link.get("href", "")).scheme == "https"
        kinds = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in holder.findall(f"{ATOM}link")]
        assert len(kinds) == len(set(kinds))
        assert any(kind[0] == "alternate" for kind in kinds)
        UUID((holder.findtext(f"{ATOM}id") or "").removeprefix("urn:uuid:"))
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    ids = [one.text for one in root.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids))
    return root


def test_the_feed_is_one(site: "Site") -> None:
    campaign(site, started_at=1_733_000_000_000_000)
    add_issue(site, "mai", at=1_748_000_000_000_000, title="Ausgabe <Mai> & mehr")
    answer = site.ask("GET", "/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml"
    root = demand_rfc_4287(answer.content)
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    assert root.findtext(f"{ATOM}title") == "Digitale Region"
    assert root.findtext(f"{ATOM}updated") == "2025-05-23T11:33:20Z"
    own, alternate = root.findall(f"{ATOM}link")
    assert (own.get("rel"), own.get("href")) == ("self", site.links.feed_url())
    assert (alternate.get("rel"), alternate.get("href")) == ("alternate", site.links.archive_url())
    assert [one.findtext(f"{ATOM}title") for one in root.findall(f"{ATOM}entry")] == ["Ausgabe <Mai> & mehr", "Ausgabe 4"]
    pages = [link.get("href", "") for link in root.findall(f"{ATOM}entry/{ATOM}link")]
    assert [site.ask("GET", page).status_code for page in pages] == [200, 200]


def test_an_issue_keeps_its_id_when_it_is_sent_again_or_served_elsewhere(site: "Site") -> None:
    def entry() -> dict[str, str | None]:
        one = demand_rfc_4287(site.ask("GET", "/feed.atom").content).find(f"{ATOM}entry")
        assert one is not None
        return {name: one.findtext(f"{ATOM}{name}") for name in ("id", "title", "published", "updated")}

    campaign(site, started_at=1_000_000)
    before = entry()
    add_issue(site, "2024-12", number=2, at=9_000_000, title="Ausgabe 4, verbessert")
    after = entry()
    assert before["id"] == after["id"] == "urn:uuid:302a71e2-bab3-54bd-ad22-4008921b40a1"
    assert before["published"] == after["published"] == "1970-01-01T00:00:01Z"
    assert (before["updated"], after["updated"]) == ("1970-01-01T00:00:01Z", "1970-01-01T00:00:09Z")
    assert after["title"] == "Ausgabe 4, verbessert"


def test_an_empty_feed_is_one_too(site: "Site") -> None:
    note_public(site.store, "2024-12", False)
    root = demand_rfc_4287(site.ask("GET", "/feed.atom").content)
    assert root.find(f"{ATOM}entry") is None


def _is_plain(words: str) -> bool:
    try:
        return plain_text(words) == words
    except ValueError:
        return False


titles = st.text(min_size=1, max_size=30).filter(_is_plain)


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=20).filter(str.isprintable), titles), max_size=4, unique_by=lambda p: p[0])
)
def test_whatever_staff_write_is_well_formed(issues: list[tuple[str, str]]) -> None:
    entries = [Entry(slug, title, title, "de", LINKS.issue_url(slug), 1, 2) for slug, title in issues]
    root = demand_rfc_4287(atom(make_publication(), LINKS, entries))
    assert [one.findtext(f"{ATOM}title") for one in root.findall(f"{ATOM}entry")] == [title for _slug, title in issues]


def test_old_issues_are_left_to_the_archive() -> None:
    entries = [Entry(str(n), "T", "S", "de", LINKS.issue_url(str(n)), n, n) for n in range(MOST_ENTRIES + 5)]
    root = demand_rfc_4287(atom(make_publication(), LINKS, entries))
    assert len(root.findall(f"{ATOM}entry")) == MOST_ENTRIES
