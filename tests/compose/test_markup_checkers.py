"""The samples' HTML before independent checkers: vnu (H12) and axe-core (A1-A11). test_rules.py has the rules one by one."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW
from newsletter.issue import load_issue
from newsletter.settings import Workspace

ROOT = Path(__file__).resolve().parents[2]
VALUES = {
    VIEW: "https://news.example.org/view/x",
    UNSUBSCRIBE: "https://news.example.org/unsubscribe/x",
    "first_name": "Änne & <Co>",
}
SAMPLES = ["2026-11", "2026-11-en"]


def sample_html(slug: str) -> str:
    workspace = Workspace(ROOT)
    edition = compile_issue(load_issue(workspace, slug), workspace, "https://news.example.org/pictures/{}".format)
    return edition.html.fill(VALUES)


@pytest.mark.real
def test_vnu_finds_no_error(vnu_jar: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{slug}.html" for slug in SAMPLES]
    for file in files:
        file.write_text(sample_html(file.stem), encoding="utf-8")
    command = ["java", "-jar", str(vnu_jar), "--format", "json", "--filterpattern", ".*mso-.*", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    messages = json.loads(done.stderr)["messages"]
    errors = [
        f"{message['url']}:{message.get('lastLine')}: {message['message']}" for message in messages if message["type"] == "error"
    ]
    assert errors == []


@pytest.mark.real
@pytest.mark.parametrize("width", [320, 1200])
@pytest.mark.parametrize("slug", SAMPLES)
def test_axe_finds_no_violation(slug: str, width: int, chromium: Any, axe_source: str) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.route("**/*", lambda route: route.abort())
    page.set_content(sample_html(slug))
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
