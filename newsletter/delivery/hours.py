"""The hours in which a publication sends, and how long it is until they begin, by its own clock."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from newsletter.issue import Timetable
from newsletter.store.clock import SECOND, as_datetime

_DAY = 24 * 60
_WEEK = range(7)


@dataclass(frozen=True, slots=True)
class Hours:
    """From ``begin`` to ``end`` (minutes after midnight; an earlier end is on the next day), on the ``days`` (Monday is 0)."""

    zone: ZoneInfo
    begin: int = 0
    end: int = _DAY
    days: tuple[int, ...] = tuple(_WEEK)

    @classmethod
    def of(cls, timetable: Timetable) -> "Hours | None":
        """The hours of a publication; None where it sends at any time."""
        rules = timetable.sending
        if rules.hours is None and rules.days is None:
            return None
        begin, end = rules.hours or (0, _DAY)
        return cls(ZoneInfo(timetable.timezone), begin, end, rules.days or tuple(_WEEK))

    def shut_for(self, moment: int) -> float:
        """Seconds until they begin, 0 within them."""
        return (self.opens_at(moment) - moment) / SECOND

    def opens_at(self, moment: int) -> int:
        """The first moment from this one on that is within the hours; both microseconds UTC."""
        local = as_datetime(moment).astimezone(self.zone)
        for ahead in range(-1, 9):
            day = local.date() + dt.timedelta(days=ahead)
            if day.weekday() not in self.days:
                continue
            begin = self._at(day, self.begin)
            end = self._at(day, self.end if self.end > self.begin else self.end + _DAY)
            if moment < end:
                return max(begin, moment)
        return moment  # not reached: a week has every weekday

    def _at(self, day: dt.date, minutes: int) -> int:
        days, minutes = divmod(minutes, _DAY)
        local = dt.datetime.combine(day + dt.timedelta(days=days), dt.time(minutes // 60, minutes % 60), self.zone)
        # Where the clocks go forward over it there is no such time: it is the moment at which they do.
        while dt.datetime.fromtimestamp(local.timestamp(), self.zone) != local:
            local += dt.timedelta(minutes=1)
        return int(local.timestamp()) * SECOND
