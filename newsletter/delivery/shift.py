"""One job of a worker: the campaign that it names is driven for a minute, from what is in the database and the settings alone."""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from newsletter.delivery.account import Account
from newsletter.delivery.desk import LedgerError
from newsletter.delivery.dial import SendError
from newsletter.delivery.drive import drive
from newsletter.delivery.own_key import demand_own_key
from newsletter.delivery.pace import Pace
from newsletter.issue import Timetable
from newsletter.links import Links
from newsletter.message import MessageTemplate
from newsletter.problem import InputError, complaint
from newsletter.settings import Settings
from newsletter.store.campaigns import Campaign, campaign_of
from newsletter.store.editions import load_edition
from newsletter.store.engine import Store
from newsletter.store.faults import fault_of

#: Says what a worker does, without any address (S22).
log = logging.getLogger("newsletter.worker")
#: Seconds that one job works, before others have their turn.
TURN = 60.0
#: Seconds that a worker rests after something that a moment's wait may mend, such as a mail server that is away.
_REST = 30.0
#: Seconds that a job waits for deliveries that are due soon; for later ones, there will be another job.
_SOON = 5.0


@dataclass
class Shift:
    """What a worker has at hand for every job. ``stop`` drains; ``links`` makes the links of a List-Id."""

    store: Store
    settings: Settings
    timetable: Timetable
    links: Callable[[str], Links]
    stop: asyncio.Event
    turn: float = TURN
    rest: float = _REST
    _slowed: dict[int, Pace] = field(default_factory=dict)
    _driving: "asyncio.Task[object] | None" = None

    async def work(self, campaign_id: int) -> bool:
        """Drive a campaign. True where its turn ended before its work did, so that another job should follow at once.

        Never raises: what goes wrong is logged, and the ledger knows what is left.
        """
        self._driving = asyncio.current_task()
        try:
            return await self._drive(campaign_id)
        except (InputError, SendError, LedgerError) as error:
            words = str(error)
        except DBAPIError as error:
            words = f"the database cannot be used: {fault_of(error)}"
        except Exception as error:  # noqa: BLE001 - a fault in one campaign must not end the worker
            where = traceback.extract_tb(error.__traceback__)[-1]
            words = f"a fault of the program: {type(error).__name__} in {Path(where.filename).name}:{where.lineno}"
        finally:
            self._driving = None
        log.error("campaign %d stopped here: %s; tried again in %g s", campaign_id, words, self.rest)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.rest):
                await self.stop.wait()
        return False

    def abort(self) -> None:
        """Stop at once; whatever was not answered is uncertain."""
        if self._driving is not None:
            self._driving.cancel()

    async def _drive(self, campaign_id: int) -> bool:
        campaign, links, template = await asyncio.to_thread(self._prepare, campaign_id)
        over = asyncio.Event()
        clock = asyncio.create_task(self._end_turn(campaign_id, over))
        try:
            account = await drive(
                self.store,
                campaign_id,
                settings=self.settings,
                links=links,
                template=template,
                stop=over,
                join=True,
                wait=_SOON,
                timetable=self.timetable,
                slowed=self._slowed,
            )
        finally:
            clock.cancel()
        log.info("%s: %s", campaign.slug, _in_words(account))
        return over.is_set() and not self.stop.is_set() and account.state == "running"

    def _prepare(self, campaign_id: int) -> tuple[Campaign, Links, MessageTemplate]:
        campaign = campaign_of(self.store, campaign_id)
        edition = None if campaign is None else load_edition(self.store, campaign.edition_hash)
        if campaign is None or edition is None:
            raise complaint(f"there is no campaign {campaign_id} in the database")
        links = self.links(edition.headers.list_id)
        demand_own_key(self.store, campaign, links)
        return campaign, links, MessageTemplate(edition)

    async def _end_turn(self, campaign_id: int, over: asyncio.Event) -> None:
        """Set ``over`` after a minute, or as soon as the worker is to stop.

        Not while the database is away: a drive that ends has to store its last answers soon, one that goes on may wait.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.turn):
                await self.stop.wait()
        while not self.stop.is_set():
            try:
                await asyncio.to_thread(campaign_of, self.store, campaign_id)
                break
            except DBAPIError:
                await asyncio.sleep(1)
        over.set()


def _in_words(account: Account) -> str:
    names = ("sent", "failed", "suppressed", "uncertain", "deferred", "pending")
    counts = ", ".join(f"{count:,} {name}" for name in names if (count := getattr(account, name)))
    return f"{account.state}, {counts or 'nobody'} of {account.audience:,}"
