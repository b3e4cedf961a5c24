"""A file becomes connections that are kept to look up one row: by the driver alone, in a tenth of the time of a transaction.

Pages are made of one row each. To lend a connection out, begin, wrap the row and roll back takes SQLAlchemy some 100 µs; SQLite
needs 7 µs for all of it. There is no transaction here: each look sees the last commit.

As those of the pool, they stay with the file that was there when they were made, also where another one is put in its place: its
log would be the wrong one (docs/operations.md says to stop before).
"""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

#: As many as the pool of a store keeps.
_KEPT = 5


class Unready(Exception):
    """Only a transaction can tell: on a server, and in a file that is locked, gone or broken; it waits, or says what is wrong."""


class Glances:
    """The kept connections to one file, for any number of threads; each serves one of them at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._free: list[sqlite3.Connection] = []  # its pop and append are atomic
        self._closed = False

    def row(self, text: str, values: Any) -> tuple[Any, ...] | None:
        """The first row that a SELECT finds, or None. Never waits: raises :class:`Unready` where it would have to."""
        try:
            connection = self._take()
            try:
                # To the end: a statement that is under way would keep SQLite from shortening its log.
                found = connection.execute(text, values).fetchall()
            except BaseException:
                connection.close()  # whatever was wrong with it, the next one is new
                raise
        except sqlite3.Error as error:
            raise Unready from error
        self._give_back(connection)
        return found[0] if found else None

    def _take(self) -> sqlite3.Connection:
        if self._closed:
            raise Unready
        return self._pop() or _connect(self._path)

    def _pop(self) -> sqlite3.Connection | None:
        try:
            return self._free.pop()
        except IndexError:
            return None

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if len(self._free) >= _KEPT:
            connection.close()
            return
        self._free.append(connection)
        if self._closed:  # by another thread, meanwhile
            self.close()

    def close(self) -> None:
        """Close what is kept; from now on every look raises :class:`Unready`."""
        self._closed = True
        while (connection := self._pop()) is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    # "rw" makes no file where there is none; "ro" could not open a file whose log nobody has begun.
    uri = f"{path.as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection
