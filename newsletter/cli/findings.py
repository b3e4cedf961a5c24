"""Findings and rules as tables on the terminal."""

import json
import sys
from typing import TYPE_CHECKING

import typer

from newsletter.check.rule import all_rules
from newsletter.check.wording import wording

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from newsletter.check.report import Finding, Report
    from newsletter.check.rule import Severity

_COLOUR: dict["Severity", str] = {"error": "bold red", "warning": "yellow", "info": "cyan"}
#: How severities are called, one and several.
_CALLED: dict[str, dict["Severity", tuple[str, str]]] = {
    "de": {"error": ("Fehler", "Fehler"), "warning": ("Warnung", "Warnungen"), "info": ("Hinweis", "Hinweise")},
    "en": {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("note", "notes")},
}
_NOTHING = {"de": "nichts gefunden, es kann losgehen", "en": "nothing found, it is ready to go"}
_LOWERED = {"de": "herabgestuft: ", "en": "lowered: "}


def print_report(report: "Report", slug: str, language: str) -> None:
    """Print the findings to stderr, the worst first, and how many there are."""
    spoken = _spoken(language)
    console = _console()
    if not report.findings:
        console.print(f"{slug}: {_NOTHING[spoken]}", style="green", highlight=False)
        return
    table = _table()
    for finding in report.findings:
        table.add_row(_severity(finding.severity, spoken), _told(finding, language))
    console.print(table)
    console.print(f"{slug}: {summary(report, language)}", highlight=False)


def summary(report: "Report", language: str) -> str:
    """``2 Fehler, 1 Warnung``."""
    called = _CALLED[_spoken(language)]
    return ", ".join(f"{count} {called[severity][count != 1]}" for severity, count in report.count().items() if count)


def print_rules(language: str, *, as_json: bool) -> None:
    """Print every rule: to stdout as JSON, or a table to stderr."""
    words = wording(language).translations
    rows = [
        (rule.id, rule.severity, words.get(rule.says, rule.says), words.get(rule.mend, rule.mend), rule.source)
        for rule in all_rules().values()
    ]
    if as_json:
        keys = ("id", "severity", "message", "mend", "source")
        typer.echo(json.dumps({"rules": [dict(zip(keys, row, strict=True)) for row in rows]}, ensure_ascii=False))
        return
    from rich.text import Text

    table = _table()
    spoken = _spoken(language)
    for id_, severity, says, mend, source in rows:
        told = Text.assemble(says, "\n", (f"→ {mend}", "dim"), "\n", (f"{id_} · {source}", "dim"))
        table.add_row(_severity(severity, spoken), told)
    _console().print(table)


def _spoken(language: str) -> str:
    return "de" if language.split("-")[0] == "de" else "en"


def _console() -> "Console":
    from rich.console import Console

    return Console(file=sys.stderr, soft_wrap=False)


def _table() -> "Table":
    from rich.table import Table

    return Table(show_header=False, box=None, padding=(0, 2, 1, 0))


def _severity(severity: "Severity", spoken: str) -> "Text":
    from rich.text import Text

    return Text(_CALLED[spoken][severity][0], style=_COLOUR[severity])


def _told(finding: "Finding", language: str) -> "Text":
    from rich.text import Text

    where = f"{finding.at}  {finding.at.where}" if finding.at.where else str(finding.at)
    told = Text.assemble((where, "bold"), "\n", finding.message(language), "\n", f"→ {finding.mend(language)}\n")
    if finding.reason:
        told.append(f"{_LOWERED[_spoken(language)]}{finding.reason}\n", style="italic")
    return told.append(f"{finding.rule.id} · {finding.rule.source}", style="dim")
