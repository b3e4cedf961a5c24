"""The ledger's due deliveries, handed to the connections one by one; says when there is nothing more to do."""

import asyncio
import contextlib
from collections import deque

from newsletter.delivery.desk import LedgerDesk
from newsletter.delivery.ledger import Claimed
from newsletter.store.clock import SECOND, Clock

#: While it waits for something to become due, it looks this often (seconds) whether somebody paused the campaign.
_LOOK = 2.0


class Feed:
    """Claims small portions, hands out ``limit`` deliveries at most, and waits for what is due within ``patience`` seconds."""

    def __init__(self, desk: LedgerDesk, clock: Clock, *, portion: int, limit: int | None, patience: float | None) -> None:
        self._desk = desk
        self._clock = clock
        self._portion = portion
        self._left = limit
        self._patience = patience
        self._ready: deque[Claimed] = deque()
        self._out = 0
        self._lock = asyncio.Lock()
        self._stir = asyncio.Event()
        self._halt = asyncio.Event()

    @property
    def limit_reached(self) -> bool:
        """Whether as many were handed out as the limit allows."""
        return self._left == 0

    @property
    def halted(self) -> bool:
        """Whether it was told to stop."""
        return self._halt.is_set()

    def halt(self) -> None:
        """Hand out nothing more; whoever waits here goes on at once."""
        self._halt.set()
        self._stir.set()

    async def take(self) -> Claimed | None:
        """The next delivery, to be answered with :meth:`landed`; None where the work is over, for now or for good."""
        async with self._lock:
            while not self.halted and not self.limit_reached:
                if self._ready:
                    self._out += 1
                    if self._left is not None:
                        self._left -= 1
                    return self._ready.popleft()
                self._stir.clear()
                busy = self._out > 0  # before the ledger is asked: one that lands meanwhile may become due
                wanted = self._portion if self._left is None else min(self._portion, self._left)
                self._ready.extend(await self._desk.claim(wanted))
                if not self._ready and not await self._wait(busy):
                    break
            if not self._out:
                self.halt()  # for those who sleep until their next try of a connection
            return None

    def landed(self, *, tried: bool) -> None:
        """A delivery that was taken has its result, or (not ``tried``) was given back and does not count for the limit."""
        self._out -= 1
        if not tried and self._left is not None:
            self._left += 1
        self._stir.set()

    async def sleep(self, seconds: float) -> None:
        """Wait; shorter where it is told to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._halt.wait()

    async def close(self) -> None:
        """Give back what was claimed and not handed out."""
        if self._ready:
            await self._desk.give_back([claimed.id for claimed in self._ready])
            self._ready.clear()

    async def _wait(self, busy: bool) -> bool:
        """Wait until something may be due; False where nothing will be soon enough, and nothing was on its way either."""
        due = await self._desk.next_due()
        ahead = None if due is None else (due - self._clock()) / SECOND
        soon = ahead is not None and (self._patience is None or ahead <= self._patience)
        if not soon and not busy:
            return False
        pause = min(ahead, _LOOK) if soon and ahead is not None else _LOOK
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(pause, 0)):
                await self._stir.wait()
        return True
