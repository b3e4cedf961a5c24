"""Outlines become a flat picture: smooth shapes, fades and soft shadows, drawn large and scaled down."""

# ruff: noqa: PLR0913, PLR0917
# A drawing is made of numbers: places, sizes and colours stand side by side.

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

Point = tuple[float, float]
Outline = Sequence[Point]

INK = "#08242e"


@dataclass(frozen=True, slots=True)
class Fade:
    """A gradient over the box of a shape: from ``first`` (top, or left) to ``last``."""

    first: str
    last: str
    sideways: bool = False


Paint = str | Fade


@dataclass(frozen=True, slots=True)
class Shadow:
    """A soft shadow: how far it falls right and down, how soft and how dark it is."""

    right: float = 3
    down: float = 5
    blur: float = 6
    alpha: float = 0.28


def mix(first: str, last: str, share: float) -> str:
    """The colour that lies ``share`` (0 to 1) of the way from ``first`` to ``last``."""
    pairs = zip(ImageColor.getrgb(first), ImageColor.getrgb(last), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def smooth(points: Outline, closed: bool = True, steps: int = 14) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    count = len(points)
    last = count if closed else count - 1
    curve: list[Point] = []
    for index in range(last):
        if closed:
            a, b, c, d = (points[(index + shift) % count] for shift in (-1, 0, 1, 2))
        else:
            a, b, c, d = (points[min(max(index + shift, 0), count - 1)] for shift in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append((_spline(a[0], b[0], c[0], d[0], t), _spline(a[1], b[1], c[1], d[1], t)))
    return curve if closed else [*curve, points[-1]]


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def oval(x: float, y: float, across: float, down: float, turn: float = 0) -> list[Point]:
    """An ellipse around (x, y) with these half axes, turned by degrees."""
    points = [(x + across * math.cos(a), y + down * math.sin(a)) for a in (math.tau * i / 120 for i in range(120))]
    return turned(points, turn, (x, y))


def box(x: float, y: float, width: float, height: float, radius: float = 0, turn: float = 0) -> list[Point]:
    """A rectangle with round corners whose upper left corner is (x, y), turned by degrees around its middle."""
    middle = (x + width / 2, y + height / 2)
    if radius <= 0:
        return turned([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], turn, middle)
    radius = min(radius, width / 2, height / 2)
    right, low = x + width - radius, y + height - radius
    corners = ((right, y + radius, -90), (right, low, 0), (x + radius, low, 90), (x + radius, y + radius, 180))
    points = [
        (cx + radius * math.cos(math.radians(start + step)), cy + radius * math.sin(math.radians(start + step)))
        for cx, cy, start in corners
        for step in range(0, 91, 9)
    ]
    return turned(points, turn, middle)


def turned(points: Outline, degrees: float, around: Point) -> list[Point]:
    """The points turned clockwise around one of them or any other place."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    moved = ((x - around[0], y - around[1]) for x, y in points)
    return [(around[0] + x * cosine - y * sine, around[1] + x * sine + y * cosine) for x, y in moved]


class Canvas:
    """A picture of ``width`` times ``height`` units, drawn ``scale`` times as large so that its edges come out soft."""

    def __init__(self, width: int, height: int, scale: int = 3) -> None:
        self.width, self.scale = width, scale
        self._image = Image.new("RGB", (width * scale, height * scale), INK)
        self._clip: Image.Image | None = None

    def shape(self, outline: Outline, paint: Paint, *, alpha: float = 1, blur: float = 0, shadow: Shadow | None = None) -> None:
        """Fill an outline."""
        if shadow is not None:
            fallen = [(x + shadow.right, y + shadow.down) for x, y in outline]
            self.shape(fallen, INK, alpha=shadow.alpha, blur=shadow.blur)
        self._lay(outline, None, paint, alpha, blur)

    def stroke(
        self, line: Outline, paint: Paint, width: float, *, alpha: float = 1, blur: float = 0, shadow: Shadow | None = None
    ) -> None:
        """Draw a line with round ends."""
        if shadow is not None:
            fallen = [(x + shadow.right, y + shadow.down) for x, y in line]
            self.stroke(fallen, INK, width, alpha=shadow.alpha, blur=shadow.blur)
        self._lay(line, width, paint, alpha, blur)

    def glow(self, x: float, y: float, radius: float, paint: str, alpha: float) -> None:
        """A round light that fades out."""
        self.shape(oval(x, y, radius * 0.55, radius * 0.55), paint, alpha=alpha, blur=radius * 0.3)

    @contextmanager
    def inside(self, outline: Outline) -> Iterator[None]:
        """What is drawn within shows inside the outline only."""
        before = self._clip
        mask = Image.new("L", self._image.size, 0)
        ImageDraw.Draw(mask).polygon([(x * self.scale, y * self.scale) for x, y in outline], fill=255)
        self._clip = mask if before is None else ImageChops.multiply(before, mask)
        yield
        self._clip = before

    def save(self, path: Path, width: int, quality: int = 78) -> int:
        """Write the picture as JPEG, ``width`` pixels wide; gives its size in bytes."""
        height = round(self._image.height * width / self._image.width)
        small = self._image.resize((width, height), Image.Resampling.LANCZOS)
        small.save(path, "JPEG", quality=quality, optimize=True, progressive=True)
        return path.stat().st_size

    def save_cut(self, path: Path, width: int, outline: Outline, colours: int = 32) -> int:
        """Write what lies inside the outline as PNG, ``width`` pixels wide, transparent around it; gives its size in bytes."""
        mask = Image.new("L", self._image.size, 0)
        ImageDraw.Draw(mask).polygon([(x * self.scale, y * self.scale) for x, y in outline], fill=255)
        size = (width, round(self._image.height * width / self._image.width))
        small = self._image.resize(size, Image.Resampling.LANCZOS)
        small.putalpha(mask.resize(size, Image.Resampling.LANCZOS))
        small.quantize(colours, Image.Quantize.FASTOCTREE).save(path, "PNG", optimize=True)
        return path.stat().st_size

    def _lay(self, outline: Outline, width: float | None, paint: Paint, alpha: float, blur: float) -> None:
        points = [(x * self.scale, y * self.scale) for x, y in outline]
        margin = blur * self.scale * 3 + (width or 0) * self.scale + 2
        left, top = (math.floor(min(p[axis] for p in points) - margin) for axis in (0, 1))
        right, bottom = (math.ceil(max(p[axis] for p in points) + margin) for axis in (0, 1))
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, self._image.width), min(bottom, self._image.height)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top), 0)
        draw = ImageDraw.Draw(mask)
        local = [(x - left, y - top) for x, y in points]
        if width is None:
            draw.polygon(local, fill=255)
        else:
            _draw_line(draw, local, width * self.scale)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self.scale))
        if alpha < 1:
            mask = mask.point([round(value * alpha) for value in range(256)])
        if self._clip is not None:
            mask = ImageChops.multiply(mask, self._clip.crop((left, top, right, bottom)))
        self._image.paste(_surface(paint, mask.size), (left, top), mask)


def _draw_line(draw: ImageDraw.ImageDraw, points: Outline, width: float) -> None:
    thick = max(round(width), 1)
    draw.line(list(points), fill=255, width=thick)
    half = (thick - 1) / 2
    for x, y in points:  # a round brush: Pillow's own joints leave notches on tight curves
        draw.ellipse((x - half, y - half, x + half, y + half), fill=255)


def _surface(paint: Paint, size: tuple[int, int]) -> Image.Image:
    if isinstance(paint, str):
        return Image.new("RGB", size, paint)
    ramp = Image.linear_gradient("L")
    if paint.sideways:
        ramp = ramp.transpose(Image.Transpose.ROTATE_90)
    ramp = ramp.resize(size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", size, paint.last), Image.new("RGB", size, paint.first), ramp)
