"""A file of unknown encoding becomes a text stream: UTF-8, UTF-16 or Windows-1252, found by reading all of it once."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from newsletter.problem import complaint

_CHUNK = 1 << 20
_ESCAPED = re.compile("[\udc80-\udcff]")
#: How files start that are no text, and what to say about them.
_OTHERS = {
    b"PK\x03\x04": "is a spreadsheet or an archive (.xlsx, .ods, .zip); save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an old Excel file (.xls); save the sheet as CSV UTF-8",
    b"%PDF": "is a PDF; save the list as CSV UTF-8",
    b"\x1f\x8b": "is compressed (.gz); unpack it first",
    codecs.BOM_UTF32_LE: "is UTF-32; save it as CSV UTF-8",
    codecs.BOM_UTF32_BE: "is UTF-32; save it as CSV UTF-8",
}


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file and how to read it: a byte that is no character becomes a lone surrogate or U+FFFD, it never raises."""

    path: Path
    encoding: str
    errors: str

    def open(self) -> TextIO:
        """The text from its start, without BOM; every line end is ``\\n``. Raises :class:`InputError` where it is gone."""
        try:
            return self.path.open(encoding=self.encoding, errors=self.errors, newline=None)
        except OSError as error:
            raise complaint(f"cannot be read: {error.strerror}", str(self.path)) from None


def find_encoding(path: Path) -> TextFile:
    """Read the whole file once, in constant memory, and say how to decode it.

    A BOM decides; else a zero in every second byte means UTF-16. All valid UTF-8 is UTF-8. What is not is Windows-1252, unless
    as many letters are good UTF-8 as bytes are bad: then it is UTF-8 with stray bytes, which spoil only the rows they are in.

    Raises :class:`InputError` for a missing file, a folder, a name that is no UTF-8, and what is a spreadsheet or no text at all.
    """
    if path.is_dir():
        raise complaint("is a folder; name the CSV file in it", str(path))
    if _ESCAPED.search(path.name):  # the name is kept with the campaign
        shown = str(path).encode("utf-8", "backslashreplace").decode()
        raise complaint("has a name that is not UTF-8, as of an old Windows archive; rename it", shown)
    try:
        if not path.is_file():
            raise complaint("there is no such file" if not path.exists() else "is no ordinary file; save it to one", str(path))
        with path.open("rb") as file:
            head = file.read(4096)
            for start, reason in _OTHERS.items():
                if head.startswith(start):
                    raise complaint(reason, str(path))
            if wide := _utf16(head):
                return TextFile(path, wide, "replace")
            file.seek(0)
            return TextFile(path, _narrow(file, head), "surrogateescape")
    except OSError as error:
        raise complaint(f"cannot be read: {error.strerror}", str(path)) from None


def _utf16(head: bytes) -> str | None:
    """The codec of a file that is UTF-16 by its BOM, or by the zeros of its ASCII characters."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pairs = len(head) // 2
    if pairs < 2:
        return None
    first, second = head[0 : pairs * 2 : 2].count(0) / pairs, head[1 : pairs * 2 : 2].count(0) / pairs
    if second > 0.5 and first < 0.1:
        return "utf-16-le"
    return "utf-16-be" if first > 0.5 and second < 0.1 else None


def _narrow(file: BinaryIO, head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    letters = strays = 0
    while chunk := file.read(_CHUNK):
        if (text := decoder.decode(chunk)).isascii():
            continue
        beyond = len(text) - len(text.encode("ascii", "ignore"))
        bad = len(_ESCAPED.findall(text))
        letters, strays = letters + beyond - bad, strays + bad
    strays += len(decoder.decode(b"", final=True))
    return "cp1252" if strays > letters else "utf-8"
