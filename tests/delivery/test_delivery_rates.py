"""The buckets that workers share: never more than the rate and the burst in any second, whoever asks, and nobody starves."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from newsletter.delivery.rates import Rates
from newsletter.store import Store
from newsletter.store.clock import SECOND
from newsletter.store.tables import rate

if TYPE_CHECKING:
    from tests.delivery.conftest import Office

NOW = 2_000_000_000_000_000
#: What several workers do, one after the other: microseconds later, a lane, so many wanted, so many of them given back at once.
ASKED = st.lists(
    st.tuples(st.integers(0, 400_000), st.sampled_from("ab*"), st.integers(1, 40), st.integers(0, 3)), min_size=1, max_size=60
)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Either database."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgresql")
    else:
        office: Office = request.getfixturevalue("office")
        yield office.store


def busiest(granted: list[tuple[int, int]]) -> int:
    """The most that was granted in any second."""
    return max(sum(count for moment, count in granted if start <= moment < start + SECOND) for start, _ in granted)


@given(asked=ASKED, per_s=st.sampled_from([0.5, 3, 20, 57.3]), lane=st.sampled_from([0.25, 2, 10]))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_second_gets_more_than_rate_and_burst(
    store: Store, asked: list[tuple[int, str, int, int]], per_s: float, lane: float
) -> None:
    workers = [Rates(per_s, {"a": lane}) for _ in range(3)]
    now, everyone, only_a = NOW, [(NOW, 0)], [(NOW, 0)]
    with store.write() as connection:
        connection.execute(delete(rate))
        for one in workers:
            one.set_up(connection, now)
        for number, (later, of, wanted, back) in enumerate(asked):
            now += later
            mine = workers[number % 3]
            grant = mine.open(connection, [of], now)
            taken = grant.holds(of, wanted)
            grant.take(of, taken)
            mine.close(connection, grant)
            back = min(back, taken)
            mine.give_back(connection, [of] * back, now)
            everyone.append((now, taken - back))
            only_a += [(now, taken - back)] if of == "a" else []
    assert busiest(everyone) <= per_s + max(1, per_s)
    assert busiest(only_a) <= lane + max(1, lane)


def test_a_steady_asker_gets_the_whole_rate(store: Store) -> None:
    mine, theirs = Rates(20, {}), Rates(20, {})
    got = 0
    with store.write() as connection:
        mine.set_up(connection, NOW)
        for step in range(1000):
            now = NOW + step * SECOND // 100
            one = mine if step % 2 else theirs
            grant = one.open(connection, ["*"], now)
            got += (taken := grant.holds("*", 100))
            grant.take("*", taken)
            one.close(connection, grant)
    assert 199 <= got <= 200  # ten seconds


def test_a_slow_lane_holds_no_other_up(store: Store) -> None:
    mine = Rates(100, {"slow": 0.1})
    with store.write() as connection:
        mine.set_up(connection, NOW)
        later = NOW + SECOND
        grant = mine.open(connection, ["slow", "*"], later)
        assert (grant.holds("slow", 9), grant.holds("*", 9)) == (1, 9)
        grant.take("slow", 1)
        assert (grant.holds("slow", 9), grant.holds("*", 9)) == (0, 9)
        mine.close(connection, grant)
    assert mine.wait("slow") > 8
    assert mine.wait("*") == 0


def test_what_is_set_now_holds_at_once(store: Store) -> None:
    with store.write() as connection:
        Rates(0.01, {}).set_up(connection, NOW)
        slow = Rates(0.01, {}).open(connection, ["*"], NOW)
        slow.take("*", slow.holds("*", 9))
        Rates(0.01, {}).close(connection, slow)
        fast = Rates(10, {})
        fast.set_up(connection, NOW)
        assert fast.open(connection, ["*"], NOW).holds("*", 9) == 0
        assert fast.open(connection, ["*"], NOW + SECOND).holds("*", 20) == 10
        assert [tuple(row) for row in connection.execute(select(rate.c.scope, rate.c.per_s, rate.c.burst))] == [("*", 10.0, 10.0)]


def test_a_server_whose_clock_was_put_back_gives_something_soon(store: Store) -> None:
    mine = Rates(10, {})
    with store.write() as connection:
        mine.set_up(connection, NOW + 3600 * SECOND)
        mine.close(connection, mine.open(connection, ["*"], NOW))
        assert 0 < mine.wait("*") <= 1
        assert mine.open(connection, ["*"], NOW + SECOND).holds("*", 20) == 10
