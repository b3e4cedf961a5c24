"""The connections at work: each pulls what is granted, sends it, and what became of it goes back to the ledger."""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable

from newsletter.delivery.desk import LedgerDesk
from newsletter.delivery.dial import Dialer
from newsletter.delivery.feed import Feed
from newsletter.delivery.ledger import Claimed
from newsletter.delivery.letters import Letter, Letters
from newsletter.delivery.pace import Pace
from newsletter.delivery.relaying import Relays
from newsletter.delivery.replies import Outcome, Pauses, judge, nameless
from newsletter.delivery.smtp import Wire
from newsletter.store.clock import Clock

#: So many refusals by policy in a row, or among so many of the last answers, pause the campaign.
_STRIKES, _OF_THE_LAST = 5, 500


class Strikes:
    """Counts refusals by policy: of five deliveries in a row, or of one in a hundred of the last 500 answers, they are about us.

    A delivery counts once: when the others are sent, only the few that were refused are tried again, one after the other.
    """

    def __init__(self) -> None:
        self._row = self._among = 0
        self._last: deque[bool] = deque()
        self._refused: set[int] = set()

    def add(self, outcome: Outcome, delivery: int) -> bool:
        """Note the outcome of a delivery; True where the campaign must pause."""
        taken = outcome.stage == "end" and outcome.code is not None and outcome.code < 300
        if not taken:
            if not outcome.is_policy or delivery in self._refused:
                return False
            self._refused.add(delivery)
        self._row = 0 if taken else self._row + 1
        self._last.append(not taken)
        self._among += not taken
        if len(self._last) > _OF_THE_LAST:
            self._among -= self._last.popleft()
        return self._row >= _STRIKES or (len(self._last) == _OF_THE_LAST and self._among >= _STRIKES)


class Sending:
    """Several connections over one feed."""

    def __init__(  # noqa: PLR0913, PLR0917 - it joins these parts and nothing else
        self, desk: LedgerDesk, feed: Feed, dialer: Dialer | Relays, letters: Letters, pauses: Pauses, clock: Clock, pace: Pace
    ) -> None:
        self._desk = desk
        self._feed = feed
        self._dialer = dialer
        self._letters = letters
        self._pauses = pauses
        self._clock = clock
        self._pace = pace
        self._now = asyncio.get_running_loop().time
        #: Of each relay its own: what one takes says nothing of another.
        self._strikes: defaultdict[str | None, Strikes] = defaultdict(Strikes)
        self._error: Exception | None = None
        self._pausing: asyncio.Future[None] | None = None
        #: Messages that were made while the database wrote; see _make_ahead().
        self._made: dict[int, Letter | Outcome] = {}
        feed.ahead = self._make_ahead
        #: Set when the first connection is logged in: the others follow then.
        self._reached = asyncio.Event()
        #: Set when mail was answered on it: the others begin with theirs then.
        self._proven = asyncio.Event()

    async def work(self, connections: int) -> None:
        """Send until nothing is due. Where one connection fails for good, the others finish what they are at first."""
        workers = [asyncio.create_task(self._work(number)) for number in range(connections)]
        try:
            ends = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            await self._feed.close()
            if self._pausing is not None:
                await self._pausing
        for end in (self._error, *ends):
            if isinstance(end, BaseException):
                raise end

    async def _work(self, number: int) -> None:
        wire: Wire[Letter] | None = None
        words = ""
        try:
            if number:
                await self._reached.wait()
                if self._feed.waiting <= number:  # perhaps not so many connections are needed
                    await self._proven.wait()
            while await self._feed.due():
                with self._feed.idle.on_the_way() as arrived:
                    wire, words = await self._dialer.renew(wire, words), ""
                    if wire is not None:
                        self._reached.set()
                        if number and not self._proven.is_set():
                            await self._proven.wait()
                            wire = await self._dialer.spare(wire)
                            continue
                        words = await self._carry(wire, arrived)
                if wire is None:
                    self._proven.set()  # there are others, which must not wait for this one
                    await self._dialer.rest()
        except BaseException:
            self._feed.halt()
            raise
        finally:
            self._reached.set()
            self._proven.set()
            if wire is not None:
                await wire.close()

    async def _carry(self, wire: Wire[Letter], arrived: Callable[[], None]) -> str:
        """Carry what is granted to a connection; how it broke, or "" where it did not, or had nothing to do."""
        with self._feed.hand():
            if not await self._feed.granted():
                return ""
            arrived()
            said = await wire.carry(_Through(self, self._dialer.place(wire)))
            return "" if wire.is_open else said  # one that breaks while it waits says nothing of the server

    # --- what a connection asks for, see mail.Source ------------------------------------------------------------------------

    def pull(self) -> Letter | None:
        """The next message that may leave; one that cannot be made has failed at once."""
        while (claimed := self._feed.pull()) is not None:
            try:
                letter = self._made.pop(claimed.id, None) or self._letters.write(claimed)
            except Exception as error:  # noqa: BLE001 - see _fail()
                self._feed.landed(claimed, None)
                self._fail(error)
                return None
            if isinstance(letter, Letter):
                return letter
            self._land(claimed, letter)
        return None

    def _make_ahead(self, soon: list[Claimed]) -> None:
        """Make the next messages now: while the disk is waited for, there is little else to do."""
        with contextlib.suppress(Exception):  # pull() makes it again and says what is wrong
            self._made = {one.id: self._made.get(one.id) or self._letters.write(one) for one in soon}

    def more(self, call: Callable[[], None]) -> None:
        """See :class:`~newsletter.delivery.mail.Source`."""
        self._feed.more(call)

    def answer(self, mail: Letter, outcome: Outcome, place: str | None = None) -> None:
        """See :class:`~newsletter.delivery.mail.Source`."""
        if outcome.answered:
            self._dialer.proven()
            self._proven.set()
        self._land(mail.claimed, outcome, place)

    def _fail(self, error: Exception) -> None:
        """Raise it in work(), when what is under way is answered: where it happened, asyncio would only log it."""
        self._error = self._error or error
        self._feed.halt()

    def _land(self, claimed: Claimed, outcome: Outcome, place: str | None = None) -> None:
        try:
            self._pace.landed(claimed.lane, outcome, self._now())
            self._feed.landed(claimed, judge(outcome, claimed, self._clock(), self._pauses))
            missing = outcome.missing_setting
            if (self._strikes[place].add(outcome, claimed.id) or missing) and self._pausing is None:
                said = nameless(outcome.reply, self._letters.sender) + (f"; set {missing}" if missing else "")
                note = f"{place or 'the server'} refuses the mail: {outcome.code} {said}"
                self._pausing = asyncio.ensure_future(self._desk.pause(note))
                self._feed.halt()
        except Exception as error:  # noqa: BLE001 - see _fail()
            self._fail(error)


class _Through:
    """The sending as the source of one connection, through one relay; see :class:`~newsletter.delivery.mail.Source`."""

    def __init__(self, sending: Sending, place: str | None) -> None:
        self._sending = sending
        self._place = place
        self.pull = sending.pull
        self.more = sending.more

    def answer(self, mail: Letter, outcome: Outcome) -> None:
        self._sending.answer(mail, outcome, self._place)
