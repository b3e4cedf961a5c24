"""A picture with transparency gets a ground of its own, where it needs one: that of its place in the mail, or a plate."""

from PIL import Image

from newsletter.compose.contrast import contrast, inverted

#: What is to be told from its ground, though it is no text (A8; WCAG 2.2, 1.4.11).
_LEAST = 3.0
#: The share of a picture that shows where it needs no other ground, whatever shows there.
_ENOUGH = 2 / 3
#: Around the picture on a plate, as a share of its width.
_MARGIN = 0.08
_SAMPLE = (48, 48)
_Image = Image.Image


def on_ground(picture: _Image, place: str, plate: str) -> _Image:
    """An RGBA picture without its empty margins, as it is where it shows on the colour ``place``, in dark mode, too.

    Else on a ground that no mail program changes: on ``place``, or on ``plate`` with a margin where more of it shows there.
    """
    alpha = picture.getchannel("A")
    seen = alpha.point([0] * 16 + [255] * 240).getbbox()
    if seen is None or alpha.getextrema() == (255, 255):
        return picture
    cut = picture.crop(seen)
    here, there = _shown(cut, place), _shown(cut, plate)
    changed = inverted(place, ground=True)
    in_dark_mode = there if changed == place else _shown(cut, changed)  # some turn what is dark light, too
    if min(here, in_dark_mode) >= _ENOUGH:
        return cut
    fits = here >= min(_ENOUGH, there)
    margin = 0 if fits else max(1, round(cut.width * _MARGIN))
    ground = Image.new("RGB", (cut.width + 2 * margin, cut.height + 2 * margin), place if fits else plate)
    ground.paste(cut, (margin, margin), cut)
    return ground


def _shown(picture: _Image, ground: str) -> float:
    """The share of what is not transparent that can be told from the ground."""
    small = picture.copy()
    small.thumbnail(_SAMPLE, Image.Resampling.NEAREST)
    pixels: list[tuple[int, tuple[int, int, int, int]]] = small.getcolors(_SAMPLE[0] * _SAMPLE[1]) or []  # type: ignore[assignment]
    solid = [(count, rgb) for count, (*rgb, alpha) in pixels if alpha >= 128]
    told = sum(count for count, rgb in solid if contrast(f"#{bytes(rgb).hex()}", ground) >= _LEAST)
    return told / max(1, sum(count for count, _ in solid))
