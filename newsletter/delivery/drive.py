"""A frozen campaign becomes mail and an account: from its start over the sending to what is left in the ledger at the end."""

import asyncio
import contextlib
import os
import platform
import ssl
import time
from collections.abc import AsyncIterator, Callable

from newsletter import __version__
from newsletter.delivery import ledger, life
from newsletter.delivery.account import Account, account_of
from newsletter.delivery.desk import LedgerDesk, writing
from newsletter.delivery.dial import Dialer
from newsletter.delivery.feed import Feed
from newsletter.delivery.hours import Hours
from newsletter.delivery.letters import Letters, Template
from newsletter.delivery.pace import Limit, Pace, slowed_in_words
from newsletter.delivery.replies import Pauses
from newsletter.delivery.sending import Sending
from newsletter.delivery.server import Server
from newsletter.issue import Timetable
from newsletter.links import Links
from newsletter.message.address import wire_address
from newsletter.message.own_links import OwnLinks
from newsletter.problem import complaint
from newsletter.settings import Settings
from newsletter.store.campaigns import campaign_of
from newsletter.store.editions import load_edition
from newsletter.store.engine import Store

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
    on_progress: Callable[[Account], None] | None = None,
    wait: float | None = STAY,
    pauses: Pauses = Pauses(),  # noqa: B008 - frozen
    timetable: Timetable = Timetable(),  # noqa: B008 - frozen
    context: ssl.SSLContext | None = None,
) -> Account:
    """Send what is due of a campaign, and give its account.

    The caller holds :func:`~newsletter.store.engine.send_lock`: whoever else is in the ledger as a living worker is taken for
    dead, and what it was sending becomes uncertain. ``template`` is of the campaign's own edition
    (:func:`~newsletter.store.editions.load_edition`), not of an issue file edited since. ``stop`` drains: what is on the wire is
    finished and recorded. ``limit`` deliveries are tried at most, then the campaign is paused. ``on_progress`` hears of the
    account about once a second. It stays while something is due within ``wait`` seconds (None: to the end). ``timetable`` says
    when and how fast the publication sends. ``context`` is for a certificate authority of one's own. A campaign that is over is
    left as it is.

    Raises :class:`~newsletter.problem.InputError`, before anything is touched, where no server is set or no such campaign exists,
    :class:`~newsletter.delivery.dial.SendError` where the server cannot be used, and
    :class:`~newsletter.delivery.desk.LedgerError` where the database cannot be written; the same call goes on later.
    """
    campaign = campaign_of(store, campaign_id)
    edition = None if campaign is None else load_edition(store, campaign.edition_hash, with_files=False)
    if campaign is None or edition is None:
        raise complaint(f"there is no campaign {campaign_id} in the database")
    server = Server.of(settings, context)
    sender = wire_address(edition.headers.from_email, "From")
    pace = await asyncio.to_thread(_pace, store, campaign_id, settings, timetable, asyncio.get_running_loop().time())
    worker_id = await asyncio.to_thread(_begin, store, campaign_id)
    if worker_id is None:
        return account_of(store, campaign_id)
    desk = LedgerDesk(store, campaign_id, worker_id)
    try:
        connections = min(settings.smtp_connections, campaign.audience)
        group = _AHEAD * connections
        feed = Feed(desk, store.clock, group=group, limit=limit, patience=wait, pace=pace)
        post = Letters(campaign, sender, OwnLinks(links, edition.headers, campaign.slug), template)
        sending = Sending(desk, feed, Dialer(server, pauses, feed), post, pauses, store.clock, pace)
        async with _watching(store, campaign_id, feed, stop, on_progress), _noting(desk, pace):
            await sending.work(connections)
    finally:
        try:
            await desk.close()
        finally:
            await asyncio.to_thread(_end, store, campaign_id, worker_id, limit if feed.limit_reached else None)
    account = await asyncio.to_thread(account_of, store, campaign_id)
    if on_progress is not None:
        on_progress(account)
    return account


def _pace(store: Store, campaign_id: int, settings: Settings, timetable: Timetable, now: float) -> Pace:
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
    )


def _begin(store: Store, campaign_id: int) -> int | None:
    """Register as the worker, take back what a crash left, start the campaign. None where the campaign is over."""
    with writing(store) as connection:
        now = store.clock()
        own = ledger.register(connection, host=platform.node(), pid=os.getpid(), version=__version__, now=now)
        ledger.recover_others(connection, own, now)
        if ledger.start(connection, campaign_id, now):
            return own
        ledger.recover(connection, own, now, ended="gone")
        return None


def _end(store: Store, campaign_id: int, worker_id: int, limit: int | None) -> None:
    """Take leave; the campaign is done where nothing is left of it, paused where the limit was reached."""
    with writing(store) as connection:
        ledger.recover(connection, worker_id, store.clock(), ended="gone")
        life.remark(connection, campaign_id, None)
        if not ledger.finish(connection, campaign_id, store.clock()) and limit is not None:
            ledger.pause(connection, campaign_id, f"stopped after {limit} deliveries, as --limit says")


@contextlib.asynccontextmanager
async def _watching(
    store: Store, campaign_id: int, feed: Feed, stop: asyncio.Event, on_progress: Callable[[Account], None] | None
) -> AsyncIterator[None]:
    """Pass the wish to stop on to the feed, and the account on to who watches."""
    watchers = [asyncio.create_task(_drain(feed, stop))]
    if on_progress is not None:
        watchers.append(asyncio.create_task(_report(store, campaign_id, on_progress)))
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)


async def _drain(feed: Feed, stop: asyncio.Event) -> None:
    await stop.wait()
    feed.halt()


async def _report(store: Store, campaign_id: int, on_progress: Callable[[Account], None]) -> None:
    while True:
        begun = time.monotonic()
        on_progress(await asyncio.to_thread(account_of, store, campaign_id))
        # Counting a million rows takes a third of a second: a tenth of the time for it is enough.
        await asyncio.sleep(max(_REPORT, 10 * (time.monotonic() - begun)))


@contextlib.asynccontextmanager
async def _noting(desk: LedgerDesk, pace: Pace) -> AsyncIterator[None]:
    """Say in the ledger where the server slows the sending down: ``status`` is another process."""

    async def note() -> None:
        noted = None
        while True:
            if (words := slowed_in_words(pace)) != noted:
                noted = words
                await desk.remark(words)
            await asyncio.sleep(_REPORT)

    noting = asyncio.create_task(note())
    try:
        yield
    finally:
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)
