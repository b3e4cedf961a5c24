"""A file becomes a database of SQLite's: durable, its owner's alone; the kernel's lock on it lets one ``send`` run."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from newsletter.problem import complaint

#: How long a writer waits for another one, in seconds; freezing a list of a million rows holds the database this long.
PATIENCE = 60


def file_engine(path: Path) -> Engine:
    """The engine of a file, which is made by :func:`make_file`."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": PATIENCE, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def make_file(path: Path) -> None:
    """Make the file where there is none, for its owner alone (S21). Raises OSError."""
    # SQLite gives its -wal and -shm files the mode of the database.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 must not begin transactions by itself; see _begin
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # NORMAL may forget the last commits at a power cut: doubled mail
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # else free pages keep what was erased (L8), as SQLite is built by default
    connection.execute("PRAGMA cache_size = -1000")  # KB, half of the usual: a send has several, and what it reads it reads once


def _begin(connection: Connection) -> None:
    # A writer takes its place at once: one that reads first and writes later can be refused in the middle.
    options = connection.get_execution_options()
    if options.get("newsletter_by_hand", False):
        return
    if options.get("newsletter_unlinked", False):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # without effect once a transaction has begun
    if options.get("newsletter_writes", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif (driver := connection.connection.driver_connection) is not None:
        driver.execute("BEGIN")  # takes no lock, so it cannot fail; by SQLAlchemy's way it costs more than a page's statement


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """See :func:`newsletter.store.engine.send_lock`. The kernel frees it when the process ends, however it ends (S23)."""
    path = _place_of(path)
    try:
        place = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise complaint(f"cannot be opened: {error.strerror}", str(path)) from None
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(place, 20).decode("ascii", "replace").strip()
            raise complaint(
                f"another newsletter send is at work with this database (process {holder or 'unknown'}); wait until it has ended"
            ) from None
        try:
            os.truncate(place, 0)
            os.pwrite(place, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise complaint(f"cannot be written: {error.strerror}", str(path)) from None
        yield
    finally:
        os.close(place)  # the file stays: removing it would let two processes lock two files of one name


def lock_holder(path: Path) -> int:
    """The process that holds :func:`file_lock`; 0 where none does, or none that can be seen from here."""
    try:
        place = os.open(_place_of(path), os.O_RDONLY)
    except OSError:
        return 0
    try:
        # Only where that process lives is the lock tried: a send that begins in this moment would find it taken.
        holder = int(os.read(place, 20))
        os.kill(holder, 0)
        fcntl.flock(place, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return holder
    except (OSError, ValueError):  # it has ended, or is just taking its place
        return 0
    finally:
        os.close(place)
    return 0


def _place_of(path: Path) -> Path:
    return path.with_name(path.name + ".send-lock")
