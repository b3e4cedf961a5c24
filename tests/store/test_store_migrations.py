"""A database of any older program becomes one of this program, all of it or nothing; one of a newer program is left alone."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, func, select, text

import newsletter.store.engine as engine_module
from newsletter.problem import InputError
from newsletter.store import Store, delivery_of, find_campaign, open_store, schema
from newsletter.store.tables import REVISIONS, campaign, delivery, metadata, revision

MIGRATIONS = Path(schema.__file__).parent / "migrations"


@pytest.fixture
def bare(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Store]:
    """Opens the database and leaves its tables as they are."""

    def open_bare() -> Store:
        with monkeypatch.context() as patch:
            patch.setattr(engine_module, "make_tables", lambda _store: None)
            return open_store(url)

    return open_bare


@pytest.fixture
def old(bare: Callable[[], Store]) -> Callable[[str | None], None]:
    """Makes a database as a program of that revision did, None for the one before the migrations, with a campaign in it."""

    def make(name: str | None) -> None:
        store = bare()
        with store.rebuild() as connection:
            schema.upgrade(connection, name or REVISIONS[0])
            if name is None:
                revision.drop(connection)
            connection.execute(text("INSERT INTO edition (hash, slug, body, created_at) VALUES ('e', 's', '{}', 1)"))
            connection.execute(text("INSERT INTO worker (host, pid, version, state, started_at) VALUES ('h', 1, '1', 'gone', 1)"))
            connection.execute(
                text(
                    "INSERT INTO campaign (id, key, slug, number, edition_hash, state, list_name, candidates, duplicates, "
                    "refused, created_at) VALUES (7, 'k', '2024-12', 1, 'e', 'running', 'l.csv', 3, 0, 0, 1)"
                )
            )
            for number, state in enumerate(("sent", "deferred", "pending", "pending"), 1):
                connection.execute(
                    text(
                        "INSERT INTO delivery (campaign_id, address_key, address, mark, line, state, attempts, updated_at, "
                        "worker_id) VALUES (7, :key, :key, :mark, :line, :state, :attempts, 5, 1)"
                    ),
                    {
                        "key": f"p{number}@x.org",
                        "mark": f"{number}".encode() * 16,
                        "line": number,
                        "state": state,
                        "attempts": int(number < 3),
                    },
                )
            connection.execute(text("DELETE FROM delivery WHERE id = 4"))  # its id must stay used
        store.close()

    return make


def ddl(store: Store) -> dict[str, list[str]]:
    """What the tables and indexes are made of, whatever the order."""
    with store.read() as connection:
        made = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    parts = re.compile(r", (?=CONSTRAINT|[a-z_]+ [A-Z])")
    return {name: sorted(part.strip(" )") for part in parts.split(" ".join(sql.replace('"', "").split()))) for name, sql in made}


@pytest.mark.parametrize("name", [None, *REVISIONS])
def test_a_database_of_every_older_program_is_taken_over(
    name: str | None, url: str, old: Callable[[str | None], None], tmp_path: Path
) -> None:
    old(name)
    store = open_store(url)
    fresh = open_store(f"sqlite:///{tmp_path / 'fresh.db'}")
    found, wanted = ddl(store), ddl(fresh)
    fresh.close()
    assert found == wanted
    with store.read() as connection:
        assert schema.stored_revision(connection) == REVISIONS[-1]
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        rows = connection.execute(select(delivery).order_by(delivery.c.id)).all()
        assert [(row.id, row.address, row.state, row.lane) for row in rows] == [
            (1, "p1@x.org", "sent", "*"),
            (2, "p2@x.org", "deferred", "*"),
            (3, "p3@x.org", "pending", "*"),
        ]
        if name in (None, REVISIONS[0]):
            assert [row.first_tried_at for row in rows] == [5, 5, None]
            assert connection.exec_driver_sql("SELECT campaign_id, lane FROM lane").all() == [(7, "*")]
    made = find_campaign(store, "2024-12")
    assert made is not None
    assert (made.id, made.state, made.start_at) == (7, "running", None)
    assert delivery_of(store, 7, 1) is not None
    with store.write() as connection:
        row = {
            "campaign_id": 7,
            "address_key": "n",
            "address": "n",
            "mark": b"n" * 16,
            "line": 9,
            "state": "sent",
            "updated_at": 1,
        }
        assert connection.execute(delivery.insert().returning(delivery.c.id), row).scalar() == 5
    store.close()


def test_the_migrations_make_what_the_tables_say(bare: Callable[[], Store]) -> None:
    store = bare()
    with store.rebuild() as connection:
        schema.upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    store.close()


def test_every_migration_is_known_and_in_its_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))


@pytest.mark.parametrize(
    "change", ["UPDATE alembic_version SET version_num = '0999'", "DROP TABLE alembic_version", "DELETE FROM alembic_version"]
)
def test_a_database_of_a_newer_or_unknown_program_is_refused(url: str, tmp_path: Path, change: str) -> None:
    open_store(url).close()
    with sqlite3.connect(tmp_path / "newsletter.db") as raw:
        raw.execute(change)
    raw.close()
    before = (tmp_path / "newsletter.db").read_bytes()
    with pytest.raises(InputError, match=rf"the database has form \S+, this program works with form {REVISIONS[-1]}; use the"):
        open_store(url)
    assert (tmp_path / "newsletter.db").read_bytes() == before


def test_newsletter_0_1_refuses_a_database_of_this_program(url: str, tmp_path: Path) -> None:
    open_store(url).close()
    with sqlite3.connect(tmp_path / "newsletter.db") as raw:
        assert raw.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() != ("1",)
    raw.close()


def test_alembic_is_not_imported_where_there_is_nothing_to_do(url: str) -> None:
    script = f"import sys; from newsletter.store import open_store; open_store({url!r}).close(); print('alembic' in sys.modules)"
    for _ in ("new", "there already"):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout == "False\n"


class Interrupted(Exception):
    """The upgrade ends here."""


def statements_of_an_upgrade(url: str, stop_at: int | None, kill: bool = False) -> int:
    """Upgrade; at that statement raise, or kill the process. Gives how many statements there were."""
    count = 0

    def before(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, _context: Any, _many: bool) -> None:
        nonlocal count
        count += 1
        if count == stop_at:
            if kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise Interrupted

    from sqlalchemy.engine import Engine

    event.listen(Engine, "before_cursor_execute", before)
    try:
        open_store(url).close()
    except Interrupted:
        pass
    finally:
        event.remove(Engine, "before_cursor_execute", before)
    return count


def test_an_upgrade_that_is_interrupted_leaves_the_old_database(
    url: str, old: Callable[[str | None], None], bare: Callable[[], Store], tmp_path: Path
) -> None:
    old(None)
    file = tmp_path / "newsletter.db"
    original = file.read_bytes()
    store = bare()
    before = ddl(store)
    store.close()
    total = statements_of_an_upgrade(url, None)
    assert total > 40
    for number in range(2, total + 1, 5):
        file.write_bytes(original)
        statements_of_an_upgrade(url, number)
        store = bare()
        assert ddl(store) == before, number
        with store.read() as connection:
            assert schema.stored_revision(connection) == "0001"
            assert connection.scalar(select(func.count()).select_from(delivery)) == 3
        store.close()
    open_store(url).close()


def test_an_upgrade_that_is_killed_leaves_the_old_database(
    url: str, old: Callable[[str | None], None], bare: Callable[[], Store]
) -> None:
    old(None)
    store = bare()
    before = ddl(store)
    store.close()
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"from test_store_migrations import statements_of_an_upgrade\nstatements_of_an_upgrade({url!r}, 40, kill=True)"
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    store = bare()
    assert ddl(store) == before
    store.close()
    open_store(url).close()


def test_several_processes_may_open_an_old_database_at_once(url: str, old: Callable[[str | None], None]) -> None:
    old(None)
    failed: list[BaseException] = []

    def use() -> None:
        try:
            store = open_store(url)
            with store.read() as connection:
                assert connection.scalar(select(func.count()).select_from(campaign)) == 1
            store.close()
        except BaseException as error:  # what a thread raises is lost otherwise
            failed.append(error)

    script = f"from newsletter.store import open_store; open_store({url!r}).close()"
    others = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    assert failed == []


def test_a_rebuild_that_cuts_rows_off_is_undone(store: Store) -> None:
    from sqlalchemy.exc import IntegrityError

    row = {"campaign_id": 7, "address_key": "a", "address": "a", "mark": b"m", "line": 1, "state": "pending", "updated_at": 0}
    with pytest.raises(IntegrityError, match="1 rows of delivery are cut off"), store.rebuild() as connection:
        connection.execute(delivery.insert(), row)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(delivery)) == 0
