"""Events as calendar files, read back: one entry that stays the same, at the right time of the place."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import icalendar
import pytest

from newsletter.compose.calendar_file import calendar_files
from newsletter.compose.edition import Edition
from newsletter.issue import Issue
from newsletter.problem import InputError

Write = Callable[..., Issue]
BERLIN = ZoneInfo("Europe/Berlin")
EVENT = "{{type: event, title: Ein Treffen, calendar: true, {}}}"


def read(issue: Issue) -> list[icalendar.Component]:
    files = (icalendar.Calendar.from_ical(data) for _title, data in calendar_files(issue))
    return [event for calendar in files for event in calendar.walk("VEVENT")]


def test_all_that_the_event_says_is_in_it(write: Write) -> None:
    issue = write(
        EVENT.format(
            "starts: 2026-12-05 10:00, ends: 2026-12-05 12:00, place: 'Rathaus; Saal 1, links', "
            "body: \"**Für** {{ town | default('alle') }}, mit [Plan](https://www.example.org/plan).\", "
            "link: {label: Anmelden, url: 'https://www.example.org/a'}"
        )
    )
    ((title, data),) = calendar_files(issue)
    assert title == "Ein Treffen"
    assert b"\r\n" in data
    assert max(map(len, data.split(b"\r\n"))) <= 75  # RFC 5545 §3.1
    calendar = icalendar.Calendar.from_ical(data)
    assert [zone["tzid"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]
    (event,) = calendar.walk("VEVENT")
    assert event["dtstart"].params["tzid"] == "Europe/Berlin"
    assert event.decoded("dtstart") == dt.datetime(2026, 12, 5, 10, tzinfo=BERLIN)
    assert event.decoded("dtend") == dt.datetime(2026, 12, 5, 12, tzinfo=BERLIN)
    assert (str(event["summary"]), str(event["location"])) == ("Ein Treffen", "Rathaus; Saal 1, links")
    assert str(event["description"]).replace("\u00a0", " ") == "Für alle, mit Plan [1].\n\n[1] https://www.example.org/plan"
    assert str(event["url"]) == "https://www.example.org/a"
    assert str(event["uid"]).endswith("@region.example.org")


@pytest.mark.parametrize(
    ("span", "starts", "ends"),
    [
        ("starts: 2026-12-05", dt.date(2026, 12, 5), None),
        ("starts: 2026-12-05, ends: 2026-12-06", dt.date(2026, 12, 5), dt.date(2026, 12, 7)),
        ("starts: 2026-07-05 10:00", dt.datetime(2026, 7, 5, 10, tzinfo=BERLIN), None),
        (
            "starts: 2026-12-05 10:00, ends: 2026-12-06",
            dt.datetime(2026, 12, 5, 10, tzinfo=BERLIN),
            dt.datetime(2026, 12, 7, tzinfo=BERLIN),
        ),
        (
            "starts: 2026-12-05, ends: 2026-12-06 12:00",
            dt.datetime(2026, 12, 5, tzinfo=BERLIN),
            dt.datetime(2026, 12, 6, 12, tzinfo=BERLIN),
        ),
    ],
)
def test_days_and_moments(span: str, starts: dt.date, ends: dt.date | None, write: Write) -> None:
    (event,) = read(write(EVENT.format(span)))
    found = event.decoded("dtstart"), event.decoded("dtend") if "dtend" in event else None
    assert found == (starts, ends)
    assert [type(value) for value in found] == [type(starts), type(ends)]


def test_the_entry_is_the_same_after_a_change_and_another_for_another_event(write: Write) -> None:
    first, second = read(write(f"{EVENT.format('starts: 2026-12-05')}, {EVENT.format('starts: 2026-12-06')}"))
    moved, _ = read(write(f"{EVENT.format('starts: 2026-12-07')}, {EVENT.format('starts: 2026-12-06')}"))
    assert first["uid"] == moved["uid"] != second["uid"]


def test_only_where_it_is_asked_for(compose: Callable[..., Edition]) -> None:
    plain = "{type: event, title: Ohne, starts: 2026-12-05}"
    edition = compose(f"{plain}, {EVENT.format('starts: 2026-12-05')}")
    assert [(file.filename, file.media_type) for file in edition.attachments] == [("Ein Treffen.ics", "text/calendar")]
    assert compose(f"{plain}, {EVENT.format('starts: 2026-12-05')}").hash == edition.hash
    assert compose(plain).attachments == ()


def test_what_differs_between_readers_needs_a_default(write: Write) -> None:
    with pytest.raises(InputError, match=r"blocks\[0\].calendar: .* merge field town needs a default"):
        write(EVENT.format("starts: 2026-12-05, place: 'Rathaus {{ town }}'"))


def test_a_long_description_is_one_line_a_paragraph(write: Write) -> None:
    sentence = "Ein Satz, der länger ist als die zweiundsiebzig Spalten, in denen der Textteil einer Mail geschrieben wird."
    (event,) = read(write(EVENT.format(f"starts: 2026-12-05, body: '{sentence}'")))
    assert str(event["description"]) == sentence
