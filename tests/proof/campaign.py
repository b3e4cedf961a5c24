"""A campaign is sent while it is struck again and again; gives what was seen."""

import contextlib
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.delivery import account_of
from newsletter.store import Store, find_campaign, open_store, suppress
from tests.proof.evidence import ACCOUNT, Claim, Evidence, Journal, Look, Observation, observe
from tests.proof.office import SLUG, Office, Sender, Start, last_account
from tests.proof.strikes import DEADLY, MOMENT, NAMES, PREPARING, Kind, Strike, plan

ROOT = Path(__file__).resolve().parents[2]
#: Seconds for whatever has to happen next; more is a hang.
PATIENCE = 300.0
#: Seconds that one delivery may take to send, on a machine that is busy with other things.
SLOWEST = 0.01
#: Seconds that it takes, roughly, to prepare one delivery.
_A_ROW = 100e-6
#: Starts that end by themselves with something left, before it is called a fault.
ENDS = 25


class Sink:
    """The sink's process, and how it is told what to do."""

    def __init__(self, journal: Path, ledger: Path | str, seed: int, *mode: str, door: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*door, sys.executable, "-m", "tests.proof.sink", str(journal), str(ledger), str(seed), *mode],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line)

    def tell(self, order: str) -> None:
        """Give an order. What was carried out before is forgotten."""
        assert self._process.stdin is not None
        while not self._said.empty():
            self._said.get()
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def struck(self, seconds: float) -> bool:
        """Whether the order was carried out; waits so long for it."""
        try:
            self._said.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def close(self) -> None:
        """Let it take what is still on its way, and end it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        assert code == 0, f"the sink ended with {code}"


@dataclass
class Campaign:
    """One proof. :meth:`run` gives the evidence; ``done`` counts the strikes by kind, ``costs`` what each left uncertain."""

    folder: Path
    deliveries: int
    kills: int
    seed: int
    start: Start
    pipelining: bool = True
    connections: int = 10
    tell: Callable[[str], None] = lambda _words: None
    done: Counter[Kind] = field(default_factory=Counter)
    at: Counter[str] = field(default_factory=Counter)
    costs: dict[Kind, list[int]] = field(default_factory=dict)
    starts: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.office = Office(self.folder / "office", self.connections)
        self._said = self.folder / "said.txt"
        self._journal = Journal(self.folder / "journal.txt")
        self._observations: list[Observation] = []
        self._last = Look({}, 0, None)
        self._left: set[str] = set()
        self._second = 0
        self._startup = 1.0
        self._ends = 0

    def run(self) -> Evidence:
        """Send, strike, start again, until nothing is left."""
        begun = time.monotonic()
        self._strikes = deque(self._plan())
        self._planned = len(self._strikes)
        self._sink = self._open_sink()
        self.office.furnish(self.deliveries, self._sink.port)
        try:
            self._begin()
            while not self._one_sender():
                pass
            self._finish()
        finally:
            self._sink.close()
        self._look()
        self.seconds = time.monotonic() - begun
        told = last_account(self._said) or {}
        return Evidence(
            deliveries=self.deliveries,
            connections=self.connections,
            last=self._last,
            journal=self._journal,
            observations=self._observations,
            left=self._left,
            planned=self._planned,
            struck=self.done.total(),
            broke=self.done.total() - self.done["frozen, then woken"],
            program_says={name: told.get(name, -1) for name in ACCOUNT},
            second_send_ran=self._second,
            shared=self.office.server_url is not None,
            more=self._more_claims(),
        )

    @property
    def names(self) -> Mapping[Kind, str]:
        """The strikes that there are here, for a table."""
        return NAMES

    def _plan(self) -> list[Strike]:
        return plan(self.chance, self.kills)

    def _open_sink(self) -> Sink:
        mode = [] if self.pipelining else ["--sequential"]
        return Sink(self.folder / "journal.txt", self.office.ledger, self.seed, *mode)

    def _begin(self) -> None:
        """The sink is there, nobody sends yet."""

    def _finish(self) -> None:
        """The campaign is done."""

    def _more_claims(self) -> list[Claim]:
        return []

    # --- one sender after the other -------------------------------------------------------------------------------------------

    def _one_sender(self) -> bool:
        """From its start to its end. True where the campaign is done."""
        self.starts += 1
        self._started = time.monotonic()
        sender = self.start(self.office.arguments, self._said)
        uncertain = len(self._last.all_in("uncertain", "sending"))
        while self._strikes and sender.wait(0) is None:
            strike = self._strikes.popleft()
            if not self._strike(sender, strike):
                self._strikes.appendleft(strike)
                break
            seen = self._look()
            in_doubt = len(seen.all_in("uncertain", "sending"))
            self.done[strike.kind] += 1
            self.at[strike.at] += 1
            hits = f"{self.done.total()} of {self._planned} strikes"
            self.tell(f"{hits}, {len(self._journal.times):,} accepted: {strike.kind}, {strike.at}")
            if strike.kind in DEADLY:
                self.costs.setdefault(strike.kind, []).append(in_doubt - uncertain)
                self._unsubscribe(seen)
                return False
        code = sender.wait(PATIENCE + self.deliveries * SLOWEST)
        if code is None:
            signal_to(sender, signal.SIGKILL)
            raise AssertionError(f"a send does not come to its end; it said:\n{self._words()}")
        seen = self._look()
        if seen.campaign == "done":
            return True
        self._ends += 1
        assert self._ends < ENDS, f"a send ended with {code} {self._ends} times and something is left; it said:\n{self._words()}"
        return False

    def _strike(self, sender: Sender, strike: Strike) -> bool:
        """Wait for the moment and strike. False where the sender came to its end before."""
        begun = time.monotonic()
        if strike.at in (MOMENT, PREPARING):
            long = self._startup * 1.2 + (self.deliveries * _A_ROW if strike.at == PREPARING else 0)
            if sender.wait(self.chance.uniform(0, long)) is not None:
                return False
            signal_to(sender, signal.SIGKILL)
        else:
            signalled = {"kill": "kill", "cut": "cut"}.get(strike.kind, "stop")
            after = self._journal.follow() + self._how_far()
            self._sink.tell(f"strike {signalled} {strike.at} {0 if strike.at == 'connect' else after} {sender.pid}")
            while not self._sink.struck(0.05):
                if sender.wait(0) is not None and not self._sink.struck(0.5):
                    self._sink.tell("forget")
                    return False
                assert time.monotonic() - begun < PATIENCE, f"nothing happens any more; it said:\n{self._words()}"
            if strike.at == "connect":
                self._startup = min(time.monotonic() - self._started, 10)
        if strike.kind.startswith("frozen"):
            self._hold(sender, strike)
        # Else it came to its end in the very moment.
        return strike.kind not in DEADLY or sender.wait(PATIENCE) == -signal.SIGKILL

    def _hold(self, sender: Sender, strike: Strike) -> None:
        """The sender stands still: somebody else tries, and the server may lose its patience."""
        self._look()
        other = self.start(self.office.arguments, self.folder / "said-beside.txt")
        code = other.wait(PATIENCE)
        self._second += code != 2
        if self.chance.random() < 0.5:
            self._sink.tell("cut")
            time.sleep(0.05)
        signal_to(sender, signal.SIGKILL if strike.kind in DEADLY else signal.SIGCONT)

    def _how_far(self) -> int:
        """How many messages may pass until the next strike, so that all strikes fall into this campaign."""
        left = self._last.open if self._last.states else self.deliveries
        sure = max(left - 6 * self.connections, 0) * 0.8  # some of it is in doubt, or will be refused
        return int(self.chance.uniform(0, 2) * sure / (len(self._strikes) + 2))

    # --- what is seen ---------------------------------------------------------------------------------------------------------

    def _look(self) -> Look:
        seen, observation = observe(self.office.ledger, self._journal)
        self._observations.append(observation)
        self._last = seen
        return seen

    def _unsubscribe(self, seen: Look) -> None:
        """Somebody leaves while nobody sends, as ``serve`` would write it down."""
        waiting = sorted(address for address, state in seen.states.items() if state == "pending")
        if seen.campaign != "running" or len(waiting) < self.deliveries // 20:
            return
        address = self.chance.choice(waiting)
        with self._store() as store:
            suppress(store, self.office.links.mark(address), reason="unsubscribed", address=address)
            campaign = find_campaign(store, SLUG)
            assert campaign is not None
            assert account_of(store, campaign.id).audience == self.deliveries
        self._left.add(address)

    @contextlib.contextmanager
    def _store(self) -> Iterator[Store]:
        store = open_store(self.office.database_url)
        try:
            yield store
        finally:
            store.close()

    def _words(self) -> str:
        return self._said.read_text(encoding="utf-8")[-2000:]


def signal_to(sender: Sender, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(sender.pid, number)
