"""A file that an issue attaches becomes its type and its bytes, once its content was seen to be what its name says (S19)."""

import codecs
from pathlib import Path
from typing import NamedTuple

from newsletter.issue.files import UnfitFile, find_file

#: Bytes of one attachment: with a third more for Base64, a larger one alone would fill the largest message (B22).
LARGEST_ATTACHMENT = 7_000_000


class _Kind(NamedTuple):
    media_type: str
    start: bytes
    name: str


_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
_ZIP = b"PK\x03\x04"
#: What may be attached: nothing that runs, unpacks or is a page.
_KINDS = {
    ".pdf": _Kind("application/pdf", b"%PDF-", "a PDF file"),
    ".ics": _Kind("text/calendar", b"BEGIN:VCALENDAR", "a calendar file"),
    ".csv": _Kind("text/csv", b"", "a CSV file"),
    ".txt": _Kind("text/plain", b"", "a text file"),
    ".docx": _Kind(f"{_OFFICE}.wordprocessingml.document", _ZIP, "a Word document"),
    ".xlsx": _Kind(f"{_OFFICE}.spreadsheetml.sheet", _ZIP, "an Excel workbook"),
    ".pptx": _Kind(f"{_OFFICE}.presentationml.presentation", _ZIP, "a PowerPoint presentation"),
    ".odt": _Kind(f"{_OPEN}.text", _ZIP, "an OpenDocument text"),
    ".ods": _Kind(f"{_OPEN}.spreadsheet", _ZIP, "an OpenDocument spreadsheet"),
    ".odp": _Kind(f"{_OPEN}.presentation", _ZIP, "an OpenDocument presentation"),
    ".jpg": _Kind("image/jpeg", b"\xff\xd8\xff", "a JPEG picture"),
    ".jpeg": _Kind("image/jpeg", b"\xff\xd8\xff", "a JPEG picture"),
    ".png": _Kind("image/png", b"\x89PNG\r\n\x1a\n", "a PNG picture"),
}
_KNOWN = ", ".join(ending[1:] for ending in _KINDS)


def find_attachment(root: Path, folder: Path, name: str) -> Path:
    """The file that ``name`` names from ``folder``, inside ``root`` (S19). Raises :class:`UnfitFile`."""
    return find_file(root, folder, name, _KINDS, "attachment")


def read_attachment(file: Path) -> tuple[str, bytes]:
    """The media type and the bytes of a file that may be attached.

    Text files (``text/…``) are UTF-8, their byte order mark is kept: Excel needs it. Raises :class:`UnfitFile` for a type that is
    not allowed, for a file that is not what its ending says, and for one that is empty or too large; OSError where it cannot be
    read.
    """
    ending = file.suffix.lower()
    kind = _KINDS.get(ending)
    if kind is None:
        raise UnfitFile(f"a {ending or 'nameless'} file cannot be attached; these can: {_KNOWN}")
    if not file.is_file():
        raise UnfitFile("is no file; name a file, not a folder")
    if (size := file.stat().st_size) > LARGEST_ATTACHMENT:
        most = LARGEST_ATTACHMENT // 1_000_000
        raise UnfitFile(f"has {size / 1_000_000:.1f} MB; {most} MB are the most, put it on a web page and link to it")
    data = file.read_bytes()
    if kind.media_type.startswith("text/"):
        _check_utf8(data)
    if not data:
        raise UnfitFile("is empty; attach the finished file, or leave it out")
    if not data.removeprefix(codecs.BOM_UTF8).startswith(kind.start):
        raise UnfitFile(f"is not {kind.name}, though its name ends in {ending}; save it again in the right format")
    return kind.media_type, data


def _check_utf8(data: bytes) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UnfitFile("is not UTF-8 text; save it as UTF-8 (in Excel: CSV UTF-8)")
