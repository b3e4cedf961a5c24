"""Whose mail is looked at: people made up for it, and those of the recipient list, found by what somebody types."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from newsletter.audience.csv_list import RecipientList, open_list
from newsletter.audience.recipient import Recipient
from newsletter.check.sampling import invented
from newsletter.compose.edition import Edition
from newsletter.problem import InputError

#: How many people of the list are shown at once.
MOST = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """A person made up: by which name the address of the page asks for it, and what is special, as words to be translated.

    ``detail`` fills the ``{detail}`` of the words.
    """

    name: str
    words: str
    person: Recipient
    detail: str = ""


def samples(edition: Edition) -> list[Sample]:
    """One person as usual, one for each condition of the blocks, and with merge fields also long, short and odd names."""
    usual, *others = invented(edition)
    made = [Sample("usual", "Someone as usual", usual)]
    for number, condition in enumerate(edition.conditions):
        detail = ", ".join((*condition.languages, *condition.tags))
        made.append(Sample(f"only-{number}", "Someone with {detail}", others[number], detail))
    kinds = (("long", "Long names"), ("little", "Nearly nothing known"), ("odd", "Umlauts and special characters"))
    made += [Sample(name, words, person) for (name, words), person in zip(kinds, others[len(edition.conditions) :], strict=False)]
    return [sample for sample in made if edition.choice(sample.person.fields) in edition.variant_names or sample.name == "usual"]


@dataclass(frozen=True, slots=True)
class Matches:
    """The first people of the list who match; ``more`` says that there are others. ``problem`` is why the list cannot be read."""

    people: tuple[Recipient, ...] = ()
    more: bool = False
    problem: str = ""


class People:
    """The recipient list of a preview, read anew when its file changes. Of a big file only as much is read as is needed."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self._lock = Lock()
        self._newest = 0
        self._kept: dict[tuple[str, str, int], Matches] = {}

    @property
    def there(self) -> bool:
        """Whether there is a list."""
        return self.file is not None and self.file.is_file()

    @property
    def version(self) -> int:
        """Another number when the file was changed."""
        try:
            return self.file.stat().st_mtime_ns if self.file is not None else 0
        except OSError:
            return 0

    def find(self, words: str) -> Matches:
        """The first :data:`MOST` people in whose address or fields every word occurs. A newer search ends an older one."""
        if not self.there:
            return Matches()
        with self._lock:
            self._newest += 1
            mine = self._newest
        return self._remembered("find", " ".join(words.lower().split()), mine)

    def person(self, key: str) -> Recipient | None:
        """The person of the list with this address, or None."""
        found = self._remembered("key", key.strip().lower(), None).people if self.there else ()
        return found[0] if found else None

    def _remembered(self, how: str, what: str, mine: int | None) -> Matches:
        file = self.file
        if file is None:
            return Matches()
        try:
            wanted = (how, what, file.stat().st_mtime_ns)
            if wanted not in self._kept:
                found = self._read(open_list(file), how, what, mine)
                if found is None:  # somebody typed on
                    return Matches()
                if len(self._kept) > 64:
                    self._kept.clear()
                self._kept[wanted] = found
            return self._kept[wanted]
        except InputError as error:
            return Matches(problem="; ".join(map(str, error.problems[:3])))
        except OSError as error:
            return Matches(problem=f"{file}: {error.strerror}")

    def _read(self, rows: RecipientList, how: str, what: str, mine: int | None) -> Matches | None:
        most = MOST if how == "find" else 1
        found: list[Recipient] = []
        keys: set[str] = set()  # a recipient who stands in the list twice counts once
        for number, person in enumerate(_recipients(rows)):
            if mine is not None and number % 1000 == 0 and mine != self._newest:
                return None
            if person.key not in keys and _matches(person, how, what):
                if len(found) == most:
                    return Matches(tuple(found), more=True)
                found.append(person)
                keys.add(person.key)
                if how == "key":
                    break
        return Matches(tuple(found))


def _recipients(rows: RecipientList) -> Iterator[Recipient]:
    return (row for row in rows if isinstance(row, Recipient))


def _matches(person: Recipient, how: str, what: str) -> bool:
    if how == "key":
        return person.key == what
    said = " ".join((person.key, *person.fields.values())).lower()
    return all(word in said for word in what.split())
