"""The HTML before independent checkers: vnu (H12) and axe-core (A1-A11), both samples and every block type in both layouts.

test_rules.py has the rules one by one.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.real.axe import RULES, violations
from tests.thorough import only_thorough

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
@pytest.mark.parametrize("width", [320, pytest.param(1200, marks=only_thorough)])
@pytest.mark.parametrize("slug", ISSUES)
def test_axe_finds_no_violation(
    *, layout_name: str, slug: str, width: int, sheet: Page, axe_source: str, html_of: HtmlOf
) -> None:
    sheet.set_viewport_size({"width": width, "height": 900})
    sheet.set_content(html_of(layout_name, slug))
    not_of_mail = {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}
    assert violations(sheet, axe_source, runOnly=RULES, rules=not_of_mail) == []
    scroll = sheet.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert scroll[0] <= scroll[1]  # H5: no sideways scrolling
