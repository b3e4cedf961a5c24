"""What a worker holds adds up, and the reserve is as large as it must be and no larger."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.ledger import Claimed, Result
from newsletter.delivery.stock import Stock

GROUP = 8


def filled(granted: int, claimed: int = 100, limit: int | None = None) -> Stock:
    stock = Stock(GROUP, limit)
    deliveries = (Claimed(number, f"p{number}@example.org", b"", {}, 0) for number in itertools.count(1))
    stock.granted.extend(itertools.islice(deliveries, granted))
    stock.claimed.extend(itertools.islice(deliveries, claimed))
    return stock


def low_at(stock: Stock) -> int:
    """How many are left to pull when it is time for the next intents."""
    while not stock.is_low:
        stock.take()
    return len(stock.granted)


def test_the_reserve_grows_where_it_was_used_up_to_a_group_at_most() -> None:
    stock = filled(0)
    for _ in range(3):
        stock.learn()
    stock.granted.extend(filled(2 * GROUP).granted)
    assert low_at(stock) == GROUP
    assert filled(GROUP).room() == 2  # as it begins


def test_the_reserve_shrinks_where_more_is_left_of_it_than_needed() -> None:
    stock = filled(3)
    for _ in range(9):
        stock.learn()
    assert low_at(stock) == 1


def test_the_reserve_stays_where_it_just_lasts() -> None:
    stock = filled(2)
    for _ in range(9):
        stock.learn()
    stock.granted.extend(filled(GROUP).granted)
    assert low_at(stock) == GROUP // 4


@pytest.mark.parametrize(("limit", "granted", "claimed", "room"), [(5, 2, 9, 3), (2, 2, 9, 0), (None, 2, 3, 3), (None, 99, 9, 0)])
def test_no_more_is_granted_than_the_limit_and_the_group_allow(limit: int | None, granted: int, claimed: int, room: int) -> None:
    assert filled(granted, claimed, limit).room() == room


@given(st.lists(st.sampled_from(["sent", "back"]), max_size=30), st.integers(0, 20))
def test_the_limit_counts_what_was_tried(ends: list[str], limit: int) -> None:
    stock, tried = filled(40, 0, limit), 0
    for end in ends:
        if stock.limit_reached:
            break
        one = stock.take()
        stock.land(one, Result(one.id, "sent") if end == "sent" else None)
        tried += end == "sent"
    assert stock.limit_reached == (tried == limit)
    assert len(stock.take_results()) == tried
    assert stock.take_back() == [] or tried < limit or "back" in ends
    assert stock.out == 0


def test_what_nobody_sends_is_given_back_and_then_it_is_empty() -> None:
    stock = filled(2, 3)
    assert [one.id for one in stock.withdraw_granted()] == [1, 2]
    stock.withdraw_claimed()
    assert not stock.is_empty
    assert stock.take_back() == [1, 2, 3, 4, 5]
    assert stock.is_empty
