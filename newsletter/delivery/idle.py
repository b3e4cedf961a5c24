"""The connections that have nothing to do: whose turn it is when something becomes due, and how many are on their way to it."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator


class Idle:
    """The one that was busy last goes first: its connection is fresh, while one that rests for long has to be made anew."""

    def __init__(self) -> None:
        self._places = itertools.count()
        self._resting: dict[int, asyncio.Future[None]] = {}
        #: How many are on their way, and will take one delivery each.
        self.coming = 0

    def place(self) -> int:
        """A place behind which those stand who came earlier."""
        return next(self._places)

    async def rest(self, place: int) -> None:
        """Until :meth:`wake`, which wakes one after the other."""
        self._resting[place] = asyncio.get_running_loop().create_future()
        try:
            await self._resting[place]
        finally:
            self._resting.pop(place, None)

    def wake(self) -> None:
        """Something may be there: all look, the one that came last before the others."""
        for place in sorted(self._resting, reverse=True):
            if not self._resting[place].done():
                self._resting[place].set_result(None)

    @contextlib.contextmanager
    def on_the_way(self) -> Iterator[Callable[[], None]]:
        """Within this, somebody counts as coming, until the function that it gets says that the delivery is about to be taken.

        Where that is not said, the others look whether they can take it.
        """
        here = False

        def arrived() -> None:
            nonlocal here
            if not here:
                here = True
                self.coming -= 1

        self.coming += 1
        try:
            yield arrived
        finally:
            if not here:
                arrived()
                self.wake()
