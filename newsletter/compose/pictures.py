"""Pictures of an issue become the files that readers load: upright, sRGB, at most twice the shown width, nothing hidden."""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from newsletter.compose.edition import PictureFile
from newsletter.compose.grounds import on_ground
from newsletter.compose.play_mark import draw_play_mark, mark_size

#: Pixels a reader's screen may have per CSS pixel; more only costs bytes (H7).
DENSITY = 2
_QUALITY = 82
_MEDIA = {"JPEG": ("jpg", "image/jpeg"), "PNG": ("png", "image/png"), "GIF": ("gif", "image/gif")}
_Image = Image.Image


class PictureError(Exception):
    """A file that is no picture mail clients can show. The message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as a layout places it: the file and the width and height it takes in CSS pixels."""

    file: PictureFile
    url: str
    width: int
    height: int


def make_picture(data: bytes, width: int, *grounds: str, play: bool = False) -> PictureFile:
    """Scale to twice ``width`` CSS pixels (never up), turn upright, convert to sRGB, drop EXIF and GPS.

    With two ``grounds`` (``#rrggbb``) a picture with transparency is laid on the first one, which it stands on in the mail, or
    on a plate of the second where that one sets it off better: this ground stays where a mail program changes the mail's (H11).
    ``play`` draws a play mark into it, of an animation into its first frame. Raises :class:`PictureError`.
    """
    try:
        with Image.open(io.BytesIO(data)) as source:
            kind = source.format or ""
            if kind not in _MEDIA:
                raise PictureError(f"is {kind or 'of an unknown kind'}; mail clients show JPEG, PNG and GIF only")
            if kind == "GIF" and getattr(source, "is_animated", False) and not play:
                return _named(data, kind, source.width, source.height)
            picture = _srgb(ImageOps.exif_transpose(source))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError(f"cannot be read as a picture ({error}); save it anew as JPEG or PNG") from None
    if grounds and picture.mode == "RGBA":
        picture = on_ground(picture, *grounds)
    if picture.width > DENSITY * width:
        height = max(1, round(picture.height * DENSITY * width / picture.width))
        picture = picture.resize((DENSITY * width, height), Image.Resampling.LANCZOS, reducing_gap=3)
    if play:
        _mark(picture, width)
    kind = "PNG" if kind == "GIF" or picture.mode in ("RGBA", "P") else kind
    out = io.BytesIO()
    if kind == "JPEG":
        picture.save(out, "JPEG", quality=_QUALITY, progressive=True, optimize=True)
    else:
        picture.save(out, "PNG", optimize=True)
    return _named(out.getvalue(), kind, picture.width, picture.height)


def _mark(picture: _Image, width: int) -> None:
    """A play mark as large as it has to be where the picture is shown ``width`` CSS pixels wide, or as wide as it is."""
    density = max(1.0, picture.width / width)
    try:
        size = mark_size(round(picture.width / density), round(picture.height / density))
    except ValueError as error:
        raise PictureError(str(error)) from None
    draw_play_mark(picture, round(size * density))


def _srgb(picture: _Image) -> _Image:
    profile = picture.info.get("icc_profile")
    transparent = "A" in picture.mode or "transparency" in picture.info
    if profile and not transparent:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return _bare(converted)
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile: the plain conversion below is what every viewer does then
    return _bare(picture.convert("RGBA" if transparent else "RGB"))


def _bare(picture: _Image) -> _Image:
    """The pixels alone: what Pillow carries along in ``info`` (EXIF, comments, profiles) would be saved again."""
    picture.info.clear()
    return picture


def _named(data: bytes, kind: str, width: int, height: int) -> PictureFile:
    ending, media_type = _MEDIA[kind]
    return PictureFile(f"{hashlib.sha256(data).hexdigest()[:32]}.{ending}", media_type, width, height, data)
