"""A URL becomes an open database: durable, its owner's alone, and one ``send`` at a time."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from newsletter.problem import InputError
from newsletter.store import Store, open_store, send_lock, suppress
from newsletter.store.engine import insert_rows
from newsletter.store.tables import delivery, meta, suppression


def test_the_database_is_durable_and_checks_itself(store: Store) -> None:
    with store.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    row = {"campaign_id": 7, "address_key": "a", "address": "a", "mark": b"m", "line": 1, "state": "pending", "updated_at": 0}
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(delivery.insert(), row)


def test_files_belong_to_their_owner_alone(store: Store, tmp_path: Path) -> None:
    suppress(store, b"m" * 16, reason="unsubscribed")  # so that there is a -wal file, too
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes["newsletter.db-wal"] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_second_opening_finds_what_the_first_stored(url: str) -> None:
    first = open_store(url)
    suppress(first, b"m" * 16, reason="unsubscribed")
    first.close()
    second = open_store(url)
    with second.read() as connection:
        assert connection.scalar(select(func.count()).select_from(suppression)) == 1
        assert connection.execute(select(meta)).all() == [("schema", "2")]
    second.close()


def test_an_exception_undoes_the_transaction(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            connection.execute(suppression.insert(), {"mark": b"m", "reason": "erased", "created_at": 0})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as connection:
        assert connection.execute(select(suppression)).all() == []


SAME: dict[str, int | str] = {"campaign_id": 7, "state": "pending", "updated_at": 0}


def many(marks: list[bytes | None]) -> dict[str, list[object]]:
    return {"mark": [*marks], "address_key": ["a"] * len(marks), "address": ["a"] * len(marks), "line": [1] * len(marks)}


def test_many_rows_go_in_once_each_and_are_counted(store: Store) -> None:
    with store.fill() as connection:
        assert insert_rows(connection, delivery, many([b"1", b"2", b"1"]), SAME) == 2
        assert insert_rows(connection, delivery, many([b"3", b"2"]), SAME) == 1
        marks = connection.scalars(select(delivery.c.mark).order_by(delivery.c.id)).all()
    assert marks == [b"1", b"2", b"3"]


def test_many_rows_with_a_wrong_one_leave_nothing(store: Store) -> None:
    with pytest.raises(IntegrityError), store.fill() as connection:
        insert_rows(connection, delivery, many([b"1", None]), SAME)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(delivery)) == 0


def test_a_connection_that_filled_the_database_is_nobody_elses(store: Store) -> None:
    def own() -> list[int]:
        with store.write() as connection:
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("foreign_keys", "cache_size")]

    before = own()
    with store.fill() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 0
    assert [own(), own()] == [before, before]


def test_writers_wait_for_each_other_and_readers_for_nobody(store: Store) -> None:
    # Each writer reads first and writes then: with a deferred BEGIN, SQLite refuses one of two such writers.
    def write(start: int) -> None:
        for number in range(start, start + 20):
            with store.write() as connection:
                count = connection.scalar(select(func.count()).select_from(meta))
                connection.execute(meta.insert(), {"key": str(number), "value": str(count)})

    threads = [threading.Thread(target=write, args=(1000 * number,)) for number in range(3)]
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(meta)) == 1
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert connection.scalar(select(func.count()).select_from(meta)) == 1  # one consistent state
    with store.read() as connection:
        values = connection.scalars(select(meta.c.value).where(meta.c.key != "schema")).all()
    assert sorted(map(int, values)) == list(range(1, 61))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+asyncpg://me:geheim@db/x", r"postgresql\+asyncpg is not supported"),
        ("postgresql://me:geheim@db:x/x", "is no database address"),
        ("mysql://me:geheim@db/x", "mysql is not supported"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite://", "must name a file"),
        ("newsletter.db", "is no database address"),
    ],
)
def test_other_databases_are_refused_without_their_password(url: str, words: str) -> None:
    for use in (open_store, lambda url: send_lock(url).__enter__()):
        with pytest.raises(InputError, match=words) as caught:
            use(url)
        assert "geheim" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere/x\.db: cannot be opened as the database: No such file"):
        open_store(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear all, this is a letter and not a database at all.\n" * 30)
    with pytest.raises(InputError, match="file is not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_text().startswith("Dear all")


def test_one_send_at_a_time(url: str) -> None:
    words = rf"another newsletter send is at work with this database \(process {os.getpid()}\)"
    with send_lock(url), pytest.raises(InputError, match=words):
        send_lock(url).__enter__()
    with send_lock(url):
        pass


def test_a_full_disk_is_told_by_the_lock(url: str) -> None:
    words = "import resource, sys\nfrom newsletter.store import send_lock\nfrom newsletter.problem import InputError\n"
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    script = f"{words}{full}try:\n    send_lock({url!r}).__enter__()\nexcept InputError as error:\n    sys.exit(str(error))\n"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stderr == f"{url.removeprefix('sqlite:///')}.send-lock: cannot be written: File too large\n"


def test_a_link_leads_to_one_file_with_one_lock_and_one_log(url: str, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "current.db"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "newsletter.db")
    with send_lock(url), pytest.raises(InputError, match="another newsletter send is at work"):
        send_lock(f"sqlite:///{link}").__enter__()
    store = open_store(f"sqlite:///{link}")
    with store.hasty_writer() as hasty:
        assert hasty is not None
        assert hasty.log.exists()
    store.close()


def test_the_kernel_frees_the_lock_of_a_killed_process(url: str) -> None:
    script = f"from newsletter.store import send_lock\nwith send_lock({url!r}):\n    print('held', flush=True)\n    input()\n"
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"process {holder.pid}"):
        send_lock(url).__enter__()
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with send_lock(url):
        pass
