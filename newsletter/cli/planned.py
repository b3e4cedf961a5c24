"""``--at`` in a person's words becomes a moment; a process waits for it, and looks whether somebody changed their mind."""

import contextlib
import datetime as dt
import re
import signal
import time
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from newsletter.problem import InputError, complaint

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from newsletter.issue import Timetable
    from newsletter.settings import Workspace
    from newsletter.store import Campaign, Store

#: Seconds between two looks at the clock and at the campaign: a laptop that slept wakes up late.
_LOOK = 2.0
#: Seconds between tries to get the place of the one ``send``.
_AGAIN = 5.0
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)[ T]+(\d{1,2}:\d\d(?::\d\d)?)\s*(Z|[+-]\d\d:?\d\d)?")


class Plan:
    """The time at which an issue is to go out, in microseconds UTC; ``at`` is as it was typed, None where nothing was said."""

    def __init__(self, workspace: "Workspace", store: "Store", slug: str, at: str | None, *, resuming: bool) -> None:
        self._workspace = workspace
        self._store = store
        self._slug = slug
        self._written = at
        self._resuming = resuming

    @cached_property
    def timetable(self) -> "Timetable":
        """When and how fast the publication sends. Raises :class:`~newsletter.problem.InputError`."""
        from newsletter.issue import load_timetable

        return load_timetable(self._workspace)

    @cached_property
    def _zone(self) -> "ZoneInfo":
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.timetable.timezone)

    def show(self, moment: int) -> str:
        """``2026-12-01 08:00 (Europe/Berlin)``."""
        from newsletter.delivery.due import shown_at

        return shown_at(moment, self.timetable)

    def read(self) -> int | None:
        """When to begin, as it was asked for; None where nothing was said. Raises :class:`~newsletter.problem.InputError`."""
        return self._at

    @cached_property
    def _at(self) -> int | None:
        if self._written is None:
            return None
        return self._store.clock() if self._is_now else read_moment(self._written, self._zone)

    @property
    def _is_now(self) -> bool:
        return self._written is not None and self._written.strip() == "now"

    def demand_future(self) -> int | None:
        """The same. Raises :class:`~newsletter.problem.InputError` where that time is over."""
        at = self._at
        if at is not None and at < self._store.clock() and not self._is_now:
            raise complaint(f"nothing was sent: {self.show(at)} is over; --at takes a time that is still to come")
        return at

    def is_ahead(self, campaign: "Campaign") -> bool:
        """Whether its time is still to come."""
        return campaign.started_at is None and campaign.start_at is not None and campaign.start_at > self._store.clock()

    def schedule(self, campaign: "Campaign", moment: int) -> "Campaign":
        """The campaign with this time."""
        from newsletter.delivery import life
        from newsletter.store.campaigns import campaign_of

        with self._store.write() as connection:
            life.schedule(connection, campaign.id, moment)
        return campaign_of(self._store, campaign.id) or campaign

    def renew(self, campaign: "Campaign") -> "Campaign":
        """The campaign with another time, where one was asked for; a paused one whose time is ahead is planned again."""
        at = self._at
        if at is not None and at != campaign.start_at:
            if campaign.started_at is not None:
                raise complaint(f"{self._slug} has begun already, --at comes too late; without it the same command goes on")
            self.demand_future()
            return self.schedule(campaign, at)
        if campaign.state == "paused" and self.is_ahead(campaign) and campaign.start_at is not None:
            return self.schedule(campaign, campaign.start_at)
        return campaign

    def is_missed(self, campaign: "Campaign") -> bool:
        """Whether its time was missed by more than the publication allows, and nobody said that it may go out all the same."""
        if campaign.started_at is not None or campaign.start_at is None:
            return False
        from newsletter.delivery.due import is_late

        asked = self._resuming or (campaign.state == "paused" and self._at is None)
        return not asked and is_late(campaign.start_at, self.timetable, self._store.clock())

    def hold(self, campaign: "Campaign") -> str:
        """Pause a sending that missed its time; gives the reason in words."""
        from newsletter.delivery import life
        from newsletter.delivery.due import lateness

        note = lateness(campaign.start_at or 0, self.timetable)
        with self._store.write() as connection:
            life.pause(connection, campaign.id, note)
        return f"{note}; newsletter resume {self._slug} sends it now"


def read_moment(written: str, zone: "ZoneInfo") -> int:
    """``2026-12-01 08:00`` by the clock of a zone, or with an offset from UTC. Raises :class:`~newsletter.problem.InputError`."""
    found = _WRITTEN.fullmatch(written.strip())
    hour = "" if found is None else found[2] if found[2][2] == ":" else f"0{found[2]}"
    try:
        said = dt.datetime.fromisoformat("" if found is None else f"{found[1]} {hour}{found[3] or ''}")
        moment = said.replace(tzinfo=said.tzinfo or zone).astimezone(dt.UTC)
        shown = moment.astimezone(zone)
    except (ValueError, OverflowError):  # at the ends of the calendar, an hour of one zone is none of another
        raise complaint(f'--at {written!r} is no time; write day and hour: --at "2026-12-01 08:00"') from None
    if said.tzinfo is None and shown.replace(tzinfo=None) != said:
        raise complaint(f"--at {written!r}: the clocks of {zone.key} leave this hour out; take another one")
    return int(moment.timestamp()) * 1_000_000


def wait_for(store: "Store", campaign: "Campaign") -> Literal["due", "stopped", "interrupted"]:
    """Wait for a scheduled campaign's time. ``stopped``: it was paused or cancelled; ``interrupted``: by Ctrl-C, it stays so."""
    from newsletter.store.campaigns import campaign_of

    try:
        with _ctrl_c():
            while True:
                now = campaign_of(store, campaign.id)
                if now is None or now.state in ("paused", "cancelled"):
                    return "stopped"
                ahead = ((now.start_at or 0) - store.clock()) / 1_000_000
                if ahead <= 0 or now.state != "scheduled":  # another process took it up
                    return "due"
                time.sleep(min(ahead, _LOOK))
    except KeyboardInterrupt:
        return "interrupted"


def take_place(stack: contextlib.ExitStack, url: str) -> bool:
    """Enter the place of the one ``send`` as soon as another issue's has left it. False where Ctrl-C came first."""
    from newsletter.store import send_lock

    try:
        with _ctrl_c():
            while True:
                try:
                    stack.enter_context(send_lock(url))
                except InputError:
                    time.sleep(_AGAIN)
                else:
                    return True
    except KeyboardInterrupt:
        return False


@contextlib.contextmanager
def _ctrl_c() -> Iterator[None]:
    """SIGTERM is Ctrl-C."""
    before: Any = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
