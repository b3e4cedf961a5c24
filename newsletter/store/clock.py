"""Moments: whole microseconds since 1970-01-01 UTC, the one kind of time that the database holds."""

import datetime as dt
import time
from collections.abc import Callable

#: Gives the present moment; tests put their own in.
Clock = Callable[[], int]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def now() -> int:
    """The present moment by this machine's clock, in microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def as_datetime(moment: int) -> dt.datetime:
    """A stored moment as a datetime in UTC."""
    return dt.datetime.fromtimestamp(moment / SECOND, dt.UTC)
