"""The database becomes verdicts: can it be used, is it of this program, and does it lie on a disk that can lock?"""

from collections.abc import Iterator
from pathlib import Path

from newsletter.doctor.database_server import look_at_database_server
from newsletter.doctor.verdict import Told, verdict
from newsletter.problem import InputError
from newsletter.settings import Workspace
from newsletter.store.look import look_at_file
from newsletter.store.url import database_file

_GOOD = verdict("database", "ok", "the database {file} can be read and written")
_NEW = verdict("database-new", "ok", "there is no database yet; the first sending makes {file}")
_OLD = verdict(
    "database-old", "note", "the database {file} is of an older program; the next command that opens it brings it up to date"
)
_BAD = verdict("database-unusable", "error", "{problem}", "restore it from a copy, or set NEWSLETTER_DATABASE_URL")
_REMOTE = verdict(
    "database-remote",
    "warning",
    "the database lies on a network share ({system}), where locks cannot be trusted: mail might be sent twice",
    "put it on a disk of this machine: NEWSLETTER_DATABASE_URL=sqlite:////var/lib/newsletter/newsletter.db",
)
#: File systems of other machines, as Linux calls them.
_SHARES = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre", "beegfs", "davfs", "vboxsf"}
)
_MOUNTS = Path("/proc/self/mountinfo")
#: How Linux writes a blank, a tab, a line end and a backslash of a path in its table of mounts.
_ESCAPED = ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\"))


def look_at_database(workspace: Workspace) -> Iterator[Told]:
    """Open the database as it is, in a file or on a server, and change nothing in it."""
    try:
        file = database_file(workspace.database_url())
        if file is None:
            yield from look_at_database_server(workspace.database_url())
            return
        form = look_at_file(file)
    except InputError as error:
        for problem in error.problems:
            yield _BAD(problem=problem)
        return
    words = {"new": _NEW, "current": _GOOD, "old": _OLD}[form]
    yield words(file=file.name)
    mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace") if _MOUNTS.is_file() else ""
    if (system := file_system(mounts, file.resolve())) is not None and is_share(system):
        yield _REMOTE(system=system)


def file_system(mounts: str, file: Path) -> str | None:
    """The kind of file system that a path lies on, by Linux's ``mountinfo`` (proc(5)); None where it does not say."""
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(), right.split()
        if len(fields) < 5 or not kind:
            continue
        point = Path(_unescaped(fields[4]))
        if file.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):  # a later one covers an earlier
            found = (len(point.parts), kind[0])
    return found[1] if found else None


def is_share(system: str) -> bool:
    """Whether a file system is on another machine; sshfs and its like call themselves ``fuse.…``."""
    return system in _SHARES or system in ("fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "fuse.davfs2")


def _unescaped(path: str) -> str:
    for code, character in _ESCAPED:
        path = path.replace(code, character)
    return path
