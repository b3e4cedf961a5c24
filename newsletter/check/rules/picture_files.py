"""The files of pictures: how heavy they are, whether they move, and whether they survive a dark ground (H7, H11, A14)."""

import io
from collections.abc import Iterator
from functools import lru_cache

from PIL import Image, ImageSequence

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Place, Subject
from newsletter.compose.contrast import contrast, inverted
from newsletter.compose.edition import PictureFile

_HEAVY, _TOO_HEAVY, _ALL_HEAVY = 200_000, 1_048_576, 2_000_000
_SECONDS, _LOOPS, _FLASHES = 5.0, 3, 3
#: How much the mean light of a picture (0 to 255) has to change to be a flash (WCAG: 10 % of the relative luminance).
_FLASH = 25


def _place(subject: Subject, picture: PictureFile) -> Place:
    return subject.origin.picture(picture.name) or subject.origin.key()


def _source(subject: Subject, picture: PictureFile) -> str:
    return subject.edition.sources.get(picture.name, picture.name)


@rule(
    "H7-heavy",
    "warning",
    "the picture {name} has {size} kB; on the move it takes seconds to appear",
    "save it with fewer colours or a lower quality, below 200 kB",
    "house rule H7",
    Subject,
)
def heavy(subject: Subject) -> Iterator[Found]:
    """As readers load it, scaled for the layout."""
    for picture in subject.edition.pictures:
        if _HEAVY < len(picture.data) <= _TOO_HEAVY:
            yield found(_place(subject, picture), name=_source(subject, picture), size=len(picture.data) // 1000)


@rule(
    "H7-too-heavy",
    "error",
    "the picture {name} has {size} kB; the limit is 1,048",
    "save it as JPEG, or with fewer colours or frames",
    "react-email: 1 MiB",
    Subject,
)
def too_heavy(subject: Subject) -> Iterator[Found]:
    """Mostly a moving picture, or a photograph saved as PNG."""
    for picture in subject.edition.pictures:
        if len(picture.data) > _TOO_HEAVY:
            yield found(_place(subject, picture), name=_source(subject, picture), size=len(picture.data) // 1000)


@rule(
    "H7-all-heavy",
    "warning",
    "the pictures of the issue have {size} kB together",
    "leave some out or save them smaller; 2,000 kB are the most that a mail should load",
    "house rule H7",
    Subject,
)
def all_heavy(subject: Subject) -> Iterator[Found]:
    """A tariff with 1 GB a month carries fifty such mails."""
    size = sum(len(picture.data) for picture in subject.edition.pictures)
    if size > _ALL_HEAVY:
        yield found(subject.origin.key("blocks"), size=size // 1000)


@rule(
    "A14-moves-on",
    "error",
    "the picture {name} moves for more than five seconds, and nobody can stop it",
    "let it stop after five seconds or after three rounds",
    "WCAG 2.2 SC 2.2.2",
    Subject,
)
def moves_on(subject: Subject) -> Iterator[Found]:
    """Who is easily distracted cannot read beside it."""
    for picture in subject.edition.pictures:
        frames, loops = _animation(picture)
        rounds = loops or 1_000_000
        if len(frames) > 1 and sum(seconds for seconds, _ in frames) * rounds > _SECONDS and rounds > _LOOPS:
            yield found(_place(subject, picture), name=_source(subject, picture))


@rule(
    "A14-flashes",
    "error",
    "the picture {name} flashes more than three times a second; that can set off seizures",
    "slow it down, or use a picture that stands still",
    "WCAG 2.2 SC 2.3.1",
    Subject,
)
def flashes(subject: Subject) -> Iterator[Found]:
    """Two opposite changes of light are a flash."""
    for picture in subject.edition.pictures:
        if _fastest(_animation(picture)[0]) > 2 * _FLASHES:
            yield found(_place(subject, picture), name=_source(subject, picture))


def _fastest(frames: tuple[tuple[float, float], ...]) -> int:
    """The most changes of light within a second of an animation that goes round."""
    changes: list[float] = []
    now = most = 0
    time, before = 0.0, None
    for seconds, light in frames * 2:
        if before is not None and abs(light - before) >= _FLASH:
            changes = [past for past in changes if past > time - 1] + [time]
            most = max(most, len(changes))
        time, before, now = time + seconds, light, now + 1
    return most


@lru_cache(maxsize=64)
def _animation(picture: PictureFile) -> tuple[tuple[tuple[float, float], ...], int]:
    """Seconds and mean light of each frame, and how often all of them are shown (0: for ever)."""
    if picture.media_type != "image/gif":
        return (), 1
    with Image.open(io.BytesIO(picture.data)) as image:
        loops = int(image.info["loop"]) if "loop" in image.info else 1
        frames = []
        for frame in ImageSequence.Iterator(image):
            seconds = max(float(frame.info.get("duration", 100)), 20) / 1000
            light = frame.convert("L").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
            frames.append((seconds, float(light) if isinstance(light, int | float) else 0.0))
    return tuple(frames), loops


@rule(
    "H11-picture-vanishes",
    "warning",
    "the dark parts of {name} stand on nothing; where mail programs turn the ground dark they cannot be seen",
    "put a light ground or a light edge behind them",
    "house rule H11; Thunderbird, Outlook",
    Subject,
)
def picture_vanishes(subject: Subject) -> Iterator[Found]:
    """A dark logo that was cut out."""
    ground = inverted("#ffffff", ground=True)
    for picture in subject.edition.pictures:
        colours = _cut_out(picture)
        if colours and max(contrast(colour, ground) for colour in colours) < 3:
            yield found(_place(subject, picture), name=_source(subject, picture))


@lru_cache(maxsize=64)
def _cut_out(picture: PictureFile) -> tuple[str, ...]:
    """The colours of a picture that has holes, coarsely; none for a picture without."""
    if picture.media_type != "image/png":
        return ()
    with Image.open(io.BytesIO(picture.data)) as image:
        if "A" not in image.mode and "transparency" not in image.info:
            return ()
        small = image.convert("RGBA").resize((64, 64), Image.Resampling.NEAREST)
    data = small.tobytes()
    pixels = [tuple(data[at : at + 4]) for at in range(0, len(data), 4)]
    seen = [pixel for pixel in pixels if pixel[3] > 200]
    if not seen or sum(pixel[3] < 32 for pixel in pixels) < len(pixels) // 20:
        return ()
    coarse = {(red & 0xF0, green & 0xF0, blue & 0xF0) for red, green, blue, _ in seen}
    return tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in sorted(coarse))
