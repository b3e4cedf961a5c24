"""Several relays become one supply of connections: shared by weight, and by the others while one of them rests."""

import asyncio
from collections.abc import Sequence

from newsletter.delivery.connect import CannotConnect
from newsletter.delivery.dial import FIRST_PAUSES, FURTHER, IDLE, SendError
from newsletter.delivery.feed import Feed
from newsletter.delivery.letters import Letter
from newsletter.delivery.replies import Pauses
from newsletter.delivery.server import Server
from newsletter.delivery.smtp import Wire


class _Relay:
    """One server and how it does. ``spent``: alone, it would be given up; beside others it is tried now and then."""

    def __init__(self, server: Server, pauses: Sequence[float]) -> None:
        self.server = server
        self.place = f"{server.host}:{server.port}"
        self.lock = asyncio.Lock()
        self.wires: set[Wire[Letter]] = set()
        self.opening = 0
        self.until = 0.0
        self.why: str | None = None
        self.ever = self.spent = False
        self.setbacks = 0
        self._pauses = pauses

    @property
    def load(self) -> int:
        self.wires = {wire for wire in self.wires if wire.is_open}
        return len(self.wires) + self.opening

    @property
    def works(self) -> bool:
        return any(wire.is_open and wire.proven for wire in self.wires)

    def set_back(self, words: str, now: float, *, hopeless: bool = False) -> None:
        self.setbacks += 1
        enough = len(self._pauses) if self.ever else min(FIRST_PAUSES, len(self._pauses))
        self.spent = self.spent or hopeless or self.setbacks > enough
        # A wrong password is not tried often: servers lock accounts.
        pause = self._pauses[-1] if hopeless else self._pauses[min(self.setbacks, len(self._pauses)) - 1]
        self.until, self.why = now + pause, words

    def retire(self, count: int) -> None:
        """So many of its connections end when what is under way is answered."""
        for wire in sorted(self.wires, key=lambda one: not one.worn)[: max(count, 0)]:
            wire.retire()

    def recover(self) -> None:
        self.setbacks, self.why, self.spent, self.ever = 0, None, False, True


def _rank(relay: _Relay, load: int) -> tuple[bool, float]:
    """Who is next for a connection, lowest first: by weight (d'Hondt), and before all one each."""
    return load > 0, (load + 1) / relay.server.weight


class Relays:
    """Gives each worker its connection, as :class:`~newsletter.delivery.dial.Dialer` does for one server."""

    def __init__(self, servers: Sequence[Server], pauses: Pauses, feed: Feed) -> None:
        self._relays = [_Relay(server, pauses.connecting) for server in servers]
        self._feed = feed
        self._of: dict[Wire[Letter], _Relay] = {}
        self._now = asyncio.get_running_loop().time

    def proven(self) -> None:
        """A server answers: the setbacks of those that do are forgotten."""
        for relay in self._relays:
            if (relay.why is not None or not relay.ever) and relay.works:
                came_back = relay.why is not None
                relay.recover()
                if came_back:
                    self._share_anew()

    def place(self, wire: Wire[Letter]) -> str:
        """The relay of a connection, for people."""
        return self._of[wire].place

    def resting(self) -> str | None:
        """Which relays rest and why, as a sentence; None where all are used."""
        return "; ".join(f"{relay.place} rests: {relay.why}" for relay in self._relays if relay.why is not None) or None

    async def renew(self, wire: Wire[Letter] | None, words: str) -> Wire[Letter] | None:
        """See :meth:`~newsletter.delivery.dial.Dialer.renew`; raises where no relay can be used."""
        if wire is not None:
            if wire.is_open and wire.idle < IDLE and not wire.worn:
                return wire
            await wire.close()
            relay = self._of.pop(wire)
            relay.wires.discard(wire)
            if words and not wire.proven:
                self._set_back(relay, f"{relay.place} accepts connections, but no mail: {words}")
        while not self._feed.halted:
            self._give_up_where_all_are_spent()
            ready = [relay for relay in self._relays if relay.until <= self._now()]
            if not ready:
                if any(relay.works for relay in self._relays):
                    return None  # enough connections for now
                await self._feed.sleep(min(relay.until for relay in self._relays) - self._now())
                continue
            relay = min(ready, key=lambda one: _rank(one, one.load))
            if (opened := await self._open(relay)) is not None:
                return opened
        return None

    async def spare(self, wire: Wire[Letter]) -> Wire[Letter] | None:
        """See :meth:`~newsletter.delivery.dial.Dialer.spare`."""
        if wire.is_open and wire.idle < IDLE:
            return wire
        self._of.pop(wire).wires.discard(wire)
        await wire.close()
        return None

    def _set_back(self, relay: _Relay, words: str, *, hopeless: bool = False) -> None:
        relay.set_back(words, self._now(), hopeless=hopeless)
        if not hopeless:  # a wrong password waits until a connection is needed
            asyncio.get_running_loop().call_at(relay.until + 0.001, self._try_again, relay)

    def _try_again(self, relay: _Relay) -> None:
        """Its rest is over: one connection is taken from the others, else all of theirs might be in use for long."""
        if relay.load == 0 and relay.until <= self._now() and not self._feed.halted:
            busiest = max(self._relays, key=lambda one: one.load)
            busiest.retire(min(1, busiest.load - 1))

    def _share_anew(self) -> None:
        """One came back: what the others have beyond their share goes to it."""
        used = [relay for relay in self._relays if relay.until <= self._now()]
        shares = dict.fromkeys(used, 0)
        for _ in range(sum(relay.load for relay in used)):
            shares[min(used, key=lambda one: _rank(one, shares[one]))] += 1
        for relay, share in shares.items():
            relay.retire(relay.load - share)

    def _give_up_where_all_are_spent(self) -> None:
        if all(relay.spent and not relay.works for relay in self._relays):
            raise SendError("no mail server can be used: " + "; ".join(str(relay.why) for relay in self._relays))

    async def _open(self, relay: _Relay) -> Wire[Letter] | None:
        relay.opening += 1
        try:
            if any(wire.is_open for wire in relay.wires):
                return await self._dial(relay)
            async with relay.lock:  # one try at a time where it is not known to take the login
                return await self._dial(relay) if relay.until <= self._now() and not self._feed.halted else None
        finally:
            relay.opening -= 1

    async def _dial(self, relay: _Relay) -> Wire[Letter] | None:
        try:
            wire: Wire[Letter] = await Wire.open(relay.server)
        except CannotConnect as error:
            if any(other.is_open for other in relay.wires) and not error.hopeless:
                relay.until = self._now() + FURTHER  # it wants no more beside those that are open
            else:
                self._set_back(relay, str(error), hopeless=error.hopeless)
            return None
        relay.wires.add(wire)
        self._of[wire] = relay
        return wire

    async def rest(self) -> None:
        """What a worker does that got no connection: until a relay may be tried again."""
        pause = min(relay.until for relay in self._relays) - self._now()
        await self._feed.sleep(min(max(pause, 0.01), FURTHER))
