"""The HTML before independent checkers: vnu (H12) and axe-core (A1-A11), both samples and every block type in both layouts.

test_rules.py has the rules one by one.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ISSUES = ["2026-11", "2026-11-en", "every-block", "every-block-bare"]
HtmlOf = Callable[[str, str], str]


@pytest.mark.real
def test_vnu_finds_no_error(vnu_jar: Path, tmp_path: Path, html_of: HtmlOf) -> None:
    files = []
    for layout in ("region", "plain"):
        for slug in ISSUES:
            files.append(tmp_path / f"{layout}-{slug}.html")
            files[-1].write_text(html_of(layout, slug), encoding="utf-8")
    # It runs for seconds: the second compiler and a second thread for the heap cost more than they save.
    java = ["java", "-Xss2m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", str(vnu_jar)]
    command = [*java, "--format", "json", "--filterpattern", ".*mso-.*", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    messages = json.loads(done.stderr)["messages"]
    errors = [
        f"{message['url']}:{message.get('lastLine')}: {message['message']}" for message in messages if message["type"] == "error"
    ]
    assert errors == []


@pytest.mark.real
@pytest.mark.parametrize("width", [320, 1200])
@pytest.mark.parametrize("slug", ISSUES)
def test_axe_finds_no_violation(
    *, layout_name: str, slug: str, width: int, chromium: Any, axe_source: str, html_of: HtmlOf
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.route("**/*", lambda route: route.abort())
    page.set_content(html_of(layout_name, slug))
    page.evaluate(axe_source)
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
        "rules": {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}},
    }
    result = page.evaluate("options => axe.run(document, options)", options)
    assert [(found["id"], [node["html"] for node in found["nodes"]]) for found in result["violations"]] == []
    assert result["passes"]
    scroll = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    page.close()
    assert scroll[0] <= scroll[1]  # H5: no sideways scrolling
