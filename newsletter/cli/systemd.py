"""What systemd wants to hear of a service of ``Type=notify``: a datagram to the socket that it names (sd_notify(3))."""

import asyncio
import contextlib
import os
import socket


def tell(words: str) -> None:
    """``READY=1``, ``STOPPING=1`` or ``WATCHDOG=1``; nothing where systemd has not asked for it."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(words.encode(), address)


async def keep_telling() -> None:
    """Say that the program is alive, twice in the time after which systemd would end it (``WatchdogSec=``); never ends."""
    period = os.environ.get("WATCHDOG_USEC", "")
    mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not (mine and period.isdecimal() and int(period)):
        return
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(int(period) / 2_000_000)
