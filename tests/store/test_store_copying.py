"""A database is copied to another kind and back, value by value, or not at all."""

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, LargeBinary, Table, insert, literal_column, select

from newsletter.problem import InputError
from newsletter.store import Store, copying, open_store
from newsletter.store.copying import copy_database
from newsletter.store.inventory import count_rows, find_faults
from newsletter.store.tables import campaign, delivery, lane, meta, metadata, subscriber, suppression

#: Texts that one of the two might take for something else.
WORDS = (
    "",
    "Änne & <Co>",
    "tab\there",
    "back\\slash \\. \\N",
    "quote \" and '",
    "line\nend\r\n",
    "NULL",
    "😀",
    "a%sb%(c)s",
    "\x01\x7f",
)


def fill(connection: Connection) -> None:
    """Rows in every table, with words that are hard to carry, in an order that is not that of their keys."""
    for table in metadata.sorted_tables:
        if table is not meta:
            for number in range(12, 0, -1):
                connection.execute(insert(table), row_of(table, number))


def row_of(table: Table, number: int) -> dict[str, Any]:
    """A row of a table; its keys, and what points to other tables, go by the number."""
    return {column.name: _value(table, column, number) for column in table.columns}


def _value(table: Table, column: Any, number: int) -> Any:
    states = {"worker": "gone", "campaign": "running", "delivery": "sent", "attempt": "deferred", "subscriber": "confirmed"}
    if column.name == "state":
        return states.get(table.name, "used")
    if column.name in ("reason", "kind"):
        return "unsubscribed"
    if column.nullable and number % 3 == 0 and not column.foreign_keys:
        return None
    if isinstance(column.type, LargeBinary):
        return bytes([number, 0, 255, 39, 92]) * 3 + b"x"
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return _value(key.column.table, key.column, number)
    if column.type.python_type is str:
        keys = column.primary_key or column.unique or column.name in ("key", "slug")
        return f"{'aB-ÄZz_0~é!?'[number - 1]}{number}" if keys else WORDS[number % len(WORDS)]
    if column.type.python_type is bool:
        return number % 2 == 0
    if column.type.python_type is float:
        return number / 7
    return 2**40 + number if column.name.endswith("_at") else number


def contents(store: Store) -> dict[str, list[Any]]:
    with store.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table is not meta
        }


def new_file(folder: Path) -> str:
    return f"sqlite:///{folder / secrets.token_hex(4)}.db"


@pytest.fixture
def old_url(tmp_path: Path) -> str:
    return new_file(tmp_path)


@pytest.fixture
def old(old_url: str) -> Iterator[Store]:
    """A file with something in every table."""
    store = open_store(old_url)
    with store.write() as connection:
        fill(connection)
    yield store
    store.close()


@pytest.fixture
def server(postgresql_with_tables: str) -> Iterator[Store]:
    """An empty database on a server."""
    store = open_store(postgresql_with_tables)
    yield store
    store.close()


def silent(_name: str, _rows: int) -> None:
    """Whoever is told of each table."""


def test_from_a_file_to_a_server_and_back(old: Store, server: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_PORTION", 5)
    told: dict[str, int] = {}
    copy_database(old, server, told.__setitem__)
    assert contents(server) == contents(old)
    assert told == {table.name: 0 if table is meta else 12 for table in metadata.sorted_tables}
    back = open_store(new_file(tmp_path))
    copy_database(server, back, silent)
    assert contents(back) == contents(old)
    with back.read() as connection:
        assert connection.execute(select(meta)).all() == [("schema", "2")]
    back.close()


def test_ids_that_were_given_out_once_are_not_given_out_again(old: Store, server: Store, tmp_path: Path) -> None:
    # They stand in links: that of a person whose row is gone must not open the mail of another one.
    row = row_of(delivery, 12) | {"mark": b"new", "id": 40}
    with old.write() as connection:
        connection.execute(insert(delivery), row)
        connection.execute(delivery.delete().where(delivery.c.id == 40))
    del row["id"]
    copy_database(old, server, silent)
    back = open_store(new_file(tmp_path))
    copy_database(server, back, silent)
    for store in (server, back):
        with store.write() as connection:
            assert connection.scalar(insert(delivery).values(row).returning(delivery.c.id)) == 41
            taken = row_of(subscriber, 11) | {"mark": b"new"}
            del taken["id"]
            assert connection.scalar(insert(subscriber).values(taken).returning(subscriber.c.id)) == 13
    back.close()


def test_an_empty_database_is_copied_too(server: Store, tmp_path: Path) -> None:
    empty = open_store(new_file(tmp_path))
    copy_database(empty, server, silent)
    with server.write() as connection:
        assert set(count_rows(connection).values()) == {0, 1}  # meta has its one row
    empty.close()


@pytest.mark.parametrize("table", [suppression, lane])
def test_a_database_that_has_something_is_not_written_over(old: Store, server: Store, table: Table) -> None:
    with server.write() as connection:
        for needed in (t for t in metadata.sorted_tables if t in (metadata.tables["edition"], campaign) and table is lane):
            connection.execute(insert(needed), row_of(needed, 1))
        connection.execute(insert(table), row_of(table, 1))
    before = contents(server)
    with pytest.raises(InputError, match="the database to copy to is not empty: there are rows in"):
        copy_database(old, server, silent)
    assert contents(server) == before


def test_a_row_that_the_other_cannot_hold_is_named_without_its_values(old: Store, server: Store) -> None:
    with old.write() as connection:
        connection.execute(delivery.update().where(delivery.c.id == 7).values(address="secret\x00@example.org"))
    with pytest.raises(InputError, match=r"nothing was copied: a row of delivery from 1 to 12: .*NUL") as caught:
        copy_database(old, server, silent)
    assert "secret" not in str(caught.value)
    assert not any(contents(server).values())


def test_a_value_that_arrives_otherwise_is_found(old: Store, server: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write = copying._write

    def garble(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
        if table is delivery:
            rows[4] = tuple("p@example.net" if value == WORDS[5] else value for value in rows[4])
        write(connection, table, rows)

    monkeypatch.setattr(copying, "_write", garble)
    with pytest.raises(InputError, match="nothing was copied: delivery 5 is not the same in the copy"):
        copy_database(old, server, silent)
    assert not any(contents(server).values())


@pytest.mark.parametrize("change", [lambda rows: rows[:-1], lambda rows: [*rows, rows[-1]]], ids=["lost", "doubled"])
def test_a_row_that_is_lost_or_doubled_is_found(
    old: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Any]], list[Any]]
) -> None:
    new = new_file(tmp_path)
    target = open_store(new)
    read = copying._read

    def other(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
        rows = list(read(connection, table))
        return iter(
            change(rows) if connection.engine.url.database == new.removeprefix("sqlite:///") and table is suppression else rows
        )

    monkeypatch.setattr(copying, "_read", other)
    with pytest.raises(InputError, match=r"suppression .* is not the same"):
        copy_database(old, target, silent)
    assert not any(contents(target).values())
    target.close()


def test_a_copy_that_is_killed_leaves_nothing(old: Store, old_url: str, server: Store, postgresql_with_tables: str) -> None:
    script = (
        "import os, signal, sys\nfrom newsletter.store import open_store\nfrom newsletter.store.copying import copy_database\n"
        "def kill(name, rows):\n    if name == 'delivery': os.kill(os.getpid(), signal.SIGKILL)\n"
        f"copy_database(open_store({old_url!r}), open_store({postgresql_with_tables!r}), kill)"
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    with server.rebuild():  # waits until the server has seen that the process is gone
        pass
    assert not any(contents(server).values())
    copy_database(old, server, silent)
    assert contents(server) == contents(old)


def test_nobody_writes_into_either_meanwhile(old: Store, old_url: str, server: Store, tmp_path: Path) -> None:
    # An unsubscription that came between would not be in the copy.
    locks = "SELECT mode FROM pg_locks WHERE relation = 'suppression'::regclass AND mode LIKE 'AccessEx%%' OR mode = 'ShareLock'"
    raw = sqlite3.connect(old_url.removeprefix("sqlite:///"), timeout=0)
    seen: list[Any] = []

    def try_it(name: str, _rows: int) -> None:
        if name == "delivery":
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                raw.execute("DELETE FROM suppression")
            with server.read() as connection:
                seen.append(connection.exec_driver_sql(locks).scalar())

    def look(name: str, _rows: int) -> None:
        if name == "delivery":
            with server.read() as connection:
                seen.append(connection.exec_driver_sql(locks).scalar())

    copy_database(old, server, try_it)
    raw.close()
    back = open_store(new_file(tmp_path))
    copy_database(server, back, look)
    back.close()
    assert seen == ["AccessExclusiveLock", "ShareLock"]


def test_texts_are_compared_by_their_bytes_whatever_the_server_sorts_by(old: Store, server: Store) -> None:
    with server.write() as connection:
        if not connection.scalar(select(literal_column("1 FROM pg_collation WHERE collname = 'und-x-icu'"))):
            pytest.skip("this PostgreSQL was built without ICU")
        for column in ("edition.hash", "picture.name", "wording.hash", "lane.lane"):
            table, name = column.split(".")
            connection.exec_driver_sql(f'ALTER TABLE {table} ALTER {name} TYPE varchar COLLATE "und-x-icu"')
    copy_database(old, server, silent)
    assert contents(server) == contents(old)


def test_what_is_missing_is_found(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        fill(connection)
        connection.execute(campaign.update().values(candidates=1, duplicates=0, refused=0))
        assert find_faults(connection) == []
        connection.execute(campaign.update().where(campaign.c.id == 3).values(candidates=1200, duplicates=100, refused=1))
        (fault,) = find_faults(connection)
        assert fault.startswith("campaign -3, number 3, has an audience of 1,099, but 1 deliveries")
    with store.rebuild() as connection:
        connection.execute(campaign.update().values(candidates=1, duplicates=0, refused=0))
    with store.read() as connection:
        assert count_rows(connection)["delivery"] == 12
    raw = sqlite3.connect(tmp_path / "newsletter.db")
    raw.execute("DELETE FROM edition WHERE hash LIKE '%7'")
    raw.commit()
    raw.close()
    with store.read() as connection:
        assert find_faults(connection) == ["1 rows point to rows that are not there, the first in campaign"]
