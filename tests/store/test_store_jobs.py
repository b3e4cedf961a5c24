"""Procrastinate's tables: made once, brought up to date file by file, and left alone where they are somebody else's."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import resources

import pytest

from newsletter.problem import InputError
from newsletter.store import Store
from newsletter.store import jobs as jobs_module
from newsletter.store.engine import open_bare
from newsletter.store.jobs import demand_jobs, upgrade_jobs
from newsletter.store.schema import make_tables

FILES = sorted(
    file.name for file in resources.files("procrastinate.sql").joinpath("migrations").iterdir() if file.name.endswith(".sql")
)


@pytest.fixture
def store(postgresql_url: str) -> Iterator[Store]:
    store = open_bare(postgresql_url)
    make_tables(store)
    yield store
    store.close()


def shape(store: Store) -> list[tuple[str, ...]]:
    """All that Procrastinate has made: columns, indexes, functions, the words of its types."""
    with store.read() as connection:
        return [
            tuple(map(str, row))
            for question in (
                "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()",
                "SELECT 'index', indexname, '' FROM pg_indexes WHERE schemaname = current_schema()",
                "SELECT 'function', oid::regprocedure::text, '' FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
                "SELECT 'word', typname::text, enumlabel::text FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid "
                "WHERE typnamespace = current_schema()::regnamespace",
            )
            for row in sorted(map(tuple, connection.exec_driver_sql(question)), key=str)
        ]


def forget(store: Store, last: str) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE meta SET value = '{last}' WHERE key = 'procrastinate'")


def test_they_are_made_once(store: Store) -> None:
    with store.read() as connection, pytest.raises(InputError, match="newsletter db upgrade makes them"):
        demand_jobs(connection)
    assert upgrade_jobs(store) == FILES[-1]
    made = shape(store)
    assert any(row[0] == "procrastinate_jobs" for row in made)
    assert upgrade_jobs(store) == FILES[-1]
    assert shape(store) == made
    with store.read() as connection:
        demand_jobs(connection)


def test_older_ones_are_brought_up_to_date_file_by_file(store: Store) -> None:
    # Made by the files up to 3.0, the rest is what upgrade_jobs has to find.
    until = next(number for number, name in enumerate(FILES) if name.startswith("03.01"))
    for name in FILES[:until]:
        with store.rebuild() as connection:
            jobs_module._run(connection, f"migrations/{name}")
    with store.write() as connection:
        jobs_module._note(connection, FILES[until - 1])
    with store.read() as connection, pytest.raises(InputError, match="older Procrastinate; newsletter db upgrade"):
        demand_jobs(connection)
    assert upgrade_jobs(store) == FILES[-1]
    upgraded = shape(store)
    with store.read() as connection:
        demand_jobs(connection)
    assert {row for row in upgraded if row[0] == "word"} >= {("word", "procrastinate_job_status", "aborted")}


def test_an_interrupted_upgrade_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    until = next(number for number, name in enumerate(FILES) if name.startswith("03.01"))
    for name in FILES[:until]:
        with store.rebuild() as connection:
            jobs_module._run(connection, f"migrations/{name}")
    with store.write() as connection:
        jobs_module._note(connection, FILES[until - 1])
    run, count = jobs_module._run, 0

    def break_off(connection: object, file: str) -> None:
        nonlocal count
        count += 1
        run(connection, file)  # type: ignore[arg-type]
        if count == 2:
            raise ZeroDivisionError

    monkeypatch.setattr(jobs_module, "_run", break_off)
    with pytest.raises(ZeroDivisionError):
        upgrade_jobs(store)
    monkeypatch.setattr(jobs_module, "_run", run)
    with store.read() as connection:
        assert jobs_module._last(connection) == FILES[until]
    assert upgrade_jobs(store) == FILES[-1]


def test_several_hosts_may_do_it_at_once(store: Store, postgresql_url: str) -> None:
    script = (
        "from newsletter.store.engine import open_bare\nfrom newsletter.store.jobs import upgrade_jobs\n"
        f"store = open_bare({postgresql_url!r})\nprint(upgrade_jobs(store))\nstore.close()"
    )
    others = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [other.communicate()[0].strip() for other in others] == [FILES[-1]] * 3


def test_tables_of_somebody_else_are_left_alone(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("CREATE TABLE procrastinate_jobs (id bigint)")
    before = shape(store)
    with pytest.raises(InputError, match="a database or a schema of its own"):
        upgrade_jobs(store)
    assert shape(store) == before


def test_tables_of_a_newer_one_are_refused(store: Store) -> None:
    upgrade_jobs(store)
    forget(store, "99.00.00_01_more.sql")
    with store.read() as connection, pytest.raises(InputError, match=r"newer Procrastinate \(99\.00\.00_01_more\.sql\)"):
        demand_jobs(connection)
    with pytest.raises(InputError, match="newer Procrastinate"):
        upgrade_jobs(store)


def test_without_the_engine_nothing_is_made(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "procrastinate.schema", None)
    before = shape(store)
    assert upgrade_jobs(store) is None
    assert shape(store) == before
    with store.read() as connection, pytest.raises(InputError, match=r"pip install 'newsletter\[cluster\]'"):
        demand_jobs(connection)
