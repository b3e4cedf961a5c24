"""A long line: bytes pass to a server and back, each way late by half the round trip (``python -m bench.link PORT SECONDS``).

It prints its port and works until its standard input ends. Only the delay is modelled: no loss, no limit on the bytes under way.
"""

import asyncio
import sys


class _End(asyncio.Protocol):
    """One end of a connection; ``other`` is the end that hears what this one is told."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._delay, self._pass_on, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._loop.call_later(self._delay, self._hang_up)

    def _pass_on(self, data: bytes) -> None:
        if self.other is None:  # the way behind is not open yet
            self._loop.call_later(self._delay, self._pass_on, data)
        elif self.other.transport is not None:
            self.other.transport.write(data)

    def _hang_up(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


async def _main(port: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    opening: set[asyncio.Task[None]] = set()

    def accept() -> _End:
        near, far = _End(delay), _End(delay)
        far.other = near

        async def reach() -> None:
            await loop.create_connection(lambda: far, "127.0.0.1", port)
            near.other = far

        task = loop.create_task(reach())
        opening.add(task)
        task.add_done_callback(opening.discard)
        return near

    server = await loop.create_server(accept, "127.0.0.1", 0, backlog=200)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2]) / 2))
