"""View pages a second and their p99, beside a bare Starlette route that gives the same bytes (``python -m bench.serve``).

Each server is a process of its own with the settings of ``newsletter serve``, its log included. They are asked in turn over eight
kept connections, round after round, so that what else the machine does befalls them alike. A second table holds a good token
against bad ones, over one connection: how long an answer takes must not say what is wrong with a token (S14).
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.message import sample_edition
from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.store import Store, open_store, save_edition, tables
from newsletter.store.engine import insert_rows
from newsletter.web.app import create_app
from newsletter.web.log import write_log
from newsletter.web.server import BackgroundServer

#: A view page should be given out at least so many times as often as the bare route gives out its bytes.
LIMIT = 1 / 3
SIZES = (1_000, 100_000)
CONNECTIONS = 8
#: Characters of HTML; an issue of some ten blocks.
HTML_SIZE = 42_000
LINKS = Links("https://newsletter.example.org", b"a key for the bench, and for nothing else", "region.example.org")
IMPRINT = {"organisation": "O", "street": "S 1", "postal_code": "01067", "city": "C", "email": "o@example.org"}
PUBLICATION = Publication.model_validate(
    {"name": "Digitale Region", "language": "de", "sender": {"email": "newsletter@example.org"}, "imprint": IMPRINT}
)
#: What is the same in all deliveries.
SAME: dict[str, int | str] = {"campaign_id": 1, "state": "sent", "updated_at": 1}


def fill(store: Store, size: int) -> None:
    """One campaign that was sent to so many."""
    edition = sample_edition(HTML_SIZE)
    sent = {"state": "done", "list_name": "list.csv", "candidates": size, "duplicates": 0, "refused": 0, "created_at": 1}
    with store.write() as connection:
        save_edition(connection, edition, slug="bench", moment=1)
        named = {"key": "k", "slug": "bench", "number": 1, "edition_hash": edition.hash}
        connection.execute(tables.campaign.insert(), [named | sent])
        for start in range(1, size + 1, 500):
            insert_rows(connection, tables.delivery, columns(range(start, min(start + 500, size + 1))), SAME)


def columns(numbers: range) -> dict[str, list[object]]:
    """The values of so many deliveries, column by column."""
    addresses = [f"reader{number}@example.net" for number in numbers]
    return {
        "address_key": [*addresses],
        "address": [*addresses],
        "mark": [LINKS.mark(address) for address in addresses],
        "line": [number + 1 for number in numbers],
        "data": [json.dumps(fields(number), ensure_ascii=False) for number in numbers],
    }


def fields(number: int) -> dict[str, str]:
    """The merge fields of a recipient."""
    return {"email": f"reader{number}@example.net", "first_name": "Jörg", "name": f"Jörg Müller {number}"}


def bare(body: bytes) -> Starlette:
    """An application with one route, which gives always the same bytes under the headers of a view page."""
    headers = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}

    async def view(_request: Request) -> Response:
        return Response(body, headers=headers, media_type="text/html")

    return Starlette(routes=[Route("/view/{token}", view)])


def serve(kind: str, file: str) -> None:
    """Be one of the servers until standard input ends; prints the port."""
    write_log()
    with BackgroundServer() as server:
        server.start(
            bare(Path(file).read_bytes()) if kind == "bare" else create_app(open_store(f"sqlite:///{file}"), LINKS, PUBLICATION)
        )
        print(server.url.rsplit(":", 1)[1], flush=True)
        for _ in sys.stdin:  # a line asks for the seconds of processor that were used so far
            print(time.process_time(), flush=True)


@dataclass
class Place:
    """A server that is up: what it gives, and where."""

    process: "subprocess.Popen[str]"
    port: int
    path: Callable[[], str]
    rates: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """One round: pages a second, p99 in milliseconds, microseconds of processor a page."""
        begun = self.processor()
        times = sorted(asyncio.run(asked(self.port, self.path, seconds, CONNECTIONS)))
        self.rates.append(len(times) / seconds)
        self.p99.append(times[len(times) * 99 // 100] * 1e3)
        self.used.append((self.processor() - begun) / len(times) * 1e6)

    def processor(self) -> float:
        """Seconds of processor that the server has used so far."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


@contextmanager
def server(kind: str, file: Path, path: Callable[[], str]) -> Iterator[Place]:
    """A server in a process of its own; ``path`` gives what it is asked for."""
    with (
        open(os.devnull, "w") as nothing,  # noqa: PTH123 - os.devnull is no path of ours
        subprocess.Popen(
            [sys.executable, "-m", "bench.serve", "--serve", kind, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=nothing,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        yield Place(process, int(process.stdout.readline()), path)
        assert process.stdin is not None
        process.stdin.close()


class Asking(asyncio.Protocol):
    """One kept connection: asks again as soon as an answer is whole, until ``until``; notes how long each took."""

    def __init__(self, path: Callable[[], str], until: float, times: list[float], statuses: set[bytes]) -> None:
        self._path, self._until, self._times, self._statuses = path, until, times, statuses
        self._missing = 0
        self._head = b""
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._begun = time.perf_counter()
        if self._begun >= self._until:
            self.over.set_result(None)
            self._transport.close()
            return
        self._transport.write(b"GET %s HTTP/1.1\r\nHost: newsletter.example.org\r\n\r\n" % self._path().encode())

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, ended, body = self._head.partition(b"\r\n\r\n")
            if not ended:
                return
            self._statuses.add(head[9:12])
            self._missing = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]) - len(body)
            self._head = b""
        if self._missing <= 0:
            self._times.append(time.perf_counter() - self._begun)
            self._ask()


async def asked(port: int, path: Callable[[], str], seconds: float, connections: int, status: bytes = b"200") -> list[float]:
    """Seconds that each answer took, of all that came within the given time."""
    times: list[float] = []
    statuses: set[bytes] = set()
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    for one in [
        await loop.create_connection(lambda: Asking(path, until, times, statuses), "127.0.0.1", port) for _ in range(connections)
    ]:
        await one[1].over
    assert statuses == {status}, statuses
    return times


def views(size: int) -> Callable[[], str]:
    """The paths of deliveries in no order."""
    chance = random.Random(size)
    return lambda: LINKS.view_url(1, chance.randint(1, size)).removeprefix(LINKS.public_url)


def measure(places: dict[str, Place], rounds: int, seconds: float) -> None:
    """Print a table of all places; the last one is the bare route."""
    for _ in range(rounds):
        for place in places.values():
            place.run(seconds)
    peer = statistics.median(places["bare Starlette"].rates)
    print(f"{'':26}{'median/s':>10}{'best/s':>10}{'p99, ms':>10}{'CPU, µs':>10}{'of bare':>10}   (at least {LIMIT:.2f})")
    for name, place in places.items():
        rate, slow, used = (statistics.median(seen) for seen in (place.rates, place.p99, place.used))
        print(f"{name:26}{rate:10.0f}{max(place.rates):10.0f}{slow:10.1f}{used:10.0f}{rate / peer:10.2f}", flush=True)


def compare_tokens(port: int, rounds: int) -> None:
    """Print how long a good token takes, and bad ones that are wrong in different places."""
    good = LINKS.view_url(1, 1).rsplit("/", 1)[1]
    other = Links(LINKS.public_url, b"another key for the bench, just as long", "region.example.org").view_url(1, 1)
    tokens = {
        "first byte changed": ("B" if good[0] == "A" else "A") + good[1:],
        "signature's first byte": good[: good.index(".") + 1] + ("B" if good[good.index(".") + 1] == "A" else "A") + good[-21:],
        "signature's last but one": good[:-2] + ("B" if good[-2] == "A" else "A") + good[-1],
        "of another key": other.rsplit("/", 1)[1],
        "another address (none)": "../nothing",
    }
    times: dict[str, list[float]] = {name: [] for name in tokens}
    for _ in range(rounds):
        for name, token in tokens.items():
            times[name] += asyncio.run(asked(port, lambda token=token: f"/view/{token}", 0.3, 1, b"404"))  # type: ignore[misc]
    print("\nbad tokens, one connection, microseconds an answer: median, and p90")
    for name, seen in times.items():
        print(f"{name:26}{statistics.median(seen) * 1e6:10.0f}{sorted(seen)[len(seen) * 9 // 10] * 1e6:10.0f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="deliveries in the database")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.8, help="of one server in one round")
    parser.add_argument("--serve", nargs=2, metavar=("KIND", "FILE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(*chosen.serve)
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        places: dict[str, Place] = {}
        for size in chosen.sizes:
            file = folder / f"{size}.db"
            store = open_store(f"sqlite:///{file}")
            fill(store, size)
            store.close()
            places[f"view, {size:,} deliveries"] = stack.enter_context(server("view", file, views(size)))
        first = next(iter(places.values()))
        headers = {"Host": "newsletter.example.org"}
        request = urllib.request.Request(f"http://127.0.0.1:{first.port}{first.path()}", headers=headers)
        with urllib.request.urlopen(request) as answer:
            (folder / "page.html").write_bytes(answer.read())
        places["bare Starlette"] = stack.enter_context(server("bare", folder / "page.html", views(1)))
        measure(places, chosen.rounds, chosen.seconds)
        compare_tokens(first.port, chosen.rounds)


if __name__ == "__main__":
    main()
