"""A database's address becomes what can be said of it without changing anything in it."""

import os
import sqlite3
from pathlib import Path
from typing import Literal

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DatabaseError

from newsletter.problem import complaint
from newsletter.store.schema import refuse_unknown, stored_revision
from newsletter.store.tables import REVISIONS

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
        raise complaint(f"cannot be used as the database: {error.orig}", str(path)) from None
    finally:
        engine.dispose()
    return "current" if stored == REVISIONS[-1] else "old"


def _open(path: Path) -> sqlite3.Connection:
    # mode=rw: never makes the file. No transaction begins by itself.
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None)
