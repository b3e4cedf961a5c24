"""The database's address becomes an open store: an engine with the tables in it, and the lock that lets one ``send`` run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, inspect, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError

from newsletter.problem import complaint
from newsletter.store.clock import Clock, now
from newsletter.store.tables import SCHEMA, meta, metadata

#: How long a writer waits for another one, in seconds; freezing a list of a million rows holds the database this long.
_PATIENCE = 60


class Store:
    """An open database. ``clock`` gives the moments that are written into it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._reader = engine
        self._writer = engine.execution_options(newsletter_writes=True)
        self.clock = clock

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state; on SQLite it neither waits for writers nor holds them up."""
        with self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, undone where an exception leaves it. On disk when this returns."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._reader.dispose()


def open_store(url: str, clock: Clock = now) -> Store:
    """Open the database, make its file (for its owner alone, S21) and its tables at first use.

    ``url`` is ``sqlite:///`` and a path. Raises :class:`~newsletter.problem.InputError` where it cannot be used; the URL is
    not in it, for it may hold a password.
    """
    path = _database_file(url)
    try:
        _make_file(path)
        engine = create_engine(
            URL.create("sqlite", database=str(path)), connect_args={"timeout": _PATIENCE, "check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        store = Store(engine, clock)
        _make_tables(store)
    except OSError as error:
        raise complaint(f"cannot be opened as the database: {error.strerror}", str(path)) from None
    except DatabaseError as error:
        raise complaint(f"cannot be used as the database: {error.orig}", str(path)) from None
    return store


def _database_file(url: str) -> Path:
    setting = "NEWSLETTER_DATABASE_URL"
    try:
        parts = make_url(url)
    except ArgumentError:
        raise complaint(f"{setting} is no database address; write sqlite:///newsletter.db") from None
    if parts.get_backend_name() == "postgresql":
        raise complaint(f"{setting}: PostgreSQL comes with a later release; write sqlite:///newsletter.db")
    if parts.get_backend_name() != "sqlite":
        raise complaint(f"{setting}: {parts.drivername} is not supported; write sqlite:///newsletter.db")
    if not parts.database or parts.database == ":memory:":
        raise complaint(
            f"{setting} must name a file, for what was sent has to outlive the program; write sqlite:///newsletter.db"
        )
    return Path(parts.database)


def _make_file(path: Path) -> None:
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


def _begin(connection: Connection) -> None:
    # A writer takes its place at once: one that reads first and writes later can be refused in the middle.
    writes = connection.get_execution_options().get("newsletter_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_tables(store: Store) -> None:
    with store.read() as connection:
        stored = _stored_schema(connection)
    if stored is None:
        with store.write() as connection:
            stored = _stored_schema(connection)  # another process may have been quicker
            if stored is None:
                metadata.create_all(connection)
                connection.execute(meta.insert().values(key="schema", value=SCHEMA))
                stored = SCHEMA
    if stored != SCHEMA:
        raise complaint(f"the database has form {stored}, this program works with form {SCHEMA}; use the program that made it")


def _stored_schema(connection: Connection) -> str | None:
    if not inspect(connection).has_table(meta.name):
        return None
    return connection.scalar(select(meta.c.value).where(meta.c.key == "schema"))


def insert_new(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves out the rows that a UNIQUE index already holds, in the words of the connection's database."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


@contextmanager
def send_lock(url: str) -> Iterator[None]:
    """Hold the place of the one ``send`` at this database. The kernel frees it when the process ends, however it ends (S23).

    Raises :class:`~newsletter.problem.InputError` where another process holds it.
    """
    import fcntl

    path = _database_file(url)
    path = path.with_name(path.name + ".send-lock")
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
        os.truncate(place, 0)
        os.pwrite(place, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(place)  # the file stays: removing it would let two processes lock two files of one name
