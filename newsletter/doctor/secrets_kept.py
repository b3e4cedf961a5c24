"""The settings become verdicts: who can read the secrets (S21), and whether the key is one."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from newsletter.doctor.verdict import Told, verdict
from newsletter.problem import InputError
from newsletter.settings import Settings, Workspace, secret_files

_KEPT = verdict("secrets", "ok", "only you can read the secrets: {files}")
_NO_FILE = verdict("secrets-none", "note", "there is no {file}; the settings come from the environment alone")
_ALL = verdict("secrets-open", "error", "everyone on this machine can read {file}", "chmod 600 {file}")
_GROUP = verdict(
    "secrets-group", "warning", "a whole group of this machine can read {file}", "chmod 600 {file}, or make sure who is in it"
)
_KEY = verdict("key", "ok", "the secret key is there and long enough")
_NO_KEY = verdict(
    "key-none",
    "error",
    "NEWSLETTER_SECRET_KEY is not set, so no link can be signed and nothing can be sent",
    "newsletter init DIR makes an .env with a fresh one; take its line",
)
_POOR = verdict(
    "key-poor",
    "error",
    "the secret key repeats few characters, so it can be guessed",
    "take a random one before the first sending: newsletter init DIR makes it",
)
#: A random key of 32 characters of Base64 has about 25 different ones, one in hex at most 16; fewer than this are typed by hand.
_FEWEST = 9


def look_at_files(workspace: Workspace) -> Iterator[Told]:
    """The modes of ``.env`` and of each file that holds a secret for it."""
    file = workspace.root / ".env"
    if not file.is_file():
        yield _NO_FILE(file=".env")
    named = [file]
    with contextlib.suppress(InputError):  # told with the settings
        named += secret_files(file, os.environ)
    files = [one for one in named if one.is_file()]
    open_ = [told for told in (_look_at(one, workspace.root) for one in files) if told is not None]
    yield from open_
    if files and not open_:
        yield _KEPT(files=", ".join(_short(one, workspace.root) for one in files))


def _look_at(file: Path, root: Path) -> Told | None:
    mode = file.stat().st_mode
    if mode & stat.S_IRWXO:
        return _ALL(file=_short(file, root))
    return _GROUP(file=_short(file, root)) if mode & stat.S_IRWXG else None


def _short(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def look_at_key(settings: Settings) -> Iterator[Told]:
    """Whether there is one, and whether it is random; too short a one is refused with the settings (S14)."""
    if settings.secret_key is None:
        yield _NO_KEY()
    elif len(set(settings.secret_key.get_secret_value())) < _FEWEST:
        yield _POOR()
    else:
        yield _KEY()
