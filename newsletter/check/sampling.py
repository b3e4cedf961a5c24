"""An edition and some people become the messages that are checked: those in whom it goes wrong first, if it goes wrong.

Of a list that is its first person, the longest and the emptiest row, and the one with the most letters outside ASCII; without a
list there are invented people of these kinds.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from newsletter.audience.address import normalise
from newsletter.audience.recipient import Recipient
from newsletter.check.subject import Message, Subject
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition
from newsletter.links import Links
from newsletter.message import MessageTemplate, message_id

#: Whose mail is shown where there is no list.
SAMPLE_ADDRESS = "ada.lovelace@example.org"
_LONG = "Wilhelmine-Charlotte Freifrau von Hohenstein-Wernigerode zu Ravenholt"
_LONG_ADDRESS = "wilhelmine-charlotte.von-hohenstein-wernigerode-zu-ravenholt@kreisverwaltung.harmelland.example.org"
_ODD = 'Jörg & <Søren> "O\'Neill" Ćwikła'


def messages(subject: Subject, links: Links, people: Iterable[Recipient] | None = None) -> list[Message]:
    """The real message of each person that is worth a look; their links lead to no delivery.

    Raises :class:`~newsletter.message.HeaderError` and :class:`~newsletter.compose.edition.MissingValue`.
    """
    chosen = choose(people) if people is not None else list(invented(subject.edition))
    template = MessageTemplate(subject.edition)
    now = dt.datetime.now(dt.UTC).astimezone()
    made = []
    for number, person in enumerate(chosen):
        values = dict(person.fields) | link_values(links, person.key)
        id_ = message_id(subject.edition.hash, number, template.domain)
        made.append(Message(subject, person, template.build(to=person.address, values=values, message_id=id_, date=now)))
    return made


def link_values(links: Links, key: str) -> dict[str, str]:
    """The links of a message that belongs to no campaign."""
    return {VIEW: links.view_url(0, 0), UNSUBSCRIBE: links.unsubscribe_url(0, 0, links.mark(key))}


def invented(edition: Edition) -> Iterator[Recipient]:
    """A person as usual, one with long names, one of whom little is known, one with letters that have to be escaped."""
    fields = edition.fields
    needed = [slot.name for slot in fields if slot.default is None]
    yield _person(SAMPLE_ADDRESS, {name: f"[{name}]" for name in needed})
    if fields:
        yield _person(_LONG_ADDRESS, {slot.name: _LONG for slot in fields})
        yield _person("a@example.org", dict.fromkeys(needed, "A"))
        yield _person("joerg@süd.example.org", {slot.name: _ODD for slot in fields})


def _person(address: str, fields: Mapping[str, str]) -> Recipient:
    return Recipient(*normalise(address), fields, 0)


def choose(people: Iterable[Recipient]) -> list[Recipient]:
    """The few of a list that are worth a look, in one pass."""
    best: list[tuple[int, Recipient]] = []
    for person in people:
        text = "".join(person.fields.values())
        scores = (0, len(text), -len(person.fields), len(text.encode()) - len(text))
        if not best:
            best = [(score, person) for score in scores]
        best = [max(old, (score, person), key=lambda pair: pair[0]) for old, score in zip(best, scores, strict=True)]
    return list({person.key: person for _, person in best}.values())
