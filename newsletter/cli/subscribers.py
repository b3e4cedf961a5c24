"""``newsletter subscribers``: whom the publication keeps itself, with the proof of their consent."""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from newsletter.cli import OK, PARTLY
from newsletter.cli.database import open_database
from newsletter.cli.plan import counted
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from newsletter.audience.address import Address
    from newsletter.audience.subscribers import Intake
    from newsletter.links import Links
    from newsletter.settings import Workspace

subscribers = typer.Typer(help="Keep subscribers, with proof of their consent.", no_args_is_help=True)

Source = Annotated[str, typer.Option("--source", metavar="WORDS", help="Where and how they agreed; kept as the proof.")]
AddressOf = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mail address.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
#: How many refused and duplicate rows are told one by one.
_TOLD = 20


@subscribers.command("import", short_help="Take in a list of people who agreed.")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The list; its columns become merge fields.")],
    source: Source,
    as_json: AsJson = False,
) -> int:
    """Take in a list of people who agreed elsewhere, all of it or nothing. Whoever left before is not taken in again."""
    from newsletter.audience.csv_list import open_list
    from newsletter.audience.subscribers import demand_source, take_list

    workspace = chosen_workspace(context)
    links = _links(workspace)
    demand_source(source)
    people = open_list(file)
    with open_database(workspace) as store:
        intake = take_list(store, people, path=str(file), mark=links.mark, list_id=_list_id(workspace), source=source)
    for row in intake.rows[:_TOLD]:
        typer.echo(str(row), err=True)
    if (more := intake.refused + intake.duplicates - _TOLD) > 0:
        typer.echo(f"… and {counted(more, 'more such row')}", err=True)
    _tell(intake, as_json=as_json)
    return OK


@subscribers.command(short_help="Take in one person who agreed.")
def add(
    context: typer.Context,
    address: AddressOf,
    source: Source,
    language: Annotated[str | None, typer.Option("--language", metavar="LANG", help="The language of this person.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="A topic; repeatable.")] = None,
    as_json: AsJson = False,
) -> int:
    """Take in one person who agreed elsewhere. Whoever left before can only come back by the form."""
    from newsletter.audience.recipient import Recipient
    from newsletter.audience.subscribers import take_list

    workspace = chosen_workspace(context)
    spelling, key = _address(address)
    fields = {"email": spelling, **({"language": language} if language else {}), **({"tags": ", ".join(tag)} if tag else {})}
    person = [Recipient(spelling, key, fields, 1)]
    how: dict[str, Any] = {"path": "", "mark": _links(workspace).mark, "list_id": _list_id(workspace)}
    with open_database(workspace) as store:
        intake = take_list(store, person, source=source, kind="added", **how)
    if intake.left:
        raise complaint(f"{spelling} left before and was not taken in; only the person can come back, by the form on the web")
    _tell(intake, as_json=as_json)
    return OK


@subscribers.command(short_help="Write the confirmed subscribers as CSV.")
def export(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The file to write, for its owner alone.")] = None,
) -> int:
    """Write the confirmed subscribers as CSV, to stdout or a file. Cells that a spreadsheet would calculate get an apostrophe."""
    from newsletter.audience.export import write_csv
    from newsletter.audience.subscribers import Subscribers
    from newsletter.store import list_subscribers

    with open_database(chosen_workspace(context)) as store, _target(out) as file:
        count = write_csv(list_subscribers(store), Subscribers(store).columns, file)
    typer.echo(f"{counted(count, 'subscriber')}{f' in {out}' if out else ''}", err=True)
    return OK


@contextmanager
def _target(out: Path | None) -> "Iterator[TextIO]":
    if out is None:
        yield sys.stdout
        return
    try:
        place = os.open(out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise complaint("is there already; name another file", str(out)) from None
    try:
        with os.fdopen(place, "w", encoding="utf-8-sig", newline="") as file:  # Excel knows UTF-8 by the mark at its start
            yield file
    except BaseException as error:
        out.unlink(missing_ok=True)  # the first half of the subscribers would look like all of them
        if isinstance(error, OSError):
            raise complaint(f"cannot be written: {error.strerror}; no part of it is there", str(out)) from None
        raise


@subscribers.command(short_help="Print what is kept of one person, with the proof.")
def show(context: typer.Context, address: AddressOf, as_json: AsJson = False) -> int:
    """Print what is kept of one person: the proof of consent word by word, and what was sent."""
    from newsletter.audience.proof import record_of

    workspace = chosen_workspace(context)
    spelling, key = _address(address)
    with open_database(workspace) as store:
        record = record_of(store, _links(workspace).mark(key))
    if record is None:
        typer.echo(f"nothing is kept of {spelling}", err=True)
    if as_json:
        typer.echo(json.dumps(record or {"state": "none"}, ensure_ascii=False))
    elif record is not None:
        typer.echo("\n".join(_in_words(spelling, record)))
    return OK if record else PARTLY


@subscribers.command(short_help="Forget one person for good.")
def erase(
    context: typer.Context,
    address: AddressOf,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Forget one person: address and values go, also from what was sent; a mark stays, so that no list brings the person back."""
    from newsletter.store import erase as erase_person

    workspace = chosen_workspace(context)
    spelling, key = _address(address)
    links = _links(workspace)
    if not yes and not sys.stdin.isatty():
        raise complaint("nothing was erased: nobody can be asked here; --yes erases without asking")
    if not yes and not typer.confirm(f"Forget {spelling} for good?", err=True):
        typer.echo("nothing was erased", err=True)
        return PARTLY
    with open_database(workspace) as store:
        found = erase_person(store, links.mark(key), _list_id(workspace))
    typer.echo("erased; a mark stays, by which the address is known again" if found else _UNKNOWN, err=True)
    return OK


_UNKNOWN = "nothing was kept of this address; it is marked now, so that no list brings it in"


def _address(written: str) -> "Address":
    from newsletter.audience.address import normalise

    try:
        return normalise(written)
    except ValueError as error:
        raise complaint(f"the address {written!r} {error}") from None


def _links(workspace: "Workspace") -> "Links":
    """The links of the workspace, for its marks. Raises :class:`~newsletter.problem.InputError` where there is no key."""
    from newsletter.links import Links

    settings = workspace.settings
    if settings.secret_key is None:
        advice = "newsletter init DIR makes an .env with a fresh one"
        raise InputError(Problem(str(workspace.root / ".env"), 0, 0, "NEWSLETTER_SECRET_KEY", f"is not set; {advice}"))
    return Links("", settings.secret_key.get_secret_value().encode(), _list_id(workspace))


def _list_id(workspace: "Workspace") -> str:
    from newsletter.issue import load_publication

    return load_publication(workspace).own_list_id


_MEANING = {
    "new": "subscribers from now on",
    "there": "subscribers already, and left as they are",
    "left": "unsubscribed, bounced, complained or erased before, and not taken in",
    "duplicates": "rows whose address stood in the list before",
    "refused": "rows that no mail can go to",
}


def _tell(intake: "Intake", *, as_json: bool) -> None:
    counts = intake.count()
    if as_json:
        typer.echo(json.dumps(counts))
        return
    for name, count in counts.items():
        if count or name == "new":
            typer.echo(f"  {count:>9,}  {name:<10}  {_MEANING[name]}", err=True)


def _in_words(address: str, record: dict[str, Any]) -> "Iterable[str]":
    yield f"{address}: {_STATES[record['state']]}"
    for name, value in record.get("fields", {}).items():
        yield f"  {name}: {value}"
    if stop := record.get("suppressed"):
        yield f"  not written to: {stop['reason']}, since {stop['since']}"
    for request in record.get("requests", []):
        yield f"\n{request['asked']}  asked with the form"
        yield from (f"  {name}: {value}" for name, value in request.items() if name != "asked")
    for step in record["proof"]:
        yield ""
        yield f"{step['at']}  {step['what']}"
        for name in ("asked", "list", "source", "version", "message_id", "former_address"):
            if name in step:
                yield f"  {name.replace('_', ' ')}: {step[name]}"
        for name in ("wording", "mail"):
            if name in step:
                yield f"  {name}:"
                yield from (f"    {line}".rstrip() for line in step[name].splitlines())
    for sent in record["deliveries"]:
        yield f"\n{sent['at']}  issue {sent['issue']}: {sent['state']}"


_STATES = {
    "pending": "was asked to confirm, and has not yet",
    "confirmed": "subscriber",
    "gone": "left; address and values are deleted after a week",
    "none": "no subscriber",
}
