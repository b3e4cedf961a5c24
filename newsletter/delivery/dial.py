"""Connections to the server: made anew with growing pauses where they break, given up where they come to nothing."""

import asyncio

from newsletter.delivery.connect import CannotConnect
from newsletter.delivery.feed import Feed
from newsletter.delivery.letters import Letter
from newsletter.delivery.replies import Pauses
from newsletter.delivery.server import Server
from newsletter.delivery.smtp import Wire

#: Pauses before giving up where not one connection was ever made: somebody waits to hear that the host is misspelt.
FIRST_PAUSES = 2
#: Seconds until a further connection is tried again that the server refused while others are open.
FURTHER = 30.0
#: Seconds after which an unused connection is rather made anew: servers close idle ones, some without a word.
IDLE = 30.0


class SendError(Exception):
    """The server cannot be used. One plain sentence; deliveries are as they were, the same command goes on with them."""


class Dialer:
    """Gives each worker its connection."""

    def __init__(self, server: Server, pauses: Pauses, feed: Feed) -> None:
        self._server = server
        self._pauses = pauses.connecting
        self._feed = feed
        self._lock = asyncio.Lock()
        self._wires: set[Wire[Letter]] = set()
        self._setbacks = 0
        self._ever = False
        self._failure: SendError | None = None

    def place(self, wire: Wire[Letter]) -> str | None:  # noqa: ARG002 - see relaying.Relays
        """The relay of a connection; None, for there is only one."""
        return None

    def resting(self) -> str | None:
        """Which relays rest: the only one does not, it is waited for."""
        return None

    def proven(self) -> None:
        """The server answers: earlier setbacks are forgotten."""
        self._setbacks = 0

    async def renew(self, wire: Wire[Letter] | None, words: str) -> Wire[Letter] | None:
        """The same connection where it is open, was used of late and not for too many messages; else a new one.

        ``words`` say how it broke when it was to carry mail, "" where it did not. None where it was told to stop, or where the
        server wants no further connection beside those that are open. Raises :class:`SendError` after several setbacks in a row.
        """
        if wire is not None and wire.is_open:
            if wire.idle < IDLE and not wire.worn:
                return wire
            await wire.close()
        async with self._lock:
            if wire is not None:
                self._wires.discard(wire)
                if words and not wire.proven:
                    self._set_back(f"{self._server.host}:{self._server.port} accepts connections, but no mail: {words}")
            if self._setbacks or not any(other.is_open for other in self._wires):
                return await self._open()
        return await self._open_beside()

    async def spare(self, wire: Wire[Letter]) -> Wire[Letter] | None:
        """A connection that had to wait before its first mail; None where it was closed or grew old, which is no setback."""
        if wire.is_open and wire.idle < IDLE:
            return wire
        self._wires.discard(wire)
        await wire.close()
        return None

    async def _open_beside(self) -> Wire[Letter] | None:
        """While another one is open, connections do not wait for one another: over a long line each takes a while."""
        if self._feed.halted:
            return None
        try:
            wire: Wire[Letter] = await Wire.open(self._server)
        except CannotConnect as error:
            if any(other.is_open for other in self._wires) and not self._is_hopeless(error):
                return None
            async with self._lock:
                return await self._open()
        self._wires.add(wire)
        return wire

    async def _open(self) -> Wire[Letter] | None:
        while True:
            if self._failure is not None:
                raise self._failure
            if self._setbacks:
                await self._feed.sleep(self._pauses[self._setbacks - 1])
            if self._feed.halted:
                return None
            try:
                wire: Wire[Letter] = await Wire.open(self._server)
            except CannotConnect as error:
                if any(other.is_open for other in self._wires) and not self._is_hopeless(error):
                    return None
                self._set_back(str(error), hopeless=self._is_hopeless(error))
            else:
                self._ever = True
                self._wires.add(wire)
                return wire

    def _is_hopeless(self, error: CannotConnect) -> bool:
        return error.hopeless and not (self._ever and error.may_pass)

    def _set_back(self, words: str, *, hopeless: bool = False) -> None:
        self._setbacks += 1
        if hopeless or self._setbacks > (len(self._pauses) if self._ever else min(FIRST_PAUSES, len(self._pauses))):
            self._failure = SendError(words)

    async def rest(self) -> None:
        """What a worker does that got no connection."""
        await self._feed.sleep(FURTHER)
