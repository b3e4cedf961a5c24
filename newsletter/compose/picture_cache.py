"""Prepared pictures are kept, in memory and in a folder of the workspace, so that no picture is scaled twice."""

import contextlib
import hashlib
import json
import os
from collections import OrderedDict
from functools import cache, lru_cache
from pathlib import Path

import PIL

from newsletter.compose import contrast, grounds, pictures, play_mark
from newsletter.compose.edition import PictureFile
from newsletter.compose.pictures import make_picture
from newsletter.whole_file import write_whole

_LARGEST = 100_000_000


class KeptPictures:
    """A folder of prepared pictures, one file each: the hash of what follows, a line that describes it, its bytes.

    A file that is not what it says is as good as none. Where the folder cannot be written, nothing is kept.
    """

    _ENDING = ".picture"

    def __init__(self, folder: Path, largest: int = _LARGEST) -> None:
        self._folder = folder
        self._largest = largest

    def read(self, key: str) -> PictureFile | None:
        """The picture kept under ``key``, or None where there is none that is whole."""
        file = self._file(key)
        try:
            digest, line, data = file.read_bytes().split(b"\n", 2)
            if digest.decode() != _digest(key, line, data):
                return None
            name, media_type, width, height = json.loads(line)
        except (OSError, ValueError):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)  # what is used is not the oldest
        return PictureFile(name, media_type, width, height, data)

    def keep(self, key: str, picture: PictureFile) -> None:
        """Keep a picture, and drop those that were not used for longest where the folder grows too large."""
        line = json.dumps([picture.name, picture.media_type, picture.width, picture.height]).encode()
        content = b"\n".join((_digest(key, line, picture.data).encode(), line, picture.data))
        with contextlib.suppress(OSError):  # a workspace that is read-only, a full disk: the picture is made again next time
            self._folder.mkdir(parents=True, exist_ok=True)
            ignored = self._folder / ".gitignore"
            if not ignored.is_file():
                write_whole(ignored, b"*\n")
            write_whole(self._file(key), content)
            self._drop_oldest()

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}{self._ENDING}"

    def _drop_oldest(self) -> None:
        ours = [file for file in self._folder.iterdir() if file.name.endswith((self._ENDING, ".part"))]
        found = sorted(((file.stat(), file) for file in ours), key=lambda item: item[0].st_mtime_ns)
        total = sum(status.st_size for status, _ in found)
        for status, file in found:
            if total <= self._largest:
                break
            file.unlink(missing_ok=True)
            total -= status.st_size


class PictureCache:
    """Remembers pictures by content, width, grounds and play mark: so many in memory, behind them those of a folder, if any."""

    def __init__(self, entries: int = 64, kept: KeptPictures | None = None) -> None:
        self._entries = entries
        self._kept = kept
        self._made: OrderedDict[str, PictureFile] = OrderedDict()
        self._digests: dict[Path, tuple[int, int, str]] = {}

    def make(self, path: Path, width: int, *grounds: str, play: bool = False) -> PictureFile:
        """The file for ``path``, as :func:`~newsletter.compose.pictures.make_picture` makes it.

        Raises :class:`~newsletter.compose.pictures.PictureError`.
        """
        source = self._source(path)
        key = _digest(_pipeline(), source, str(width), str(play), *grounds)
        if key not in self._made:
            found = self._kept.read(key) if self._kept else None
            self._made[key] = found or self._new(key, source, path, width, *grounds, play=play)
            while len(self._made) > self._entries:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]

    def _new(self, key: str, source: str, path: Path, width: int, *grounds: str, play: bool) -> PictureFile:
        data = path.read_bytes()
        made = make_picture(data, width, *grounds, play=play)
        if self._kept and hashlib.sha256(data).hexdigest() == source:  # nobody saved another picture meanwhile
            self._kept.keep(key, made)
        return made

    def _source(self, path: Path) -> str:
        """The hash of a file, read again only where its time or size has changed."""
        now = path.stat()
        known = self._digests.get(path)
        if known is None or known[:2] != (now.st_mtime_ns, now.st_size):
            known = (now.st_mtime_ns, now.st_size, hashlib.sha256(path.read_bytes()).hexdigest())
            self._digests[path] = known
        return known[2]


@lru_cache(maxsize=8)
def cache_in(folder: Path) -> PictureCache:
    """The cache of this process that keeps its pictures in ``folder``."""
    return PictureCache(kept=KeptPictures(folder))


@cache
def _pipeline() -> str:
    """What makes pictures: the program's code and Pillow's version. Another one makes them anew."""
    code = (Path(module.__file__ or "").read_bytes() for module in (pictures, grounds, contrast, play_mark))
    return _digest(*code, PIL.__version__)


def _digest(*parts: str | bytes) -> str:
    """One hash over parts, each behind its length, so that they cannot be taken for one another."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(b"%d:%b" % (len(data), data))
    return whole.hexdigest()
