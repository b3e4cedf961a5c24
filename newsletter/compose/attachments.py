"""The attachments of an issue become the files that each message carries, as long as it does not grow too large (B22)."""

import hashlib
import re
from pathlib import PurePosixPath

from newsletter.compose.edition import AttachedFile, Edition
from newsletter.issue import Issue
from newsletter.issue.attachments import read_attachment
from newsletter.issue.blocks import Event
from newsletter.issue.files import UnfitFile
from newsletter.problem import InputError

#: Octets of a whole message: beyond the first, people lose patience; beyond the second, servers refuse it (B22).
LARGE_MESSAGE = 1_000_000
LARGEST_MESSAGE = 10_000_000

#: What the file systems of recipients do not take in a name.
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]+')


def attach(issue: Issue) -> tuple[AttachedFile, ...]:
    """The files that the issue attaches, in its order, then those of its events.

    Raises :class:`InputError` where one has gone or was changed for worse.
    """
    files = []
    for number, attachment in enumerate(issue.content.attachments):
        try:
            media_type, data = read_attachment(issue.attachment_path(attachment.file))
        except (UnfitFile, OSError) as error:
            problem = issue.problem(("attachments", number, "file"), f"{attachment.file}: {error}")
            raise InputError(problem) from None
        files.append(attached(shown_name(attachment.file, attachment.title), media_type, data))
    if any(isinstance(block, Event) and block.calendar for block in issue.content.blocks):
        from newsletter.compose.calendar_file import calendar_files  # icalendar takes its time to load

        files += [attached(shown_name("event.ics", title), "text/calendar", data) for title, data in calendar_files(issue)]
    return tuple(files)


def attached(filename: str, media_type: str, data: bytes) -> AttachedFile:
    """The file under its shown name, stored by its content."""
    name = f"{AttachedFile.PREFIX}{hashlib.sha256(data).hexdigest()[:32]}{PurePosixPath(filename).suffix.lower()}"
    return AttachedFile(name, filename, media_type, data)


def shown_name(file: str, title: str | None) -> str:
    """What recipients see as the file's name: the title with the file's ending, else the name that it has in the workspace."""
    path = PurePosixPath(file)
    if title is None:
        return path.name
    stem = _NOT_IN_NAMES.sub("-", title).strip(" .-") or path.stem
    return stem if stem.lower().endswith(path.suffix.lower()) else stem + path.suffix


def message_size(edition: Edition) -> int:
    """Octets that the largest message has, near enough: both parts, and what goes with them in Base64 (RFC 2045 §6.8)."""
    if edition.conditions:
        return max(message_size(edition.variant(name)) for name in edition.variant_names)
    parts = sum(len(piece.encode()) for part in (edition.text, edition.html) for piece in part.pieces if isinstance(piece, str))
    files = sum(len(file.data) for file in edition.embedded) + sum(len(file.data) for file in edition.attachments)
    return parts + files * 4 // 3 * 78 // 76


def check_size(issue: Issue, edition: Edition) -> None:
    """Raise :class:`InputError` at the largest attachment, or else at the issue, where the message is too large (B22)."""
    size = message_size(edition)
    if size <= LARGEST_MESSAGE:
        return
    says = f"each mail would have {size / 1_000_000:.1f} MB, and most servers refuse more than {LARGEST_MESSAGE // 1_000_000} MB"
    sizes = [len(file.data) for file in edition.attachments[: len(issue.content.attachments)]]
    if not sizes:
        mend = "take smaller pictures, or write 'pictures: hosted' in publication.yaml"
        raise InputError(issue.problem((), f"{says}; {mend}"))
    largest = sizes.index(max(sizes))
    name = issue.content.attachments[largest].file
    raise InputError(issue.problem(("attachments", largest, "file"), f"{name}: {says}; put it on a web page and link to it"))


def size_warning(edition: Edition) -> str | None:
    """What to say about a message that is large, but can be sent (B22); None where it is not."""
    size = message_size(edition)
    if size <= LARGE_MESSAGE:
        return None
    most = LARGE_MESSAGE // 1_000_000
    return f"each mail has {size / 1_000_000:.1f} MB; more than {most} MB loads slowly, a link to a web page is better"
