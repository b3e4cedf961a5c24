"""Days, times and durations: one spelling is read, others are told how to be written."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.dates import read_day, read_duration, read_moment


@given(st.dates())
def test_days_are_read(day: dt.date) -> None:
    assert read_day(day.isoformat()) == read_moment(day.isoformat()) == day
    assert not isinstance(read_moment(day.isoformat()), dt.datetime)


@given(st.datetimes().map(lambda when: when.replace(microsecond=0)), st.sampled_from(["T", " ", "  "]))
def test_moments_are_read(when: dt.datetime, between: str) -> None:
    assert read_moment(when.isoformat(between[0]).replace(between[0], between, 1)) == when
    assert read_moment(f"{when:%H:%M}".join((f"{when.date().isoformat()}{between}", ""))) == when.replace(second=0)


@pytest.mark.parametrize(
    ("written", "piece"),
    [
        ("05.12.2026", "write 2026-12-05"),
        ("5. 12. 2026", "write 2026-12-05"),
        ("2026/12/5", "write 2026-12-05"),
        ("2026-12-5", "write 2026-12-05"),
        ("31.02.2026", "write year-month-day, e.g. 2026-12-05"),
        ("5. Dezember 2026", "write year-month-day, e.g. 2026-12-05"),
        ("20261205", "write year-month-day, e.g. 2026-12-05"),
        ("1733011200", "write year-month-day, e.g. 2026-12-05"),
        ("2026-W49-6", "write year-month-day, e.g. 2026-12-05"),
        ("2026-02-30", "is no day of the calendar"),
    ],
)
def test_days_in_other_spellings_are_refused(written: str, piece: str) -> None:
    with pytest.raises(ValueError, match=re.escape(piece)):
        read_day(written)


@pytest.mark.parametrize(
    ("written", "piece"),
    [
        ("05.12.2026 10 Uhr", "write 2026-12-05 10:00, or 2026-12-05"),
        ("2026-12-05 10.00", "write 2026-12-05 10:00, or 2026-12-05"),
        ("2026-12-05 10:00 Uhr", "write 2026-12-05 10:00, or 2026-12-05"),
        ("2026-12-05T10:00+01:00", "write 2026-12-05 10:00, or 2026-12-05"),
        ("2026-12-05T10:00Z", "write 2026-12-05 10:00, or 2026-12-05"),
        ("morgen", "write e.g. 2026-12-05 10:00, the local time"),
        ("2026-12-05 24:00", "does not exist"),
        ("2026-13-05 10:00", "does not exist"),
        ("2026-13-05", "is no day of the calendar"),
    ],
)
def test_times_in_other_spellings_are_refused(written: str, piece: str) -> None:
    with pytest.raises(ValueError, match=re.escape(piece)):
        read_moment(written)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("3:20", 200), ("3", 180), ("0:45", 45), ("90", 5400), ("75:10", 4510), ("1:03:20", 3800), (" 03:05 ", 185), ("0:01", 1)],
)
def test_durations_are_read(written: str, seconds: int) -> None:
    assert read_duration(written) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "piece"),
    [
        ("3:75", "write minutes and seconds, e.g. 3:20"),
        ("3:2", "write minutes and seconds"),
        ("1:60:00", "write minutes and seconds"),
        ("3.20", "write minutes and seconds"),
        ("3 min", "or minutes alone, e.g. 3"),
        ("3'20", "write minutes and seconds"),
        ("-3", "write minutes and seconds"),
        ("٣", "write minutes and seconds"),
        ("0:00", "is no time at all"),
        ("0", "is no time at all"),
    ],
)
def test_durations_in_other_spellings_are_refused(written: str, piece: str) -> None:
    with pytest.raises(ValueError, match=re.escape(piece)):
        read_duration(written)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_every_duration_of_a_day_is_read(hours: int, minutes: int, seconds: int) -> None:
    if hours or minutes or seconds:
        assert read_duration(f"{hours}:{minutes:02}:{seconds:02}") == dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
