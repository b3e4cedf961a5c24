"""A picture that an issue names becomes a file that was looked at: a whole JPEG, PNG or GIF, safe to open (S19)."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from PIL import GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin

from newsletter.issue.files import UnfitFile, find_file

#: Bytes of a picture file, and pixels once it is opened: a small file can unpack to gigabytes (S19).
LARGEST_PICTURE = 20_000_000
MOST_PIXELS = 60_000_000

_FORMATS: dict[bytes, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"GIF87a": GifImagePlugin.GifImageFile,
    b"GIF89a": GifImagePlugin.GifImageFile,
}
_KNOWN_TO_FAIL = (
    (b"RIFF", "WebP, which Outlook does not show"),
    (b"II*\x00", "TIFF, which mail programs do not show"),
    (b"MM\x00*", "TIFF, which mail programs do not show"),
    (b"BM", "BMP, which is far too large for mail"),
    (b"%PDF", "PDF, which is no picture"),
    (b"<?xml", "SVG, which Gmail does not show"),
    (b"<svg", "SVG, which Gmail does not show"),
)
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif"})


class UnfitPicture(UnfitFile):
    """A picture that cannot be used; the message says why and how to mend it."""


def find_picture(root: Path, folder: Path, src: str) -> Path:
    """The file that ``src`` names from ``folder``, inside ``root`` and reached through no symbolic link (S19).

    Raises :class:`UnfitPicture` where there is none.
    """
    try:
        return find_file(root, folder, src, _SUFFIXES, "picture")
    except UnfitFile as error:
        raise UnfitPicture(str(error)) from None


def check_picture(file: Path) -> None:
    """Raise :class:`UnfitPicture` where the file is no whole JPEG, PNG or GIF, or one too large to be opened safely."""
    status = file.stat()
    if not file.is_file():
        raise UnfitPicture("is no file; name a picture file, not a folder")
    if status.st_size > LARGEST_PICTURE:
        size = status.st_size // 1_000_000
        raise UnfitPicture(
            f"has {size} MB; {LARGEST_PICTURE // 1_000_000} MB are the most, save a smaller copy (2400 pixels wide do)"
        )
    if (wrong := _examine(str(file), status.st_mtime_ns, status.st_size)) is not None:
        raise UnfitPicture(wrong)


@lru_cache(maxsize=256)
def _examine(file: str, changed: int, size: int) -> str | None:  # noqa: ARG001 - both tell the cache of a new picture
    """What is wrong with the content of a file, or None. It is decoded once, as long as it does not change."""
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    plugin = next((plugin for magic, plugin in _FORMATS.items() if content.startswith(magic)), None)
    if plugin is None:
        return f"is {_format_name(content)}; save it as JPEG or PNG"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF data is dropped anyway
            with plugin(io.BytesIO(content)) as image:
                return _too_many_pixels(image) or _decode(image, content)
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, struct.error, zlib.error, OverflowError):
        return "is damaged or was cut off; save it again"


def _too_many_pixels(image: Image.Image) -> str | None:
    width, height = image.size
    if width * height <= MOST_PIXELS:
        return None
    return f"has {width} × {height} pixels; {MOST_PIXELS // 1_000_000} million are the most, save a smaller copy"


def _decode(image: Image.Image, content: bytes) -> str | None:
    """Decode the whole picture: only that tells a file that was cut off (a JPEG at an eighth of its size, which is fast)."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    if isinstance(image, GifImagePlugin.GifImageFile) and not content.rstrip(b"\0").endswith(b";"):
        raise EOFError("no trailer")
    if isinstance(image, PngImagePlugin.PngImageFile):
        with PngImagePlugin.PngImageFile(io.BytesIO(content)) as chunks:
            chunks.verify()  # the checksum of every chunk, to the last; decoding stops at the last pixel
    image.load()
    return None


def _format_name(content: bytes) -> str:
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not content:
        return "an empty file"
    if content[4:12] in (b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "HEIC or AVIF, which mail programs do not show"
    return next((name for magic, name in _KNOWN_TO_FAIL if start.startswith(magic)), "no picture that mail programs show")
