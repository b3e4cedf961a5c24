"""Which campaigns want a worker now: those that run and have something to do, and those whose time has come."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from newsletter.delivery import ledger, life
from newsletter.delivery.hours import Hours
from newsletter.issue import Timetable
from newsletter.store.clock import SECOND, as_datetime
from newsletter.store.engine import Store
from newsletter.store.tables import campaign

#: Seconds that a planned sending is never called late.
_GRACE = 120


def due_campaigns(store: Store, timetable: Timetable) -> list[int]:
    """Their ids, oldest first. Workers whose lease has run out are recovered before, so that nothing of theirs waits.

    A planned campaign that missed its time by more than the publication allows is paused instead, as ``send`` does it.
    """
    hours = Hours.of(timetable)
    going = select(campaign.c.id, campaign.c.state, campaign.c.start_at).where(campaign.c.state.in_(["scheduled", "running"]))
    with store.write() as connection:
        now = store.now(connection)
        ledger.reap(connection, now)
        shut = hours is not None and hours.shut_for(now) > 0
        rows = connection.execute(going.order_by(campaign.c.id)).all()
        return [row.id for row in rows if _is_due(connection, row, timetable, now, shut=shut)]


def _is_due(connection: Connection, row: Any, timetable: Timetable, now: int, *, shut: bool) -> bool:
    if row.state == "scheduled":
        if row.start_at is not None and is_late(row.start_at, timetable, now):
            if life.lock(connection, row.id) == "scheduled":  # nobody has begun it meanwhile
                life.pause(connection, row.id, lateness(row.start_at, timetable))
            return False
        return row.start_at is None or row.start_at <= now
    first = ledger.earliest(connection, row.id)
    if first is None:
        return not life.is_held(connection, row.id)  # somebody has to say that it is done
    return first <= now and not shut


def is_late(start_at: int, timetable: Timetable, now: int) -> bool:
    """Whether a planned time was missed by more than the publication allows; moments are microseconds UTC."""
    return now > start_at + int(timetable.sending.late_hours * 3600 + _GRACE) * SECOND


def lateness(start_at: int, timetable: Timetable) -> str:
    """The same in words, as a campaign's note."""
    planned = shown_at(start_at, timetable)
    return f"planned for {planned}, which was missed by more than {timetable.sending.late_hours:g} hours"


def shown_at(moment: int, timetable: Timetable) -> str:
    """A moment by the publication's clock: ``2026-12-01 08:00 (Europe/Berlin)``."""
    zone = ZoneInfo(timetable.timezone)
    return f"{as_datetime(moment).astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
