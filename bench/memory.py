"""Memory and time of the whole ``newsletter send``, as the size of the list grows (``python -m bench.memory``).

The command itself, in a process of its own, sends the sample issue to a list of each size, into :mod:`bench.sink`. Printed are
its peaks as the kernel knows them, before the first MAIL (compiled, checked, frozen) and at the end, and the time until then.
Linux alone. ``--sizes 10000 1000000`` takes some minutes.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

SIZES = (10_000, 100_000)
#: MB that the peak may grow by from the smallest list to the largest.
LIMIT = 25
#: Seconds between two looks at the process.
_LOOK = 0.1


@dataclass
class Run:
    """One ``send``. Moments are seconds of the monotonic clock, the ``peaks`` the highest so far, in MB, at such moments."""

    size: int
    begun: float = 0.0
    first: float = 0.0
    last: float = 0.0
    ended: float = 0.0
    peaks: list[tuple[float, float]] = field(default_factory=list)

    @property
    def prepared(self) -> float:
        """The peak before the first MAIL."""
        return max(peak for moment, peak in self.peaks if moment <= self.first)

    @property
    def peak(self) -> float:
        """The peak of all."""
        return max(peak for _, peak in self.peaks)


def newsletter(*arguments: str, folder: Path) -> "subprocess.Popen[str]":
    """The command, started."""
    command = [sys.executable, "-m", "newsletter", *arguments]
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, stdin=silent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write_list(file: Path, size: int) -> None:
    """Invented recipients in no order, as lists are."""
    with file.open("w", encoding="utf-8") as out:
        out.write("email;vorname;nachname\n")
        for number in range(size):
            out.write(f"vorname.nachname{number * 7919 % 1_000_003}@example{number % 50}.org;Jörg;Müller\n")


def look(process: int, run: Run) -> None:
    """Write down the peak of a process until it ends."""
    with contextlib.suppress(OSError, KeyError):  # it has ended
        while True:
            lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
            run.peaks.append((time.monotonic(), int(lines["VmHWM"].split()[0]) / 1024))
            time.sleep(_LOOK)


def measure(size: int) -> Run:
    """Send to a list of this size."""
    run = Run(size)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        newsletter("init", "office", folder=folder).communicate()
        office = folder / "office"
        write_list(office / "list.csv", size)
        sink = subprocess.Popen(
            [sys.executable, "-m", "bench.sink", "127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert sink.stdout is not None
        with (office / ".env").open("a") as settings:
            settings.write(f"NEWSLETTER_SMTP_HOST=127.0.0.1\nNEWSLETTER_SMTP_PORT={int(sink.stdout.readline())}\n")
            settings.write("NEWSLETTER_SMTP_SECURITY=none\nNEWSLETTER_PUBLIC_URL=http://127.0.0.1:8000\n")
        run.begun = time.monotonic()
        sending = newsletter("send", "2026-11", "--to", "list.csv", "--yes", "--json", folder=office)
        looking = threading.Thread(target=look, args=(sending.pid, run))
        looking.start()
        out, told = sending.communicate()
        run.ended = time.monotonic()
        looking.join()
        _, first, last = sink.communicate()[0].split()
        run.first, run.last = float(first), float(last)
        if sending.returncode or json.loads(out)["sent"] != size:
            raise SystemExit(told)
    return run


def main() -> None:
    """Print a line for each size."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = sorted(arguments.parse_args().sizes)
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))
    print("recipients   before the first MAIL          the whole send        (MB at its peak; µs a recipient)")
    runs = []
    for size in sizes:
        run = measure(size)
        runs.append(run)
        before, whole = (run.first - run.begun) / size * 1e6, (run.ended - run.begun) / size * 1e6
        print(f"{size:>10,}   {run.prepared:>6.1f} MB {before:>9.1f} µs   {run.peak:>9.1f} MB {whole:>9.1f} µs", flush=True)
    print(f"the peak grows by {runs[-1].peak - runs[0].peak:.1f} MB (at most {LIMIT})")


if __name__ == "__main__":
    main()
