"""The ledger's due deliveries become intents on disk and go to the connections; what became of them goes back the same way.

Everything is written in turns, each one transaction (group commit): the results since the last turn, the intents for the next few
messages, and a claim where few are left. The connection that pulls one of the last few that are granted begins the next turn, and
the others take what is left while the disk is waited for. All other turns are a clerk's, who also says when there is nothing more
to do.
"""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from newsletter.delivery.desk import LedgerDesk
from newsletter.delivery.idle import Idle
from newsletter.delivery.ledger import Claimed, Result
from newsletter.delivery.pace import Pace
from newsletter.delivery.stock import Stock
from newsletter.store.clock import SECOND, Clock

#: While it waits for something to become due, it looks this often (seconds) whether somebody paused the campaign.
_LOOK = 2.0
#: A few results wait for others to share their transaction, as long as the last one took, within these bounds (seconds).
_GATHER = (0.001, 0.025)


@dataclass(slots=True)
class _Turn:
    """A transaction that is under way: its intents, what was to be claimed, and when it began."""

    intents: list[Claimed]
    wanted: int
    lanes: Mapping[str, int] | None
    begun: float


class Feed:
    """Grants up to ``group`` deliveries ahead, ``limit`` at most in all, and waits for what is due within ``patience`` seconds.

    Intents are written only while a connection is there to use them (:meth:`hand`): until then a recipient can still
    unsubscribe, and is not in doubt after a crash.
    """

    def __init__(  # noqa: PLR0913 - each says its own, by name
        self, desk: LedgerDesk, clock: Clock, *, group: int, limit: int | None, patience: float | None, pace: Pace
    ) -> None:
        self._desk = desk
        self._pace = pace
        self._clock = clock
        self._stock = Stock(group, limit)
        self._patience = patience
        self._hands = 0
        self._over = self._closing = self._gathering = self._dry = False
        self._turn: _Turn | None = None
        self._turns = 0
        self._failure: BaseException | None = None
        self._halt = asyncio.Event()
        self._stir = asyncio.Event()
        self._news = asyncio.Event()
        self._wanting: list[Callable[[], None]] = []
        #: Who waits in :meth:`due`, and who is on the way from there.
        self.idle = Idle()
        self._loop = asyncio.get_running_loop()
        self._next_claim = self._takes = 0.0
        #: Told, while their intents are written, of the deliveries that will probably be pulled next.
        self.ahead: Callable[[list[Claimed]], None] = lambda _: None
        self._clerk = asyncio.create_task(self._serve())

    @property
    def limit_reached(self) -> bool:
        """Whether as many were handed out as the limit allows."""
        return self._stock.limit_reached

    @property
    def waiting(self) -> int:
        """How many deliveries are held for connections to come, those among them whose intents are being written."""
        return len(self._stock.granted) + len(self._stock.claimed) + (len(self._turn.intents) if self._turn is not None else 0)

    @property
    def halted(self) -> bool:
        """Whether it was told to stop."""
        return self._halt.is_set()

    def halt(self) -> None:
        """Hand out nothing more; whoever waits here goes on at once."""
        self._halt.set()
        self._stir.set()
        self._tell()

    async def sleep(self, seconds: float) -> None:
        """Wait; shorter where it is told to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._halt.wait()

    async def close(self) -> None:
        """Store the last results and give back what was not handed out. Raises what kept the ledger from it."""
        self._closing = True
        self.halt()
        await self._clerk
        if self._failure is not None:
            raise self._failure

    # --- for the connections ------------------------------------------------------------------------------------------------

    async def due(self) -> bool:
        """Wait for something to do that nobody else is on the way to; False where the work is over, for now or for good."""
        place = self.idle.place()
        while (something := self._look(self.waiting > self.idle.coming, self._over or self.limit_reached)) is None:
            await self.idle.rest(place)
        return something

    @contextlib.contextmanager
    def hand(self) -> Iterator[None]:
        """Within this, a connection is there that takes what is granted."""
        self._hands += 1
        self._stir.set()
        try:
            yield
        finally:
            self._hands -= 1
            self._stir.set()

    async def granted(self) -> bool:
        """Wait until something can be pulled; False where nothing is about to come."""
        stock = self._stock
        self._turn_ahead()
        while (something := self._look(bool(stock.granted), not stock.claimed and self._turn is None)) is None:
            await self._news.wait()
        return something

    def pull(self) -> Claimed | None:
        """The next delivery, to be answered with :meth:`landed`. Its intent is on disk: its message may leave (S23)."""
        stock = self._stock
        if self._turn is None and stock.is_low:
            self._turn_ahead()
        return None if self.halted or not stock.granted else stock.take()

    def more(self, call: Callable[[], None]) -> None:
        """Call back, once, when there may be something to pull."""
        self._wanting.append(call)

    def landed(self, claimed: Claimed, result: Result | None) -> None:
        """What became of a delivery that was pulled; None: nothing was tried, and it does not count for the limit."""
        self._stock.land(claimed, result)
        if not self._stock.out or result is None or result.next_at or not self._pace.free:
            self._next_claim = 0.0
        self._stir_clerk()

    def _stir_clerk(self) -> None:
        if self._turn is None and (not self._gathering or self._enough()):
            self._stir.set()

    def _look(self, something: bool, nothing: bool) -> bool | None:
        """Whether somebody who waits goes on, with something to do or without; None: neither."""
        if self._failure is not None:
            raise self._failure
        if self.halted or something:
            return not self.halted
        return False if nothing else None

    def _tell(self) -> None:
        """Wake whoever waits: first the connections that stand idle, then those that could say an envelope ahead."""
        self.idle.wake()
        self._news.set()
        self._news.clear()
        wanting, self._wanting = self._wanting, []
        for call in wanting:
            self._loop.call_soon(call)

    # --- turns --------------------------------------------------------------------------------------------------------------

    def _turn_ahead(self) -> None:
        """Have the next group granted before the last of this one is pulled."""
        if self._turn is None and self._pace.free and (room := self._room()):
            self._begin(room, self._wanted_now(room))

    def _begin(self, room: int, wanted: int, lanes: Mapping[str, int] | None = None) -> None:
        results, intents = self._stock.take_results(), self._stock.next_intents(room)
        begun = self._loop.time()
        stored = self._desk.turn(results, [intent.id for intent in intents], wanted, lanes)
        self._turn = _Turn(intents, wanted, lanes, begun)
        self._turns += 1
        stored.add_done_callback(self._end)

    def _end(self, stored: "asyncio.Future[tuple[set[int], list[Claimed]]]") -> None:
        turn, now = self._turn, self._loop.time()
        self._turn = None
        if turn is None or stored.cancelled():
            return
        if error := stored.exception():
            self._failure = error
            self.halt()
            return
        self._takes = now - turn.begun
        may, claimed = stored.result()
        if turn.intents and self._stock.out:
            self._stock.learn()
        for intent in turn.intents:
            if intent.id in may:
                self._stock.granted.append(intent)
            else:
                self._stock.back.append(intent.id)
                self._unpace([intent])
        if turn.lanes is not None:
            self._pace.took(turn.lanes, turn.wanted, Counter(one.lane for one in claimed), now)
        self._stock.claimed.extend(claimed)
        if turn.wanted and not claimed:
            self._dry, self._next_claim = True, now + _LOOK
        self._stir_clerk()
        self._tell()

    # --- the clerk ----------------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            while True:
                self._stir.clear()
                if await self._finish() or await self._withdraw() or await self._take_turn():
                    continue
                if self._closing:
                    return
                await self._rest()
        except BaseException as error:  # noqa: BLE001 - it belongs to those who wait here
            self._failure = error
            self.halt()

    async def _finish(self) -> bool:
        """Wait for the turn that is under way; where nothing was due in it, look what comes."""
        while (turn := self._turn) is not None:
            if not self._stock.granted:
                self.ahead(turn.intents)
            await self._stir.wait()  # which its end does
            self._stir.clear()
        dry, self._dry = self._dry, False
        if dry:
            await self._look_ahead()
            self._tell()
        return dry

    async def _withdraw(self) -> bool:
        """Give back what nobody will send now."""
        if self.halted or not self._hands:
            self._unpace(self._stock.withdraw_granted())
        if self.halted:
            self._stock.withdraw_claimed()
        back = self._stock.take_back()
        if back:
            await self._desk.withdraw(back)
            self._next_claim = 0.0  # they are due
        return bool(back)

    async def _take_turn(self) -> bool:
        """One transaction, where there is something for it."""
        room = self._room()
        wanted, lanes, before = self._wanted_now(room), None, self._turns
        if wanted and not self._pace.free:
            lanes = self._pace.ready(self._loop.time(), wanted)
            if not lanes:
                wanted = 0
                await self._bide()
        if not (room or wanted or self._stock.results):
            return False
        if not self._enough():
            await self._gather()
        if self._turns == before:  # else a connection took it meanwhile
            self._begin(self._room(), wanted, lanes)
            await self._finish()
        return True

    def _enough(self) -> bool:
        """Whether a transaction is worth its while: not before the connections have taken what the last one granted."""
        return self.halted or self._stock.is_low

    async def _gather(self) -> None:
        self._gathering = True
        self._stir.clear()
        pause = _GATHER[1] if self._stock.claimed and self._pace.free else min(max(self._takes, _GATHER[0]), _GATHER[1])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._stir.wait()
        self._gathering = False

    def _room(self) -> int:
        return 0 if self.halted or not self._hands else self._stock.room()

    def _wanted(self, room: int) -> int:
        """How many to claim, once it is time for it."""
        return 0 if self.halted else self._stock.wanted(room)

    def _wanted_now(self, room: int) -> int:
        return self._wanted(room) if self._loop.time() >= self._next_claim else 0

    async def _look_ahead(self) -> None:
        """Nothing was due: when is the next claim, or is the work over?"""
        self._next_claim = math.inf
        due = await self._desk.next_due()
        if not self._next_claim:
            return  # something landed meanwhile
        ahead = None if due is None else max((due - self._clock()) / SECOND, self._pace.shut())
        soon = ahead is not None and (self._patience is None or ahead <= self._patience)
        if not soon and self._turn is None and self._stock.results and self._stock.is_settled:
            self._next_claim = 0.0  # the last answers came meanwhile: they are stored first, and then it looks again
            return
        if not soon and not self._busy():
            self._over = True
            self.halt()  # for those who sleep until their next try of a connection
        pause = max(ahead, self._pace.wait(self._loop.time())) if soon and ahead is not None else _LOOK
        pause = min(pause, _LOOK)
        self._next_claim = self._loop.time() + max(pause, 0)

    def _busy(self) -> bool:
        return self._turn is not None or not self._stock.is_empty

    async def _bide(self) -> None:
        """No lane may claim now: wait for one, or is the work over?"""
        if not self._busy():
            await self._look_ahead()
            return
        now = self._loop.time()
        self._next_claim = now + min(self._pace.wait(now), _LOOK)

    def _unpace(self, given_back: Iterable[Claimed]) -> None:
        for claimed in given_back:
            if not self._pace.free:
                self._pace.back(claimed.lane, self._loop.time())

    async def _rest(self) -> None:
        """Until something stirs, or it is time for the next claim."""
        pause = max(self._next_claim - self._loop.time(), 0) if self._wanted(0) else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._stir.wait()
