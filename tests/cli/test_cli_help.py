"""What the command says about itself, how soon it says so, and that the documentation knows all of it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from newsletter import __version__
from newsletter.cli.app import app

if TYPE_CHECKING:
    from tests.cli.conftest import Office

COMMANDS: dict[str, Any] = vars(get_command(app))["commands"]
DOCS = Path(__file__).parents[2] / "docs" / "commands.md"
#: What the help may import beyond what any Typer program imports for its own; all else belongs into the function that needs it.
OWN = re.compile(r"newsletter(\.problem|\.cli(\.\w+)?)?")
STANDARD = {"json", "shlex"}
MODULES = "import sys; from newsletter.cli.app import run; run(['--help']); sys.exit(' '.join(sys.modules))"
BARE = """
import sys, typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(lambda: None)
app(["--help"], standalone_mode=False)
sys.exit(" ".join(sys.modules))
"""


def test_the_commands_are_there() -> None:
    assert set(COMMANDS) == {
        *("cancel", "check", "db", "demo", "doctor", "init", "new", "new-layout", "pause", "preview", "publish", "render"),
        *("resolve", "resume", "schema", "send", "serve", "status", "subscribers", "test", "tidy", "unsubscribes"),
        *("why", "worker"),
    }


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_prints_without_error(office: "Office", command: str) -> None:
    for flag in ("--help", "-h"):
        ran = office.newsletter(*command.split(), flag)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(f"Usage: newsletter {command}".rstrip())
        assert max(map(len, ran.out.splitlines())) <= 80


def test_no_command_is_cut_short_in_the_list(office: "Office") -> None:
    assert "..." not in office.newsletter("--help").out.split("Commands:")[1]
    ran = office.newsletter()
    assert ran.code == 2
    assert "Commands:" in ran.out + ran.err


def test_version(office: "Office") -> None:
    ran = office.newsletter("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"newsletter {__version__}\n", "")


def test_help_starts_at_once() -> None:
    ours, bare = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        for program in (MODULES, BARE)
    )
    assert "Usage: newsletter" in ours.stdout
    more = set(ours.stderr.split()) - set(bare.stderr.split())
    assert "newsletter.cli.send" in more
    assert {name for name in more if not OWN.fullmatch(name) and name.partition(".")[0].lstrip("_") not in STANDARD} == set()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_documentation_names_every_option(name: str) -> None:
    text = DOCS.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## `newsletter {name}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")}
    assert set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE)) == options - {"--help"}
    assert "Exit code" in section
