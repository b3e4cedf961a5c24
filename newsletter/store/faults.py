"""What a database says went wrong becomes one line for people: without the values of recipients, and without a password."""

from sqlalchemy.exc import DBAPIError


def fault_of(error: DBAPIError) -> str:
    """The database's own words in one line.

    PostgreSQL adds the row that it complains of, with the values of a recipient (S22), and where the statement goes wrong; only
    its first sentence is passed on.
    """
    words = getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(error.orig)
    return next(filter(None, map(str.strip, words.splitlines())), type(error.orig).__name__)


def cause_of(error: Exception) -> str:
    """What may stand in a log about an error: a database's own words, of others the kind alone; theirs may name values."""
    return fault_of(error) if isinstance(error, DBAPIError) else type(error).__name__


def gave_way(error: DBAPIError) -> bool:
    """Whether the transaction was undone for another one's sake, and may be tried again: a deadlock, or a conflict."""
    return getattr(error.orig, "sqlstate", None) in ("40P01", "40001")
