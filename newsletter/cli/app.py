"""The commands put together, and what becomes of their errors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from newsletter import __version__
from newsletter.cli import BAD_INPUT, INTERRUPTED, OK
from newsletter.cli.campaigns import cancel, pause, resolve
from newsletter.cli.check import check
from newsletter.cli.db import db
from newsletter.cli.demo import demo
from newsletter.cli.doctor import doctor
from newsletter.cli.issues import new, render, schema
from newsletter.cli.layouts import new_layout
from newsletter.cli.preview import preview
from newsletter.cli.publish import publish
from newsletter.cli.send import resume, send
from newsletter.cli.serve import serve
from newsletter.cli.status import status
from newsletter.cli.subscribers import subscribers
from newsletter.cli.test import send_test
from newsletter.cli.tidy import tidy
from newsletter.cli.unsubscribes import unsubscribes
from newsletter.cli.why import why
from newsletter.cli.worker import worker
from newsletter.cli.workspace import init
from newsletter.problem import InputError

#: Wrong words on the command line. Typer brings a click of its own from some version on, so the class is taken from its hands.
_UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
#: What Typer makes of Ctrl-C within a command.
_CTRL_C = 130

app = typer.Typer(
    name="newsletter",
    help="Compose an e-mail newsletter from a YAML file and send it so that everyone gets it once.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
# The short words stand in the list of the commands; each command's own --help has all of them.
app.command(short_help="See the whole way with nothing set up.")(demo)
app.command(short_help="Make a folder to work in.")(init)
app.command(short_help="Make an issue with a sample of each block.")(new)
app.command(short_help="Copy a layout, to be changed.")(new_layout)
app.command(short_help="Print the JSON Schema for editors.")(schema)
app.command(short_help="Show an issue live, with what is wrong.")(preview)
app.command(short_help="Check an issue against all rules.")(check)
app.command(short_help="Write the mail of one recipient to files.")(render)
app.command("test", short_help="Send a draft to a few of the staff.")(send_test)
app.command(short_help="Write the archive for your own web server.")(publish)
app.command(short_help="Check the set-up before the first sending.")(doctor)
app.command(short_help="Send an issue to a list, or go on with it.")(send)
app.command(short_help="Print what became of everyone.")(status)
app.command(short_help="Say what happened to one address.")(why)
app.command(short_help="Stop a sending for now.")(pause)
app.command(short_help="Go on with a sending.")(resume)
app.command(short_help="End a sending for good.")(cancel)
app.command(short_help="Decide what is uncertain.")(resolve)
app.add_typer(subscribers, name="subscribers", short_help="Keep subscribers, with proof of consent.")
app.add_typer(db, name="db", short_help="Make, move and look at the database.")
app.add_typer(unsubscribes, name="unsubscribes", short_help="Take those off the list who leave by mail.")
app.command(short_help="Send as one of several hosts.")(worker)
app.command(short_help="Serve the pages that subscribers open.")(serve)
app.command(short_help="Delete what is kept long enough.")(tidy)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", metavar="DIR", help="The folder with issues/ and .env.")
    ] = Path(),
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Compose an e-mail newsletter from a YAML file and send it so that everyone gets it once."""
    context.obj = workspace


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give the exit code. Bad input and set-up are told on stderr, one line a problem."""
    command: Any = get_command(app)
    try:
        code = command.main(args=list(arguments), prog_name="newsletter", standalone_mode=False)
    except InputError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        return BAD_INPUT
    except _UsageError as error:
        error.show()
        return BAD_INPUT
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        code = _CTRL_C
    if code == _CTRL_C:
        typer.echo("interrupted", err=True)
        return INTERRUPTED
    return code if isinstance(code, int) else OK
