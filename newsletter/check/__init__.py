"""What is wrong with an edition, a message or the set-up: one small function a rule, with its id and its source."""

from newsletter.check.report import Finding, Report
from newsletter.check.rule import Found, Rule, Severity, all_rules, rule
from newsletter.check.run import check, examine
from newsletter.check.subject import Subject

__all__ = [
    "Finding",
    "Found",
    "Message",
    "Page",
    "Report",
    "Rule",
    "Severity",
    "Subject",
    "all_rules",
    "check",
    "examine",
    "rule",
]
