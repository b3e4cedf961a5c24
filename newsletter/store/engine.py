"""The database's address becomes an open store: an engine with the tables in it, and the lock that lets one ``send`` run.

How a file is opened stands in :mod:`newsletter.store.sqlite`, how a server is in :mod:`newsletter.store.postgresql`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Dialect, Engine, Table, func, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from newsletter.problem import complaint
from newsletter.store.clock import LEASE, Clock, DatabaseClock, now
from newsletter.store.faults import fault_of, gave_way
from newsletter.store.glance import Glances, Unready
from newsletter.store.hasty import HastyWriter
from newsletter.store.postgresql import CLOCK, TABLES_LOCK, cannot_use, server_engine, server_lock
from newsletter.store.prepared import Prepared
from newsletter.store.quiet import demand_quiet
from newsletter.store.schema import demand_tables, make_tables
from newsletter.store.sqlite import file_engine, file_lock, lock_holder, make_file
from newsletter.store.tables import metadata
from newsletter.store.url import database_file, read_url

#: Kilobytes of pages that filling the database may hold: the marks come in no order, and each of a million needs another page.
_PAGES = 12_000
#: Milliseconds to wait for those who read or write before the log is shortened; who writes waits as long.
_A_MOMENT = 2000

T = TypeVar("T")
_TRIES = 5
#: Opens a transaction that writes, see :meth:`Store.write`.
Write = Callable[[], AbstractContextManager[Connection]]


class Store:
    """An open database. ``clock`` gives the moments that are written into it, ``lease`` is in microseconds."""

    def __init__(self, engine: Engine, clock: Clock, lease: int = LEASE) -> None:
        self._reader = engine
        self._writer = engine.execution_options(newsletter_writes=True)
        self._patient = self._writer.execution_options(newsletter_patient=True)
        self._glances = Glances(Path(engine.url.database or "")) if engine.dialect.name == "sqlite" else None
        self.clock = clock
        self.lease = lease

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._reader.dialect.name

    def now(self, connection: Connection) -> int:
        """The present moment, as part of a transaction, in microseconds UTC. On a server it is the server's own answer.

        By it, leases and due times hold for all hosts. :attr:`clock` carries on from the last answer and asks nobody.
        """
        if isinstance(self.clock, DatabaseClock):
            return self.clock.hear(lambda: int(connection.exec_driver_sql(CLOCK).scalar_one()))
        return self.clock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state; it neither waits for writers nor holds them up."""
        with self._reader.begin() as connection:
            yield connection

    def glance(self, look: Prepared, values: Mapping[str, object]) -> tuple[Any, ...] | None:
        """The one row that a prepared SELECT finds, at once and as the last commit left it; None where there is none.

        Raises :class:`~newsletter.store.glance.Unready` where only :meth:`read` can tell, which may wait: ask that in a thread.
        """
        if self._glances is None:
            raise Unready
        return self._glances.row(*look.spelled(self._reader.dialect, values))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, undone where an exception leaves it. On disk when this returns."""
        with self._writer.begin() as connection:
            yield connection

    def change(self, step: Callable[[Connection], T]) -> T:
        """Do one step in :meth:`write`, anew where it had to give way to another writer.

        PostgreSQL undoes one of two writers that wait for each other; whoever leaves the list must not hear of that.
        """
        for _ in range(_TRIES - 1):
            try:
                with self.write() as connection:
                    return step(connection)
            except DBAPIError as error:
                if not gave_way(error):
                    raise
        with self.write() as connection:
            return step(connection)

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
    def hasty_writer(self) -> Iterator[HastyWriter | None]:
        """A connection for transactions that write and wait neither for another writer nor for the disk.

        None where each statement waits for a network, however free the database is.
        """
        if self._writer.dialect.name != "sqlite":
            yield None
            return
        with self._writer.execution_options(newsletter_by_hand=True).connect() as connection:
            connection.detach()  # closed afterwards: nobody else gets a hasty one
            yield HastyWriter(connection, Path(str(self._writer.url.database)))

    @contextmanager
    def hold(self) -> Iterator[Connection]:
        """A transaction while which nobody else writes, for as long as it takes to read everything."""
        with self._patient.begin() as connection:
            if connection.dialect.name == "postgresql":
                names = ", ".join(table.name for table in metadata.sorted_tables)
                connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE MODE")
            yield connection

    @contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """A transaction that changes the tables themselves, alone among its like.

        On SQLite without foreign keys, for a table is changed there by making it anew; it raises
        :class:`~sqlalchemy.exc.IntegrityError`, with nothing changed, where a row then points to nothing.
        """
        with self._unlinked(self._patient) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(TABLES_LOCK)
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
        with self._unlinked(self._writer) as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA cache_size = -{_PAGES}")
            yield connection

    @contextmanager
    def _unlinked(self, engine: Engine) -> Iterator[Connection]:
        with engine.execution_options(newsletter_unlinked=True).connect() as connection:
            connection.detach()  # closed afterwards: nobody else gets a connection without foreign keys
            with connection.begin():
                yield connection

    def sweep(self) -> None:
        """Leave nothing of what was deleted in SQLite's log, which has pages as they were before (L8).

        Where others use the file all the while, or the disk is full, it stays there for the next time.
        """
        if self._writer.dialect.name != "sqlite":
            return
        with suppress(DBAPIError), self._writer.execution_options(newsletter_by_hand=True).connect() as connection:
            connection.detach()  # closed afterwards: nobody else gets a connection without patience
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_A_MOMENT}")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        if self._glances is not None:
            self._glances.close()
        self._reader.dispose()


def open_store(url: str, clock: Clock | None = None, *, lease: int = LEASE) -> Store:
    """Open the database: ``sqlite:///`` and a path, or ``postgresql://…``.

    A file and its tables are made at first use (for its owner alone, S21), and brought up to date. A database on a server gets
    its tables by ``newsletter db upgrade`` alone: several hosts use it, and some may run the older program.

    ``clock`` gives the moments that are written; without it they are of this machine's clock in a file, and of the server's on a
    server. ``lease`` is how long a worker is taken for alive that is not heard of, in microseconds.

    Raises :class:`~newsletter.problem.InputError` where it cannot be used; the URL is not in it, for it may hold a password.
    """
    store = open_bare(url, clock, lease=lease)
    with _told(store, url):
        if database_file(url) is None:
            demand_tables(store)
        else:
            make_tables(store)
    return store


def upgrade_tables(url: str) -> str | None:
    """Make the tables, or bring them up to date, as :func:`open_store` does in a file; gives the form that was there before.

    None is no tables at all. Raises what :func:`open_store` raises, and :class:`~newsletter.problem.InputError` where somebody
    sends with a database on a server; the caller holds :func:`send_lock`.
    """
    store = open_bare(url)
    with _told(store, url):
        if store.dialect == "postgresql":
            with store.read() as connection:
                demand_quiet(connection, store.now(connection))
        form = make_tables(store)
    store.close()
    return form


def open_bare(url: str, clock: Clock | None = None, *, lease: int = LEASE) -> Store:
    """The database with whatever tables it has; a file is made where there is none. Raises what :func:`open_store` raises."""
    path = database_file(url)
    if path is None:
        servers = DatabaseClock()
        return Store(server_engine(read_url(url), lease, servers), clock or servers, lease)
    try:
        make_file(path)
    except OSError as error:
        raise complaint(f"cannot be opened as the database: {error.strerror}", str(path)) from None
    return Store(file_engine(path), clock or now, lease)


@contextmanager
def _told(store: Store, url: str) -> Iterator[None]:
    """What a database answers that cannot be used is one sentence; the store is closed then."""
    try:
        yield
    except BaseException as error:
        store.close()
        if not isinstance(error, DBAPIError):
            raise
        path = database_file(url)
        if path is None:
            raise cannot_use(read_url(url), error) from None
        raise complaint(f"cannot be used as the database: {fault_of(error)}", str(path)) from None


def send_lock(url: str) -> AbstractContextManager[None]:
    """Hold the place of the one ``send`` at this database; it is free again when the process ends, however it ends (S23).

    Raises :class:`~newsletter.problem.InputError` where another process holds it, on this host or on another one.
    """
    path = database_file(url)
    return server_lock(read_url(url), LEASE) if path is None else file_lock(path)


def send_at_work(url: str) -> int | None:
    """The process id of the ``send`` at work with a file, 0 for none; None for a server, where there may be several."""
    path = database_file(url)
    return None if path is None else lock_holder(path)


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
