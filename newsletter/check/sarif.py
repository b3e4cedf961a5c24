"""A report becomes SARIF 2.1.0, which editors and code-hosting sites show beside the lines (OASIS SARIF 2.1.0 §3)."""

from typing import Any

from newsletter import __version__
from newsletter.check.report import Finding, Report
from newsletter.check.rule import Rule, Severity, all_rules
from newsletter.check.wording import wording

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}


def as_sarif(report: Report, language: str = "en") -> dict[str, Any]:
    """The report as a SARIF log, as plain data."""
    driver = {"name": "newsletter", "version": __version__, "rules": [_rule(rule, language) for rule in all_rules().values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, language) for finding in report.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule[Any], language: str) -> dict[str, Any]:
    words = wording(language).translations
    return {
        "id": rule.id,
        "shortDescription": {"text": words.get(rule.says, rule.says)},
        "help": {"text": words.get(rule.mend, rule.mend)},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "properties": {"source": rule.source},
    }


def _result(finding: Finding, language: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": finding.at.path}}
    if finding.at.line:
        place["region"] = {"startLine": finding.at.line, "startColumn": finding.at.column}
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "level": _LEVEL[finding.severity],
        "message": {"text": f"{finding.message(language)}; {finding.mend(language)}"},
        "locations": [{"physicalLocation": place}],
    }
    if finding.reason is not None:
        result["properties"] = {"loweredBecause": finding.reason}
    return result
