"""Sending hours: whenever they are asked, the moment that they name is the first one within them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.hours import Hours
from newsletter.issue import Timetable

BERLIN = ZoneInfo("Europe/Berlin")


def moment(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("sending", "at", "opens"),
    [
        ({"hours": "08:00-20:00"}, "2026-12-01 07:59", "2026-12-01 08:00"),
        ({"hours": "08:00-20:00"}, "2026-12-01 12:00", "2026-12-01 12:00"),
        ({"hours": "08:00-20:00"}, "2026-12-01 20:00", "2026-12-02 08:00"),
        ({"hours": "08:00-20:00", "days": "mon-fri"}, "2026-12-04 21:00", "2026-12-07 08:00"),
        ({"days": "mon, wed"}, "2026-12-01 12:00", "2026-12-02 00:00"),
        ({"days": "sat-mon"}, "2026-12-01 12:00", "2026-12-05 00:00"),
        ({"hours": "22:00-06:00", "days": "mon"}, "2026-12-01 05:00", "2026-12-01 05:00"),
        ({"hours": "22:00-06:00", "days": "mon"}, "2026-12-01 06:00", "2026-12-07 22:00"),
        ({"hours": "02:00-05:00"}, "2026-03-29 00:00", "2026-03-29 03:00"),  # the clocks go forward: there is no 02:00
        ({"hours": "02:30-05:00"}, "2026-03-29 00:00", "2026-03-29 03:00"),
        ({"hours": "22:00-02:30"}, "2026-03-29 01:59", "2026-03-29 01:59"),
        ({"hours": "22:00-02:30"}, "2026-03-29 03:10", "2026-03-29 22:00"),
        ({"hours": "22:00-02:30"}, "2026-10-25 02:10", "2026-10-25 02:10"),  # they go back: the first 02:30 ends it
    ],
)
def test_when_they_begin(sending: dict[str, str], at: str, opens: str) -> None:
    hours = Hours.of(Timetable.model_validate({"sending": sending}))
    assert hours is not None
    assert hours.opens_at(moment(at)) == moment(opens)
    assert hours.shut_for(moment(at)) == (moment(opens) - moment(at)) / 1_000_000


def test_without_any_it_is_always_time() -> None:
    assert Hours.of(Timetable()) is None


MINUTES = st.integers(0, 24 * 60 - 1)


@given(MINUTES, MINUTES, st.sets(st.integers(0, 6), min_size=1), st.integers(0, 4 * 10**9))
def test_they_always_come(begin: int, end: int, days: set[int], second: int) -> None:
    if begin == end:
        return
    hours = Hours(ZoneInfo("UTC"), begin, end, tuple(days))
    now = second * 1_000_000
    opens = hours.opens_at(now)
    assert now <= opens <= now + 8 * 24 * 3600 * 1_000_000
    assert hours.opens_at(opens) == opens
    local = dt.datetime.fromtimestamp(opens / 1_000_000, dt.UTC)
    minute = local.hour * 60 + local.minute
    began = local.date() - dt.timedelta(days=1 if end < begin and minute < end else 0)
    assert began.weekday() in days
    assert (begin <= minute < end) if begin < end else (minute >= begin or minute < end)
