"""A database, new or of an older program, gets the tables of this one: all of the change in one transaction, or none of it.

Which migrations it has had is one row (``alembic_version``), compared at every opening. Alembic itself is imported only where
there is something to do: that alone takes longer than most commands.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, inspect, select

from newsletter.problem import InputError, complaint
from newsletter.store.tables import MOVED_ON, REVISIONS, meta, metadata, revision

_MIGRATIONS = Path(__file__).parent / "migrations"


class Rebuildable(Protocol):
    """What of a :class:`~newsletter.store.engine.Store` is needed here."""

    def read(self) -> AbstractContextManager[Connection]: ...

    def rebuild(self) -> AbstractContextManager[Connection]: ...


def make_tables(store: Rebuildable) -> str | None:
    """Make the tables where there are none, and bring those of an older program up to date; gives the form that was there before.

    Several processes may do so at once: one works, the others wait. Raises :class:`~newsletter.problem.InputError` where a newer
    program made the database.
    """
    with store.read() as connection:
        if stored_revision(connection) == REVISIONS[-1]:
            return REVISIONS[-1]
    with store.rebuild() as connection:
        stored = stored_revision(connection)  # another process may have been quicker
        if stored is None:
            create(connection)
        elif stored != REVISIONS[-1]:
            refuse_unknown(stored)
            upgrade(connection)
    return stored


def demand_tables(store: Rebuildable) -> None:
    """Raise :class:`~newsletter.problem.InputError` where the tables are not those of this program, and say what to do."""
    with store.read() as connection:
        stored = stored_revision(connection)
    if stored == REVISIONS[-1]:
        return
    if stored is None:
        raise complaint("the database has no tables yet; newsletter db upgrade makes them")
    refuse_unknown(stored)
    raise complaint(
        f"the database has form {stored}, this program works with form {REVISIONS[-1]}; stop the newsletter on every host, make "
        "a backup, then run newsletter db upgrade"
    )


def stored_revision(connection: Connection) -> str | None:
    """The last migration that a database has had, None where it has no tables yet."""
    known = inspect(connection)
    if known.has_table(revision.name):
        return connection.scalar(select(revision.c.version_num)) or "unknown"
    if not known.has_table(meta.name):
        return None
    form = connection.scalar(select(meta.c.value).where(meta.c.key == "schema"))
    if form == "1":  # made by a program from before the migrations: just what the first one makes
        return REVISIONS[0]
    raise _unknown(str(form))


def refuse_unknown(stored: str | None) -> None:
    """Raise :class:`~newsletter.problem.InputError` where a newer program made the database."""
    if stored is not None and stored not in REVISIONS:
        raise _unknown(stored)


def create(connection: Connection) -> None:
    """All tables in an empty database, as after the last migration."""
    metadata.create_all(connection)
    connection.execute(meta.insert().values(key="schema", value=MOVED_ON))
    _stamp(connection, REVISIONS[-1])


def upgrade(connection: Connection, to: str = REVISIONS[-1]) -> None:
    """Run the migrations that a database lacks, as part of the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    stored = stored_revision(connection)
    if stored is not None and not inspect(connection).has_table(revision.name):
        _stamp(connection, stored)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, to)


def _stamp(connection: Connection, name: str) -> None:
    revision.create(connection)
    connection.execute(revision.insert().values(version_num=name))


def _unknown(stored: str) -> InputError:
    known = REVISIONS[-1]
    return complaint(
        f"the database has form {stored}, this program works with form {known}; use the newsletter that made it, or a newer one"
    )
