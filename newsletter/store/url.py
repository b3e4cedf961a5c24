"""A database's address in words becomes its parts; what cannot be one is refused without its password (S21)."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from newsletter.problem import complaint

_SETTING = "NEWSLETTER_DATABASE_URL"
_ADVICE = "write sqlite:///newsletter.db or postgresql://user@host/database"


def read_url(url: str) -> URL:
    """The parts of ``sqlite:///`` and a path, or of ``postgresql://…``, whose driver is psycopg then.

    Raises :class:`~newsletter.problem.InputError` for any other; the URL is not in it, for it may hold a password.
    """
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise complaint(f"{_SETTING} is no database address; {_ADVICE}") from None
    if parts.drivername in ("postgresql", "postgresql+psycopg"):
        return parts.set(drivername="postgresql+psycopg")
    if parts.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise complaint(f"{_SETTING}: {parts.drivername} is not supported; {_ADVICE}")
    if not parts.database or parts.database == ":memory:":
        raise complaint(
            f"{_SETTING} must name a file, for what was sent has to outlive the program; write sqlite:///newsletter.db"
        )
    return parts


def is_postgresql(url: str) -> bool:
    """Whether the address is that of a database on a server. Raises what :func:`read_url` raises."""
    return read_url(url).get_backend_name() == "postgresql"


def database_file(url: str) -> Path | None:
    """The file that a database's address names, None for one on a server. Raises what :func:`read_url` raises.

    Where a link leads to it, the file itself: SQLite keeps its log beside that, and all its names have one lock of ``send``.
    """
    parts = read_url(url)
    return Path(parts.database).resolve() if parts.get_backend_name() == "sqlite" and parts.database else None


def shown(parts: URL) -> str:
    """The address as it may be shown: ``newsletter@db.example.org/letters``, or the file; never with its password (S21)."""
    if parts.get_backend_name() == "sqlite":
        return parts.database or ""
    port = f":{parts.port}" if parts.port else ""
    user = f"{parts.username}@" if parts.username else ""
    return f"{user}{parts.host or 'this machine'}{port}/{parts.database or parts.username or ''}"
