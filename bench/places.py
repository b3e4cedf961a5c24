"""The places that the benches send to: a fast sink, the same at the end of a long line, a Postfix that throws the mail away."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

ROUND_TRIP = 0.05


@dataclass(frozen=True)
class Server:
    """Where it listens."""

    host: str
    port: int


@dataclass
class Run:
    """What a sink saw of one run."""

    accepted: int = 0
    seconds: float = 0.0


#: A place to send to: its server and, where it tells, what that saw.
Place = Callable[[], AbstractContextManager[tuple[Server, Run | None]]]


@contextmanager
def process(*arguments: str, door: tuple[str, ...] = (), quiet: bool = False) -> Iterator[tuple[list[str], list[str]]]:
    """One of the bench's servers: the words of its first line, and when this is left, what it said at its end.

    ``quiet``: what it has to complain of is not shown.
    """
    command = [*door, sys.executable, "-m", *arguments]
    complaints = subprocess.DEVNULL if quiet else None
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True)
    assert started.stdout is not None
    said: list[str] = []
    try:
        yield started.stdout.readline().split(), said
    finally:
        said += started.communicate()[0].split()


@contextmanager
def sink(host: str = "127.0.0.1", *certificate: str, door: tuple[str, ...] = ()) -> Iterator[tuple[Server, Run]]:
    """A fast sink; when this is left, what it saw."""
    run = Run()
    with process("bench.sink", host, *certificate, door=door) as (words, said):
        yield Server(host, int(words[0])), run
    run.accepted, run.seconds = int(said[0]), float(said[2]) - float(said[1])


@functools.cache
def can_tunnel() -> bool:
    """Whether there can be packets on the long line."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        return False
    with process("bench.tunnel", str(ROUND_TRIP), quiet=True) as (words, _):
        return bool(words)


@contextmanager
def tunnel() -> Iterator[tuple[str, tuple[str, ...]]]:
    """A long line of packets: the address at its other end, and the command that becomes another one there."""
    with process("bench.tunnel", str(ROUND_TRIP)) as ((namespace, address), _):
        yield address, ("ip", "netns", "exec", namespace)


@contextmanager
def far_sink(authority: trustme.CA) -> Iterator[tuple[Server, Run]]:
    """A sink with STARTTLS at the end of a long line: of packets, or where that cannot be, of a process that holds bytes back."""
    if can_tunnel():
        with (
            tunnel() as (address, door),
            authority.issue_cert(address).private_key_and_cert_chain_pem.tempfile() as certificate,
            sink(address, certificate, door=door) as (server, run),
        ):
            yield server, run
    else:
        with (
            authority.issue_cert("localhost").private_key_and_cert_chain_pem.tempfile() as certificate,
            sink("127.0.0.1", certificate) as (behind, run),
            process("bench.link", str(behind.port), str(ROUND_TRIP)) as (words, _),
        ):
            yield Server("localhost", int(words[0])), run


@contextmanager
def postfix(host: str = "127.0.0.1", *, door: tuple[str, ...] = (), certificate: str = "") -> Iterator[Server]:
    """A Postfix that takes mail for everybody, queues it on disk, and throws it away."""
    from tests.real.postfix import running_postfix

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with running_postfix(Path(folder) / "postfix", ["b@example.net"], host=host, door=door) as running:
            running.set(virtual_transport="discard:", virtual_mailbox_maps="static:anyone", in_flow_delay="0")
            if certificate:
                running.set(smtpd_tls_chain_files=certificate, smtpd_tls_security_level="may")
            time.sleep(1)
            yield Server(host, running.port)


@contextmanager
def postfix_apart() -> Iterator[Server]:
    """The same on half of the processors; the senders have the others, as on two machines (Linux)."""
    with ExitStack() as stack:
        theirs, ours = _halves()
        with on_processors(theirs):
            server = stack.enter_context(postfix())
        with on_processors(ours):
            yield server


@contextmanager
def far_postfix(authority: trustme.CA) -> Iterator[tuple[Server, None]]:
    """The same with STARTTLS at the end of a long line, of packets."""
    with (
        tunnel() as (address, door),
        authority.issue_cert(address).private_key_and_cert_chain_pem.tempfile() as certificate,
        postfix(address, door=door, certificate=certificate) as server,
    ):
        yield server, None


def _halves() -> tuple[set[int], set[int]]:
    numbers = sorted(os.sched_getaffinity(0))
    return set(numbers[: len(numbers) // 2]), set(numbers[len(numbers) // 2 :])


@contextmanager
def on_processors(numbers: set[int]) -> Iterator[None]:
    """This thread, and what it starts, run on these alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, numbers)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
