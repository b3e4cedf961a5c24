"""A frozen campaign becomes mail and an account: from its start over the sending to what is left in the ledger at the end."""

import asyncio
import contextlib
import os
import platform
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from newsletter import __version__
from newsletter.delivery import ledger, life
from newsletter.delivery.account import Account, account_of
from newsletter.delivery.allowance import used_up
from newsletter.delivery.desk import PAUSES, LedgerDesk, LedgerError, writing
from newsletter.delivery.dial import Dialer
from newsletter.delivery.feed import Feed
from newsletter.delivery.hours import Hours
from newsletter.delivery.letters import Letters, Template
from newsletter.delivery.pace import Limit, Pace, slowed_in_words
from newsletter.delivery.rates import Rates
from newsletter.delivery.relaying import Relays
from newsletter.delivery.replies import Pauses
from newsletter.delivery.sending import Sending
from newsletter.delivery.server import Server
from newsletter.delivery.shared import SharedDesk
from newsletter.issue import Timetable
from newsletter.links import Links
from newsletter.message.address import wire_address
from newsletter.message.own_links import OwnLinks
from newsletter.problem import complaint
from newsletter.settings import Settings
from newsletter.store.campaigns import Campaign, campaign_of
from newsletter.store.clock import SECOND
from newsletter.store.editions import load_edition
from newsletter.store.engine import Store

T = TypeVar("T")
#: Seconds that ``send`` stays for deliveries that are due later.
STAY = 15 * 60.0
#: Intents a connection that are written ahead (S23): twenty where there are ten; as many are in doubt after a crash.
_AHEAD = 2
#: Seconds between two reports of progress, at least.
_REPORT = 1.0


async def drive(  # noqa: PLR0913 - each says its own, by name
    store: Store,
    campaign_id: int,
    *,
    settings: Settings,
    links: Links,
    template: Template,
    stop: asyncio.Event,
    limit: int | None = None,
    join: bool = False,
    on_progress: Callable[[Account], None] | None = None,
    wait: float | None = STAY,
    pauses: Pauses = Pauses(),  # noqa: B008 - frozen
    timetable: Timetable = Timetable(),  # noqa: B008 - frozen
    context: ssl.SSLContext | None = None,
    slowed: dict[int, Pace] | None = None,
) -> Account:
    """Send what is due of a campaign, and give its account.

    On a server this is one worker among any number, on any host. In a file it is the only one, and the caller holds
    :func:`~newsletter.store.engine.send_lock`: whoever else is in the ledger as a living worker is taken for dead, and what it
    was sending becomes uncertain.

    ``template`` is of the campaign's own edition (:func:`~newsletter.store.editions.load_edition`), not of an issue file edited
    since. ``stop`` drains: what is on the wire is finished and recorded. ``limit`` deliveries are tried at most, by all workers
    together, then the campaign is paused. ``join`` goes on with a campaign only while it runs: it begins no draft and wakes no
    paused one. ``on_progress`` hears of the account about once a second. It stays while something is due within ``wait`` seconds
    (None: to the end), and while another worker holds deliveries. ``timetable`` says when and how fast the publication sends.
    ``context`` is for a certificate authority of one's own. ``slowed`` keeps, from one call to the next in the same event loop,
    the pace of campaigns that a server slowed down. A campaign that is over is left as it is.

    Raises :class:`~newsletter.problem.InputError`, before anything is touched, where no server is set or no such campaign exists,
    :class:`~newsletter.delivery.dial.SendError` where the server cannot be used, and
    :class:`~newsletter.delivery.desk.LedgerError` where the database cannot be written; the same call goes on later.
    """
    campaign = campaign_of(store, campaign_id)
    edition = None if campaign is None else load_edition(store, campaign.edition_hash, with_files=False)
    if campaign is None or edition is None:
        raise complaint(f"there is no campaign {campaign_id} in the database")
    sender = wire_address(edition.headers.from_email, "From")
    driver = _Driver(
        store,
        campaign,
        Server.all_of(settings, context),
        Letters(campaign, sender, OwnLinks(links, edition.headers, campaign.slug), template),
        settings,
        timetable,
        pauses,
        stop,
        on_progress,
        wait,
        {} if slowed is None else slowed,
    )
    while await driver.work(limit, join=join):
        limit, join = None, True  # taken for dead: as a new worker, it goes on with what runs still
    account = await driver.patiently(lambda: account_of(store, campaign_id))
    if on_progress is not None:
        on_progress(account)
    return account


@dataclass(frozen=True)
class _Driver:
    """One call of :func:`drive`, whose words these are."""

    store: Store
    campaign: Campaign
    servers: tuple[Server, ...]
    letters: Letters
    settings: Settings
    timetable: Timetable
    pauses: Pauses
    stop: asyncio.Event
    on_progress: Callable[[Account], None] | None
    wait: float | None
    slowed: dict[int, Pace]

    @property
    def is_shared(self) -> bool:
        """Whether there may be other workers."""
        return self.store.dialect != "sqlite"

    async def work(self, limit: int | None, *, join: bool) -> bool:
        """The life of one worker. True where it was taken for dead."""
        store, of = self.store, self.campaign.id
        rates = _rates(self.settings, self.timetable)
        worker = await self.patiently(lambda: _begin(store, of, limit, rates if self.is_shared else None, join=join))
        if worker is None:
            return False
        desk = SharedDesk(store, of, worker, rates) if self.is_shared else LedgerDesk(store, of, worker)
        reached = False
        try:
            now = asyncio.get_running_loop().time()
            pace = self.slowed.pop(of, None)
            if pace is not None:
                pace.renew(rates.wait)
            else:
                pace = await asyncio.to_thread(_pace, store, of, self.settings, self.timetable, now, rates)
            connections = min(self.settings.smtp_connections, self.campaign.audience)
            own = None if self.is_shared else limit  # of several workers, the ledger counts
            feed = Feed(desk, store.clock, group=_AHEAD * connections, limit=own, patience=self.wait, pace=pace)
            several = len(self.servers) > 1
            dialer = Relays(self.servers, self.pauses, feed) if several else Dialer(self.servers[0], self.pauses, feed)
            sending = Sending(desk, feed, dialer, self.letters, self.pauses, store.clock, pace)
            async with _watching(store, of, desk, feed, self.stop, self.on_progress), _noting(desk, pace, dialer):
                await sending.work(connections)
            reached = feed.limit_reached
            if pace.slowed:
                self.slowed[of] = pace
        finally:
            try:
                await desk.close()
            finally:
                await self.patiently(lambda: _end(store, of, worker, limit if reached else None))
        return isinstance(desk, SharedDesk) and desk.fenced.is_set()

    async def patiently(self, act: Callable[[], T]) -> T:
        """Do something with the database, again where a server is away for a moment."""
        for pause in PAUSES if self.is_shared else ():
            try:
                return await asyncio.to_thread(act)
            except (LedgerError, DBAPIError):
                await asyncio.sleep(pause)
        return await asyncio.to_thread(act)


def _rates(settings: Settings, timetable: Timetable) -> Rates:
    """The pace of all workers together."""
    providers = timetable.sending.providers
    return Rates(settings.smtp_rate, {name: of.rate for name, of in providers.items() if of.rate is not None})


def _pace(  # noqa: PLR0913, PLR0917 - it joins these parts and nothing else
    store: Store, campaign_id: int, settings: Settings, timetable: Timetable, now: float, rates: Rates
) -> Pace:
    """The pace of a campaign's lanes, as it is set now; ``now`` is by the event loop's clock."""
    with store.read() as connection:
        lanes = ledger.lanes_of(connection, campaign_id)
    rules = timetable.sending
    hours = Hours.of(timetable)
    return Pace(
        lanes,
        now,
        rate=settings.smtp_rate,
        limits={name: Limit(of.rate, of.connections) for name, of in rules.providers.items()},
        shut_for=None if hours is None else lambda: hours.shut_for(store.clock()),
        outer=rates.wait,
    )


def _begin(store: Store, campaign_id: int, limit: int | None, rates: Rates | None, *, join: bool) -> int | None:
    """Register as a worker, take back what a crash left, start the campaign. None where it is over, or not to be started.

    ``rates`` are None where this is the only worker.
    """
    with writing(store) as connection:
        now = store.now(connection)
        lease = None if rates is None else store.lease
        own = ledger.register(connection, host=platform.node(), pid=os.getpid(), version=__version__, now=now, lease=lease)
        if rates is None:
            ledger.recover_others(connection, own, now)
        else:
            ledger.reap(connection, now)
            rates.set_up(connection, now)
        if ledger.start(connection, campaign_id, now, limit=None if rates is None else limit, join=join):
            return own
        ledger.recover(connection, own, now, ended="gone")
        return None


def _end(store: Store, campaign_id: int, worker_id: int, limit: int | None) -> None:
    """Take leave; the campaign is done where nothing is left of it, paused where the limit was reached."""
    with writing(store) as connection:
        now = store.now(connection)
        life.lock(connection, campaign_id)  # of two workers that end now, the second one sees that nobody is left
        ledger.recover(connection, worker_id, now, ended="gone")
        if life.is_held(connection, campaign_id):
            return
        life.remark(connection, campaign_id, None)
        if not ledger.finish(connection, campaign_id, now) and (limit := limit or used_up(connection, campaign_id)) is not None:
            ledger.pause(connection, campaign_id, f"stopped after {limit} deliver{'y' if limit == 1 else 'ies'}, as --limit says")


@contextlib.asynccontextmanager
async def _watching(  # noqa: PLR0913, PLR0917 - it joins these parts and nothing else
    store: Store,
    campaign_id: int,
    desk: LedgerDesk,
    feed: Feed,
    stop: asyncio.Event,
    on_progress: Callable[[Account], None] | None,
) -> AsyncIterator[None]:
    """Pass the wish to stop on to the feed, and the account on to who watches; show the others that this worker lives."""
    watchers = [asyncio.create_task(_drain(feed, desk, stop))]
    if isinstance(desk, SharedDesk):
        watchers += [asyncio.create_task(_stop_when_fenced(feed, desk)), asyncio.create_task(_beat(desk, store.lease))]
    if on_progress is not None:
        watchers.append(asyncio.create_task(_report(store, campaign_id, on_progress)))
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)


async def _drain(feed: Feed, desk: LedgerDesk, stop: asyncio.Event) -> None:
    await stop.wait()
    if isinstance(desk, SharedDesk):
        desk.hasten()
    feed.halt()


async def _stop_when_fenced(feed: Feed, desk: SharedDesk) -> None:
    await desk.fenced.wait()
    feed.halt()


async def _beat(desk: SharedDesk, lease: int) -> None:
    while True:
        await asyncio.sleep(lease / 3 / SECOND)
        await desk.beat()


async def _report(store: Store, campaign_id: int, on_progress: Callable[[Account], None]) -> None:
    while True:
        begun = time.monotonic()
        with contextlib.suppress(DBAPIError):  # a server that is away for a moment
            on_progress(await asyncio.to_thread(account_of, store, campaign_id))
        # Counting a million rows takes a third of a second: a tenth of the time for it is enough.
        await asyncio.sleep(max(_REPORT, 10 * (time.monotonic() - begun)))


@contextlib.asynccontextmanager
async def _noting(desk: LedgerDesk, pace: Pace, dialer: Dialer | Relays) -> AsyncIterator[None]:
    """Say in the ledger where a server slows the sending down, or rests: ``status`` is another process."""

    async def note() -> None:
        noted = None
        while True:
            if (words := "; ".join(filter(None, (dialer.resting(), slowed_in_words(pace)))) or None) != noted:
                noted = words
                await desk.remark(words)
            await asyncio.sleep(_REPORT)

    noting = asyncio.create_task(note())
    try:
        yield
    finally:
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)
