"""A database on a real PostgreSQL: its clock decides, each transaction limits itself, and one ``send`` runs at a time."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, make_url, select
from sqlalchemy.exc import DBAPIError

from newsletter.problem import InputError
from newsletter.store import Store, list_suppressions, open_store, schema, send_lock, suppress
from newsletter.store.clock import SECOND
from newsletter.store.engine import open_bare, upgrade_tables
from newsletter.store.faults import fault_of
from newsletter.store.schema import make_tables, stored_revision, upgrade
from newsletter.store.tables import REVISIONS, STORAGE, delivery, meta, metadata, revision, suppression
from tests.real.pgbouncer import running_pgbouncer


@pytest.fixture
def store(postgresql_url: str) -> Iterator[Store]:
    """The tables are there, as after ``newsletter db upgrade``."""
    bare = open_bare(postgresql_url)
    make_tables(bare)
    bare.close()
    store = open_store(postgresql_url)
    yield store
    store.close()


def test_a_database_without_tables_is_refused_and_stays_empty(postgresql_url: str) -> None:
    with pytest.raises(InputError, match="has no tables yet; newsletter db upgrade makes them"):
        open_store(postgresql_url)
    bare = open_bare(postgresql_url)
    with bare.read() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").scalar()
    bare.close()
    assert found == 0


@pytest.mark.parametrize(
    ("form", "words"),
    [(REVISIONS[-2], "then run newsletter db upgrade"), ("0999", "use the newsletter that made it, or a newer one")],
)
def test_a_database_of_another_program_is_refused(store: Store, postgresql_url: str, form: str, words: str) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{form}'")
    with pytest.raises(
        InputError, match=f"the database has form {form}, this program works with form {REVISIONS[-1]}; .*{words}"
    ):
        open_store(postgresql_url)


def test_the_servers_clock_decides(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    with store.write() as connection:
        before = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp()) * 1000000").scalar_one()
        now, carried = store.now(connection), store.clock()
        after = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp()) * 1000000").scalar_one()
    assert before <= now <= after
    assert abs(carried - now) < SECOND  # this machine's own clock says 1970
    with store.write() as connection:  # not the beginning of the transaction
        first = store.now(connection)
        assert store.now(connection) > first


def test_a_clock_of_ones_own_is_taken(postgresql_url: str, store: Store) -> None:
    other = open_store(postgresql_url, lambda: 7)
    with other.read() as connection:
        assert (other.clock(), other.now(connection)) == (7, 7)
    other.close()


def test_a_reader_sees_one_state_and_writes_nothing(store: Store) -> None:
    with store.read() as connection:
        assert connection.scalar(meta.select().with_only_columns(meta.c.value)) is not None
        suppress(store, b"m" * 16, reason="unsubscribed")
        assert connection.exec_driver_sql("SELECT count(*) FROM suppression").scalar() == 0
        with pytest.raises(DBAPIError, match="read-only transaction"):
            connection.exec_driver_sql("DELETE FROM suppression")
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM suppression").scalar() == 1


def test_a_writer_that_stands_still_is_cut_off(postgresql_url: str, store: Store) -> None:
    # ledger.md §5, fault 1: a frozen worker keeps its rows locked.
    quick = open_store(postgresql_url, lease=300_000)

    def freeze() -> None:
        with quick.write() as connection:
            connection.exec_driver_sql("UPDATE meta SET value = value")
            with store.write() as other:  # waits until the server has cut the first one off
                other.exec_driver_sql("UPDATE meta SET value = value")
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(DBAPIError) as caught:
        freeze()
    assert "idle-in-transaction timeout" in fault_of(caught.value)
    with quick.writer() as write, write() as connection:  # the pool's next connection is a good one
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    quick.close()


def test_a_writer_goes_on_after_its_line_was_cut(store: Store) -> None:
    with store.writer() as write:
        with write() as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with store.read() as connection:
            connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(DBAPIError), write() as connection:
            connection.exec_driver_sql("SELECT 1")
        with write() as connection:
            assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != pid


@pytest.mark.parametrize(("asked", "found"), [("off", "on"), ("remote_apply", "remote_apply")])
def test_a_commit_is_on_disk_whatever_the_server_says(postgresql_url: str, store: Store, asked: str, found: str) -> None:
    lax = open_store(f"{postgresql_url}%20-csynchronous_commit%3D{asked}")
    with lax.read() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == asked
    with lax.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == found
    lax.close()


def test_the_migrations_make_what_the_tables_say(postgresql_url: str, store: Store) -> None:
    kept = "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'delivery'::regclass"
    with store.read() as connection:
        fresh = connection.exec_driver_sql(kept).scalar_one()
    with store.rebuild() as connection:
        metadata.drop_all(connection)
        revision.drop(connection)
        upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql(kept).scalar_one() == fresh == STORAGE.replace(" = ", "=")
    open_store(postgresql_url).close()


def test_an_upgrade_that_breaks_off_leaves_the_old_tables(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = open_bare(postgresql_url)
    with bare.rebuild() as connection:
        upgrade(connection, REVISIONS[0])
    bare.close()

    def half(connection: Connection) -> None:
        upgrade(connection, REVISIONS[1])
        raise ZeroDivisionError

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):  # noqa: PT012 - the patch ends with it
        patch.setattr(schema, "upgrade", half)
        upgrade_tables(postgresql_url)
    bare = open_bare(postgresql_url)
    with bare.read() as connection:
        assert stored_revision(connection) == REVISIONS[0]
        assert connection.exec_driver_sql("SELECT to_regclass('lane')").scalar() is None
    bare.close()
    assert upgrade_tables(postgresql_url) == REVISIONS[0]
    open_store(postgresql_url).close()


def test_several_hosts_may_make_the_tables_at_once(postgresql_url: str) -> None:
    script = f"from newsletter.store.engine import upgrade_tables\nprint(upgrade_tables({postgresql_url!r}))"
    others = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sorted(other.communicate()[0].strip() for other in others) == [REVISIONS[-1], REVISIONS[-1], "None"]


def test_a_step_that_gave_way_to_another_writer_is_done_anew(postgresql_url: str, store: Store) -> None:
    # The other one holds a row of this step and waits for another row of it: the server undoes this step, which finds out first.
    soon = open_store(f"{postgresql_url}%20-cdeadlock_timeout%3D1s")
    rows = [{"mark": bytes([number]), "reason": "erased", "created_at": 0} for number in (1, 2)]
    with store.write() as connection:
        connection.execute(suppression.insert(), rows)
    touch = "UPDATE suppression SET created_at = created_at + 1 WHERE mark = '\\x0{}'"
    tries: list[int] = []

    def step(connection: Connection) -> int:
        tries.append(1)
        connection.exec_driver_sql(touch.format(1))
        ready.set()
        assert held.wait(30)
        connection.exec_driver_sql(touch.format(2))
        return 7

    ready, held = threading.Event(), threading.Event()

    def other() -> None:
        with store.write() as connection:
            connection.exec_driver_sql("SET LOCAL deadlock_timeout = '60s'")
            connection.exec_driver_sql(touch.format(2))
            assert ready.wait(30)
            held.set()
            connection.exec_driver_sql(touch.format(1))

    thread = threading.Thread(target=other)
    thread.start()
    assert soon.change(step) == 7
    thread.join()
    soon.close()
    assert len(tries) > 1
    with store.read() as connection:
        assert connection.scalars(select(suppression.c.created_at)).all() == [2, 2]


def test_a_step_that_is_wrong_is_not_tried_again(store: Store) -> None:
    tries: list[int] = []

    def step(connection: Connection) -> None:
        tries.append(1)
        connection.exec_driver_sql("SELECT nothing")

    with pytest.raises(DBAPIError, match="nothing"):
        store.change(step)
    assert len(tries) == 1


def test_what_the_database_says_names_no_recipient(store: Store) -> None:
    row = {"campaign_id": 7, "address_key": "ada@example.org", "address": "ada@example.org", "mark": b"m", "line": 1}
    with pytest.raises(DBAPIError) as caught, store.write() as connection:
        connection.execute(delivery.insert(), row | {"state": "eaten", "updated_at": 0})
    assert "ada@example.org" in str(caught.value.orig)  # so the database does say it
    assert fault_of(caught.value) == 'new row for relation "delivery" violates check constraint "ck_delivery_state"'


@pytest.mark.parametrize(
    ("host", "words"),
    [("127.0.0.1:1", "me@127.0.0.1:1/x cannot be used: .*refused"), ("nowhere.invalid", "me@nowhere.invalid/x cannot be used: ")],
)
def test_a_server_that_is_not_there_is_named_without_its_password(host: str, words: str) -> None:
    pytest.importorskip("psycopg")
    for use in (open_store, lambda url: send_lock(url).__enter__()):
        with pytest.raises(InputError, match=words) as caught:
            use(f"postgresql://me:geheim@{host}/x")
        assert "geheim" not in str(caught.value)


def test_a_missing_driver_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for use in (open_store, lambda url: send_lock(url).__enter__()):
        with pytest.raises(InputError, match=r"not installed; pip install 'newsletter\[postgres\]'$"):
            use("postgresql://me:geheim@db/x")


def test_one_send_at_a_time_on_all_hosts(postgresql_url: str) -> None:
    words = rf"another newsletter send is at work with this database \(newsletter {os.getpid()}@\S+\); wait until it has ended"
    with send_lock(postgresql_url), pytest.raises(InputError, match=words):
        send_lock(postgresql_url).__enter__()
    with send_lock(postgresql_url):
        pass


def test_two_publications_in_one_database_do_not_wait_for_each_other(postgresql_url: str) -> None:
    other = make_url(postgresql_url).update_query_dict({"options": "-csearch_path=public"}).render_as_string(hide_password=False)
    with send_lock(postgresql_url), send_lock(other):
        pass


def test_the_lock_holds_no_vacuum_up_and_is_not_cut_off(postgresql_url: str) -> None:
    bare = open_bare(postgresql_url)
    with send_lock(postgresql_url), bare.read() as connection:
        held = connection.exec_driver_sql(
            "SELECT backend_xmin, backend_xid FROM pg_stat_activity JOIN pg_locks USING (pid) "
            "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        ).all()
    bare.close()
    assert held == [(None, None)]


def test_the_server_frees_the_lock_of_a_killed_process(postgresql_url: str) -> None:
    script = (
        f"from newsletter.store import send_lock\nwith send_lock({postgresql_url!r}):\n    print('held', flush=True)\n    input()"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"newsletter {holder.pid}@"):
        send_lock(postgresql_url).__enter__()
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    deadline = time.monotonic() + 30
    while True:
        try:
            with send_lock(postgresql_url):
                return
        except InputError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def pooled(postgresql_url: str, store: Store) -> Iterator[str]:
    """The same database by way of a PgBouncer that pools by transactions."""
    try:
        with running_pgbouncer(postgresql_url) as url:
            yield url
    except FileNotFoundError:
        pytest.skip("PgBouncer is not installed: apt-get install pgbouncer")


def test_behind_a_pool_each_transaction_still_has_its_limits(pooled: str) -> None:
    store = open_store(pooled)

    def work(number: int) -> None:
        for turn in range(12):  # psycopg would prepare at the sixth time
            suppress(store, bytes([number, turn]) * 8, reason="erased")
            with store.write() as connection:
                limits.add(connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one())
            with store.read() as connection:
                limits.add(connection.exec_driver_sql("SHOW transaction_read_only").scalar_one())

    limits: set[str] = set()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert limits == {"10s", "on"}
    assert len(list(list_suppressions(store))) == 60
    store.close()


def test_behind_a_pool_one_send_runs_at_a_time(pooled: str) -> None:
    store = open_store(pooled)
    with send_lock(pooled):
        for _ in range(6):  # a lock of the session would be taken by whoever gets the same session
            with store.write(), pytest.raises(InputError, match="another newsletter send is at work"):
                send_lock(pooled).__enter__()
    with send_lock(pooled):
        pass
    store.close()
