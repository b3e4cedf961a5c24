"""Microseconds a recipient, and memory: a list becomes an audience, against plain sqlite3 (``python -m bench.freeze``).

Each size is measured in processes of its own, one after the other, as the machine's load changes: ``list`` is a CSV file read,
``freeze`` the same recipients put into the ledger without a file, ``both`` what ``newsletter send`` does, ``sqlite3`` the ready
rows put into the same table with the same indexes by ``executemany``. The processor's time varies less than the clock's.
"""

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from newsletter.audience.csv_list import open_list
from newsletter.audience.recipient import Recipient, Refused
from newsletter.compose.edition import Edition, Headers, Part
from newsletter.delivery.freeze import Recipients, freeze
from newsletter.links import Links
from newsletter.store import open_store

SIZES = (10_000, 100_000, 1_000_000)
WAYS = ("list", "freeze", "both", "sqlite3")
BATCH = 1000
LINKS = Links("https://newsletter.example.org", b"a key for the bench, and for nothing else", "region.example.org")
EDITION = Edition("t", Headers("a", "a@example.org", None, "l.example.org", "l", "de"), Part(("s",)), Part(("t",)), Part(("h",)))


class Crowd:
    """Invented recipients in no order, as lists are."""

    path = Path("list.csv")

    def __init__(self, size: int) -> None:
        self.size = size

    def __iter__(self) -> Iterator[Recipient | Refused]:
        for number in range(self.size):
            address = f"vorname.nachname{number * 7919 % 1_000_003}@example{number % 50}.org"
            yield Recipient(address, address, {"email": address, "first_name": "Jörg", "last_name": "Müller"}, number + 2)


def write_list(file: Path, size: int) -> None:
    """The same recipients as a CSV file."""
    with file.open("w", encoding="utf-8") as out:
        out.write("email;vorname;nachname\n")
        for row in Crowd(size):
            assert isinstance(row, Recipient)
            out.write(f"{row.address};Jörg;Müller\n")


class Watch:
    """Seconds within it, by the clock and of the processor; entered again, it adds to them."""

    def __init__(self) -> None:
        self.clock = self.processor = 0.0

    def __enter__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def __exit__(self, *_error: object) -> None:
        self.clock += time.perf_counter() - self._begun[0]
        self.processor += time.process_time() - self._begun[1]


def read(recipients: Recipients, watch: Watch) -> None:
    """Read a list."""
    with watch:
        for _ in recipients:
            pass


def freeze_them(folder: Path, recipients: Recipients, watch: Watch) -> None:
    """Freeze a list."""
    store = open_store(f"sqlite:///{folder / 'newsletter.db'}")
    with watch:
        freeze(store, slug="2026-12", edition=EDITION, recipients=recipients, mark=LINKS.mark, list_name="list.csv")
    store.close()


def insert_plainly(folder: Path, size: int, watch: Watch) -> None:
    """Let sqlite3 itself insert the finished rows; making them is not counted."""
    open_store(f"sqlite:///{folder / 'newsletter.db'}").close()
    raw = sqlite3.connect(folder / "newsletter.db", isolation_level=None)
    raw.execute("PRAGMA synchronous = FULL")
    with watch:
        raw.execute("BEGIN IMMEDIATE")
    batch = []
    insert = (
        "INSERT INTO delivery (campaign_id, address_key, address, mark, line, lane, data, state, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    for row in Crowd(size):
        assert isinstance(row, Recipient)
        data = json.dumps(row.fields, ensure_ascii=False)
        batch.append((1, row.key, row.address, LINKS.mark(row.key), row.line, "*", data, "pending", 1))
        if len(batch) == BATCH:
            with watch:
                raw.executemany(insert, batch)
            batch.clear()
    with watch:
        raw.executemany(insert, batch)
        raw.execute("COMMIT")
    raw.close()


def measure(way: str, size: int) -> tuple[float, float, float]:
    """Microseconds a recipient, by the clock and of the processor, and the process's peak in MB."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if way in ("list", "both"):
            write_list(folder / "list.csv", size)
        if way == "list":
            read(open_list(folder / "list.csv"), watch)
        elif way == "both":
            freeze_them(folder, open_list(folder / "list.csv"), watch)
        elif way == "freeze":
            freeze_them(folder, Crowd(size), watch)
        else:
            insert_plainly(folder, size, watch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return watch.clock / size * 1e6, watch.processor / size * 1e6, peak


def main() -> None:
    """Print a line for each size, in microseconds a recipient."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments.add_argument("--one", nargs=2, metavar=("WAY", "SIZE"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(*measure(given.one[0], int(given.one[1])))
        return
    print(f"recipients              {''.join(f'{way:>9}' for way in WAYS)}   peak of both, MB   (µs a recipient)")
    for size in given.sizes:
        found: list[list[float]] = []
        for way in WAYS:
            command = [sys.executable, "-m", "bench.freeze", "--one", way, str(size)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            found.append([float(number) for number in printed])
        clock, processor, peak = zip(*found, strict=True)
        print(f"{size:>10,}  by the clock{''.join(f'{one:>9.1f}' for one in clock)}   {peak[WAYS.index('both')]:>16.0f}")
        print(f"            processor   {''.join(f'{one:>9.1f}' for one in processor)}", flush=True)


if __name__ == "__main__":
    main()
