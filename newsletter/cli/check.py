"""``newsletter check``: an issue against all rules, before anything leaves."""

import json
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import OK, PARTLY
from newsletter.cli.completion import complete_issue
from newsletter.cli.database import people_of
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import complaint


def check(
    context: typer.Context,
    issue: Annotated[
        str, typer.Argument(metavar="[ISSUE]", help="A slug (2026-12) or a path.", autocompletion=complete_issue)
    ] = "",
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="Make everyone's message of this list.")] = None,
    language: Annotated[str, typer.Option("--language", metavar="de|en", help="Of the words; else the publication's.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON object.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print them as SARIF 2.1.0, for editors and code hosts.")] = False,
    online: Annotated[bool, typer.Option("--online", help="Ask the web whether links and pictures are there.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List all rules instead.")] = False,
) -> int:
    """Check an issue against all rules: mail format, HTML, accessibility, law. Exits with 1 where one blocks sending."""
    from newsletter.check.run import examine_issue
    from newsletter.check.sarif import as_sarif as sarif
    from newsletter.cli.findings import print_report, print_rules
    from newsletter.issue import load_issue

    if rules:
        print_rules(language or "en", as_json=as_json)
        return OK
    if not issue:
        raise complaint("which issue? newsletter check ISSUE, or newsletter check --rules for the list of the rules")
    workspace = chosen_workspace(context)
    read = load_issue(workspace, issue)
    with people_of(to, workspace) as people:
        report = examine_issue(read, workspace, people, online=online)
    spoken = language or read.publication.language
    if as_sarif:
        typer.echo(json.dumps(sarif(report, spoken), ensure_ascii=False))
    elif as_json:
        found = [finding.as_json(spoken) for finding in report.findings]
        typer.echo(json.dumps({"issue": read.slug, **report.count(), "findings": found}, ensure_ascii=False))
    else:
        print_report(report, read.slug, spoken)
    return PARTLY if report.blocking else OK
