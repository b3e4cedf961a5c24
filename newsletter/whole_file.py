"""Bytes become a file that is there whole or not at all, whoever looks while it is written."""

import os
import secrets
from pathlib import Path


def write_whole(file: Path, data: bytes) -> None:
    """Write ``data`` beside ``file`` and give it that name at once, in place of what had it. Raises ``OSError``."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(data)  # not mkstemp, whose files nobody else may read: a web server is to give them out
        os.replace(part, file)  # noqa: PTH105 - the name that its guarantee is known by
    except BaseException:
        part.unlink(missing_ok=True)
        raise
