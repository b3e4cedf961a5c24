"""``newsletter doctor``: is everything set up for the first sending?"""

import json
import shutil
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import OK, PARTLY
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError

if TYPE_CHECKING:
    from newsletter.doctor.verdict import Level, Told
    from newsletter.settings import Workspace

_COLOUR: "dict[Level, str]" = {"ok": typer.colors.GREEN, "note": typer.colors.CYAN, "warning": typer.colors.YELLOW}
_CALLED: "dict[str, dict[Level, str]]" = {
    "de": {"ok": "gut", "note": "Hinweis", "warning": "Warnung", "error": "Fehler"},
    "en": {"ok": "ok", "note": "note", "warning": "warning", "error": "error"},
}
_READY = {"de": "Es kann losgehen.", "en": "All is set up for sending."}
_NOT_READY = {"de": "So kann noch nicht gesendet werden.", "en": "Not ready for sending yet."}
_WIDEST = 100


def doctor(
    context: typer.Context,
    language: Annotated[str, typer.Option("--language", metavar="de|en", help="Of the words; else the publication's.")] = "",
    resolver: Annotated[
        str | None, typer.Option("--resolver", metavar="ADDRESS", help="Ask this DNS server, e.g. 192.0.2.53 or 192.0.2.53:5353.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as one JSON object.")] = False,
) -> int:
    """Check the set-up: Python, secrets, database, mail server, public address, DNS. Sends nothing; exits with 1 on an error."""
    from newsletter.doctor import examine_setup
    from newsletter.doctor.resolver import Dns

    workspace = chosen_workspace(context)
    dns = Dns(resolver) if resolver is not None else None
    spoken = "de" if (language or _language(workspace)).split("-")[0] == "de" else "en"
    counts: Counter[str] = Counter(dict.fromkeys(_CALLED["en"].values(), 0))
    told = []
    for one in examine_setup(workspace, dns):
        counts[one.level] += 1
        told.append(one.as_json(spoken))
        if not as_json:
            _print(one, spoken)
    if as_json:
        typer.echo(json.dumps({**counts, "checks": told}, ensure_ascii=False))
    else:
        typer.echo((_NOT_READY if counts["error"] else _READY)[spoken], err=True)
    return PARTLY if counts["error"] else OK


def _language(workspace: "Workspace") -> str:
    """The publication's; English where its file cannot be read, which is told by then."""
    from newsletter.issue import load_publication

    try:
        return load_publication(workspace).language
    except InputError:
        return "en"


def _print(told: "Told", spoken: str) -> None:
    """One entry, told at once: the network takes its time for the next."""
    label = _CALLED[spoken][told.level]
    margin = " " * 9
    width = min(shutil.get_terminal_size().columns - 1, _WIDEST)
    typer.secho(f"{label:<{len(margin)}}", fg=_COLOUR.get(told.level, typer.colors.RED), nl=False, err=True)
    lines = textwrap.wrap(told.message(spoken), width - len(margin), break_long_words=False, break_on_hyphens=False)
    if mend := told.mend(spoken):
        wrapped = textwrap.wrap(
            f"→ {mend}", width - len(margin), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        lines += wrapped
    typer.echo(f"\n{margin}".join(lines), err=True)
