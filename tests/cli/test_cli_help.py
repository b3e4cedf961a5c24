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
#: What a command that is only asked for help has no need of.
HEAVY = {"PIL", "aiosmtplib", "aiosmtpd", "babel", "jinja2", "lxml", "mjml", "premailer", "pydantic", "ruamel", "sqlalchemy"}
HEAVY |= {"prometheus_client", "starlette", "uvicorn", "watchfiles"}


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
    program = f"import sys; from newsletter.cli.app import run; run(['--help']); sys.exit(str({HEAVY!r} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr == "set()\n"
    assert "Usage: newsletter" in ran.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_documentation_names_every_option(name: str) -> None:
    text = DOCS.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## `newsletter {name}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")}
    assert set(re.findall(r"^\| `(--[a-z]+)", section, re.MULTILINE)) == options - {"--help"}
    assert "Exit code" in section
