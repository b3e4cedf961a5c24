"""What a database says went wrong becomes one line for people: without the values of recipients, and without a password."""

from sqlalchemy.exc import DBAPIError


def fault_of(error: DBAPIError) -> str:
    """The database's own words in one line.

    PostgreSQL adds the row that it complains of, with the values of a recipient (S22), and where the statement goes wrong; only
    its first sentence is passed on.
    """
    words = getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(error.orig)
    return next(filter(None, map(str.strip, words.splitlines())), type(error.orig).__name__)
