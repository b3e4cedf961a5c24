"""Mailboxes on disk: a Maildir, an mbox, and single mails as files."""

import mailbox
import os
import re
from collections.abc import Iterator
from pathlib import Path

from newsletter.postbox.box import LARGEST, Mail, PostboxError

_STATUS = re.compile(rb"^Status:([^\n]*)\n", re.MULTILINE | re.IGNORECASE)


class MaildirBox:
    """A Maildir. A mail is unread in ``new``, or in ``cur`` without the flag S; reading moves it to ``cur`` and sets that."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = str(folder)

    def __iter__(self) -> Iterator[Mail]:
        found = [file for kind in ("new", "cur") for file in (self._folder / kind).iterdir()]
        for file in sorted(found, key=lambda file: file.name):  # a name begins with the time of its delivery
            if not file.name.startswith(".") and "S" not in _flags(file.name) and (data := _read(file)) is not None:
                yield Mail(str(file), data, str(file.relative_to(self._folder)))

    def done(self, mail: Mail) -> None:
        """One rename; where another program was faster, the mail is where it put it."""
        source = self._folder / mail.key
        flags = "".join(sorted({*_flags(source.name), "S"}))
        try:
            source.rename(self._folder / "cur" / f"{source.name.partition(':2,')[0]}:2,{flags}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise PostboxError(f"{mail.name} cannot be moved to cur: {error.strerror}") from None


def _flags(name: str) -> str:
    return name.partition(":2,")[2]


class MboxBox:
    """An mbox, locked while it is open. A mail is unread without an R in its ``Status``; marks are written when it is closed."""

    def __init__(self, file: Path) -> None:
        """Raises :class:`PostboxError` where another program holds the lock, or the file cannot be written."""
        self.name = str(file)
        try:
            self._box = mailbox.mbox(str(file), create=False)
            self._box.lock()
        except mailbox.ExternalClashError:
            raise PostboxError(f"{file} is locked by another program; try again later") from None
        except OSError as error:
            raise PostboxError(f"{file} cannot be opened and locked: {error.strerror}") from None
        self._done: list[str] = []

    def __iter__(self) -> Iterator[Mail]:
        for key in self._box.keys():  # noqa: SIM118 - a mailbox is iterated by its messages
            with self._box.get_file(key) as file:
                data = file.read(LARGEST + 1)
            status = _STATUS.search(_head(data))
            if status is None or b"R" not in status[1]:
                yield Mail(f"{self.name}, mail {int(key) + 1}", data, key)

    def done(self, mail: Mail) -> None:
        """Remember it; see :meth:`close`."""
        self._done.append(mail.key)

    def close(self) -> None:
        """Write the marks and let go of the lock; the whole file is replaced at once, or stays as it was."""
        try:
            for key in self._done:
                self._box[key] = _as_read(self._box.get_bytes(key, from_=True))
            self._box.flush()
        except (OSError, mailbox.Error) as error:
            raise PostboxError(f"{self.name} cannot be written, so its mails stay unread: {error}") from None
        finally:
            self._box.unlock()
            self._box.close()


def _head(data: bytes) -> bytes:
    end = re.search(rb"\r?\n\r?\n", data)
    return data if end is None else data[: end.start() + 1]


def _as_read(data: bytes) -> bytes:
    """A mail of an mbox with ``Status: RO`` (read, and no longer new) as the last field of its header."""
    head = _head(data)
    return _STATUS.sub(b"", head) + b"Status: RO\n" + data[len(head) :]


class FileBox:
    """Mails as files, each by itself. They are not changed: each is read every time, which changes nothing."""

    def __init__(self, name: str, files: list[Path]) -> None:
        self.name = name
        self._files = files

    def __iter__(self) -> Iterator[Mail]:
        for file in self._files:
            if (data := _read(file)) is not None:
                yield Mail(str(file), data, str(file))

    def done(self, mail: Mail) -> None:
        """Nothing is to be marked."""


def _read(file: Path) -> bytes | None:
    """The beginning of a file, all of it where it is no larger than :data:`LARGEST`; None where it has gone meanwhile."""
    try:
        place = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe among the files must not be waited for
        with os.fdopen(place, "rb") as stream:
            return stream.read(LARGEST + 1) if file.is_file() else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PostboxError(f"{file} cannot be read: {error.strerror}") from None
