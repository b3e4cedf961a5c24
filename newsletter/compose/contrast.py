"""Two colours become their contrast (WCAG 2.2), as written and where a mail program forces dark mode on the mail."""

from functools import cache

#: D65, the white of sRGB.
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_FROM_XYZ = ((3.2404542, -1.5371385, -0.4985314), (-0.9692660, 1.8760108, 0.0415560), (0.0556434, -0.2040259, 1.0572252))
#: CIE Lab: where the cube root gives way to a line.
_BEND = 6 / 29


def contrast(one: str, other: str) -> float:
    """The ratio of two colours (``#rrggbb``), 1 to 21 (A8; WCAG 2.2, relative luminance)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def inverted(colour: str, *, ground: bool) -> str:
    """The colour under forced inversion: light grounds and dark texts get L' = 50 - (L - 50) · 0.75 and C' = 0.8 · C (H11)."""
    lightness, a, b = _lab(colour)
    if (lightness > 50) != ground:
        return colour
    return _hex(50 - (lightness - 50) * 0.75, 0.8 * a, 0.8 * b)


def _linear(colour: str) -> tuple[float, ...]:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def _lab(colour: str) -> tuple[float, float, float]:
    linear = _linear(colour)
    xyz = [sum(factor * share for factor, share in zip(row, linear, strict=True)) for row in _TO_XYZ]
    x, y, z = (_root(value / white) for value, white in zip(xyz, _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > _BEND**3 else value / (3 * _BEND**2) + 4 / 29


def _hex(lightness: float, a: float, b: float) -> str:
    y = (lightness + 16) / 116
    roots = (y + a / 500, y, y - b / 200)
    xyz = [white * (t**3 if t > _BEND else 3 * _BEND**2 * (t - 4 / 29)) for t, white in zip(roots, _WHITE, strict=True)]
    linear = (sum(factor * value for factor, value in zip(row, xyz, strict=True)) for row in _FROM_XYZ)
    inside = (min(1.0, max(0.0, share)) for share in linear)
    shares = (12.92 * share if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055 for share in inside)
    return "#" + "".join(f"{round(255 * share):02x}" for share in shares)
