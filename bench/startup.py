"""Time from the command to the words of ``newsletter --help``, against a Typer program that does nothing.

``python -m bench.startup``: the best of twenty, in turn, each in a process of its own.
"""

import subprocess
import sys
import time

ROUNDS = 20
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


def seconds(program: str) -> float:
    """One run."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print both times and their ratio."""
    pairs = [(seconds(OURS), seconds(BARE)) for _ in range(ROUNDS)]
    ours, bare = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    print(f"newsletter --help {ours * 1000:.0f} ms, bare Typer {bare * 1000:.0f} ms, ratio {ours / bare:.2f} (at most {LIMIT})")


if __name__ == "__main__":
    main()
