"""A database's address becomes what can be said of it without changing anything in it."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, NullPool, create_engine, func, select
from sqlalchemy.exc import DatabaseError, DBAPIError

from newsletter.problem import complaint
from newsletter.store.clock import LEASE, DatabaseClock, now
from newsletter.store.faults import fault_of
from newsletter.store.postgresql import CLOCK, cannot_use, server_engine
from newsletter.store.schema import refuse_unknown, stored_revision
from newsletter.store.tables import REVISIONS
from newsletter.store.url import read_url, shown

#: Seconds to wait for another writer; one that takes longer proves that the database can be written.
_PATIENCE = 3

#: ``new``: there is none yet; ``old``: the next command that opens it brings it up to date.
Form = Literal["new", "current", "old"]


def look_at_file(path: Path) -> Form:
    """The form of a database in a file, after it was read and a writer's place in it was taken and given back.

    Raises :class:`~newsletter.problem.InputError` where it cannot be read or written, or a newer program made it.
    """
    if not path.exists():
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise complaint("cannot be made: the folder is not there or cannot be written", str(path))
        return "new"
    engine = create_engine("sqlite://", creator=lambda: _open(path), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            stored = stored_revision(connection)
            refuse_unknown(stored)
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                connection.exec_driver_sql("ROLLBACK")
            except DatabaseError as error:
                if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                    raise
    except DatabaseError as error:
        raise complaint(f"cannot be used as the database: {fault_of(error)}", str(path)) from None
    finally:
        engine.dispose()
    return "current" if stored == REVISIONS[-1] else "old"


def _open(path: Path) -> sqlite3.Connection:
    # mode=rw: never makes the file. No transaction begins by itself.
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None)


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a server. ``version`` is the server's (``15.18``), ``skew`` how far its clock is ahead, in microseconds.

    ``standbys`` counts the servers that follow it, as far as it tells; ``waits``: a commit waits for one of them. ``unsafe`` are
    the settings by which a power cut loses what was committed; ``lax``: a commit is not on disk by default.
    """

    where: str
    form: Form
    version: str
    encrypted: bool
    standby: bool
    standbys: int
    waits: bool
    unsafe: tuple[str, ...]
    lax: bool
    skew: int

    @property
    def major(self) -> int:
        """The number by which PostgreSQL's releases go."""
        return int(self.version.split(".")[0])


def look_at_server(url: str) -> Server:
    """What a database's server says of itself. Raises :class:`~newsletter.problem.InputError` where it cannot be reached, or a
    newer program made the database.
    """
    parts = read_url(url)
    engine = server_engine(parts, LEASE, DatabaseClock(), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            return _server(connection, shown(parts))
    except DBAPIError as error:
        raise cannot_use(parts, error) from None
    finally:
        engine.dispose()


def _server(connection: Connection, where: str) -> Server:
    driven: Any = connection.connection.dbapi_connection

    def setting(name: str) -> str:
        return str(connection.scalar(select(func.current_setting(name))))

    asked = now()
    theirs = int(connection.exec_driver_sql(CLOCK).scalar_one())
    skew = theirs - (asked + now()) // 2
    stored = stored_revision(connection)
    refuse_unknown(stored)
    return Server(
        where=where,
        form="new" if stored is None else "current" if stored == REVISIONS[-1] else "old",
        version=setting("server_version").split(" ")[0],
        encrypted=bool(driven.pgconn.ssl_in_use),
        standby=bool(connection.scalar(select(func.pg_is_in_recovery()))),
        standbys=connection.exec_driver_sql("SELECT count(*) FROM pg_stat_replication").scalar_one(),
        waits=setting("synchronous_standby_names") != "",
        unsafe=tuple(name for name in ("fsync", "full_page_writes") if setting(name) == "off"),
        lax=setting("synchronous_commit") == "off",
        skew=skew,
    )
