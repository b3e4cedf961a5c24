"""Every rule about a page has its broken edition; the samples, a new issue and every block break none of them."""

import datetime as dt
from pathlib import Path

import pytest

from newsletter.check import Finding, Subject, all_rules, check
from newsletter.check.sampling import Writer, messages
from newsletter.compose.compile import compile_issue
from newsletter.issue import Issue, load_issue, new_issue, new_pictures
from newsletter.links import Links
from newsletter.settings import Settings, Workspace
from tests.check import test_check_document as document
from tests.check import test_check_links as links
from tests.check import test_check_pictures as pictures
from tests.check import test_check_tables as tables
from tests.check import test_check_texts as texts
from tests.check import test_check_words as words
from tests.check.broken import PUBLICATION, URL, Bench
from tests.compose.conftest import BARE_PUBLICATION, FULL_HEAD, HEAD, LAYOUTS, ROOT, SAMPLES, TOGETHER, in_layout, write_workspace
from tests.compose.conftest import PUBLICATION as FULL_PUBLICATION

FAMILIES = {
    *("addresses", "buttons", "descriptions", "document", "forbidden", "headings", "languages", "links"),
    *("picture_files", "pictures", "reading", "tables", "text_look", "text_part"),
}
OURS = {id_ for id_, rule in all_rules().items() if rule.look.__module__.rpartition(".")[2] in FAMILIES}
#: Broken in test_check_unsubscribing.py, where the publication is another one.
ELSEWHERE = {"H14-not-public"}
TABLES = [broken for module in (document, links, pictures, tables, texts, words) for broken in module.TABLE]


def test_every_rule_has_an_edition_that_breaks_it() -> None:
    assert {broken.rule for broken in TABLES} | ELSEWHERE == OURS


def found(issue: Issue) -> list[Finding]:
    """What our rules find in an issue, for several kinds of people."""
    addresses = Links(URL, b"k" * 32, issue.publication.own_list_id)
    edition = compile_issue(issue, issue.workspace, addresses.picture_url)
    subject = Subject(issue, edition, Settings(public_url=URL, smtp_host="mail.example.org"))
    report = check(subject, messages(subject, Writer(edition, addresses, issue.slug)))
    return [finding for finding in report.findings if finding.rule.id in OURS]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_samples_are_in_order(sample: str, layout: str) -> None:
    assert found(in_layout(load_issue(Workspace(ROOT), sample), layout)) == []


def write(workspace: Workspace, text: str) -> Issue:
    (workspace.issues / "4").mkdir()
    (workspace.issues / "4" / "issue.yaml").write_text(text, encoding="utf-8")
    for name, data in new_pictures().items():
        (workspace.issues / "4" / name).write_bytes(data)
    return load_issue(workspace, "4")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("language", ["de", "en"])
def test_a_new_issue_is_in_order(tmp_path: Path, language: str, layout: str) -> None:
    workspace = write_workspace(tmp_path, PUBLICATION.replace("language: de", f"language: {language}"))
    issue = write(workspace, new_issue(language, "Digitale Region", dt.date(2026, 12, 1)))
    assert found(in_layout(issue, layout)) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_block_with_all_its_keys_is_in_order(tmp_path: Path, layout: str) -> None:
    """But for the words of the mjml block in the layout ``region``, whose colour is too dark where the ground turns dark."""
    issue = write(write_workspace(tmp_path, FULL_PUBLICATION), f"{FULL_HEAD}blocks: [{TOGETHER['every-block']}]\n")
    assert {finding.rule.id for finding in found(in_layout(issue, layout))} <= {"H11-faint-in-the-dark"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_block_with_its_fewest_keys_is_in_order(tmp_path: Path, layout: str) -> None:
    """But for the language: these are German words in an English publication."""
    issue = write(write_workspace(tmp_path, BARE_PUBLICATION), f"{HEAD}blocks: [{TOGETHER['every-block-bare']}]\n")
    assert {finding.rule.id for finding in found(in_layout(issue, layout))} == {"A1-text-in-other-language"}


def test_what_everybody_gets_is_found_once(bench: Bench) -> None:
    """Though each mail has another name in it."""
    bench.html('color:#1f2a2e"><p style="margin:0 0 14px">Guten Tag', 'color:#9aa8ad"><p style="margin:0 0 14px">Guten Tag')
    assert [finding.at.line for finding in bench.check().findings if finding.rule.id == "A8-faint"] == [7]
