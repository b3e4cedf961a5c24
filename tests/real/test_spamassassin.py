"""The samples before SpamAssassin with its local rules: nothing about their build or headers costs a point (B14, B17)."""

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW
from newsletter.issue import load_issue
from newsletter.links import Links
from newsletter.message import MessageTemplate, message_id
from newsletter.settings import Workspace
from tests.thorough import only_thorough

ROOT = Path(__file__).resolve().parents[2]
HITS = re.compile(r"^\s*(-?\d+\.\d)\s+([A-Z][A-Z0-9_]+)\s", re.MULTILINE)
COSTLY = ("MPART_", "MIME_", "HTML_IMAGE_ONLY_", "SUBJ_", "MISSING_", "MSGID_")


@pytest.mark.real
@pytest.mark.parametrize("slug", ["2026-11", pytest.param("2026-11-en", marks=only_thorough)])
def test_scores_below_half_a_point(slug: str) -> None:
    program = shutil.which("spamassassin")
    if program is None:
        pytest.skip("spamassassin is not on the PATH")
    workspace = Workspace(ROOT)
    links = Links("https://news.example.org", b"k" * 32, "n.example.org")
    edition = compile_issue(load_issue(workspace, slug), workspace, links.picture_url)
    template = MessageTemplate(edition)
    mail = template.build(
        to="anna@example.com",
        values={
            "first_name": "Änne",
            VIEW: links.view_url(1, 1),
            UNSUBSCRIBE: links.unsubscribe_url(1, 1, links.mark("anna@example.com")),
        },
        message_id=message_id("a campaign", 1, template.domain),
        date=dt.datetime.now().astimezone(),
    )
    told = subprocess.run([program, "-L", "-t"], input=mail, capture_output=True, check=True).stdout.decode("utf-8", "replace")
    score = re.search(r"^X-Spam-Status: .*?score=(-?[\d.]+)", told, re.MULTILINE)
    hits = {rule: float(points) for points, rule in HITS.findall(told.partition("Content analysis details")[2])}
    assert score is not None
    assert hits
    assert float(score[1]) < 0.5, hits
    assert [rule for rule in hits if rule.startswith(COSTLY)] == []
