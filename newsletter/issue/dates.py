"""Days, times and durations as staff write them become dates: ``2026-12-05``, ``2026-12-05 10:00``, ``3:20``, nothing guessed."""

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]+(\d{2}:\d{2}(?::\d{2})?)")
#: Minutes alone, minutes and seconds, or hours, minutes and seconds.
_DURATION_PATTERN = "[0-9]{1,3}|[0-9]{1,3}:[0-5][0-9]|[0-9]{1,2}:[0-5][0-9]:[0-5][0-9]"
_LOOSE_DAY = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})")
_CONTINENTAL_DAY = re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})")


def read_day(value: Any) -> dt.date:
    """A day from ``2026-12-05``. Raises ValueError that gives the spelling where the day can be told."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    text = _text(value, "day_type", "must be a day such as 2026-12-05")
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is no day; write {_suggested(text) or 'year-month-day, e.g. 2026-12-05'}")
    return _day(text)


def read_moment(value: Any) -> dt.datetime | dt.date:
    """A time from ``2026-12-05 10:00``, local at the place, or the day alone. Raises ValueError."""
    if isinstance(value, dt.date):
        return value
    text = _text(value, "moment_type", "must be a time such as 2026-12-05 10:00, or the day alone")
    if _DAY.fullmatch(text):
        return _day(text)
    match = _MOMENT.fullmatch(text)
    if match is None:
        day = _suggested(text)
        raise ValueError(
            f"{text!r} is no time; write {f'{day} 10:00, or {day}' if day else 'e.g. 2026-12-05 10:00, the local time'}"
        )
    try:
        return dt.datetime.combine(_day(match[1]), dt.time.fromisoformat(match[2]))
    except ValueError:
        raise ValueError(
            f"{text!r} does not exist; look at the calendar and the clock, and write e.g. 2026-12-05 10:00"
        ) from None


def read_duration(value: Any) -> dt.timedelta:
    """How long something takes, from ``3:20`` (minutes and seconds), ``1:03:20`` or ``3`` (minutes). Raises ValueError."""
    if isinstance(value, dt.timedelta):
        return value
    text = _text(value, "moment_type", "must be a duration such as 3:20")
    if not re.fullmatch(_DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is no duration; write minutes and seconds, e.g. 3:20, or minutes alone, e.g. 3")
    *hours, minutes, seconds = map(int, (text if ":" in text else f"{text}:00").split(":"))
    duration = dt.timedelta(hours=sum(hours), minutes=minutes, seconds=seconds)
    if not duration:
        raise ValueError("is no time at all; write how long it takes, or leave the key out")
    return duration


def _text(value: Any, kind: str, message: str) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError(kind, "{reason}", {"reason": message})
    return value.strip()


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar; write year-month-day, e.g. 2026-12-05") from None


def _suggested(text: str) -> str | None:
    """The day that ``05.12.2026 …`` or ``2026/12/5 …`` means, in the one spelling that is read."""
    if match := _LOOSE_DAY.match(text) or _CONTINENTAL_DAY.match(text):
        try:
            return dt.date(int(match["year"]), int(match["month"]), int(match["day"])).isoformat()
        except ValueError:
            return None
    return None


_DAY_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

Day = Annotated[dt.date, PlainValidator(read_day), WithJsonSchema({"type": "string", "pattern": f"^{_DAY_PATTERN}$"})]
Moment = Annotated[
    dt.datetime | dt.date,
    PlainValidator(read_moment),
    WithJsonSchema({"type": "string", "pattern": f"^{_DAY_PATTERN}([ T]+[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}})?)?$"}),
]
Duration = Annotated[
    dt.timedelta,
    PlainValidator(read_duration),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^({_DURATION_PATTERN})$"}),
]
