"""A file that an issue names becomes a path inside the workspace, reached through no symbolic link (S19)."""

import os
import unicodedata
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from newsletter.issue.model_mistakes import nearest


class UnfitFile(ValueError):
    """A file that cannot be used; the message says why and how to mend it."""


def find_file(root: Path, folder: Path, name: str, endings: Collection[str], noun: str) -> Path:
    """The file that ``name`` names from ``folder``, inside ``root`` and reached through no symbolic link (S19).

    ``endings`` are those of the files that are offered where there is none, ``noun`` what the file is.
    Raises :class:`UnfitFile`.
    """
    if "://" in name or name.startswith(("data:", "cid:")):
        raise UnfitFile(f"is an address; put the {noun} file beside the file that names it and write its name")
    if "\\" in name:
        raise UnfitFile(f"write folders with /, as in {name.replace(chr(92), '/')}")
    if PurePosixPath(name).is_absolute() or name[1:2] == ":" or name.startswith("~"):
        raise UnfitFile(f"is a path of your own machine; put the {noun} beside the file that names it and write its name")
    base, real_root = Path(os.path.realpath(folder)), Path(os.path.realpath(root))
    for spelling in dict.fromkeys((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))):
        file = Path(os.path.normpath(base / spelling))
        if not file.is_relative_to(real_root):
            raise UnfitFile(f"lies outside of the workspace; put the {noun} beside the file that names it")
        if os.path.realpath(file) != str(file):
            raise UnfitFile(f"is a link to another place; put the {noun} itself beside the file that names it")
        if file.exists():
            return file
    raise UnfitFile(f"there is no such file; {_files_nearby(base, name, endings, noun)}")


def _files_nearby(folder: Path, name: str, endings: Collection[str], noun: str) -> str:
    place = folder / PurePosixPath(name).parent
    try:
        listed = sorted(os.listdir(place))  # noqa: PTH208 - names alone
    except OSError:
        return f"there is no folder {PurePosixPath(name).parent} either"
    names = [found for found in listed if found.isprintable() and PurePosixPath(found).suffix.lower() in endings]
    return nearest(PurePosixPath(name).name, names) if names else f"put the {noun} beside the file that names it"
