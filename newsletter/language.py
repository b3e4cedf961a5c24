"""The program's own words and dates in the publication's language: one ``locale/<language>.po`` file each, English built in."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.messages.pofile import PoFileError, read_po
from babel.units import format_unit

from newsletter.problem import complaint

_CATALOGUES = Path(__file__).parent / "locale"
_VALUE = re.compile(r"\{\w+\}")
_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True)
class Language:
    """A language as readers meet it. ``tag`` is BCP 47 (``de``, ``en-GB``), ``direction`` is ``ltr`` or ``rtl``."""

    tag: str
    direction: str
    locale: Locale
    words: dict[str, str]

    def speaks(self, message: str) -> bool:
        """Whether :meth:`word` gives a word of this language: there is one, or the language is English."""
        return message in self.words or self.locale.language == "en"

    def say(self, message: str, **values: str) -> str:
        """The program's English ``message`` in this language (English where there is none), ``{name}`` filled from ``values``."""
        return self.word(message).format(**values)

    def word(self, message: str) -> str:
        """The translation of ``message`` with its ``{name}`` places still in it."""
        return self.words.get(message, message)

    def month(self, date: dt.date) -> str:
        """``Dezember 2024``."""
        return str(format_skeleton("yMMMM", dt.datetime(date.year, date.month, date.day), locale=self.locale))  # noqa: DTZ001

    def day(self, date: dt.date) -> str:
        """``3. Dezember 2026`` (A16)."""
        return str(format_date(date, "long", locale=self.locale))

    def moment(self, when: dt.datetime | dt.date) -> str:
        """``Samstag, 5. Dezember 2026, 10:00 Uhr``; without the time where only the day is known."""
        day = str(format_date(when, "full", locale=self.locale))
        if not isinstance(when, dt.datetime):
            return day
        return self.say("{day}, {time}", day=day, time=self.time(when))

    def time(self, when: dt.datetime) -> str:
        """``10:00 Uhr``."""
        return self.say("{time} (clock)", time=str(format_time(when, "short", locale=self.locale))).removesuffix(" (clock)")

    def period(self, starts: dt.datetime | dt.date, ends: dt.datetime | dt.date | None) -> str:
        """When something takes place: a moment, a span within a day, or from one day to another."""
        if ends is None or ends == starts:
            return self.moment(starts)
        if isinstance(starts, dt.datetime) and isinstance(ends, dt.datetime) and starts.timetuple()[:3] == ends.timetuple()[:3]:
            span = str(format_time(starts, "short", locale=self.locale))
            return self.say("{day}, {start} to {end}", day=self.moment(_day(starts)), start=span, end=self.time(ends))
        return self.say("{start} to {end}", start=self.moment(starts), end=self.moment(ends))

    def length(self, duration: dt.timedelta) -> str:
        """How long something takes, in words, since 3:20 is read out as a time of the day: ``3 Minuten 20 Sekunden``."""
        minutes, seconds = divmod(round(duration.total_seconds()), 60)
        hours, minutes = divmod(minutes, 60)
        parts = (("hour", hours), ("minute", minutes), ("second", seconds))
        return " ".join(str(format_unit(number, f"duration-{unit}", locale=self.locale)) for unit, number in parts if number)


def _day(when: dt.date) -> dt.date:
    return dt.date(when.year, when.month, when.day)


def language(tag: str, catalogues: Path | None = None) -> Language:
    """The language of a BCP 47 tag. A tag without a catalogue speaks English words, with the dates of its own language.

    ``catalogues`` is a folder of a workspace's own ``<language>.po`` files; what stands there wins over the program's word.
    Raises :class:`~newsletter.problem.InputError` for a file that is no catalogue.
    """
    folders = [_CATALOGUES, *([catalogues] if catalogues else [])]
    names = dict.fromkeys((tag.split("-")[0], tag))
    files = [file for folder in folders for name in names if (file := folder / f"{name}.po").is_file()]
    return _language(tag, tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=64)
def _language(tag: str, files: tuple[tuple[Path, int], ...]) -> Language:
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    words: dict[str, str] = {}
    for file, _changed in files:
        words |= _words(file)
    return Language(tag, str(locale.text_direction), locale, words)


def _words(file: Path) -> dict[str, str]:
    """The translated words of a catalogue; empty and fuzzy ones are left out (they are guesses of gettext's tools)."""
    try:
        with file.open("rb") as stream:
            catalogue = read_po(stream, abort_invalid=True)
    except (PoFileError, UnicodeError, ValueError) as error:
        raise complaint(f"is no catalogue of words: {error}; docs/languages.md says how to make one", str(file)) from None
    words = {str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string and not entry.fuzzy}
    for message, said in words.items():
        if set(_VALUE.findall(said)) - set(_VALUE.findall(message)) or _BRACE.search(_VALUE.sub("", said)):
            raise complaint(f"“{said}” must have the same {{…}} as “{message}”, and no other braces", str(file))
    return words
