"""An address becomes an engine on a PostgreSQL server, over psycopg: each transaction says itself what it may wait for.

What a transaction needs is set in the transaction (``SET LOCAL``, in one message with its ``BEGIN``), not in the session: so it
holds behind a PgBouncer that pools by transactions, too.
"""

import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, event
from sqlalchemy.exc import DBAPIError

from newsletter.problem import InputError, complaint
from newsletter.store.clock import MINUTE, SECOND, DatabaseClock
from newsletter.store.faults import fault_of
from newsletter.store.url import shown

#: The oldest server that this program is written for.
OLDEST = 13
#: The moment by the server's clock, as the database keeps moments; not that of the transaction's beginning.
CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
#: Waits for the place of the one process that changes the tables of this publication.
TABLES_LOCK = "SELECT pg_advisory_xact_lock(hashtext('newsletter tables'), hashtext(current_schema()))"

#: Seconds to wait for a connection.
_CONNECTING = 10
#: How long a writer waits for a row or a table that another one holds, as on SQLite.
_LOCK = 60 * SECOND
#: No statement of a live program takes longer; one whose program is gone ends by this.
_STATEMENT = 10 * MINUTE
#: How long a reader may think between two statements: ``subscribers export`` into a pager.
_THINKING = 10 * MINUTE
#: Seconds of silence after which a line is tested, between tests, and how many tests: half a minute until it counts as cut.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


def server_engine(url: URL, lease: int, clock: DatabaseClock, **how: Any) -> Engine:
    """The engine of a database on a server; ``clock`` is set by each new connection.

    ``lease`` is how long a worker that is not heard of is taken for alive, in microseconds: a writer that stays idle in a
    transaction for a third of it is cut off by the server, for a frozen process would keep its rows locked.

    Raises :class:`~newsletter.problem.InputError` where the driver is not installed.
    """
    _demand_driver()
    engine = create_engine(
        url,
        connect_args=_arguments(url, lease),
        use_native_hstore=False,  # else a statement at each start that finds nothing
        **(how or {"pool_size": 5, "max_overflow": 5, "pool_recycle": 1800, "pool_pre_ping": True}),
    )

    def prepare(connection: Any, _record: object) -> None:
        connection.autocommit = True  # psycopg must not begin transactions by itself; see begin
        clock.hear(lambda: int(connection.execute(CLOCK).fetchone()[0]))
        if connection.execute("SELECT pg_backend_pid()").fetchone()[0] != connection.info.backend_pid:
            # A pool such as PgBouncer stands in between: the next transaction may be in another session, which does not know
            # the statements that psycopg has prepared in this one.
            connection.prepare_threshold = None

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(_beginning(connection.get_execution_options(), lease))

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def driver_arguments(url: URL, lease: int) -> dict[str, Any]:
    """What psycopg's own ``connect`` takes to reach a server as the newsletter does; a password may be in it (S21)."""
    return {**url.get_dialect()().create_connect_args(url)[1], **_arguments(url, lease)}


def _arguments(url: URL, lease: int) -> dict[str, Any]:
    arguments = {
        "connect_timeout": _CONNECTING,
        "application_name": f"newsletter {os.getpid()}@{platform.node()}"[:63],
        "tcp_user_timeout": lease // 1000,  # milliseconds that what was sent may stay unacknowledged
        **_KEEPALIVE,
    }
    return {name: value for name, value in arguments.items() if name not in url.query}


def _beginning(options: Any, lease: int) -> str:
    if options.get("newsletter_holds", False):
        return _HOLDING
    if not options.get("newsletter_writes", False):
        return (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "  # one consistent state, however many statements
            f"SET LOCAL idle_in_transaction_session_timeout = {_THINKING // 1000}; "
            f"SET LOCAL statement_timeout = {_STATEMENT // 1000}"
        )
    patient = options.get("newsletter_patient", False)
    return (
        "BEGIN ISOLATION LEVEL READ COMMITTED; "
        f"SET LOCAL idle_in_transaction_session_timeout = {0 if patient else lease // 3000}; "
        f"SET LOCAL statement_timeout = {0 if patient else _STATEMENT // 1000}; "
        f"SET LOCAL lock_timeout = {_LOCK // 1000}; "
        # A commit that is lost at a power cut is doubled mail. What is stricter than "on" stays.
        "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
    )


def copy_in(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert whole rows by COPY, some times as fast as INSERT. Raises DBAPIError, as ``Connection.execute`` does."""
    import psycopg

    names = ", ".join(table.columns.keys())
    driven: Any = connection.connection.dbapi_connection
    try:
        with driven.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError(None, None, error) from None


def _demand_driver() -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError:  # also where psycopg is there, but finds no libpq
        raise complaint(
            "NEWSLETTER_DATABASE_URL: PostgreSQL needs a driver that is not installed; pip install 'newsletter[postgres]'"
        ) from None


def cannot_use(url: URL, error: DBAPIError) -> InputError:
    """What to tell of a server that cannot be used: where it is and what it says, never the password (S21)."""
    words = fault_of(error)
    if url.password:
        words = words.replace(str(url.password), "***")
    return complaint(f"the database at {shown(url)} cannot be used: {words}")


#: Two 32-bit numbers: what the lock is for, and whose tables; one database may hold two publications, each in a schema.
_LOCK_KEY = "hashtext('newsletter send'), hashtext(current_schema())"
_TAKE = f"SELECT pg_try_advisory_xact_lock({_LOCK_KEY})"
_HOLDER = f"""
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid), (VALUES ({_LOCK_KEY})) AS key (one, two)
    WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND datname = current_database()
    AND classid::bigint = one & 4294967295 AND objid::bigint = two & 4294967295
"""  # noqa: S608 - no value in it
#: Open for hours, with nothing to say: the server tests the line, so that a host without power frees the lock in a minute.
_HOLDING = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0; "
    "SET LOCAL tcp_keepalives_idle = 20; SET LOCAL tcp_keepalives_interval = 10; SET LOCAL tcp_keepalives_count = 3"
)


@contextmanager
def server_lock(url: URL, lease: int) -> Iterator[None]:
    """See :func:`newsletter.store.engine.send_lock`: an advisory lock of a transaction that is open as long as the lock is held.

    Of the transaction, not of the session: behind a PgBouncer a session is shared. The transaction has no snapshot, so it holds
    no vacuum up. The server frees the lock when the process ends, however it ends, and within a minute when its host is gone.

    A line that is cut frees it, too, while the process goes on. What keeps mail safe then are the fences of the ledger: a worker
    that was taken for dead is granted nothing more.
    """
    engine = server_engine(url, lease, DatabaseClock(), poolclass=NullPool)
    try:
        connection = engine.connect().execution_options(newsletter_holds=True)
    except DBAPIError as error:
        raise cannot_use(url, error) from None
    try:
        _take(connection, url)
        yield
    finally:
        with suppress(DBAPIError):  # cut meanwhile
            connection.close()


def _take(connection: Connection, url: URL) -> None:
    try:
        if connection.exec_driver_sql(_TAKE).scalar():
            return
        holder = connection.exec_driver_sql(_HOLDER).scalar()
    except DBAPIError as error:
        raise cannot_use(url, error) from None
    raise complaint(
        f"another newsletter send is at work with this database ({holder or 'unknown'}); wait until it has ended"
    ) from None
