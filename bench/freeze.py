"""Microseconds a recipient, and memory: a list becomes an audience, against plain sqlite3 (``python -m bench.freeze``).

Each size is measured in processes of its own, one after the other, as the machine's load changes: ``list`` is a CSV file read,
``freeze`` the same recipients put into the ledger without a file, ``both`` what ``newsletter send`` does, ``sqlite3`` one
``executemany`` of the finished rows into the same table with the same indexes.
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


def read(recipients: Recipients) -> float:
    """Seconds to read a list."""
    begun = time.perf_counter()
    for _ in recipients:
        pass
    return time.perf_counter() - begun


def freeze_them(folder: Path, recipients: Recipients) -> float:
    """Seconds to freeze a list."""
    store = open_store(f"sqlite:///{folder / 'newsletter.db'}")
    begun = time.perf_counter()
    freeze(store, slug="2026-12", edition=EDITION, recipients=recipients, mark=LINKS.mark, list_name="list.csv")
    taken = time.perf_counter() - begun
    store.close()
    return taken


def insert_plainly(folder: Path, size: int) -> float:
    """Seconds that sqlite3 itself needs for the finished rows; making them is not counted."""
    open_store(f"sqlite:///{folder / 'newsletter.db'}").close()
    raw = sqlite3.connect(folder / "newsletter.db", isolation_level=None)
    raw.execute("PRAGMA synchronous = FULL")
    begun = time.perf_counter()
    raw.execute("BEGIN IMMEDIATE")
    taken = time.perf_counter() - begun
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
            begun = time.perf_counter()
            raw.executemany(insert, batch)
            taken += time.perf_counter() - begun
            batch.clear()
    begun = time.perf_counter()
    raw.executemany(insert, batch)
    raw.execute("COMMIT")
    taken += time.perf_counter() - begun
    raw.close()
    return taken


def measure(way: str, size: int) -> tuple[float, float]:
    """Microseconds a recipient, and the process's peak in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if way in ("list", "both"):
            write_list(folder / "list.csv", size)
        if way == "list":
            taken = read(open_list(folder / "list.csv"))
        elif way == "both":
            taken = freeze_them(folder, open_list(folder / "list.csv"))
        elif way == "freeze":
            taken = freeze_them(folder, Crowd(size))
        else:
            taken = insert_plainly(folder, size)
    return taken / size * 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print a line for each size, in microseconds a recipient."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments.add_argument("--one", nargs=2, metavar=("WAY", "SIZE"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(*measure(given.one[0], int(given.one[1])))
        return
    print(
        f"{'recipients':>10}  "
        + "  ".join(f"{way:>8}" for way in WAYS)
        + "   freeze/sqlite3   peak of both, MB   (µs a recipient)"
    )
    for size in given.sizes:
        found: dict[str, tuple[float, float]] = {}
        for way in WAYS:
            command = [sys.executable, "-m", "bench.freeze", "--one", way, str(size)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            found[way] = (float(printed[0]), float(printed[1]))
        times = "  ".join(f"{found[way][0]:>8.1f}" for way in WAYS)
        print(f"{size:>10,}  {times}   {found['freeze'][0] / found['sqlite3'][0]:>14.2f}   {found['both'][1]:>16.0f}", flush=True)


if __name__ == "__main__":
    main()
