"""Messages a second of a real campaign, ledger and all, beside ``smtp-source -d`` and ``smtplib`` (``python -m bench.smtp``).

A message has 60 kB; ten connections. The peers run in turn, round after round, against :mod:`bench.sink` in a process of its own,
which says when the first MAIL and the last dot came; the median of the rounds is printed with its ratio. With a round trip of
50 ms (each reply is held back so long; the link's other properties are not modelled) it prints the round trips a message.
"""

import argparse
import asyncio
import logging
import shutil
import smtplib
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.message import LINKS, sample_edition
from newsletter.audience.recipient import Recipient
from newsletter.delivery import drive, freeze
from newsletter.message.template import MessageTemplate
from newsletter.settings import Settings
from newsletter.store import open_store

CONNECTIONS = 10
ROUND_TRIP = 0.05
Peer = Callable[[int, int], None]


@dataclass
class Run:
    """What the sink saw of one run."""

    accepted: int = 0
    seconds: float = 0.0


@contextmanager
def sink(delay: float) -> Iterator[tuple[int, Run]]:
    """A sink's port; when this is left, what it saw."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sink", str(delay)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    run = Run()
    try:
        yield int(process.stdout.readline()), run
    finally:
        said, _ = process.communicate()
        accepted, first, last = said.split()
        run.accepted, run.seconds = int(accepted), float(last) - float(first)


@dataclass
class People:
    """An invented list."""

    count: int
    path: Path = Path("list.csv")
    columns: tuple[str, ...] = ("email", "first_name", "name")

    def __iter__(self) -> Iterator[Recipient]:
        for number in range(self.count):
            address = f"reader{number}@example.net"
            yield Recipient(
                address, address, {"email": address, "first_name": "Jörg", "name": f"Jörg Müller {number}"}, number + 2
            )


def ours(port: int, count: int) -> None:
    """The whole way from the ledger: claim, intent on disk, message, result on disk. The list is frozen before."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = open_store(f"sqlite:///{folder}/ledger.db")
        edition = sample_edition()
        campaign, _ = freeze(
            store, slug="bench", edition=edition, recipients=People(count), mark=LINKS.mark, list_name="list.csv"
        )
        settings = Settings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_connections=CONNECTIONS)
        sending = drive(
            store, campaign.id, settings=settings, links=LINKS, template=MessageTemplate(edition), stop=asyncio.Event()
        )
        account = asyncio.run(sending)
        store.close()
    assert account.sent == count, account


def smtp_source(port: int, count: int) -> None:
    """Postfix's own generator: in C, no ledger, the same bytes for everyone, no pipelining."""
    program = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin")
    assert program is not None
    told = ["-d", "-s", str(CONNECTIONS), "-m", str(count), "-l", "60000", "-f", "a@example.org", "-t", "b@example.net"]
    subprocess.run([program, *told, f"127.0.0.1:{port}"], check=True)


def with_smtplib(port: int, count: int) -> None:
    """The standard library: ten threads, a connection each, the bytes made before."""
    message = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 833

    def work(mails: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for _ in range(mails):
                client.sendmail("a@example.org", ["b@example.net"], message)

    threads = [threading.Thread(target=work, args=(count // CONNECTIONS,)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure(peers: dict[str, tuple[Peer, int]], delay: float, rounds: int) -> dict[str, float]:
    """Messages a second, the median of the rounds."""
    rates: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, (peer, count) in peers.items():
            with sink(delay) as (port, run):
                peer(port, count)
            assert run.accepted == count, (name, run)
            rates[name].append(count / run.seconds)
    return {name: statistics.median(seen) for name, seen in rates.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    fast: dict[str, tuple[Peer, int]] = {"newsletter": (ours, chosen.messages)}
    if shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin"):
        fast["smtp-source -d"] = (smtp_source, chosen.messages)
    rates = measure(fast, 0.0, chosen.rounds)
    for name, rate in rates.items():
        print(f"fast sink       {name:15} {rate:8.0f} messages/s   {rate / rates['newsletter']:5.2f} x newsletter")
    if "smtp-source -d" in rates:
        print(f"newsletter is {rates['newsletter'] / rates['smtp-source -d']:.2f} x smtp-source -d (aim: at least 0.65)")
    far = measure({"newsletter": (ours, 1000), "smtplib": (with_smtplib, 200)}, ROUND_TRIP, max(1, chosen.rounds // 2))
    for name, rate in far.items():
        trips = CONNECTIONS / rate / ROUND_TRIP
        print(f"50 ms round trip {name:14} {rate:8.0f} messages/s   {trips:5.2f} round trips a message")
    print(f"newsletter is {far['newsletter'] / far['smtplib']:.1f} x smtplib (aim: at least 4)")


if __name__ == "__main__":
    main()
