"""A check of the German sample with 1,000 recipients, beside the Nu HTML checker on the same HTML (``python -m bench.check``).

The issue's aim is less than 3 seconds for the command as people type it, its start included. vnu looks at the HTML alone: it is
named as a measure of what a checker takes, not as a rival.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPIENTS = 1000
ROUNDS = 3


def best(run: Callable[[], object]) -> float:
    """Seconds, the best of the rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def command(*arguments: str) -> None:
    """Run ``newsletter`` on the sample workspace."""
    program = [sys.executable, "-m", "newsletter", "--workspace", str(ROOT)]
    subprocess.run([*program, *arguments], check=True, capture_output=True, cwd=ROOT)


def main() -> None:
    """Measure and print."""
    jar = ROOT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder) / "people.csv"
        rows = (f"reader{number}@example.org,Reader {number}" for number in range(RECIPIENTS))
        people.write_text("\n".join(["email,first_name", *rows]), encoding="utf-8")
        command("render", "2026-11", "--out", folder)
        ours = best(lambda: command("check", "2026-11", "--to", str(people)))
        print(f"newsletter check, {RECIPIENTS:,} recipients: {ours:.2f} s (aim: under 3)")
        java = shutil.which("java")
        if java is None or not jar.is_file():
            print("vnu: not here (java, npm install --no-save vnu-jar)")
            return
        html = str(Path(folder) / "message.html")
        vnu = [java, "-jar", str(jar), "--exit-zero-always", "--errors-only", html]
        theirs = best(lambda: subprocess.run(vnu, check=True, capture_output=True))
        print(f"vnu, the HTML alone: {theirs:.2f} s; ratio vnu / ours: {theirs / ours:.2f}")


if __name__ == "__main__":
    main()
