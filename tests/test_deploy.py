"""What docs/deploy and the Dockerfile say is fit to be used as it stands: no secrets, no root, the right paths."""

import fnmatch
import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from newsletter.settings import Settings
from newsletter.web.host import HEALTH

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs" / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UNITS = sorted(DEPLOY.glob("*.service"))


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line.strip())]


def test_the_image_runs_as_nobody_of_note_and_is_asked_how_it_is() -> None:
    last = instructions()[max(number for number, (name, _) in enumerate(instructions()) if name == "FROM") :]
    given = dict(last)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", given["USER"])
    assert f"127.0.0.1:8025{HEALTH}'" in given["HEALTHCHECK"]
    assert (given["ENTRYPOINT"], given["CMD"]) == ('["newsletter"]', '["serve", "--host", "0.0.0.0"]')
    assert given["VOLUME"] == given["WORKDIR"] == "/workspace"
    assert "--require-hashes" in DOCKERFILE
    assert not re.search(r"^(ADD|ARG)\b|NEWSLETTER_|https?://(?!127)", DOCKERFILE, re.MULTILINE)


def test_what_is_copied_is_there_and_gets_to_the_builder() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {one for name, rest in instructions() if name == "COPY" and "--from" not in rest for one in rest.split()[:-1]}
    assert copied == allowed
    assert all((ROOT / one).exists() for one in copied)
    never = [line.removeprefix("**/") for line in ignored if line.startswith("**/")]
    for name in (".env", "newsletter.db", "newsletter.db-wal", "__pycache__"):
        assert any(fnmatch.fnmatch(name, pattern) for pattern in never)
    assert not fnmatch.filter([".env.example"], ".env")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_units_say_what_the_program_knows(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    for name in re.findall(r"^Environment=NEWSLETTER_(\w+)_FILE=%d/", text, re.MULTILINE):
        assert name.lower() in Settings.model_fields
    assert set(re.findall(r"^LoadCredential=([\w-]+):", text, re.MULTILINE)) == set(
        re.findall(r"%d/([\w-]+)$", text, re.MULTILINE)
    )
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    service = parser["Service"]
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["User"]) == ("yes", "strict", "newsletter")


@pytest.mark.real
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_the_units(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    text = unit.read_text(encoding="utf-8")
    assert "/opt/newsletter/bin/newsletter " in text
    copy = tmp_path / unit.name.replace("@.", "@2026-12.")
    copy.write_text(text.replace("/opt/newsletter/bin/newsletter", f"{Path(sys.executable).parent}/newsletter"), encoding="utf-8")
    ran = subprocess.run([program, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    assert (ran.returncode, [line for line in ran.stderr.splitlines() if str(tmp_path) in line or unit.name in line]) == (0, [])
    rated = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", str(copy)], capture_output=True, text=True, check=True
    )
    (exposure,) = re.findall(r"exposure level for \S+: ([\d.]+) ", rated.stdout)
    assert float(exposure) < 4.0


def test_compose_says_what_the_program_knows() -> None:
    compose = YAML(typ="safe").load(DEPLOY / "compose.yaml")
    assert set(compose["services"]) == {"database", "worker", "serve"}
    for name in ("worker", "serve"):
        service = compose["services"][name]
        for variable in service["environment"]:
            assert variable.removeprefix("NEWSLETTER_").removesuffix("_FILE").lower() in Settings.model_fields
        assert service["volumes"] == ["workspace:/workspace"]
        assert set(service["secrets"]) < set(compose["secrets"])
        assert "NEWSLETTER_DATABASE_URL" not in service["environment"]  # S21
    assert compose["services"]["worker"]["healthcheck"] == {"disable": True}


def test_the_image_has_the_engine_and_the_versions_that_are_tested() -> None:
    image, tested = (
        set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("constraints-cluster.txt", "constraints-dev.txt")
    )
    assert image < tested
    assert {"procrastinate", "psycopg", "psycopg-binary"} < {one.partition("==")[0] for one in image}
