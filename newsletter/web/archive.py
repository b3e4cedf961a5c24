"""The store becomes the public side of the publication: each public issue's page, the archive of all, and their feed."""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from newsletter.compose.edition import Edition
from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.store import BegunIssue, Shown, Store, begun_issue, begun_issues, load_edition
from newsletter.store.clock import as_datetime
from newsletter.web.feed import MEDIA_TYPE, Entry, atom
from newsletter.web.issue_page import IssuePages, open_graph_locale, summary_of
from newsletter.web.page import Pages
from newsletter.web.public_html import forms_of

#: Pages that are kept at hand: readers open the last issues.
_AT_HAND = 64


@dataclass(frozen=True)
class PublicPage:
    """What everyone gets under an address. ``changed_at`` is when it last changed, microseconds UTC."""

    body: bytes
    media_type: str
    changed_at: int

    @cached_property
    def tag(self) -> str:
        """Its entity tag (RFC 9110 §8.8.3), of the bytes alone."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class _Facts:
    """What of an edition archive and feed tell; it is long, and they tell many."""

    title: str
    summary: str
    language: str
    languages: tuple[str, ...]


class Archive:
    """What of one publication is public: of issues that were begun those whose file says so, else all where ``archive`` does.

    It reads the store at each call, and keeps what it made of it. ``subscribable``: there is a form to subscribe.
    """

    def __init__(self, store: Store, links: Links, publication: Publication, pages: Pages, *, subscribable: bool = False) -> None:
        self._store = store
        self._links = links
        self._publication = publication
        self._pages = pages
        self._subscribable = subscribable
        self._issue_pages = IssuePages(links, publication, pages)
        self._loaded_at = store.clock()  # the publication's words are on every page
        self._facts = lru_cache(None)(self._read_facts)  # an edition never changes
        self._issue_page = lru_cache(_AT_HAND)(self._make_issue)
        self._share_page = lru_cache(_AT_HAND)(self._make_share_url)
        self._index_page = lru_cache(1)(self._make_index)
        self._feed_page = lru_cache(1)(self._make_feed)

    def issues(self) -> tuple[BegunIssue, ...]:
        """The public issues, newest first."""
        return tuple(issue for issue in begun_issues(self._store) if self._is_public(issue.public))

    def find(self, slug: str) -> BegunIssue | None:
        """The public issue of a slug, or None."""
        issue = begun_issue(self._store, slug) if slug.isprintable() else None
        return issue if issue is not None and self._is_public(issue.public) else None

    def _is_public(self, said: bool | None) -> bool:
        return self._publication.archive if said is None else said

    def index(self) -> PublicPage | None:
        """The page that lists all; None where nothing is public nor is to be."""
        issues = self.issues()
        return self._index_page(issues) if issues or self._publication.archive else None

    def feed(self) -> PublicPage | None:
        """The feed of all; None where there is no archive."""
        issues = self.issues()
        return self._feed_page(issues) if issues or self._publication.archive else None

    def issue(self, slug: str, language: str | None = None) -> PublicPage | None:
        """The page of a public issue, in its own language or another one; None where there is none."""
        issue = self.find(slug)
        return None if issue is None else self._issue_page(issue, language)

    def languages(self, issue: BegunIssue) -> tuple[str, ...]:
        """The languages of an issue's pages, its own first."""
        return self._facts(issue.edition_hash).languages

    def share_url(self, shown: Shown, language: str) -> str | None:
        """Where everyone can read a mail's issue, in a language as far as it has it (else its own); None: it is not public."""
        if shown.latest_hash is None or not self._is_public(shown.public):
            return None
        return self._share_page(shown.slug, shown.latest_hash, language)

    def unlisted(self, edition_hash: str) -> str:
        """An edition for nobody in particular, of an issue that is not public."""
        return self._issue_pages.unlisted(self._edition(edition_hash))

    def draft(self, edition: Edition, slug: str, language: str | None) -> PublicPage | None:
        """The page that an issue will have which was not begun yet."""
        return self._page(self._issue_pages.for_everyone(edition, slug, language, None), self._loaded_at)

    def _make_share_url(self, slug: str, edition_hash: str, language: str) -> str:
        _own, *others = self._facts(edition_hash).languages
        return self._links.issue_url(slug, language if language in others else None)

    def _make_issue(self, issue: BegunIssue, language: str | None) -> PublicPage | None:
        edition = self._edition(issue.edition_hash)
        html = self._issue_pages.for_everyone(edition, issue.slug, language, issue.first_at)
        return self._page(html, issue.latest_at)

    def _make_index(self, issues: tuple[BegunIssue, ...]) -> PublicPage:
        zone = ZoneInfo(self._publication.timezone)
        entries = []
        for entry in map(self._entry, issues):
            day = as_datetime(entry.first_at).astimezone(zone).date()
            shown = {name: getattr(entry, name) for name in Entry.__slots__}
            entries.append(shown | {"date": day.isoformat(), "day": self._pages.language.day(day)})
        html = self._pages.render(
            "archive",
            heading=self._pages.language.say("All issues"),
            url=self._links.archive_url(),
            feed=self._links.feed_url(),
            subscribe=f"{self._links.public_url}/subscribe" if self._subscribable else None,
            locale=open_graph_locale(self._publication.language),
            entries=entries,
        )
        return PublicPage(html.encode(), "text/html", self._changed_at(issues))

    def _make_feed(self, issues: tuple[BegunIssue, ...]) -> PublicPage:
        feed = atom(self._publication, self._links, [self._entry(issue) for issue in issues])
        return PublicPage(feed, MEDIA_TYPE, self._changed_at(issues))

    def _entry(self, issue: BegunIssue) -> Entry:
        facts = self._facts(issue.edition_hash)
        url = self._links.issue_url(issue.slug)
        return Entry(issue.slug, facts.title, facts.summary, facts.language, url, issue.first_at, issue.latest_at)

    def _page(self, html: str | None, changed_at: int) -> PublicPage | None:
        return None if html is None else PublicPage(html.encode(), "text/html", max(changed_at, self._loaded_at))

    def _changed_at(self, issues: tuple[BegunIssue, ...]) -> int:
        return max((issue.latest_at for issue in issues), default=self._loaded_at)

    def _read_facts(self, edition_hash: str) -> _Facts:
        edition = self._edition(edition_hash)
        return _Facts(edition.title, summary_of(edition), edition.headers.language, tuple(forms_of(edition)))

    def _edition(self, edition_hash: str) -> Edition:
        edition = load_edition(self._store, edition_hash, with_files=False)
        if edition is None:  # no foreign key lets it go
            raise LookupError(f"the database has lost the edition {edition_hash}")
        return edition
