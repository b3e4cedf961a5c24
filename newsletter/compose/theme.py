"""A layout's ``theme.yaml`` becomes checked colours, fonts and widths; colours that cannot be told apart are refused."""

from collections.abc import Iterator
from functools import lru_cache
from math import floor
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from newsletter.compose.contrast import contrast, inverted
from newsletter.issue import Logo
from newsletter.problem import InputError, Problem

#: H10: six digits, as Outlook and the bgcolor attribute need them.
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


#: What stands on what, and the contrast that it needs: text 4.5, faces of buttons and lines 3 (A8).
_TEXTS = {
    "ink": ("paper", "tint"),
    "muted": ("paper", "tint", "page"),
    "accent": ("paper", "tint", "page"),
    "band": ("paper", "tint"),
    "on_band": ("band", "button"),
}
_TEXT, _SHAPE = 4.5, 3.0


class Theme(BaseModel):
    """The look of a layout. Widths are CSS pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(600, ge=320, le=640, description="of the mail (H5)")
    padding: int = Field(32, ge=8, le=64, description="left and right of the text")
    font: str = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    heading_font: str = "Georgia, 'Times New Roman', serif"
    text_size: int = Field(16, ge=16, le=20, description="of the text, in pixels (H9)")
    line_height: int = Field(25, ge=22, le=36, description="of the text, in pixels (H9)")
    portrait: int = Field(160, ge=48, le=240, description="width of the portrait of an interview")
    page: Colour = "#e9eff0"
    paper: Colour = "#ffffff"
    band: Colour = "#0b4a57"
    on_band: Colour = "#ffffff"
    ink: Colour = "#1f2a2e"
    muted: Colour = "#46555b"
    accent: Colour = "#085a6a"
    button: Colour = "#0a768a"
    rule: Colour = "#849498"
    tint: Colour = "#e8f1f2"
    logo: Logo | None = Field(None, description="for publications that bring none of their own; its file lies beside theme.yaml")

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
        theme = Theme.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InputError(
            Problem(str(file), 0, 0, ".".join(map(str, wrong["loc"])), wrong["msg"].removeprefix("Value error, "))
            for wrong in found
        ) from None
    except (YAMLError, UnicodeError) as error:
        raise InputError(Problem(str(file), 0, 0, "", f"is not readable as YAML: {str(error).splitlines()[0]}")) from None
    if faint := list(_faint(theme)):
        raise InputError(Problem(str(file), 0, 0, name, message) for name, message in faint)
    return theme


def _faint(theme: Theme) -> Iterator[tuple[str, str]]:
    """The pairs of colours with too little contrast, in light or in forced dark mode (A8, H11): the name and what is wrong."""
    pairs = [(name, ground, _TEXT, False) for name, grounds in _TEXTS.items() for ground in grounds]
    for name, ground, least, is_ground in [*pairs, ("rule", "paper", _SHAPE, False), ("button", "paper", _SHAPE, True)]:
        colour, behind = getattr(theme, name), getattr(theme, ground)
        dark = (inverted(colour, ground=is_ground), inverted(behind, ground=True))
        for mode, ratio in (
            ("", contrast(colour, behind)),
            (f" in forced dark mode, as {dark[0]} on {dark[1]}", contrast(*dark)),
        ):
            if ratio < least:
                said = f"{name} {colour} on {ground} {behind} has a contrast of {floor(ratio * 100) / 100:.2f}{mode}"
                yield name, f"{said}; it needs {least:g}, so move the two further apart"
                break
