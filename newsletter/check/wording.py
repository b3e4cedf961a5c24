"""The words of the rules in the language of the office: ``words/<language>.po``, English built in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.lists import format_list
from babel.messages.pofile import read_po

_CATALOGUES = Path(__file__).parent / "words"


class Phrases(str):
    """Words inside a sentence that have translations of their own, as a list where they are several: "A, B and C".

    Each is English with a ``{name}`` in it that no language changes, and that name. As a string it is the English list.
    """

    parts: tuple[tuple[str, str], ...]

    def __new__(cls, *parts: tuple[str, str]) -> "Phrases":
        """Take each phrase with its name."""
        self = super().__new__(cls, _joined([words.format(name=name) for words, name in parts], "en"))
        self.parts = parts
        return self


@dataclass(frozen=True)
class Wording:
    """What rules say, in one language."""

    translations: Mapping[str, str]
    language: str = "en"

    def fill(self, sentence: str, values: Mapping[str, str]) -> str:
        """The English ``sentence`` in this language (English where there is none), its ``{…}`` filled."""
        return self._word(sentence).format(**{name: self._value(value) for name, value in values.items()})

    def _word(self, english: str) -> str:
        return self.translations.get(english, english)

    def _value(self, value: str) -> str:
        if not isinstance(value, Phrases):
            return value
        return _joined([self._word(words).format(name=name) for words, name in value.parts], self.language)


def _joined(words: list[str], language: str) -> str:
    """With the commas of British English or of the language: "A, B and C"."""
    return format_list(words, locale="en_GB" if language == "en" else language)


@cache
def wording(language: str, catalogues: Path = _CATALOGUES) -> Wording:
    """The words for a BCP 47 tag, by its first part (``de-AT`` speaks ``de``); ``catalogues`` is the folder that holds them."""
    first = language.split("-", maxsplit=1)[0]
    file = catalogues / f"{first}.po"
    if not file.is_file():
        return Wording({})
    with file.open("rb") as stream:
        catalogue = read_po(stream)
    return Wording({str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string}, first)
