"""Time from the command to the words of ``newsletter --help``, against a Typer program that does nothing.

``python -m bench.startup``: each in a process of its own, in turn, compiled before, as if installed; the best of thirty counts.
What counts is the processor's time: nothing is waited for, and it varies less than the clock's where other programs are at work.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

ROUNDS = 30
#: What the ratio should stay below.
LIMIT = 1.5
BARE = """
import typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
@app.command()
def one() -> None: "One."
@app.command()
def two() -> None: "Two."
app(["--help"])
"""
OURS = "from newsletter.cli.app import run; run(['--help'])"


class Taken(NamedTuple):
    """Milliseconds of one run."""

    processor: float
    clock: float


def run(program: str, compiled: str) -> Taken:
    """Run it once; ``compiled`` is the folder of its byte code."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", program]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env={**environment, "PYTHONPYCACHEPREFIX": compiled})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(used * 1000, (time.perf_counter() - begun) * 1000)


def main() -> None:
    """Print both times and their ratio."""
    with tempfile.TemporaryDirectory() as compiled:
        for program in (OURS, BARE):
            run(program, compiled)
        pairs = [(run(OURS, compiled), run(BARE, compiled)) for _ in range(ROUNDS)]
    best = [Taken(*map(min, zip(*runs, strict=True))) for runs in zip(*pairs, strict=True)]
    for name, one in zip(("newsletter --help", "bare Typer"), best, strict=True):
        print(f"{name:<18} {one.processor:>4.0f} ms of the processor, {one.clock:>4.0f} ms by the clock")
    print(f"ratio {best[0].processor / best[1].processor:.2f} (at most {LIMIT})")


if __name__ == "__main__":
    main()
