"""The words of the rules in the language of the office: ``words/<language>.po``, English built in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

_CATALOGUES = Path(__file__).parent / "words"


@dataclass(frozen=True)
class Wording:
    """What rules say, in one language."""

    translations: Mapping[str, str]

    def fill(self, sentence: str, values: Mapping[str, str]) -> str:
        """The English ``sentence`` in this language (English where there is none), its ``{…}`` filled."""
        return self.translations.get(sentence, sentence).format(**values)


@cache
def wording(language: str) -> Wording:
    """The words for a BCP 47 tag, by its first part (``de-AT`` speaks ``de``)."""
    file = _CATALOGUES / f"{language.split('-')[0]}.po"
    if not file.is_file():
        return Wording({})
    with file.open("rb") as stream:
        catalogue = read_po(stream)
    return Wording({str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string})
