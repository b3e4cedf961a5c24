"""The public pages become files in a folder, for any web server to give out; the folder is never seen half written."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from newsletter.problem import InputError, Problem, complaint
from newsletter.whole_file import write_whole

#: What we wrote into the folder, each file with its SHA-256 (two, while it is being changed): only that is changed or removed.
RECORD = ".newsletter-published.json"


Record = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file for the web: its path inside the folder, the address that leads to it, and what is in it.

    ``stays`` is one that is not removed when it is no longer among those to be written: a picture that mails show.
    """

    name: str
    url: str
    data: bytes
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a folder: names of files that were new or changed, that were removed, and that were left though unwanted."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    left: tuple[str, ...]


def write_folder(folder: Path, files: Sequence[WebFile]) -> Written:
    """Bring a folder up to date with ``files``, one after another in this order, each there whole or not at all.

    So what a page shows or leads to comes before it. What an earlier call wrote and is not among them any more is removed last,
    but for what stays and what somebody changed since. Whatever else is in the folder is not touched.

    Raises :class:`InputError`, with nothing changed, where a file of such a name was not written by us, or was changed since.
    """
    if folder.exists() and not folder.is_dir():
        raise complaint("is a file; name a folder, which need not exist yet", str(folder))
    known = _read_record(folder)
    changed = _changed(folder, files, known)
    own = {file.name: {_digest(file.data)} for file in files if not file.stays}
    folder.mkdir(parents=True, exist_ok=True)
    _write_record(folder, {name: own.get(name, set()) | known.get(name, set()) for name in own.keys() | known.keys()})
    for file in changed:
        place = folder / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, file.data)
    removed, left = _remove(folder, known.keys() - {file.name for file in files}, known)
    _write_record(folder, own)
    return Written(tuple(file.name for file in changed), removed, left)


def _changed(folder: Path, files: Iterable[WebFile], known: Record) -> list[WebFile]:
    changed, problems = [], []
    for file in files:
        place = folder / file.name
        if not place.exists():
            changed.append(file)
            continue
        data = place.read_bytes() if place.is_file() else None
        if data is None or (data != file.data and _digest(data) not in known.get(file.name, ())):
            words = "was not written by newsletter publish, or changed since; move it away, or name another folder"
            problems.append(Problem(str(place), 0, 0, "", words))
        elif data != file.data:
            changed.append(file)
    if problems:
        raise InputError(problems)
    return changed


def _remove(folder: Path, names: Iterable[str], known: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    removed, left = [], []
    for name in sorted(names):
        place = folder / name
        if not place.is_file():
            continue
        if _digest(place.read_bytes()) not in known[name]:
            left.append(name)
            continue
        place.unlink()
        removed.append(name)
        for parent in list(place.relative_to(folder).parents)[:-1]:
            if any((folder / parent).iterdir()):
                break
            (folder / parent).rmdir()
    return tuple(removed), tuple(left)


def _write_record(folder: Path, record: Record) -> None:
    lists = {name: sorted(digests) for name, digests in sorted(record.items())}
    write_whole(folder / RECORD, (json.dumps(lists, indent=0) + "\n").encode())


def _read_record(folder: Path) -> Record:
    """Raises :class:`InputError` where the record is none: what is ours cannot be told then."""
    file = folder / RECORD
    try:
        known = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        known = None
    if not isinstance(known, dict) or not all(_inside(name) and isinstance(value, list) for name, value in known.items()):
        raise complaint("is not what newsletter publish wrote; name another folder, or empty this one", str(file))
    return {name: set(map(str, digests)) for name, digests in known.items()}


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
