"""An event of an issue becomes a calendar file (RFC 5545) that readers open to keep the date; the same for everyone."""

import datetime as dt
import hashlib
import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import icalendar

from newsletter.compose.plain import PlainText
from newsletter.compose.sentinel import Sentinels
from newsletter.issue import Issue, Markdown
from newsletter.issue.blocks import Event


def calendar_files(issue: Issue) -> Iterator[tuple[str, bytes]]:
    """For each event with ``calendar: true`` its title and the bytes of the file, the same bytes for the same issue."""
    before: dict[str, int] = {}
    for block in issue.content.blocks:
        if isinstance(block, Event) and block.calendar:
            title = block.title.sample()
            before[title] = before.get(title, 0) + 1
            yield title, _calendar(issue, block, _uid(issue, title, before[title]))


def _uid(issue: Issue, title: str, number: int) -> str:
    """The same as long as issue and title are: sent again with another time, it is the same entry (RFC 5545 §3.8.4.7)."""
    mark = hashlib.sha256(f"{issue.slug}\n{title}\n{number}".encode()).hexdigest()[:32]
    return f"{mark}@{issue.publication.own_list_id}"


def _calendar(issue: Issue, block: Event, uid: str) -> bytes:
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//newsletter//newsletter//EN")
    calendar.add("version", "2.0")
    event = icalendar.Event()
    event.add("uid", uid)
    # Not the moment of making, so that the edition keeps its hash.
    event.add("dtstamp", dt.datetime.combine(issue.content.date, dt.time(), dt.UTC))
    starts, ends = _span(block, ZoneInfo(issue.publication.timezone))
    event.add("dtstart", starts)
    if ends is not None:
        event.add("dtend", ends)
    event.add("summary", block.title.sample())
    if block.place is not None:
        event.add("location", block.place.sample())
    if block.body is not None:
        event.add("description", _words(block.body))
    if block.link is not None and block.link.url.startswith("https:"):
        event.add("url", block.link.url)
    calendar.add_component(event)
    day = dt.timedelta(days=400)  # the rules of the zone for its year are enough
    calendar.add_missing_timezones(first_date=_day(starts) - day, last_date=_day(ends or starts) + day)
    return bytes(calendar.to_ical())


def _span(block: Event, zone: ZoneInfo) -> tuple[dt.date, dt.date | None]:
    """Start and end of one kind, days or moments; the end is the first day or moment after it (RFC 5545 §3.6.1)."""
    starts, ends = block.starts, block.ends
    if not isinstance(starts, dt.datetime) and not isinstance(ends, dt.datetime):
        return starts, None if ends is None else ends + dt.timedelta(days=1)
    return _moment(starts, zone), None if ends is None else _moment(ends, zone, days=1)


def _moment(value: dt.date, zone: ZoneInfo, days: int = 0) -> dt.datetime:
    """A moment at the place; a day alone begins at midnight, or ends ``days`` later."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=zone)
    return dt.datetime.combine(value + dt.timedelta(days=days), dt.time(), zone)


def _day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _words(text: Markdown) -> str:
    """The words of the text part, the links below them."""
    sentinels = Sentinels()
    writer = PlainText(sentinels, columns=sys.maxsize)  # calendars wrap by themselves
    words = writer.markdown(text)
    notes = "".join(f"\n[{number}] {url}" for number, url in enumerate(writer.notes, 1))
    return sentinels.sample(words + (f"\n{notes}" if notes else ""))
