"""``newsletter check``: what it prints, in which language, and its exit codes."""

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from newsletter.settings import program_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Office


@pytest.fixture(autouse=True)
def _samples(office: "Office") -> None:
    shutil.copytree(program_folder("issues"), office.root / "issues", dirs_exist_ok=True)


def test_the_samples_are_in_order(office: "Office") -> None:
    for slug, words in (("2026-11", "nichts gefunden"), ("2026-11-en", "nichts gefunden")):
        ran = office.newsletter("check", slug)
        assert (ran.code, ran.out) == (0, "")
        assert ran.err.startswith(f"{slug}: {words}")


def test_a_finding_has_its_line_its_words_and_its_cure(office: "Office") -> None:
    break_link(office)
    ran = office.newsletter("check", "2026-11", "--language", "en")
    assert (ran.code, ran.out) == (1, "")
    words = " ".join(ran.err.split())
    assert words.startswith(
        "error issues/2026-11/issue.yaml:53:12 blocks[3].link.url the link to www.example.org carries utm_source="
    )
    assert "→ delete everything from the ? on, or the part with utm_source L11-tracking-parameter · § 25 TDDDG" in words
    assert words.endswith("2026-11: 1 error")
    assert office.newsletter("check", "2026-11").err.startswith("Fehler")


def test_json_is_one_object(office: "Office") -> None:
    break_link(office)
    ran = office.newsletter("check", "2026-11", "--json")
    found = json.loads(ran.out)
    assert (ran.code, ran.err) == (1, "")
    assert (found["issue"], found["error"], found["warning"], found["info"]) == ("2026-11", 1, 0, 0)
    assert (found["findings"][0]["rule"], found["findings"][0]["line"]) == ("L11-tracking-parameter", 53)


def test_sarif(office: "Office") -> None:
    break_link(office)
    log = json.loads(office.newsletter("check", "2026-11", "--sarif", "--language", "en").out)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    (result,) = run["results"]
    assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "issues/2026-11/issue.yaml"}, "region": {"startLine": 53, "startColumn": 12}}


def test_a_list_is_read_as_a_whole(office: "Office") -> None:
    (office.root / "people.csv").write_text("email\nada@example.org\n", encoding="utf-8")
    assert office.newsletter("check", "2026-11", "--to", "people.csv").code == 0
    (office.root / "people.csv").write_text("email\nkein-at\n", encoding="utf-8")
    ran = office.newsletter("check", "2026-11", "--to", "people.csv")
    assert ran.code == 2
    assert "no row can be used" in ran.err


def test_all_rules_are_listed(office: "Office") -> None:
    rules = json.loads(office.newsletter("check", "--rules", "--json").out)["rules"]
    assert len(rules) > 40
    assert {"id", "severity", "message", "mend", "source"} == set(rules[0])
    assert "B1-free-mail-sender · RFC 5322" in " ".join(office.newsletter("check", "--rules").err.split())


def test_an_issue_must_be_named(office: "Office") -> None:
    ran = office.newsletter("check")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "which issue? newsletter check ISSUE, or newsletter check --rules for the list of the rules\n"


def break_link(office: "Office") -> None:
    file = office.root / "issues" / "2026-11" / "issue.yaml"
    text = file.read_text(encoding="utf-8")
    assert "faehre/zwischenbericht" in text
    file.write_text(text.replace("faehre/zwischenbericht", "faehre/zwischenbericht?utm_source=x"), encoding="utf-8")
