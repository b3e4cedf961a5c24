"""An edition and some people become the messages that are checked: those in whom it goes wrong first, if it goes wrong.

Of a list that is its first person, the longest and the emptiest row, and the one with the most letters outside ASCII; without a
list there are invented people of these kinds.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from newsletter.audience.address import normalise
from newsletter.audience.recipient import Recipient
from newsletter.check.subject import Message, Subject
from newsletter.compose.edition import Edition
from newsletter.issue import Issue
from newsletter.issue.variant import Choice, says_something
from newsletter.links import Links
from newsletter.message import MessageTemplate, OwnLinks, message_id

#: Whose mail is shown where there is no list.
SAMPLE_ADDRESS = "ada.lovelace@example.org"
_LONG = "Wilhelmine-Charlotte Freifrau von Hohenstein-Wernigerode zu Ravenholt"
_LONG_ADDRESS = "wilhelmine-charlotte.von-hohenstein-wernigerode-zu-ravenholt@kreisverwaltung.harmelland.example.org"
_ODD = 'Jörg & <Søren> "O\'Neill" Ćwikła'


class Writer:
    """Makes the messages of an edition of the issue ``slug``; their links lead to no delivery.

    Raises :class:`~newsletter.message.HeaderError` where the edition's own values may not go into a header (S1).
    """

    def __init__(self, edition: Edition, links: Links, slug: str) -> None:
        self._template = MessageTemplate(edition)
        self._choice = edition.choice
        self._link_values = partial(link_values, edition, links, slug)
        self._number = message_id(edition.hash, 0, self._template.domain)

    def write(self, person: Recipient) -> bytes:
        """The message of a recipient.

        Raises :class:`~newsletter.message.HeaderError` and :class:`~newsletter.compose.edition.MissingValue`.
        """
        values = dict(person.fields) | self._link_values(person.key)
        now = dt.datetime.now(dt.UTC).astimezone()
        return self.template(person).build(to=person.address, values=values, message_id=self._number, date=now)

    def template(self, person: Recipient) -> MessageTemplate:
        """The template of the variant that a recipient gets."""
        return self._template.of(self._choice(person.fields))


def messages(subject: Subject, writer: Writer) -> list[Message]:
    """The real message of each person that is worth a look: of those that the list's reading chose, else of invented ones."""
    people = subject.people.chosen if subject.people is not None else ()
    known, choice = subject.edition.variant_names, subject.edition.choice
    sure = (person for person in invented(subject.edition) if choice(person.fields) in known)
    return [Message(subject, person, writer.write(person), writer.template(person)) for person in people or sure]


def link_values(edition: Edition, links: Links, slug: str, key: str) -> dict[str, str]:
    """The links of a message that belongs to no campaign, to a recipient by ``key``, the normalised address."""
    return OwnLinks(links, edition.headers, slug).values(0, 0, links.mark(key))


def invented(edition: Edition) -> Iterator[Recipient]:
    """A person as usual, one with long names, one of whom little is known, one with letters that have to be escaped.

    Where an issue has blocks for some alone, there is one person more for each condition, who fulfils that one.
    """
    fields = edition.fields
    needed = [slot.name for slot in fields if slot.default is None]
    usual = {name: f"[{name}]" for name in needed}
    yield _person(SAMPLE_ADDRESS, usual)
    for number, condition in enumerate(edition.conditions):
        yield _person(f"sample-{number}@example.org", usual | condition.example())
    if fields:
        yield _person(_LONG_ADDRESS, {slot.name: _LONG for slot in fields})
        yield _person("a@example.org", dict.fromkeys(needed, "A"))
        yield _person("joerg@süd.example.org", {slot.name: _ODD for slot in fields})


def invented_variants(issue: Issue) -> list[str | None]:
    """The variants that the invented people get."""
    choice = Choice(issue.conditions, issue.language)
    names = dict.fromkeys([choice({}), *(choice(condition.example()) for condition in issue.conditions)])
    return [name for name in names if name is None or says_something(issue.content.blocks, name)]


def _person(address: str, fields: Mapping[str, str]) -> Recipient:
    return Recipient(*normalise(address), fields, 0)


def choose(people: Iterable[Recipient], variant: Callable[[Mapping[str, str]], str | None]) -> list[Recipient]:
    """The few of a list that are worth a look, in one pass: of each variant these."""
    best: dict[str | None, list[tuple[int, Recipient]]] = {}
    for person in people:
        text = "".join(person.fields.values())
        scores = [(score, person) for score in (0, len(text), -len(person.fields), len(text.encode()) - len(text))]
        name = variant(person.fields)
        if name in best:
            best[name] = [max(old, new, key=lambda pair: pair[0]) for old, new in zip(best[name], scores, strict=True)]
        else:
            best[name] = scores
    return list({person.key: person for chosen in best.values() for _, person in chosen}.values())
