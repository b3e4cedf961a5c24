"""The sample's HTML before independent checkers: vnu (H12) and axe-core (A1-A11), in the modern and in the Outlook view."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW
from newsletter.issue import load_issue
from newsletter.settings import Workspace

ROOT = Path(__file__).resolve().parents[2]
VALUES = {VIEW: "https://news.example.org/view/x", UNSUBSCRIBE: "https://news.example.org/unsubscribe/x", "first_name": "Änne & <Co>"}
SAMPLES = ["2026-11", "2026-11-en"]


def sample_html(slug: str) -> str:
    workspace = Workspace(ROOT)
    edition = compile_issue(load_issue(workspace, slug), workspace, "https://news.example.org/pictures/{}".format)
    return edition.html.fill(VALUES)


def outlook_view(html: str) -> str:
    """What Outlook's Word engine reads: its conditional comments unfolded, what is hidden from it left out."""
    html = re.sub(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)


@pytest.mark.real
@pytest.mark.parametrize("slug", SAMPLES)
def test_vnu_finds_no_error(slug: str, vnu_jar: Path, tmp_path: Path) -> None:
    file = tmp_path / "message.html"
    file.write_text(sample_html(slug), encoding="utf-8")
    command = ["java", "-jar", str(vnu_jar), "--format", "json", "--filterpattern", ".*mso-.*", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    messages = json.loads(done.stderr)["messages"]
    errors = [f"{message.get('lastLine')}: {message['message']}" for message in messages if message["type"] == "error"]
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


@pytest.mark.parametrize("slug", SAMPLES)
@pytest.mark.parametrize("view", [str, outlook_view])
def test_layout_tables_have_their_role_and_pictures_their_size(slug: str, view: Any) -> None:
    from lxml.html import document_fromstring

    root = document_fromstring(view(sample_html(slug)))
    for table in root.iter("table"):
        assert table.get("role") in ("presentation", "none"), table.get("class")
    for image in root.iter("img"):
        assert image.get("src", "").startswith("https://")
        assert image.get("alt") is not None
        assert 0 < int(image.get("width", "0")) <= 600
    assert len(root.findall(".//h1")) == 1
    assert root.get("lang") in ("de", "en")
    assert root.get("dir") == "ltr"
