"""What people name as a mailbox becomes a postbox that can be read: ``imap``, a Maildir, an mbox, mails as files."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from newsletter.postbox.box import Postbox
from newsletter.postbox.files import FileBox, MaildirBox, MboxBox
from newsletter.problem import complaint
from newsletter.settings import Settings

#: Names the mailbox of the settings.
IMAP = "imap"


@contextmanager
def open_box(named: str, settings: Settings) -> Iterator[Postbox]:
    """The mailbox that is named so, open as long as it is needed.

    Raises :class:`~newsletter.problem.InputError` where there is none, and :class:`~newsletter.postbox.PostboxError` where it
    cannot be opened, or its marks cannot be written at the end.
    """
    if named == IMAP:
        from newsletter.postbox.imap import ImapBox

        with closing(ImapBox(settings)) as box:
            yield box
        return
    path = Path(named)
    if path.is_dir():
        yield _folder(path)
    elif not path.is_file():
        raise complaint(f"is not there; name a Maildir, an mbox, .eml files, or {IMAP} for the mailbox of .env", named)
    elif _is_mbox(path):
        with closing(MboxBox(path)) as mbox:
            yield mbox
    else:
        yield FileBox(named, [path])


def _folder(path: Path) -> Postbox:
    if (path / "new").is_dir() and (path / "cur").is_dir():
        return MaildirBox(path)
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".eml")
    if not files and any(path.iterdir()):
        raise complaint("is no Maildir, for it has no cur and new, and there is no .eml file in it", str(path))
    return FileBox(str(path), files)


def _is_mbox(path: Path) -> bool:
    """An empty file is an mailbox without mail; any other begins with the line that stands between its mails."""
    try:
        with path.open("rb") as file:
            return file.read(5) in (b"", b"From ")
    except OSError as error:
        raise complaint(f"cannot be read: {error.strerror}", str(path)) from None
