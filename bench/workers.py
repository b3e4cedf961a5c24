"""Messages a second with 1, 2 and 4 ``newsletter worker`` over one PostgreSQL, beside ``send`` in the same run (Linux).

``python -m bench.workers``. A message has 60 kB, a sender ten connections; SQLite and PostgreSQL both wait for the disk. Workers
are the command itself, a process each. From the first MAIL to the last dot, as the sink sees it:

- over a round trip of 50 ms with STARTTLS (:mod:`bench.tunnel`, without root :mod:`bench.link`), where each worker has as many
  messages: here they must scale, until the processors are full
- into a fast sink (:mod:`bench.sink`), as many messages for all: says what the database costs, and the engine

Beside it, in microseconds a message, the processor's time of the senders and of PostgreSQL; and how busy the machine was, with
the sink and the long line, which are on it, too.
"""

import argparse
import functools
import logging
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from sqlalchemy import NullPool, create_engine

from bench.load import Load, postmaster
from bench.message import LINKS, sample_edition
from bench.places import Place, Server, far_sink, sink
from bench.smtp import CONNECTIONS, HTML_SIZE, People, ours
from newsletter.delivery import freeze, ledger
from newsletter.store import open_store
from newsletter.store.engine import upgrade_tables
from newsletter.store.jobs import upgrade_jobs
from tests.real.postgresql import own_schema, running_server

_PUBLICATION = """\
name: Digitale Region
language: de
list_id: region.example.org
sender: {email: newsletter@example.org}
imprint: {organisation: Landkreis Beispiel, street: Weg 1, postal_code: "01067", city: Beispielstadt, email: info@example.org}
"""
#: Seconds between two looks at whether the campaign is done, and until it is a fault that it is not.
_LOOK, _PATIENCE = 0.2, 1800.0


@dataclass
class Way:
    """A way to send so many messages to a server; gives what was spent. ``rates`` and ``spent`` are what was measured."""

    name: str
    send: Callable[[Server, int], Load]
    messages: int
    rates: list[float] = field(default_factory=list)
    spent: list[Load] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """The server that all is measured with; ``authority`` is the file of who signed the sink's certificate, where it has one."""

    url: str
    server: int
    authority: Path | None = None

    def alone(self, place: Server, count: int, *, in_file: bool) -> Load:
        """What ``newsletter send`` does, in this process."""
        context = None if self.authority is None else ssl.create_default_context(cafile=str(self.authority))
        with own_schema(self.url) as url:
            upgrade_tables(url)
            begun = Load.now([], self.server)
            ours(place, count, context, None if in_file else url)
            return begun.until(Load.now([], self.server))

    def together(self, place: Server, count: int, *, workers: int) -> Load:
        """So many ``newsletter worker``, hired before the campaign begins."""
        with own_schema(self.url) as url, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            upgrade_tables(url)
            store = open_store(url)
            upgrade_jobs(store)
            campaign, _ = freeze(
                store,
                slug="bench",
                edition=sample_edition(HTML_SIZE),
                recipients=People(count),
                mark=LINKS.mark,
                list_name="list.csv",
            )
            self._furnish(Path(folder), url, place)
            with self._hired(Path(folder), url, workers) as hired:
                begun = Load.now(hired, self.server)
                with store.write() as connection:
                    ledger.start(connection, campaign.id, store.now(connection))
                _wait_for(url, "SELECT count(*) FROM campaign WHERE state = 'done'", 1)
                spent = begun.until(Load.now(hired, self.server))
            store.close()
        return spent

    def _furnish(self, folder: Path, url: str, place: Server) -> None:
        (folder / "issues").mkdir()
        (folder / "issues" / "publication.yaml").write_text(_PUBLICATION, encoding="utf-8")
        settings = {
            "SMTP_HOST": place.host,
            "SMTP_PORT": place.port,
            "SMTP_SECURITY": "none" if self.authority is None else "starttls",
            "SMTP_CONNECTIONS": CONNECTIONS,
            "PUBLIC_URL": "https://newsletter.example.org",
            "SECRET_KEY": '"a key for the bench, and for nothing else"',
            "DATABASE_URL": url,
        }
        lines = [f"NEWSLETTER_{name}={value}\n" for name, value in settings.items()]
        (folder / ".env").write_text("".join(lines), encoding="utf-8")

    @contextmanager
    def _hired(self, folder: Path, url: str, workers: int) -> Iterator[list[int]]:
        """Their processes; told to go at the end."""
        trusted = {} if self.authority is None else {"SSL_CERT_FILE": str(self.authority)}
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **trusted}
        with (folder / "said.txt").open("w+") as said:
            command = [sys.executable, "-m", "newsletter", "worker"]
            hired = [subprocess.Popen(command, cwd=folder, env=environment, stderr=said) for _ in range(workers)]
            try:
                _wait_for(url, "SELECT count(*) FROM procrastinate_workers", workers)
                yield [one.pid for one in hired]
            finally:
                for one in hired:
                    one.terminate()
                codes = [one.wait() for one in hired]
            said.seek(0)
            assert not any(codes), said.read()


def _wait_for(url: str, question: str, answer: int) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    until = time.monotonic() + _PATIENCE
    with engine.connect() as connection:
        while connection.exec_driver_sql(question).scalar_one() != answer:
            assert time.monotonic() < until, question
            time.sleep(_LOOK)


def measure(place: Place, ways: list[Way], rounds: int) -> None:
    """All ways in turn, round after round."""
    for _ in range(rounds):
        for way in ways:
            with place() as (server, run):
                spent = way.send(server, way.messages)
            assert run is not None
            assert run.accepted == way.messages, (way.name, run)
            way.rates.append(way.messages / run.seconds)
            way.spent.append(spent)


def show(title: str, ways: list[Way], one: str) -> None:
    """Print one table, in relation to the way that is called ``one``."""
    base = statistics.median(next(way for way in ways if way.name == one).rates)
    print(f"\n{title}\n{'':20}{'median/s':>10}{'best/s':>10}{'of ' + one:>20}{'senders µs':>12}{'database µs':>13}{'busy':>7}")
    for way in ways:
        median = statistics.median(way.rates)
        senders, database = (
            statistics.median(getattr(spent, name) for spent in way.spent) / way.messages * 1e6
            for name in ("senders", "database")
        )
        busy = statistics.median(spent.busy for spent in way.spent)
        numbers = f"{median:10.0f}{max(way.rates):10.0f}{median / base:18.2f} x{senders:12.0f}{database:13.0f}{busy:7.0%}"
        print(f"{way.name:20}{numbers}", flush=True)


def over_a_long_line(bench: Bench, crews: list[int], messages: int, rounds: int) -> None:
    """Each worker has as many messages."""
    authority = trustme.CA()
    with ExitStack() as stack:
        trusted = stack.enter_context(authority.cert_pem.tempfile())
        bench = Bench(bench.url, bench.server, Path(trusted))
        ways = _crews(bench, crews, lambda crew: crew * messages)
        measure(lambda: far_sink(authority), ways, rounds)
    show("Round trip of 50 ms, STARTTLS", ways, ways[0].name)


def into_the_fast_sink(bench: Bench, crews: list[int], messages: int, rounds: int) -> None:
    """Beside what ``send`` does, over both databases."""
    ways = [
        Way("send, SQLite", functools.partial(bench.alone, in_file=True), messages),
        Way("send, PostgreSQL", functools.partial(bench.alone, in_file=False), messages),
        *_crews(bench, crews, lambda _: messages),
    ]
    measure(sink, ways, rounds)
    show("Fast sink", ways, ways[0].name)


def _crews(bench: Bench, crews: list[int], messages: Callable[[int], int]) -> list[Way]:
    return [
        Way(f"{crew} worker{'s' if crew > 1 else ''}", functools.partial(bench.together, workers=crew), messages(crew))
        for crew in crews
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000, help="into the fast sink; a tenth for each worker elsewhere")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    chosen = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with running_server(durable=True) as server:
        bench = Bench(server.url, postmaster(server.url))
        over_a_long_line(bench, chosen.workers, chosen.messages // 10, chosen.rounds)
        into_the_fast_sink(bench, chosen.workers, chosen.messages, chosen.rounds)


if __name__ == "__main__":
    main()
