"""The findings of a check: each a rule that is broken, where, in words, and whether it stops the sending."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.check.rule import SEVERITIES, Rule, Severity
from newsletter.check.subject import Place
from newsletter.check.wording import wording


@dataclass(frozen=True)
class Finding:
    """A rule that is broken at a place.

    ``severity`` is the rule's, or the lower one that the publication gave it, for ``reason``.
    """

    rule: Rule[Any]
    at: Place
    values: Mapping[str, str]
    severity: Severity
    reason: str | None = None

    def message(self, language: str = "en") -> str:
        """What is wrong, in one sentence."""
        return wording(language).fill(self.rule.says, self.values)

    def mend(self, language: str = "en") -> str:
        """How to set it right."""
        return wording(language).fill(self.rule.mend, self.values)

    def as_json(self, language: str = "en") -> dict[str, Any]:
        """Plain data, for ``--json``."""
        found: dict[str, Any] = {
            "rule": self.rule.id,
            "severity": self.severity,
            "path": self.at.path,
            "line": self.at.line,
            "column": self.at.column,
            "where": self.at.where,
            "message": self.message(language),
            "mend": self.mend(language),
            "source": self.rule.source,
        }
        return found | ({"reason": self.reason} if self.reason is not None else {})


@dataclass(frozen=True)
class Report:
    """Everything that was found, the worst first, then in the order of the files."""

    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> bool:
        """Whether something was found that must be mended before anything is sent."""
        return any(finding.severity == "error" for finding in self.findings)

    def count(self) -> dict[Severity, int]:
        """How many findings there are of each severity."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in SEVERITIES}
