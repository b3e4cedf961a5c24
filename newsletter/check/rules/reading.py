"""How easily the words are read, and what was left in them from the draft (A16, H13)."""

import re
from collections import defaultdict
from collections.abc import Iterator

from newsletter.check.origin import Passage
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Subject

#: Only what nobody writes on purpose; a bracket with an abbreviation in it is left alone.
_LEFT_OVER = re.compile(
    r"\[(?:URL|LINK|TEXT|TITEL|TITLE|NAME|VORNAME|NACHNAME|DATUM|DATE|ORT|BILD|FOTO|TODO|TBD|TBA|PLATZHALTER|PLACEHOLDER|XXX?)\]"
    r"|\b(?:TODO|FIXME|TBD|XXX+|lorem ipsum)\b|\?\?\?+|%%\w+%%|\*\|\w+\|\*|\$\{\w+\}|<<\w+>>",
)
_LOREM = re.compile(r"lorem ipsum", re.IGNORECASE)
_MEAN, _WORDS = 25, 50
_SENTENCE = re.compile(r"(?<!\b[A-Za-zÄÖÜäöü])(?<!\b\w\w)(?<!\d)[.!?…:][“”\"»)]*\s+(?=[„“\"«(]?[A-ZÄÖÜ0-9])|[.!?…][“”\"»)]*\s*$")
_DATE = re.compile(r"\b\d{1,2}\.\s?\d{1,2}\.\s?(?:20)?\d{2}\b(?!\.\d)|\b\d{1,2}/\d{1,2}/(?:20)?\d{2}\b|\b20\d{2}-\d{2}-\d{2}\b")
_GENDER = {
    "*": re.compile(r"\w\*inn?(?:en)?\b"),
    ":": re.compile(r"[a-zäöüß]:inn?(?:en)?\b"),
    "_": re.compile(r"\w_inn?(?:en)?\b"),
    "/": re.compile(r"[a-zäöüß]/-?inn?en\b"),
    "I": re.compile(r"[a-zäöüß]Inn?(?:en)?\b"),
}


@rule(
    "H13-placeholder-in-text",
    "error",
    "the text still holds the placeholder “{placeholder}”",
    "write what belongs there",
    "house rule H13",
    Subject,
)
def placeholder_in_text(subject: Subject) -> Iterator[Found]:
    """What a draft leaves behind, and what other programs' templates look like."""
    for passage in subject.origin.passages:
        for match in (_LEFT_OVER.search(passage.text), _LOREM.search(passage.text)):
            if match:
                yield found(subject.origin.at(passage), placeholder=match[0])
                break


@rule(
    "A16-long-sentences",
    "info",
    "the sentences here have {mean} words on average (“{words} …”); up to 25 are easy to read",
    "make two sentences of one now and then",
    "BITV 2.0 § 4; house rule A16",
    Subject,
)
def long_sentences(subject: Subject) -> Iterator[Found]:
    """Of a text as a whole: one long sentence among short ones is a pleasure."""
    texts: dict[object, list[Passage]] = defaultdict(list)
    for passage in subject.origin.passages:
        texts[passage.loc].append(passage)
    for passages in texts.values():
        words = sum(len(passage.text.split()) for passage in passages)
        sentences = sum(len(_SENTENCE.findall(passage.text.strip())) or 1 for passage in passages)
        if words >= _WORDS and words / sentences > _MEAN:
            start = " ".join(passages[0].text.split()[:6])
            yield found(subject.origin.at(passages[0]), mean=round(words / sentences), words=start)


@rule(
    "A16-date-in-digits",
    "info",
    "the date “{date}” is written in digits; read aloud it is hard to understand",
    "write out the month, as in 3. Dezember 2026",
    "house rule A16; WCAG 2.2 SC 3.1.5",
    Subject,
)
def date_in_digits(subject: Subject) -> Iterator[Found]:
    """It is not the same day everywhere, either."""
    for passage in subject.origin.passages:
        for match in _DATE.finditer(passage.text):
            yield found(subject.origin.at(passage), date=match[0])


@rule(
    "A16-mixed-gender-forms",
    "info",
    "women and men are named in {count} ways: {forms}",
    "use one form in the whole issue",
    "house rule A16",
    Subject,
)
def mixed_gender_forms(subject: Subject) -> Iterator[Found]:
    """Which one is the office's own decision."""
    seen: dict[str, tuple[Passage, str]] = {}
    for passage in subject.origin.passages:
        for name, form in _GENDER.items():
            if name not in seen and (match := form.search(passage.text)):
                seen[name] = (passage, passage.text[: match.end()].split()[-1])
    if len(seen) > 1:
        last, _ = list(seen.values())[-1]
        yield found(subject.origin.at(last), count=len(seen), forms=", ".join(word for _, word in seen.values()))


@rule(
    "A16-shouting",
    "info",
    "“{words}” is written in capital letters; some screen readers spell that, and it is harder to read",
    "write it as usual; the layout can make letters large",
    "house rule A16",
    Subject,
)
def shouting(subject: Subject) -> Iterator[Found]:
    """Two words or more; one alone may be an abbreviation. The subject is B24-subject-shouts's."""
    for passage in subject.origin.passages:
        words = re.findall(r"[^\W\d_]{4,}", passage.text)
        if len(words) > 1 and passage.text.isupper() and passage.loc[0] != "subject":
            yield found(subject.origin.at(passage), words=" ".join(passage.text.split())[:40])
