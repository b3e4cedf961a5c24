"""A layout's ``theme.yaml`` becomes checked colours, fonts and widths."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from newsletter.problem import InputError, Problem

#: H10: six digits, as Outlook and the bgcolor attribute need them.
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


class Theme(BaseModel):
    """The look of a layout. Widths are CSS pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(600, ge=320, le=640, description="of the mail (H5)")
    padding: int = Field(32, ge=8, le=64, description="left and right of the text")
    font: str = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    heading_font: str = "Georgia, 'Times New Roman', serif"
    page: Colour = "#eef2f3"
    paper: Colour = "#ffffff"
    band: Colour = "#0b4a57"
    on_band: Colour = "#ffffff"
    ink: Colour = "#1f2a2e"
    muted: Colour = "#4f5f65"
    accent: Colour = "#0a6273"
    rule: Colour = "#cfdadd"
    tint: Colour = "#e6f0f1"

    @property
    def inner(self) -> int:
        """The width of the text."""
        return self.width - 2 * self.padding


def load_theme(folder: Path) -> Theme:
    """The theme of a layout's folder; the defaults where it has no ``theme.yaml``. Raises :class:`InputError`."""
    file = folder / "theme.yaml"
    return _read(file, file.stat().st_mtime_ns) if file.is_file() else Theme()


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int) -> Theme:
    try:
        data = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")) or {}
        return Theme.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InputError(
            Problem(str(file), 0, 0, ".".join(map(str, wrong["loc"])), wrong["msg"].removeprefix("Value error, "))
            for wrong in found
        ) from None
    except (YAMLError, UnicodeError) as error:
        raise InputError(Problem(str(file), 0, 0, "", f"is not readable as YAML: {str(error).splitlines()[0]}")) from None
