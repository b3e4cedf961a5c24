"""What a campaign's size costs to freeze, to claim from, and to count, at 0, 50 and 90 % done (``python -m bench.rows``).

For each database and size: the seconds that the freeze takes; and at each stage the milliseconds of a claim of twenty (ten
connections take so many), its COMMIT included, and of an account as ``status`` counts it; each the median and the worst. In
between the deliveries go the way that a sending takes them, claim, intent, result, in groups. SQLite and PostgreSQL both wait for
the disk. A claim and an account should cost the same at 90 % as at 0 %.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.freeze import EDITION, LINKS, Crowd
from newsletter.delivery import account_of, freeze, ledger
from newsletter.store import Store, open_store
from newsletter.store.engine import upgrade_tables
from tests.real.postgresql import own_schema, running_server

T = TypeVar("T")
SIZES = (10_000, 100_000, 1_000_000)
STAGES = (0, 50, 90)
#: Deliveries of a claim that is measured, and how many times each thing is.
_CLAIM, _TIMES = 20, 50
_ACCOUNTS = 7


@dataclass
class Campaign:
    """A campaign that goes on step by step. ``group`` are sent in one transaction each, between the stages."""

    store: Store
    size: int
    group: int
    id: int = 0
    worker: int = 0
    done: int = 0
    frozen: float = 0.0
    claims: dict[int, list[float]] = field(default_factory=dict)
    accounts: dict[int, list[float]] = field(default_factory=dict)

    def measure(self) -> None:
        """From the freeze to the last stage."""
        begun = time.perf_counter()
        campaign, _ = freeze(
            self.store,
            slug="bench",
            edition=EDITION,
            recipients=Crowd(self.size),
            mark=LINKS.mark,
            list_name="list.csv",
        )
        self.frozen, self.id = time.perf_counter() - begun, campaign.id
        with self.store.write() as connection:
            now = self.store.now(connection)
            ledger.start(connection, self.id, now)
            lease = None if self.store.dialect == "sqlite" else self.store.lease
            self.worker = ledger.register(connection, host="bench", pid=1, version="bench", now=now, lease=lease)
        for stage in STAGES:
            while self.done < self.size * stage // 100:
                self._send(self._claim(self.group))
            self.accounts[stage] = [self._timed(lambda: account_of(self.store, self.id))[0] for _ in range(_ACCOUNTS)]
            self.claims[stage] = []
            for _ in range(max(1, min(_TIMES, self.size // (20 * _CLAIM)))):  # a twentieth of all at most
                took, claimed = self._timed(lambda: self._claim(_CLAIM))
                self.claims[stage].append(took)
                self._send(claimed)

    def _claim(self, wanted: int) -> list[int]:
        with self.store.write() as connection:
            now = self.store.now(connection)
            ledger.hold(connection, self.worker, self.store.lease, now)
            return [one.id for one in ledger.claim(connection, self.id, self.worker, wanted, now)]

    def _send(self, ids: list[int]) -> None:
        assert ids, "nothing is left"
        with self.store.write() as connection:
            may = ledger.mark_sending(connection, self.id, self.worker, ids, self.store.now(connection))
        assert may == set(ids)
        with self.store.write() as connection:
            now = self.store.now(connection)
            ledger.settle(connection, self.worker, [ledger.Result(one, "sent", 250, "2.0.0", "Ok: queued") for one in ids], now)
        self.done += len(ids)

    @staticmethod
    def _timed(act: Callable[[], T]) -> tuple[float, T]:
        """Milliseconds, and what it gave."""
        begun = time.perf_counter()
        gave = act()
        return (time.perf_counter() - begun) * 1000, gave


@contextlib.contextmanager
def opened(database: str, server: str) -> Iterator[Store]:
    """An empty database: a file here, or on the server."""
    with contextlib.ExitStack() as stack:
        if database == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd()))
            url = f"sqlite:///{folder}/ledger.db"
        else:
            url = stack.enter_context(own_schema(server))
            upgrade_tables(url)
        store = open_store(url)
        stack.callback(store.close)
        yield store


def show(database: str, of: Campaign) -> None:
    """Print a line for each stage."""
    for stage in STAGES:
        claims, accounts = of.claims[stage], of.accounts[stage]
        frozen = f"{of.frozen:9.1f}" if stage == 0 else " " * 9
        numbers = [statistics.median(claims), max(claims), statistics.median(accounts), max(accounts)]
        print(f"{database:<11}{of.size:>10,}{frozen}{stage:>7} %{''.join(f'{one:>10.1f}' for one in numbers)}", flush=True)
    first, last = STAGES[0], STAGES[-1]
    ratios = [statistics.median(seen[last]) / statistics.median(seen[first]) for seen in (of.claims, of.accounts)]
    print(f"{'':30}{last} / {first} %{ratios[0]:8.2f} x{ratios[1]:18.2f} x", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--group", type=int, default=200, help="deliveries of a transaction between the stages")
    chosen = parser.parse_args()
    print("database   recipients   freeze     done     claim     worst   account     worst   (s; then ms)")
    with running_server(durable=True) as server:
        for size in chosen.sizes:
            for database in chosen.databases:
                with opened(database, server.url) as store:
                    campaign = Campaign(store, size, chosen.group)
                    campaign.measure()
                show(database, campaign)


if __name__ == "__main__":
    main()
