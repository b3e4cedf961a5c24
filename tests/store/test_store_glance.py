"""One row by a kept connection: the same as in a transaction, always of the last commit, and never waited for."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select, update

from newsletter.store import Store, Unready, glance
from newsletter.store.glance import Glances
from newsletter.store.prepared import Prepared
from newsletter.store.tables import worker
from tests.real.postgresql import both

VERSION = Prepared(select(worker.c.id, worker.c.version).where(worker.c.id == bindparam("which")))
ONE = "SELECT id, name FROM people WHERE id = ?"


def insert(store: Store, number: int) -> None:
    row = {"id": number, "host": "h", "pid": 1, "version": f"v{number}", "state": "alive", "started_at": 5}
    with store.write() as connection:
        connection.execute(worker.insert(), [row])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database without a log, in which a writer shuts readers out; its name has what means something in an address."""
    file = tmp_path / "a ?#%41.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, ?)", [(one, f"n{one}") for one in range(100)])
        connection.commit()
    return file


@pytest.fixture
def glances(file: Path) -> Iterator[Glances]:
    glances = Glances(file)
    yield glances
    glances.close()


@both
def test_a_file_tells_at_once_what_was_committed_last_and_a_server_never(store: Store) -> None:
    insert(store, 1)
    if store.dialect == "postgresql":
        with pytest.raises(Unready):
            store.glance(VERSION, {"which": 1})
        return
    assert store.glance(VERSION, {"which": 1}) == (1, "v1")
    assert store.glance(VERSION, {"which": 2}) is None
    insert(store, 2)
    assert store.glance(VERSION, {"which": 2}) == (2, "v2")
    with store.write() as connection:
        connection.execute(worker.delete())
        assert store.glance(VERSION, {"which": 2}) == (2, "v2")
    assert store.glance(VERSION, {"which": 2}) is None


def test_it_holds_nothing_up_and_changes_nothing(store: Store) -> None:
    insert(store, 1)
    assert store.glance(VERSION, {"which": 1}) == (1, "v1")
    with store.read() as connection:
        file = connection.engine.url.database
    assert file is not None
    with closing(sqlite3.connect(file, timeout=0)) as other:
        busy, *_pages = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0
    change = Prepared(update(worker).values(version="changed").returning(worker.c.id))
    with pytest.raises(Unready) as refused:
        store.glance(change, {})
    assert "readonly" in str(refused.value.__cause__)
    assert store.glance(VERSION, {"which": 1}) == (1, "v1")


def test_a_closed_store_is_closed_for_looks(store: Store) -> None:
    insert(store, 1)
    store.glance(VERSION, {"which": 1})
    store.close()
    with pytest.raises(Unready):
        store.glance(VERSION, {"which": 1})


def test_the_connection_is_kept(glances: Glances, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []

    def connect(path: Path) -> sqlite3.Connection:
        opened.append(path)
        return sqlite3.connect(path)

    monkeypatch.setattr(glance, "_connect", connect)
    assert [glances.row(ONE, (one,)) for one in (3, 4, 5)] == [(3, "n3"), (4, "n4"), (5, "n5")]
    assert len(opened) == 1


def test_what_is_locked_is_not_waited_for_and_there_again_afterwards(glances: Glances, file: Path) -> None:
    assert glances.row(ONE, (1,)) == (1, "n1")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        for _ in range(3):
            with pytest.raises(Unready):
                glances.row(ONE, (1,))
        writer.execute("UPDATE people SET name = 'new'")
        writer.execute("COMMIT")
    assert glances.row(ONE, (1,)) == (1, "new")


def test_a_connection_that_fails_is_not_kept(glances: Glances) -> None:
    glances.row(ONE, (1,))
    glances._free[0].close()
    with pytest.raises(Unready):
        glances.row(ONE, (1,))
    assert glances.row(ONE, (1,)) == (1, "n1")
    with pytest.raises(OverflowError):  # no fault of the database's, so none that a transaction would not have
        glances.row(ONE, (2**64,))
    assert glances._free == []


def test_where_there_is_no_file_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(Unready):
        Glances(tmp_path / "none.db").row(ONE, (1,))
    assert list(tmp_path.iterdir()) == []


def test_many_threads_get_each_its_own_row_until_it_is_closed(glances: Glances, file: Path) -> None:
    wrong: list[object] = []
    seen: set[int] = set()
    ended: list[int] = []

    def ask(number: int) -> None:
        try:
            while True:
                row = glances.row(ONE, (number,))
                seen.add(number)
                if row != (number, f"n{number}"):
                    wrong.append(row)
        except Unready:
            ended.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    while len(seen) < len(threads):
        threading.Event().wait(0.01)
    glances.close()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == list(range(12))
    assert wrong == []
    assert glances._free == []
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")  # nobody reads any more
