"""Rules are registered with all of their words, in both languages; the publication can lower them; a finding knows its line."""

import string

import pytest

from newsletter.check import all_rules
from newsletter.check.clients import features, support
from newsletter.check.wording import wording
from newsletter.problem import InputError
from tests.check.broken import Bench

RULES = all_rules()


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("id_", RULES)
def test_a_rule_has_its_words_in_german_too(id_: str) -> None:
    german = wording("de").translations
    for sentence in (RULES[id_].says, RULES[id_].mend):
        assert places(german[sentence]) == places(sentence)
        assert not sentence.endswith(".")


def test_no_german_words_are_left_over() -> None:
    said = {sentence for rule in RULES.values() for sentence in (rule.says, rule.mend)} | features.phrases() | support.phrases()
    assert set(wording("de").translations) <= said


def test_an_issue_in_order_has_no_finding(bench: Bench) -> None:
    assert bench.check().findings == ()


def test_a_finding_knows_rule_place_and_words(bench: Bench) -> None:
    bench.replace("[Bericht über den Kongress]", "[hier]")
    report = bench.check()
    (finding,) = report.findings
    assert report.blocking
    assert (finding.rule.id, finding.severity) == ("A6-link-says-nothing", "error")
    assert str(finding.at).endswith("issue.yaml:10:14")
    assert finding.at.where == "blocks[0].body"
    assert finding.message("de-AT") == "der Link „hier“ sagt nicht, wohin er führt"
    assert finding.message("fr") == "the link “hier” does not say where it leads"


def test_the_publication_lowers_a_rule_and_says_why(bench: Bench) -> None:
    bench.replace("[Bericht über den Kongress]", "[hier]")
    bench.replace("language: de\n", "language: de\nchecks: {A6-link-says-nothing: {severity: info, reason: Hausstil}}\n")
    report = bench.check()
    assert [(finding.severity, finding.reason) for finding in report.findings] == [("info", "Hausstil")]
    assert not report.blocking
    bench.replace("severity: info", "severity: off")
    assert bench.check().findings == ()


def test_a_lowered_rule_must_exist(bench: Bench) -> None:
    bench.replace("language: de\n", "language: de\nchecks: {A6-nothing: {severity: info, reason: Hausstil}}\n")
    with pytest.raises(InputError, match=r"publication\.yaml:3:10: checks\.A6-nothing: there is no rule 'A6-nothing'"):
        bench.check()


def test_a_warning_cannot_be_made_an_error(bench: Bench) -> None:
    bench.replace("language: de\n", "language: de\nchecks: {A6-link-says-nothing: {severity: error, reason: streng}}\n")
    with pytest.raises(InputError, match="severity"):
        bench.check()
