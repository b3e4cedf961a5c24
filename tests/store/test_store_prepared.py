"""Statements that run for every message: the same rows as by SQLAlchemy's own way, from a text that is made once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from newsletter.store import open_store
from newsletter.store.prepared import Prepared, padded, word
from newsletter.store.tables import worker

ROWS = [
    {"id": one, "host": "h'", "pid": one, "version": "1", "state": "alive" if one % 2 else "dead", "started_at": 5}
    for one in range(1, 6)
]


def test_it_runs_with_values_of_its_own_and_of_each_run(tmp_path: Path) -> None:
    end = Prepared(
        update(worker)
        .where(worker.c.id.in_([bindparam("a"), bindparam("b")]), worker.c.state == word("alive"))
        .values(state=word("gone"), version="it's 2", ended_at=worker.c.started_at + bindparam("later"))
        .returning(worker.c.id, worker.c.ended_at, worker.c.version)
    )
    store = open_store(f"sqlite:///{tmp_path}/newsletter.db")
    with store.writer() as write:
        with write() as connection:
            connection.execute(worker.insert(), ROWS)
            assert [tuple(row) for row in end.run(connection, {"a": 1, "b": 2, "later": 2})] == [(1, 7, "it's 2")]
            assert {row[0] for row in end.run(connection, {"later": 3, "b": 5, "a": 3})} == {3, 5}
        with write() as connection, pytest.raises(KeyError):
            end.run(connection, {"a": 1, "b": 2})
    with store.read() as connection:
        gone = connection.execute(
            select(worker.c.id, worker.c.ended_at).where(worker.c.state == "gone").order_by(worker.c.id)
        ).all()
    store.close()
    assert gone == [(1, 7), (3, 8), (5, 8)]


def test_what_breaks_off_is_undone_and_the_connection_serves_on(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/newsletter.db")
    with store.writer() as write:
        with pytest.raises(IntegrityError), write() as connection:
            connection.execute(worker.insert(), [*ROWS, ROWS[0]])
        with write() as connection:
            connection.execute(worker.insert(), ROWS[:2])
    with store.read() as connection:
        assert connection.scalars(select(worker.c.id).order_by(worker.c.id)).all() == [1, 2]
    store.close()


@given(st.lists(st.integers(), min_size=1, max_size=70))
def test_padding_adds_nothing_new_and_leaves_few_lengths(values: list[int]) -> None:
    longer = padded(values)
    assert longer[: len(values)] == values
    assert set(longer) == set(values)
    assert len(longer) % 4 == 0
    assert len(longer) - len(values) < 4
