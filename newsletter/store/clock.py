"""Moments: whole microseconds since 1970-01-01 UTC, the one kind of time that the database holds."""

import datetime as dt
import time
from collections.abc import Callable

#: Gives the present moment; tests put their own in.
Clock = Callable[[], int]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
#: How long a worker that is not heard of is taken for alive.
LEASE = 30 * SECOND


def now() -> int:
    """The present moment by this machine's clock, in microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


class DatabaseClock:
    """The clock of the database's server, by which all hosts go (ledger.md §6): as it was last heard, carried on by the time that
    has passed on this host since. How this host's own clock is set does not matter.
    """

    def __init__(self) -> None:
        self._ahead = now() - _passed()

    def __call__(self) -> int:
        """The present moment, in microseconds since 1970-01-01 UTC."""
        return _passed() + self._ahead

    def hear(self, ask: Callable[[], int]) -> int:
        """What the server answers, in microseconds; its clock was carried on from there by half of the time it took."""
        asked = _passed()
        moment = ask()
        self._ahead = moment - (asked + _passed()) // 2
        return moment


def _passed() -> int:
    # Linux' monotonic clock stands still while a laptop sleeps.
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


def as_datetime(moment: int) -> dt.datetime:
    """A stored moment as a datetime in UTC."""
    return dt.datetime.fromtimestamp(moment / SECOND, dt.UTC)
