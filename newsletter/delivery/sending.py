"""The connections at work: each takes a delivery, makes its message, sends it and settles what became of it."""

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, MissingValue
from newsletter.delivery.desk import LedgerDesk
from newsletter.delivery.dial import Dialer
from newsletter.delivery.feed import Feed
from newsletter.delivery.ledger import Claimed
from newsletter.delivery.replies import Outcome, Pauses, judge
from newsletter.delivery.smtp import Mail, Wire
from newsletter.links import Links
from newsletter.message.headers import HeaderError
from newsletter.message.message_id import message_id
from newsletter.store.campaigns import Campaign
from newsletter.store.clock import Clock

#: So many refusals by policy in a row, or among so many of the last answers, pause the campaign.
_STRIKES, _OF_THE_LAST = 5, 500


class Template(Protocol):
    """What makes the messages of an edition: :class:`newsletter.message.MessageTemplate`."""

    def of(self, variant: str | None) -> "Template":
        """The template of a variant of the edition."""

    def build(self, *, to: str, values: Mapping[str, str], message_id: str, date: dt.datetime) -> bytes:
        """The whole message. Raises :class:`MissingValue` and :class:`HeaderError`."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Makes the messages of one campaign."""

    campaign: Campaign
    sender: str
    links: Links
    template: Template

    def write(self, claimed: Claimed) -> Mail | Outcome:
        """The message for one recipient; where it cannot be made, what is wrong."""
        values = {
            **claimed.fields,
            VIEW: self.links.view_url(self.campaign.id, claimed.id),
            UNSUBSCRIBE: self.links.unsubscribe_url(self.campaign.id, claimed.id, claimed.mark),
        }
        domain = self.sender.rpartition("@")[2]
        try:
            message = self.template.of(claimed.variant).build(
                to=claimed.address,
                values=values,
                message_id=message_id(self.campaign.key, claimed.id, domain),
                date=dt.datetime.now(dt.UTC).astimezone(),
            )
        except MissingValue as error:
            return Outcome("own", "reply", reply=f"{error}; fill it in the list, or give the field a default in the issue")
        except HeaderError as error:
            return Outcome("own", "reply", reply=f"the message cannot be made: {error}")
        return Mail(self.sender, claimed.address, message)


class Strikes:
    """Counts refusals by policy: five in a row, or one in a hundred of the last 500 answers, are about us."""

    def __init__(self) -> None:
        self._row = 0
        self._last: deque[bool] = deque(maxlen=_OF_THE_LAST)

    def add(self, outcome: Outcome) -> bool:
        """Note an outcome; True where the campaign must pause."""
        taken = outcome.stage == "end" and outcome.code is not None and outcome.code < 300
        if not taken and not outcome.is_policy:
            return False
        self._row = 0 if taken else self._row + 1
        self._last.append(not taken)
        return self._row >= _STRIKES or (len(self._last) == _OF_THE_LAST and sum(self._last) >= _STRIKES)


class Sending:
    """Several connections over one feed."""

    def __init__(  # noqa: PLR0913, PLR0917 - it joins these parts and nothing else
        self, desk: LedgerDesk, feed: Feed, dialer: Dialer, letters: Letters, pauses: Pauses, clock: Clock
    ) -> None:
        self._desk = desk
        self._feed = feed
        self._dialer = dialer
        self._letters = letters
        self._pauses = pauses
        self._clock = clock
        self._strikes = Strikes()
        #: Set when the first connection was of use: the others follow then.
        self._proven = asyncio.Event()

    async def work(self, connections: int) -> None:
        """Send until nothing is due. Where one connection fails for good, the others finish what they are at first."""
        workers = [asyncio.create_task(self._work(first=number == 0)) for number in range(connections)]
        try:
            ends = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            await self._feed.close()
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _work(self, *, first: bool) -> None:
        wire: Wire | None = None
        words = ""
        try:
            if not first:
                await self._proven.wait()
            while (claimed := await self._feed.take()) is not None:
                mail = self._letters.write(claimed)
                if isinstance(mail, Outcome):
                    await self._settle(claimed, mail)
                    continue
                wire = await self._dialer.renew(wire, words)
                if wire is None:
                    await self._let_go(claimed)
                    await self._dialer.rest()
                    continue
                outcome = await wire.deliver(mail, partial(self._desk.grant, claimed.id))
                words = f"{outcome.code} {outcome.reply}" if outcome.code else outcome.reply
                if wire.proven:
                    self._dialer.proven()
                    self._proven.set()
                await self._settle(claimed, outcome)
        except BaseException:
            self._feed.halt()
            raise
        finally:
            self._proven.set()
            if wire is not None:
                await wire.close()

    async def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        result = judge(outcome, claimed, self._clock(), self._pauses)
        if result is None:
            await self._let_go(claimed)
            return
        self._desk.settle(result)
        if self._strikes.add(outcome):
            await self._desk.pause(f"the server refuses the mail: {outcome.code} {outcome.reply}")
            self._feed.halt()
        self._feed.landed(tried=True)

    async def _let_go(self, claimed: Claimed) -> None:
        await self._desk.give_back([claimed.id])
        self._feed.landed(tried=False)
