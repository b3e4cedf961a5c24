"""The ``.env`` and the workspace: where things lie and how this office sends."""

import difflib
import io
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from newsletter.problem import InputError, Problem, complaint
from newsletter.relays import Relay, read_relays

PREFIX = "NEWSLETTER_"
_SECRETS = frozenset({"smtp_password", "imap_password", "secret_key", "database_url"})
#: S14: a key of at least 128 bits, written as text, has at least this many characters.
SHORTEST_KEY = 32


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine itself, as text (nothing is looked up)."""
    try:
        return host is not None and ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host is not None and host.lower() == "localhost"


class Settings(BaseModel):
    """What ``.env`` and the environment say; the environment wins. Every name is explained in ``.env.example``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smtp_host: str | None = None
    smtp_port: int | None = Field(None, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_connections: int = Field(10, ge=1, le=100)
    smtp_rate: float | None = Field(None, ge=0.01, le=100_000)
    smtp_messages_per_connection: int = Field(500, ge=1)
    imap_host: str | None = None
    imap_port: int | None = Field(None, ge=1, le=65535)
    imap_username: str | None = None
    imap_password: SecretStr | None = None
    imap_folder: str = "INBOX"
    imap_security: Literal["tls", "starttls", "none"] = "tls"
    public_url: str | None = None
    secret_key: SecretStr | None = None
    database_url: str = Field("sqlite:///newsletter.db", repr=False)  # it may hold a password (S21)
    lease: int = Field(30, ge=1, le=600)
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1")
    metrics_listen: tuple[str, int] | None = None

    @field_validator("smtp_host")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            read_relays(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        # It stands between < and > in a header (RFC 2369 §2), so it is plain ASCII and without blanks and line ends.
        if not usable or not re.fullmatch(r"[!-~]+", value) or re.search(r"[?#@<>]", value):
            raise ValueError("must be an address such as https://newsletter.example.org")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must be https; plain http is only for this machine itself (127.0.0.1)")
        return value.rstrip("/")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        named = tuple(one.strip() for one in value.split(",")) if isinstance(value, str) else value
        for one in named:
            try:
                ipaddress.ip_network(one)
            except ValueError:
                advice = "write addresses and networks with commas between, such as 127.0.0.1, 10.1.0.0/16"
                raise ValueError(f"{one!r} is no address and no network; {advice}") from None
        return named

    @field_validator("metrics_listen", mode="before")
    @classmethod
    def _place(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        host, _, port = value.rpartition(":")
        try:
            number = int(port)
            address = str(ipaddress.ip_address(host.strip("[]")))
        except ValueError:
            address, number = "", 0
        if not 1 <= number <= 65535:
            raise ValueError("must be an address of this machine and a port, such as 127.0.0.1:9125")
        return address, number

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"is too short; at least {SHORTEST_KEY} characters, e.g. from: newsletter init DIR")
        return value

    @model_validator(mode="after")
    def _no_open_wire(self) -> "Settings":
        if self.smtp_security == "none" and not all(is_loopback(relay.host) for relay in self.relays):
            raise ValueError("SMTP_SECURITY=none is only for a server on this machine; use starttls or tls")  # S12
        if self.imap_security == "none" and self.imap_host is not None and not is_loopback(self.imap_host):
            raise ValueError("IMAP_SECURITY=none is only for a server on this machine; use tls or starttls")  # S12
        return self

    @property
    def relays(self) -> tuple[Relay, ...]:
        """The mail servers to send through, as ``smtp_host`` lists them; none where it is not set."""
        return read_relays(self.smtp_host) if self.smtp_host is not None else ()

    @property
    def port(self) -> int:
        """The SMTP port: as set, else 465 for ``tls``, 587 for ``starttls``, 25 for ``none`` (RFC 8314 §3.3)."""
        return self.smtp_port or {"tls": 465, "starttls": 587, "none": 25}[self.smtp_security]

    @property
    def own_imap_port(self) -> int:
        """The IMAP port: as set, else 993 for ``tls``, 143 for the others (RFC 8314 §3.2)."""
        return self.imap_port or (993 if self.imap_security == "tls" else 143)


@dataclass(frozen=True)
class Workspace:
    """A folder with ``issues/``, ``layouts/`` and ``.env``."""

    root: Path

    @property
    def issues(self) -> Path:
        """The folder of the issues."""
        return self.root / "issues"

    @property
    def publication_file(self) -> Path:
        """``issues/publication.yaml``."""
        return self.issues / "publication.yaml"

    @property
    def picture_cache(self) -> Path:
        """The folder of the prepared pictures, which may be deleted at any time."""
        return self.root / ".newsletter-cache" / "pictures"

    @property
    def catalogues(self) -> Path:
        """The folder of the workspace's own words, one ``<language>.po`` each."""
        return self.root / "locale"

    def issue_file(self, issue: str) -> Path:
        """The issue file of a slug (``2024-12``) or of a path to the file or its folder.

        Raises :class:`InputError` where there is none.
        """
        named = Path(issue)
        candidates = [self.issues / issue / "issue.yaml"]
        if named.suffix in (".yaml", ".yml") or len(named.parts) > 1 or named.is_dir():
            candidates += [named, named / "issue.yaml", self.root / named, self.root / named / "issue.yaml"]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise complaint(f"there is no issue {issue!r} in {self.issues}; {self._known_issues(issue)}")

    def slug(self, issue: str) -> str:
        """The slug of an issue that is named by it or by a path, also where its file cannot be found any more."""
        try:
            return self.issue_file(issue).resolve().parent.name
        except InputError:
            return Path(issue).name

    def issue_slugs(self) -> list[str]:
        """The issues there are, oldest name first."""
        return sorted(file.parent.name for file in self.issues.glob("*/issue.yaml"))

    def _known_issues(self, issue: str) -> str:
        slugs = self.issue_slugs()
        if near := difflib.get_close_matches(issue, slugs, 1):
            return f"did you mean {near[0]!r}?"
        return f"there are: {', '.join(slugs)}" if slugs else f"make one with: newsletter new {issue}"

    def layout_folder(self, name: str) -> Path | None:
        """The folder of a layout: the workspace's own, else the one that comes with the program, else None."""
        for folder in (self.root / "layouts", program_folder("layouts")):
            if "/" not in name and (folder / name / "layout.mjml.j2").is_file():
                return folder / name
        return None

    def layout_names(self) -> list[str]:
        """Every layout that an issue can ask for."""
        folders = (self.root / "layouts", program_folder("layouts"))
        return sorted({file.parent.name for folder in folders for file in folder.glob("*/layout.mjml.j2")})

    @cached_property
    def settings(self) -> Settings:
        """The settings of this workspace. Raises :class:`InputError` naming each setting that is wrong."""
        return read_settings(self.root / ".env", os.environ)

    def database_url(self) -> str:
        """The database's address; a relative SQLite file is relative to the workspace."""
        url = self.settings.database_url
        start = "sqlite:///"
        if url.startswith(start) and not url.startswith(start + "/") and url != start + ":memory:":
            return start + str((self.root / url.removeprefix(start)).resolve())
        return url


def read_settings(env_file: Path, environment: Mapping[str, str]) -> Settings:
    """Read ``NEWSLETTER_…`` from the file and the environment; ``…_FILE`` names a file whose content is the value (S21).

    Raises :class:`InputError` with one problem a setting; a secret's value is never in it.
    """
    chosen = _by_setting(_written(env_file)) | _by_setting(environment)
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for key, (name, value) in chosen.items():
        if not value:
            continue
        if not name.endswith("_FILE"):
            values[key] = value
            continue
        file = env_file.parent / value
        try:
            values[key] = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError):
            problems.append(Problem(str(env_file), 0, 0, name, f"cannot read {file}; name a file that holds the value"))
    problems += _unknown(values, env_file)
    try:
        settings = Settings.model_validate({key: value for key, value in values.items() if key in Settings.model_fields})
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            name = PREFIX + str(wrong["loc"][0]).upper() if wrong["loc"] else ""
            words = wrong["msg"].removeprefix("Value error, ").replace("Input should be", "must be").split(", unable to parse")[0]
            problems.append(Problem(str(env_file), 0, 0, name, words))
        raise InputError(problems) from None
    if problems:
        raise InputError(problems)
    return settings


def secret_files(env_file: Path, environment: Mapping[str, str]) -> list[Path]:
    """The files that hold a secret's value for the settings (``…_FILE``), there or not (S21); raises what they raise."""
    chosen = (_by_setting(_written(env_file)) | _by_setting(environment)).items()
    return [env_file.parent / value for key, (name, value) in chosen if key in _SECRETS and value and name.endswith("_FILE")]


def _written(env_file: Path) -> dict[str, str | None]:
    """What the file says, by name. Raises :class:`InputError` naming each line that says nothing, without its words (S21)."""
    try:
        text = env_file.read_text(encoding="utf-8-sig") if env_file.is_file() else ""
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(Problem(str(env_file), line, 1, "", "this line is not UTF-8; save the file as UTF-8")) from None
    said = list(parse_stream(io.StringIO(text)))
    words = "this line is not understood; write NAME=value, and close a quote that you open"
    lines = [at.line + at.string[: -len(at.string.lstrip())].count("\n") for at in (one.original for one in said if one.error)]
    if lines:
        raise InputError(Problem(str(env_file), line, 1, "", words) for line in lines)
    return {one.key: one.value for one in said if one.key is not None}


def _by_setting(found: Mapping[str, str | None]) -> dict[str, tuple[str, str | None]]:
    """Each setting with the name and value it was given under, so that ``X`` and ``X_FILE`` take each other's place."""
    ours = ((name, value) for name, value in found.items() if name.startswith(PREFIX))
    return {name.removeprefix(PREFIX).removesuffix("_FILE").lower(): (name, value) for name, value in ours}


def _unknown(values: dict[str, str], env_file: Path) -> list[Problem]:
    problems = []
    for key in values.keys() - Settings.model_fields.keys():
        near = difflib.get_close_matches(key, Settings.model_fields, 1)
        hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else "; .env.example lists what there is"
        problems.append(Problem(str(env_file), 0, 0, PREFIX + key.upper(), f"is not a setting{hint}"))
    return problems


def program_folder(name: str) -> Path:
    """A folder that comes with the program (``layouts``, ``issues``): in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name if name != "issues" else package / "sample"
    return inside if inside.is_dir() else package.parent / name
