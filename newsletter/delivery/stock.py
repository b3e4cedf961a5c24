"""The deliveries that one worker holds: claimed, granted, out with a connection, and what came back of them. Accounts only."""

from collections import deque
from collections.abc import Iterator

from newsletter.delivery.ledger import Claimed, Result

#: So many times the group are claimed at once: a claim is cheap to give back.
_PORTION = 5
#: The reserve grows by so many where it was used up, and shrinks by one where so many were left of it.
_STEP = 2


class Stock:
    """``group`` intents are written in one transaction at most; ``limit`` deliveries are handed out at most in all.

    It is low when only a reserve is left to pull: as many as leave while the next intents are on their way to the disk, a group
    at most. All that is granted is in doubt after a crash, so it is not more than it must be.
    """

    def __init__(self, group: int, limit: int | None) -> None:
        self._group = group
        self._reserve = group // 4
        self._left = limit
        #: This worker's; their intents are not written.
        self.claimed: deque[Claimed] = deque()
        #: Their intents are on disk.
        self.granted: deque[Claimed] = deque()
        #: To be stored.
        self.results: list[Result] = []
        #: The ids of those that nobody will send now, to be given back.
        self.back: list[int] = []
        #: How many are with the connections.
        self.out = 0

    @property
    def limit_reached(self) -> bool:
        """Whether as many were handed out as the limit allows."""
        return self._left == 0

    @property
    def is_low(self) -> bool:
        """Whether it is time to write the next intents."""
        return len(self.granted) <= self._reserve

    @property
    def is_settled(self) -> bool:
        """Whether no delivery is held: of all it is known what became of them."""
        return not (self.out or self.granted or self.claimed)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held, and nothing is to be stored."""
        return self.is_settled and not (self.results or self.back)

    def take(self) -> Claimed:
        """One that is granted goes out."""
        self.out += 1
        if self._left is not None:
            self._left -= 1
        return self.granted.popleft()

    def land(self, claimed: Claimed, result: Result | None) -> None:
        """One that was out is back; without a result nothing was tried, and it does not count for the limit."""
        self.out -= 1
        if result is not None:
            self.results.append(result)
            return
        self.back.append(claimed.id)
        if self._left is not None:
            self._left += 1

    def room(self) -> int:
        """How many of the claimed may have their intents written."""
        room = min(self._group, self._group + self._reserve - len(self.granted))
        if self._left is not None:
            room = min(room, self._left - len(self.granted))
        return max(0, min(room, len(self.claimed)))

    def wanted(self, room: int) -> int:
        """How many to claim when ``room`` of the claimed are about to be granted."""
        if len(self.claimed) - room >= self._group:
            return 0
        wanted = _PORTION * self._group
        if self._left is not None:
            wanted = min(wanted, self._left - len(self.granted) - len(self.claimed))
        return max(wanted, 0)

    def learn(self) -> None:
        """Intents got to the disk: was there something to pull until now?"""
        if not self.granted:
            self._reserve = min(self._reserve + _STEP, self._group)
        elif len(self.granted) > _STEP:
            self._reserve = max(self._reserve - 1, 1)

    def next_intents(self, room: int) -> list[Claimed]:
        """The longest claimed, to be granted."""
        return [self.claimed.popleft() for _ in range(room)]

    def take_results(self) -> list[Result]:
        """What is to be stored, once."""
        results, self.results = self.results, []
        return results

    def withdraw_granted(self) -> Iterator[Claimed]:
        """Those that were granted and that nobody took; they are to be given back."""
        while self.granted:
            yield self._withdraw(self.granted)

    def withdraw_claimed(self) -> None:
        """The claimed are to be given back."""
        while self.claimed:
            self._withdraw(self.claimed)

    def _withdraw(self, some: deque[Claimed]) -> Claimed:
        one = some.popleft()
        self.back.append(one.id)
        return one

    def take_back(self) -> list[int]:
        """The ids to be given back, once."""
        back, self.back = self.back, []
        return back
