"""Days and times: one spelling is read, others are told how to be written."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.dates import read_day, read_moment


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
