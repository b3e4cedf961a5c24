"""A layout becomes the start of another one: every file it is made of, its own and those of the base, in one folder."""

import shutil
from pathlib import Path

from newsletter.compose.templates import template_folders


def copy_layout(source: Path, target: Path) -> list[str]:
    """Copy all that the layout in ``source`` is made of into the new folder ``target``; give the paths in it, sorted.

    It is complete, so that an update of the program does not change its look. A file that is deleted there comes from the base.
    """
    found = {
        file.relative_to(folder): file
        for folder in reversed(template_folders(source))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    }
    for name, file in found.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / name)
    return sorted(map(str, found))
