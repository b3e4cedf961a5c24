"""A long line with real TCP, each way late by half the round trip (``python -m bench.tunnel SECONDS``; Linux, root).

Two TUN devices, one here and one in a network namespace of its own; this process carries the packets from one to the other. It
prints the namespace and the address in there, and works until its standard input ends. Modelled is the delay alone: no packet is
lost, and the line is as wide as this process is quick (:mod:`bench.link` is the same without packets, for who is not root).
"""

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque

#: linux/if_tun.h: the request that makes a device, and its flags (packets of IP, nothing before them).
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x1, 0x1000
#: Packets that a device holds until they are read: more than ten connections have under way.
_QUEUE = "10000"
_LARGEST_PACKET = 1 << 16


class _Way:
    """One direction: what was read at one end leaves at the other when its time has come."""

    def __init__(self, source: int, target: int, delay: float) -> None:
        self.source = source
        self._target = target
        self._delay = delay
        self._under_way: deque[tuple[float, bytes]] = deque()

    @property
    def due(self) -> float:
        """When the next packet leaves."""
        return self._under_way[0][0] if self._under_way else float("inf")

    def read(self) -> None:
        """Take in what is there."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(self.source, _LARGEST_PACKET)
                self._under_way.append((time.monotonic() + self._delay, packet))

    def write(self, now: float) -> None:
        """Let out what is due."""
        while self.due <= now:
            os.write(self._target, self._under_way.popleft()[1])


def _device(name: str) -> int:
    """A new TUN device, which is gone when this is closed."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _set_up(door: list[str], name: str, own: str, other: str) -> None:
    _ip(*door, "address", "add", own, "peer", other, "dev", name)
    _ip(*door, "link", "set", name, "up", "txqueuelen", _QUEUE)
    _ip(
        *door, "route", "change", f"{other}/32", "dev", name, "src", own, "congctl", "cubic"
    )  # of most Linux; here it may be another


def _carry(ways: list[_Way]) -> None:
    """Until standard input ends."""
    watched = [sys.stdin.fileno(), *(way.source for way in ways)]
    while True:
        rest = min(way.due for way in ways) - time.monotonic()
        ready, _, _ = select.select(watched, [], [], None if rest == float("inf") else max(0.0, rest))
        if watched[0] in ready:
            return
        for way in ways:
            if way.source in ready:
                way.read()
            way.write(time.monotonic())


def _main(delay: float) -> None:
    number = os.getpid()
    namespace, near, far = f"newsletter-line-{number}", f"near{number}", f"far{number}"
    net = f"198.18.{64 + number % 128}"  # RFC 2544: for benchmarks
    _ip("netns", "add", namespace)
    try:
        near_end, far_end = _device(near), _device(far)
        _ip("link", "set", far, "netns", namespace)
        _set_up([], near, f"{net}.1", f"{net}.2")
        _set_up(["-netns", namespace], far, f"{net}.2", f"{net}.1")
        print(namespace, f"{net}.2", flush=True)
        _carry([_Way(near_end, far_end, delay), _Way(far_end, near_end, delay)])
    finally:
        _ip("netns", "delete", namespace)


if __name__ == "__main__":
    _main(float(sys.argv[1]) / 2)
