"""The engine's own tables on PostgreSQL: Procrastinate's SQL files, each run once and in its order.

Procrastinate leaves it to its users to keep track of them: here the last one that was run stands in ``meta``, written in the same
transaction.
"""

from importlib import resources
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from newsletter.problem import InputError, complaint
from newsletter.store.clock import SECOND
from newsletter.store.engine import Store, insert_new
from newsletter.store.tables import meta

#: The row of ``meta`` that names the last file.
JOBS = "procrastinate"


def upgrade_jobs(store: Store) -> str | None:
    """Make the engine's tables, or bring them up to date; gives the name of the last file, None where it is not installed.

    Again and from several hosts at once it does no harm. Raises :class:`~newsletter.problem.InputError` where the tables were
    made by somebody else, or by a newer Procrastinate.
    """
    names = _installed()
    if names is None:
        return None
    last = None
    while last != names[-1]:  # a transaction each, for a file may use what the one before has added to a type
        with store.rebuild() as connection:
            last = _step(connection, names)
    return last


def count_workers(store: Store) -> int | None:
    """How many ``newsletter worker`` are at work, on all hosts; None where there can be none."""
    if store.dialect != "postgresql":
        return None
    lively = text("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :silence)")
    with store.read() as connection:
        if connection.scalar(text("SELECT to_regclass('procrastinate_workers')")) is None:
            return None
        return int(connection.execute(lively, {"silence": store.lease / SECOND}).scalar_one())


def demand_jobs(connection: Connection) -> None:
    """Raise :class:`~newsletter.problem.InputError` where the engine is not installed, or its tables are not those it needs."""
    names = _installed()
    if names is None:
        raise complaint("the engine for several hosts is not installed; pip install 'newsletter[cluster]'")
    last = _last(connection)
    if last is None or last in names[:-1]:
        raise complaint("the tables of the engine are missing or of an older Procrastinate; newsletter db upgrade makes them")
    if last != names[-1]:
        raise _newer(last)


def _step(connection: Connection, names: list[str]) -> str:
    """Run the next file; gives the last that was run."""
    last = _last(connection)
    if last is None:
        if inspect(connection).has_table("procrastinate_jobs"):
            raise complaint(
                "the database has tables of Procrastinate that newsletter db upgrade has not made; "
                "give the newsletter a database or a schema of its own"
            )
        _run(connection, "schema.sql")
        return _note(connection, names[-1])
    if last not in names:
        raise _newer(last)
    if last == names[-1]:
        return last
    following = names[names.index(last) + 1]
    _run(connection, f"migrations/{following}")
    return _note(connection, following)


def _last(connection: Connection) -> str | None:
    return connection.scalar(select(meta.c.value).where(meta.c.key == JOBS))


def _note(connection: Connection, name: str) -> str:
    connection.execute(insert_new(connection, meta).values(key=JOBS, value=name))
    connection.execute(meta.update().where(meta.c.key == JOBS).values(value=name))
    return name


def _installed() -> list[str] | None:
    """The names of the files that come with Procrastinate, oldest first; None where it is not installed."""
    try:
        from procrastinate.schema import SchemaManager
    except ImportError:
        return None
    return sorted(file.name for file in Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _run(connection: Connection, file: str) -> None:
    sql = resources.files("procrastinate.sql").joinpath(file).read_text(encoding="utf-8")
    connection.execution_options(no_parameters=True).exec_driver_sql(sql)  # a "%" in it is one
    connection.execution_options(no_parameters=False)


def _newer(last: str) -> InputError:
    return complaint(
        f"the tables of the engine are of a newer Procrastinate ({last}); install the newsletter that made them: "
        "pip install --upgrade 'newsletter[cluster]'"
    )
