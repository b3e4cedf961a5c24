"""The database's address becomes an open store: an engine with the tables in it, and the lock that lets one ``send`` run."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Dialect, Engine, Table, create_engine, event, func, literal, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError

from newsletter.problem import complaint
from newsletter.store.clock import Clock, now
from newsletter.store.schema import make_tables

#: How long a writer waits for another one, in seconds; freezing a list of a million rows holds the database this long.
_PATIENCE = 60
#: Kilobytes of pages that filling the database may hold: the marks come in no order, and each of a million needs another page.
_PAGES = 16_000


#: Opens a transaction that writes, see :meth:`Store.write`.
Write = Callable[[], AbstractContextManager[Connection]]


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

    @contextmanager
    def writer(self) -> Iterator[Write]:
        """:meth:`write` for one thread that writes again and again, over one connection that is kept."""
        with self._writer.connect() as connection:

            @contextmanager
            def write() -> Iterator[Connection]:
                with connection.begin():
                    yield connection

            yield write

    @contextmanager
    def hasty_writer(self) -> Iterator[Connection | None]:
        """A connection for transactions that write and never wait for another writer: where there is one, they raise at once.

        None where each statement waits for a network, however free the database is.
        """
        if self._writer.dialect.name != "sqlite":
            yield None
            return
        with self._writer.connect() as connection:
            connection.detach()  # closed afterwards: nobody else gets an impatient one
            with connection.begin():
                connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            yield connection

    @contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """A transaction that changes the tables themselves, alone among its like.

        On SQLite without foreign keys, for a table is changed there by making it anew; it raises
        :class:`~sqlalchemy.exc.IntegrityError`, with nothing changed, where a row then points to nothing.
        """
        with self._unlinked() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('newsletter tables'))")
            yield connection
            if connection.dialect.name == "sqlite":
                lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if lost:
                    raise IntegrityError(None, None, sqlite3.IntegrityError(f"{len(lost)} rows of {lost[0][0]} are cut off"))

    @contextmanager
    def fill(self) -> Iterator[Connection]:
        """A transaction like :meth:`write` for very many rows, see :func:`insert_rows`.

        On SQLite without foreign keys, for which it would copy every page before a statement of many rows changes it: what the
        rows point to must be made in the same transaction.
        """
        with self._unlinked() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA cache_size = -{_PAGES}")
            yield connection

    @contextmanager
    def _unlinked(self) -> Iterator[Connection]:
        with self._writer.execution_options(newsletter_unlinked=True).connect() as connection:
            connection.detach()  # closed afterwards: nobody else gets a connection without foreign keys
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._reader.dispose()


def open_store(url: str, clock: Clock = now) -> Store:
    """Open the database, make its file (for its owner alone, S21) and its tables at first use.

    ``url`` is ``sqlite:///`` and a path. Raises :class:`~newsletter.problem.InputError` where it cannot be used; the URL is
    not in it, for it may hold a password.
    """
    path = database_file(url)
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _PATIENCE, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        _make_file(path)
        store = Store(engine, clock)
        make_tables(store)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, OSError):
            raise complaint(f"cannot be opened as the database: {error.strerror}", str(path)) from None
        if isinstance(error, DatabaseError):
            raise complaint(f"cannot be used as the database: {error.orig}", str(path)) from None
        raise
    return store


def database_file(url: str) -> Path:
    """The file that a database's address names. Raises :class:`~newsletter.problem.InputError` where it names none."""
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
    options = connection.get_execution_options()
    if options.get("newsletter_unlinked", False):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # without effect once a transaction has begun
    writes = options.get("newsletter_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def insert_rows(connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]], same: Mapping[str, int | str]) -> int:
    """Insert some hundred rows, leaving out those that a UNIQUE index already holds; gives how many went in.

    The same as :func:`insert_new` in a third of the time: one statement, its values as they are for the driver, and those that
    are the ``same`` in all rows as part of its text. An error leaves some of the rows in: undo the transaction.
    """
    values = tuple(chain.from_iterable(zip(*columns.values(), strict=True)))
    statement = _insertion(connection.dialect, table.name, tuple(same.items()), tuple(columns), len(values) // len(columns))
    return connection.exec_driver_sql(statement, values).rowcount


@lru_cache(4)
def _insertion(dialect: Dialect, table: str, same: tuple[tuple[str, int | str], ...], columns: tuple[str, ...], rows: int) -> str:
    place = "?" if dialect.paramstyle == "qmark" else "%s"
    told = [str(literal(value).compile(dialect=dialect, compile_kwargs={"literal_binds": True})) for _, value in same]
    row = f"({', '.join([*told, *[place] * len(columns)])})"
    names = ", ".join([*(name for name, _ in same), *columns])
    # With ABORT, the usual, SQLite keeps a copy of every page that a statement of many rows changes.
    insert = "INSERT OR FAIL INTO" if dialect.name == "sqlite" else "INSERT INTO"
    return f"{insert} {table} ({names}) VALUES {', '.join([row] * rows)} ON CONFLICT DO NOTHING"


def after_at(connection: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """What stands behind the first ``@`` of a text, in the words of the connection's database."""
    find = func.strpos if connection.dialect.name == "postgresql" else func.instr
    return func.substr(column, find(column, "@") + 1)


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

    path = database_file(url)
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
