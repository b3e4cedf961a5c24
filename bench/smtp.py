"""Messages a second of a real campaign, ledger and all, beside its peers in the same run (``python -m bench.smtp``).

A message has 60 kB; ten connections; the ledger is durable. Peers run in turn, round after round, so that what else the machine
does befalls them alike; printed are the best and the median of the rounds and the ratio of the medians.

- into a fast sink (:mod:`bench.sink`), beside Postfix's ``smtp-source -d``: from the first MAIL to the last dot, as the sink sees
- into a Postfix that throws the mail away, beside ``smtp-source -d``: the time of the whole sending; on the processors that both
  share, and (Linux) with half of them for each
- over a round trip of 50 ms with STARTTLS, beside ``smtplib`` and nodemailer's pool: of packets (:mod:`bench.tunnel`; Linux,
  root), and of bytes that are held back (:mod:`bench.link`)
"""

import argparse
import asyncio
import logging
import os
import shutil
import smtplib
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

from bench.message import LINKS, sample_edition, values_of
from bench.places import ROUND_TRIP, Place, Server, can_tunnel, far_postfix, far_sink, postfix, postfix_apart, sink
from newsletter.audience.recipient import Recipient
from newsletter.delivery import drive, freeze
from newsletter.message.message_id import message_id
from newsletter.message.template import MessageTemplate
from newsletter.settings import Settings
from newsletter.store import open_store

CONNECTIONS = 10
#: Characters of HTML that make a message of 60 kB on the wire.
HTML_SIZE = 42_000
POSTFIX_PROGRAMS = "/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin"
#: Sends so many messages to a server; gives the seconds that the sending took.
Peer = Callable[[Server, int], float]


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


def ours(server: Server, count: int, context: ssl.SSLContext | None = None, url: str | None = None) -> float:
    """The whole way from the ledger: claim, intent on disk, message, result on disk. The list is frozen before."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = open_store(url or f"sqlite:///{folder}/ledger.db")
        edition = sample_edition(HTML_SIZE)
        campaign, _ = freeze(
            store, slug="bench", edition=edition, recipients=People(count), mark=LINKS.mark, list_name="list.csv"
        )
        settings = Settings(
            smtp_host=server.host,
            smtp_port=server.port,
            smtp_security="none" if context is None else "starttls",
            smtp_connections=CONNECTIONS,
        )
        sending = drive(
            store,
            campaign.id,
            settings=settings,
            links=LINKS,
            template=MessageTemplate(edition),
            stop=asyncio.Event(),
            context=context,
        )
        begun = time.perf_counter()
        account = asyncio.run(sending)
        seconds = time.perf_counter() - begun
        store.close()
    assert account.sent == count, account
    return seconds


def smtp_source(server: Server, count: int) -> float:
    """Postfix's own generator: in C, no ledger, no pipelining; to as many addresses, one of our letters for all of them."""
    program = shutil.which("smtp-source", path=POSTFIX_PROGRAMS)
    assert program is not None
    with tempfile.NamedTemporaryFile() as file:
        file.write(letter().replace(b"\r\n", b"\n"))
        file.flush()
        told = [
            "-d",
            "-s",
            str(CONNECTIONS),
            "-m",
            str(count),
            "-F",
            file.name,
            "-f",
            "a@example.org",
            "-N",
            "-t",
            "b@example.net",
        ]
        return command(program, *told, f"{server.host}:{server.port}")


def letter() -> bytes:
    """The message that one recipient gets."""
    template = MessageTemplate(sample_edition(HTML_SIZE))
    identifier = message_id("bench", 1, template.domain)
    return template.build(to="b@example.net", values=values_of(1), message_id=identifier, date=datetime.now(UTC))


def nodemailer(server: Server, count: int) -> float:
    """The pool of nodemailer, the bytes made before."""
    script = Path(__file__).with_name("nodemailer.cjs")
    return command("node", str(script), server.host, str(server.port), str(count), str(CONNECTIONS))


def command(*arguments: str) -> float:
    """Run a program; gives the seconds that it took."""
    begun = time.perf_counter()
    subprocess.run(arguments, check=True)
    return time.perf_counter() - begun


def with_smtplib(server: Server, count: int, context: ssl.SSLContext) -> float:
    """The standard library: ten threads, a connection each, the bytes made before."""
    message = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 833

    def work(mails: int) -> None:
        with smtplib.SMTP(server.host, server.port) as client:
            client.starttls(context=context)
            for _ in range(mails):
                client.sendmail("a@example.org", ["b@example.net"], message)

    threads = [threading.Thread(target=work, args=(count // CONNECTIONS,)) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def measure(place: Place, peers: dict[str, tuple[Peer, int]], rounds: int) -> dict[str, list[float]]:
    """Messages a second in each round, slowest first."""
    rates: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, (peer, count) in peers.items():
            with place() as (server, run):
                seconds = peer(server, count)
            assert run is None or run.accepted == count, (name, run)
            rates[name].append(count / (run.seconds if run else seconds))
    return {name: sorted(seen) for name, seen in rates.items()}


def show(title: str, rates: dict[str, list[float]]) -> None:
    """Print one table: ours is the first row."""
    own = statistics.median(next(iter(rates.values())))
    print(f"\n{title}\n{'':16}{'median/s':>10}{'best/s':>10}{'newsletter is':>16}")
    for name, seen in rates.items():
        median = statistics.median(seen)
        print(f"{name:16}{median:10.0f}{seen[-1]:10.0f}{own / median:14.2f} x", flush=True)


def into_the_fast_sink(messages: int, rounds: int) -> None:
    """Beside smtp-source."""
    show("Fast sink", measure(sink, {"newsletter": (ours, messages), "smtp-source -d": (smtp_source, messages)}, rounds))


def into_postfix(messages: int, rounds: int) -> None:
    """Beside smtp-source; on a machine that both share, and with processors of its own for each."""
    peers: dict[str, tuple[Peer, int]] = {"newsletter": (ours, messages), "smtp-source -d": (smtp_source, messages)}
    places: dict[str, Callable[[], AbstractContextManager[Server]]] = {"Postfix that discards": postfix}
    if sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1:
        places["Postfix that discards, on processors of its own"] = postfix_apart
    for title, place in places.items():
        with place() as server:
            show(title, measure(lambda: nullcontext((server, None)), peers, rounds))


def over_a_long_line(messages: int, rounds: int) -> None:
    """Beside smtplib and, where it is installed, nodemailer."""
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    peers: dict[str, tuple[Peer, int]] = {
        "newsletter": (lambda server, count: ours(server, count, context), messages),
        "smtplib": (lambda server, count: with_smtplib(server, count, context), messages // 50 * CONNECTIONS),
    }
    look = "require.resolve('nodemailer')"
    if shutil.which("node") and not subprocess.run(["node", "-e", look], check=False, capture_output=True).returncode:
        peers["nodemailer"] = (nodemailer, messages // 2)
    places: dict[str, Place] = {"sink": lambda: far_sink(authority)}
    if can_tunnel() and shutil.which("postfix", path=POSTFIX_PROGRAMS):
        places["Postfix"] = lambda: far_postfix(authority)
    for name, place in places.items():
        rates = measure(place, peers, rounds)
        show(f"{name}, STARTTLS, round trip of 50 ms, {'TCP from end to end' if can_tunnel() else 'bytes held back'}", rates)
        for peer, seen in rates.items():
            print(f"{peer:16}{CONNECTIONS / statistics.median(seen) / ROUND_TRIP:10.2f} round trips a message")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=6_000, help="over the long line fewer")
    parser.add_argument("--rounds", type=int, default=3, help="over the long line fewer")
    chosen = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    some = chosen.messages // 30 * 10
    if shutil.which("smtp-source", path=POSTFIX_PROGRAMS):
        into_the_fast_sink(chosen.messages, chosen.rounds)
        if os.geteuid() == 0:
            into_postfix(chosen.messages, chosen.rounds)
    over_a_long_line(some, max(1, chosen.rounds // 2))


if __name__ == "__main__":
    main()
