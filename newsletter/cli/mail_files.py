"""A message becomes files: as it was sent, and its two parts to be looked at."""

from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

from newsletter.compose.edition import Edition


def write_mail(folder: Path, mail: bytes, edition: Edition, picture_url: Callable[[str], str]) -> list[Path]:
    """Write a message as ``message.eml`` and its two parts as ``message.html`` and ``message.txt``; gives these files.

    The HTML file finds its pictures beside it, so that it can be looked at without ``serve``; everything else is as sent.
    ``picture_url`` is what the edition names its pictures by (:func:`~newsletter.compose.compile.picture_address`).
    """
    parsed = message_from_bytes(mail, policy=policy.default)
    bodies = (parsed.get_body((kind,)) for kind in ("plain", "html"))
    text, html = (str(body.get_content()) for body in bodies if body is not None)
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for picture in edition.pictures:
        (pictures / picture.name).write_bytes(picture.data)
        html = html.replace(picture_url(picture.name), f"pictures/{picture.name}")
    files = [folder / f"message.{ending}" for ending in ("html", "txt", "eml")]
    for file, content in zip(files, (html.encode(), text.encode(), mail), strict=True):
        file.write_bytes(content)
    return files
