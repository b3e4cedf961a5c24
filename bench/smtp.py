"""Messages a second of a real campaign, ledger and all, beside its peers in the same run (``python -m bench.smtp``).

A message has 60 kB; ten connections; the ledger is durable. Peers run in turn, round after round, so that what else the machine
does befalls them alike; printed are the best and the median of the rounds and the ratio of the medians.

- into a fast sink (:mod:`bench.sink`), beside Postfix's ``smtp-source -d``: from the first MAIL to the last dot, as the sink sees
- into a Postfix that throws the mail away, beside ``smtp-source -d``: the time of the whole sending
- over a round trip of 50 ms (:mod:`bench.link`) with STARTTLS, beside ``smtplib`` and nodemailer's pool
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
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

from bench.message import LINKS, sample_edition, values_of
from newsletter.audience.recipient import Recipient
from newsletter.delivery import drive, freeze
from newsletter.message.message_id import message_id
from newsletter.message.template import MessageTemplate
from newsletter.settings import Settings
from newsletter.store import open_store

CONNECTIONS = 10
ROUND_TRIP = 0.05
#: Characters of HTML that make a message of 60 kB on the wire.
HTML_SIZE = 42_000
POSTFIX_PROGRAMS = "/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin"
#: Sends so many messages to a port of this machine; gives the seconds that the sending took.
Peer = Callable[[int, int], float]
#: A place to send to: its port and what it saw.
Place = Callable[[], AbstractContextManager[tuple[int, "Run | None"]]]


@dataclass
class Run:
    """What a sink saw of one run."""

    accepted: int = 0
    seconds: float = 0.0


@contextmanager
def process(*arguments: str) -> Iterator[tuple[int, list[str]]]:
    """One of the bench's servers: its port, and when this is left, what it said at its end."""
    started = subprocess.Popen([sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    said: list[str] = []
    try:
        yield int(started.stdout.readline()), said
    finally:
        said += started.communicate()[0].split()


@contextmanager
def sink(*certificate: str) -> Iterator[tuple[int, Run]]:
    """A fast sink's port; when this is left, what it saw."""
    run = Run()
    with process("bench.sink", *certificate) as (port, said):
        yield port, run
    run.accepted, run.seconds = int(said[0]), float(said[2]) - float(said[1])


@contextmanager
def far_sink(certificate: str) -> Iterator[tuple[int, Run]]:
    """The same at the end of a long line."""
    with sink(certificate) as (behind, run), process("bench.link", str(behind), str(ROUND_TRIP)) as (port, _):
        yield port, run


@contextmanager
def discarding_postfix() -> Iterator[int]:
    """The port of a Postfix that takes mail for everybody, queues it on disk, and throws it away."""
    from tests.real.postfix import running_postfix

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with running_postfix(Path(folder) / "postfix", ["b@example.net"]) as postfix:
            config = str(postfix.folder / "config")
            settings = ("virtual_transport=discard:", "virtual_mailbox_maps=static:anyone", "in_flow_delay=0")
            subprocess.run(["postconf", "-c", config, "-e", *settings], check=True)
            subprocess.run(["postfix", "-c", config, "reload"], check=True, capture_output=True)
            time.sleep(1)
            yield postfix.port


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


def ours(port: int, count: int, context: ssl.SSLContext | None = None, url: str | None = None) -> float:
    """The whole way from the ledger: claim, intent on disk, message, result on disk. The list is frozen before."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = open_store(url or f"sqlite:///{folder}/ledger.db")
        edition = sample_edition(HTML_SIZE)
        campaign, _ = freeze(
            store, slug="bench", edition=edition, recipients=People(count), mark=LINKS.mark, list_name="list.csv"
        )
        settings = Settings(
            smtp_host="127.0.0.1" if context is None else "localhost",
            smtp_port=port,
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


def smtp_source(port: int, count: int) -> float:
    """Postfix's own generator: in C, no ledger, no pipelining; to as many addresses, one of our letters for all of them."""
    program = shutil.which("smtp-source", path=POSTFIX_PROGRAMS)
    assert program is not None
    with tempfile.NamedTemporaryFile() as file:
        file.write(letter().replace(b"\r\n", b"\n"))
        file.flush()
        told = ["-d", "-s", str(CONNECTIONS), "-m", str(count), "-F", file.name, "-f", "a@example.org", "-N", "-t", "b@example.net"]
        return command(program, *told, f"127.0.0.1:{port}")


def letter() -> bytes:
    """The message that one recipient gets."""
    template = MessageTemplate(sample_edition(HTML_SIZE))
    identifier = message_id("bench", 1, template.domain)
    return template.build(to="b@example.net", values=values_of(1), message_id=identifier, date=datetime.now(UTC))


def nodemailer(port: int, count: int) -> float:
    """The pool of nodemailer, the bytes made before."""
    return command("node", str(Path(__file__).with_name("nodemailer.cjs")), str(port), str(count), str(CONNECTIONS))


def command(*arguments: str) -> float:
    """Run a program; gives the seconds that it took."""
    begun = time.perf_counter()
    subprocess.run(arguments, check=True)
    return time.perf_counter() - begun


def with_smtplib(port: int, count: int, context: ssl.SSLContext) -> float:
    """The standard library: ten threads, a connection each, the bytes made before."""
    message = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 833

    def work(mails: int) -> None:
        with smtplib.SMTP("localhost", port) as client:
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
            with place() as (port, run):
                seconds = peer(port, count)
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
    """Beside smtp-source."""
    with discarding_postfix() as port:
        peers: dict[str, tuple[Peer, int]] = {"newsletter": (ours, messages), "smtp-source -d": (smtp_source, messages)}
        show("Postfix that discards", measure(lambda: nullcontext((port, None)), peers, rounds))


def over_a_long_line(messages: int, rounds: int) -> None:
    """Beside smtplib and, where it is installed, nodemailer."""
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    peers: dict[str, tuple[Peer, int]] = {
        "newsletter": (lambda port, count: ours(port, count, context), messages),
        "smtplib": (lambda port, count: with_smtplib(port, count, context), messages // 50 * CONNECTIONS),
    }
    look = "require.resolve('nodemailer')"
    if shutil.which("node") and not subprocess.run(["node", "-e", look], check=False, capture_output=True).returncode:
        peers["nodemailer"] = (nodemailer, messages // 2)
    with ExitStack() as stack:
        certificate = stack.enter_context(authority.issue_cert("localhost").private_key_and_cert_chain_pem.tempfile())
        rates = measure(lambda: far_sink(certificate), peers, rounds)
    show("Round trip of 50 ms, STARTTLS", rates)
    for name, seen in rates.items():
        print(f"{name:16}{CONNECTIONS / statistics.median(seen) / ROUND_TRIP:10.2f} round trips a message")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, help="into the fast sink; fewer elsewhere")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    some = chosen.messages // 30 * 10
    if shutil.which("smtp-source", path=POSTFIX_PROGRAMS):
        into_the_fast_sink(chosen.messages, chosen.rounds)
        if os.geteuid() == 0:
            into_postfix(some, chosen.rounds)
    over_a_long_line(some, max(1, chosen.rounds // 2))


if __name__ == "__main__":
    main()
