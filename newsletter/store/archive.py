"""The campaigns in the database become the issues that were sent: what a public archive may show, and its say about each."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, func, or_, select, update

from newsletter.store.engine import Store
from newsletter.store.prepared import word
from newsletter.store.tables import campaign


@dataclass(frozen=True, slots=True)
class BegunIssue:
    """An issue of which a campaign was begun; a draft, or one that waits for its time, is none.

    ``edition_hash`` is what its latest campaign sends. ``public`` is what the issue's file says of itself, None where it says
    nothing. ``first_at`` and ``latest_at`` are when its first and its latest campaign began, microseconds UTC.
    """

    slug: str
    edition_hash: str
    public: bool | None
    first_at: int
    latest_at: int


def begun_issues(store: Store) -> list[BegunIssue]:
    """All issues that were begun, the newest first: by when an issue was first sent."""
    return sorted(_begun(store), key=lambda issue: (issue.first_at, issue.slug), reverse=True)


def begun_issue(store: Store, slug: str) -> BegunIssue | None:
    """The issue of a slug, or None where nothing of it was begun."""
    return next(iter(_begun(store, slug)), None)


def _begun(store: Store, slug: str | None = None) -> list[BegunIssue]:
    began_at = func.coalesce(campaign.c.started_at, campaign.c.created_at).label("began_at")
    rows = (
        select(campaign.c.slug, campaign.c.edition_hash, campaign.c.public, began_at)
        .where(was_begun())
        .order_by(campaign.c.number)
    )
    found: dict[str, BegunIssue] = {}
    with store.read() as connection:
        for row in connection.execute(rows if slug is None else rows.where(campaign.c.slug == slug)):
            first_at = found[row.slug].first_at if row.slug in found else row.began_at
            found[row.slug] = BegunIssue(row.slug, row.edition_hash, row.public, first_at, row.began_at)
    return list(found.values())


def was_begun(of: FromClause = campaign) -> ColumnElement[bool]:
    """Whether mails of a campaign may have been sent; ``of`` is its table."""
    return or_(of.c.started_at.is_not(None), of.c.state == word("running"), of.c.state == word("done"))


def begun_editions(store: Store) -> list[str]:
    """The hashes of all editions of which mails may have been sent, each once."""
    hashes = select(campaign.c.edition_hash).where(was_begun()).order_by(campaign.c.created_at, campaign.c.id)
    with store.read() as connection:
        return list(dict.fromkeys(connection.scalars(hashes)))


def note_public(store: Store, slug: str, public: bool | None) -> None:
    """Keep what an issue's file says of whether it is public: it holds also when the file is gone. Of all its campaigns."""
    differs = campaign.c.public.is_distinct_from(public)
    with store.write() as connection:
        connection.execute(update(campaign).where(campaign.c.slug == slug, differs).values(public=public))
