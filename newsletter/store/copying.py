"""One database becomes another one with the same rows, from a file to a server or back: all of it, compared value by value.

Both databases stand still meanwhile: the old one for writers, the new one for everybody. On the new one all is one transaction:
whatever interrupts it, no part of it is there.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, cast, collate, exists, func, insert, select
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.exc import DBAPIError

from newsletter.problem import InputError, complaint
from newsletter.store.engine import Store
from newsletter.store.faults import fault_of
from newsletter.store.jobs import JOBS
from newsletter.store.postgresql import copy_in
from newsletter.store.quiet import demand_quiet
from newsletter.store.tables import meta, metadata

#: Rows that are written at once.
_PORTION = 5000
#: What ``meta`` says of a database itself, and not of what is in it.
_OWN = ("schema", JOBS)


def copy_database(source: Store, target: Store, on_table: Callable[[str, int], None]) -> None:
    """Copy every row; ``on_table`` hears of each table that is complete and the same on both sides, with its rows.

    Counters go on where those of the source are: an id that was given out once, and stands in links, is never given out again.

    Raises :class:`~newsletter.problem.InputError`, with nothing stored, where a worker is at work with the source, and where the
    target is not empty or takes a row otherwise than the source has it.
    """
    with source.hold() as old, target.rebuild() as new:
        demand_quiet(old, source.now(old))  # now that no other one can begin
        _close(new)
        demand_empty(new)
        for table in metadata.sorted_tables:
            on_table(table.name, _copy(old, new, table))
            _set_counter(new, table, _counter(old, table))
        new.exec_driver_sql("ANALYZE")  # else a server plans its first claims as for empty tables


def demand_empty(connection: Connection) -> None:
    """Raise :class:`~newsletter.problem.InputError` where the database holds anything but its own form."""
    for table in metadata.sorted_tables:
        if connection.scalar(select(exists(_rows(connection, table)))):
            raise complaint(f"the database to copy to is not empty: there are rows in {table.name}; name an empty one")


def _close(connection: Connection) -> None:
    """Nobody else may look into the tables; a file is the transaction's own already."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def _rows(connection: Connection, table: Table) -> Select[Any]:
    """The rows of a table in an order that both databases know: of texts, by their bytes."""
    plain = connection.dialect.name == "sqlite"
    keys = [key if plain or key.type.python_type is not str else collate(key, "C") for key in table.primary_key]
    rows = select(table).order_by(*keys)
    return rows.where(meta.c.key.not_in(_OWN)) if table is meta else rows


def _read(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    found = connection.execute(_rows(connection, table).execution_options(yield_per=_PORTION))
    return (tuple(row) for row in found)


def _copy(old: Connection, new: Connection, table: Table) -> int:
    rows = _read(old, table)
    while portion := list(itertools.islice(rows, _PORTION)):
        try:
            _write(new, table, portion)
        except DBAPIError as error:
            first, last = _key(table, portion[0]), _key(table, portion[-1])
            raise complaint(f"nothing was copied: a row of {table.name} from {first} to {last}: {fault_of(error)}") from None
    return _compare(table, _read(old, table), _read(new, table))


def _write(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        copy_in(connection, table, rows)
    else:
        names = table.columns.keys()
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


def _compare(table: Table, old: Iterable[tuple[Any, ...]], new: Iterable[tuple[Any, ...]]) -> int:
    """How many rows there are, which are the same on both sides."""
    count = 0
    for ours, theirs in itertools.zip_longest(old, new):
        if ours != theirs:
            raise _differs(table, ours or theirs or ())
        count += 1
    return count


def _differs(table: Table, row: tuple[Any, ...]) -> InputError:
    return complaint(
        f"nothing was copied: {table.name} {_key(table, row)} is not the same in the copy; please report this as a fault of the "
        "program"
    )


def _key(table: Table, row: tuple[Any, ...]) -> str:
    names = table.columns.keys()
    values = (row[names.index(key.name)] for key in table.primary_key)
    return "/".join(value.hex() if isinstance(value, bytes) else str(value) for value in values)


def _is_counted(table: Table) -> bool:
    return table.autoincrement_column is not None


def _counter(connection: Connection, table: Table) -> int:
    """The last id that was given out, also where its row is gone since; 0 where none was."""
    if not _is_counted(table):
        return 0
    largest = connection.scalar(select(func.max(table.c.id))) or 0
    if connection.dialect.name == "postgresql":
        sequence = _sequence(connection, table)
        given = connection.scalar(select(func.pg_sequence_last_value(cast(sequence, REGCLASS))))
    elif table.dialect_options["sqlite"]["autoincrement"]:
        given = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).scalar()
    else:
        given = 0
    return max(largest, given or 0)


def _set_counter(connection: Connection, table: Table, last: int) -> None:
    if not last:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.setval(_sequence(connection, table), last)))
    elif table.dialect_options["sqlite"]["autoincrement"]:
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
        connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, last))


def _sequence(connection: Connection, table: Table) -> str:
    return str(connection.scalar(select(func.pg_get_serial_sequence(table.name, "id"))))
