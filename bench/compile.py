"""Compile time of the German sample issue against npm's mjml, warm, on the same MJML document.

``python -m bench.compile``. The peer runs only where node and ``node_modules/mjml`` are (``npm install --no-save mjml@5``).
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from newsletter.compose.compile import Gallery, compile_issue
from newsletter.compose.inline import inline_css
from newsletter.compose.layout import render
from newsletter.compose.mjml import compile_mjml, prepare
from newsletter.compose.picture_cache import PictureCache
from newsletter.compose.sentinel import Sentinels
from newsletter.issue import Issue, load_issue
from newsletter.settings import Workspace

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, TIMES = 7, 15


def milliseconds(work: Callable[[], object], times: int = TIMES) -> float:
    """The median time of one call."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def rendered_mjml(issue: Issue, workspace: Workspace) -> str:
    """The MJML document that the layout makes of the issue: what both compilers get."""
    folder = workspace.layout_folder(issue.layout)
    if folder is None:
        raise SystemExit(f"no layout {issue.layout}")
    gallery = Gallery(issue, folder, "https://newsletter.example.org/pictures/{}".format, PictureCache())
    return render(issue, folder, Sentinels(), gallery.show).mjml


def peer(document: str) -> float | None:
    """npm's mjml in one warm process: the median time of one call, or None where it is not installed."""
    if shutil.which("node") is None or not (ROOT / "node_modules" / "mjml").is_dir():
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".mjml", encoding="utf-8") as file:
        file.write(document)
        file.flush()
        script = ROOT / "bench" / "mjml_warm.mjs"
        done = subprocess.run(["node", str(script), file.name, str(TIMES)], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Print the table."""
    workspace = Workspace(ROOT)
    issue = load_issue(workspace, "2026-11")
    document = rendered_mjml(issue, workspace)
    html, css = compile_mjml(document)
    plain = prepare(
        document
    ).source  # without the styles to be inlined, on which npm's inliner stops with an error: less work for it

    def whole() -> object:
        return compile_issue(issue, workspace, "https://newsletter.example.org/pictures/{}".format)

    whole()  # warm: templates read, pictures scaled
    rounds = [(milliseconds(whole), milliseconds(lambda: compile_mjml(document)), peer(plain)) for _ in range(ROUNDS)]
    ours, mrml = statistics.median(row[0] for row in rounds), statistics.median(row[1] for row in rounds)
    inline = milliseconds(lambda: inline_css(html, css))
    theirs = [row[2] for row in rounds if row[2] is not None]
    print(f"issue 2026-11: MJML {len(document.encode()) / 1000:.1f} kB, HTML {len(inline_css(html, css).encode()) / 1000:.1f} kB")
    print(f"median of {ROUNDS} interleaved rounds of {TIMES}, warm, milliseconds")
    print(f"  whole compile (Jinja, MJML, CSS, text, slots)  {ours:8.2f}")
    print(f"  - MJML to HTML alone                           {mrml:8.2f}")
    print(f"  - CSS inlining alone                           {inline:8.2f}")
    if theirs:
        npm = statistics.median(theirs)
        print(f"  npm mjml, MJML to HTML alone                   {npm:8.2f}")
        print(f"  ratio: npm / MJML to HTML {npm / mrml:.1f}, npm / whole compile {npm / ours:.1f}")
    else:
        print("  npm mjml: not installed, nothing compared (npm install --no-save mjml@5)")


if __name__ == "__main__":
    main()
