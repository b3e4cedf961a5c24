"""The language of the words: the one that is declared, as far as the commonest words tell (A1, A2)."""

import re
from collections.abc import Iterator

from newsletter.check.origin import Passage
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Subject

#: Words that stand in every text of a language and in none of the others.
_COMMON = {
    "de": "der das und ist nicht ein eine einen mit für auf dem den zu sich von sie wir auch werden wird im bei nach oder ihr "
    "ihre zum zur vom über als aus sind haben",
    "en": "the and of to is for with that this are you your from by at be have we our it as or which their they were been",
    "fr": "le la les des et est une dans pour vous nous que qui sur avec du au aux ce cette sont pas votre notre",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_ENOUGH, _PASSAGE_HITS, _PASSAGE_WORDS = 10, 4, 12


def _hits(words: list[str]) -> dict[str, int]:
    return {language: sum(word in common for word in words) for language, common in _WORDS.items()}


def _other(words: list[str], declared: str, least: int) -> str | None:
    """The language that the words speak, where it is clearly not the declared one."""
    hits = _hits(words)
    own = hits.get(declared, 0)
    other = max((language for language in hits if language != declared), key=lambda language: hits[language])
    return other if hits[other] >= least and hits[other] > 3 * own else None


def _declared(subject: Subject) -> str:
    return subject.issue.language.split("-")[0].lower()


@rule(
    "A1-text-in-other-language",
    "warning",
    "the issue says that it is in “{declared}”, but its text looks like “{other}”; screen readers read it with the wrong sounds",
    "correct language: in the issue file or in publication.yaml",
    "WCAG 2.2 SC 3.1.1",
    Subject,
)
def text_in_other_language(subject: Subject) -> Iterator[Found]:
    """Mostly a translation that was begun as a copy."""
    words = _all_words(subject)
    declared = _declared(subject)
    if (other := _other(words, declared, _ENOUGH)) is not None:
        own = subject.issue.content.language is not None
        place = subject.origin.key("language") if own else subject.origin.publication("language")
        yield found(place, declared=declared, other=other)


@rule(
    "A2-passage-in-other-language",
    "info",
    "“{words} …” looks like “{other}” in an issue in “{declared}”; screen readers read it with the wrong sounds",
    "mark it: [words]{{lang={other}}}, or language: {other} in the block",
    "WCAG 2.2 SC 3.1.2",
    Subject,
)
def passage_in_other_language(subject: Subject) -> Iterator[Found]:
    """One paragraph in a language of its own; where all of them are it is A1-text-in-other-language's."""
    declared = _declared(subject)
    if _other(_all_words(subject), declared, _ENOUGH) is not None:
        return
    for passage in _own_passages(subject):
        words = _split(passage.text)
        if len(words) >= _PASSAGE_WORDS and (other := _other(words, declared, _PASSAGE_HITS)) is not None:
            start = " ".join(passage.text.split()[:6])
            yield found(subject.origin.at(passage), words=start, other=other, declared=declared)


def _own_passages(subject: Subject) -> list[Passage]:
    """The passages that are to be in the issue's language: not marked, and in no block with a language of its own."""
    blocks = subject.issue.content.blocks
    foreign = {number for number, block in enumerate(blocks) if block.language is not None}
    return [
        passage
        for passage in subject.origin.passages
        if not passage.marked and not (passage.loc[0] == "blocks" and passage.loc[1] in foreign)
    ]


def _all_words(subject: Subject) -> list[str]:
    return [word for passage in _own_passages(subject) for word in _split(passage.text)]


def _split(text: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[^\W\d_]+", text)]
