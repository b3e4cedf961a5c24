"""Editions whose words are in another language, hard to read, left over from a draft, or missing in the text part."""

import dataclasses
from collections.abc import Callable

import pytest

from newsletter.compose.edition import Part
from tests.check.broken import ISSUE, Bench
from tests.check.table import ARTICLE, INNER, Broken, add, assert_found, body, both, put, replace, words

ENGLISH = "The plan for the coming year is open to all of you, and it names the paths that are to be built from the harbour."
LONG = (
    "Der Plan für das neue Jahr, den die Gäste des Kongresses in zwölf Gesprächen entworfen und am Abend, als der Saal sich "
    "schon leerte, noch einmal von vorne bis hinten durchgesehen und gebilligt haben, nennt die Wege, die gebaut werden sollen, "
    "und die Netze, die das Land mit seinen Nachbarn teilen will, sobald das Geld dafür bewilligt ist und "
    "die Gemeinden zugestimmt haben."
)


def translated(bench: Bench) -> None:
    """An issue whose text was translated and whose language was not."""
    bench.write(issue=ISSUE.replace(ARTICLE, ENGLISH))
    bench.replace(
        "der Kongress ist vorbei. Was bleibt, lesen Sie hier, und im\n",
        "the congress is over. You will find in this issue what is left of it, and in the\n",
    )
    bench.replace(
        "[Bericht über den Kongress](https://www.example.org/kongress) steht der Rest.",
        "[report](https://www.example.org/kongress) the rest of it, for all who are with us.",
    )
    bench.replace(
        "Was der Kongress gebracht hat, und wo Sie uns im Dezember treffen können.",
        "What the congress has left us, and where to meet us in the last days of the year.",
    )


def without_text(bench: Bench) -> None:
    bench.edition(lambda edition: dataclasses.replace(edition, text=Part(("\n",))))


TABLE = [
    Broken(
        "A1-text-in-other-language",
        both(translated, replace("date: 2026-12-01\n", "date: 2026-12-01\nlanguage: de\n")),
        5,
    ),
    Broken("A2-passage-in-other-language", body(f"{ARTICLE}\n\n{ENGLISH}"), 18),
    Broken("H13-placeholder-in-text", body("Der Plan steht auf [URL], so ist es."), 16),
    Broken("H13-placeholder-in-text", replace("signature: Ihr Team", "signature: XXX"), 11),
    Broken("H13-placeholder-in-text", body(f"{ARTICLE}\n\nLorem ipsum dolor sit amet."), 18),
    Broken("A16-long-sentences", body(LONG), 16),
    Broken("A16-date-in-digits", body("Der Plan gilt ab dem 3.12.2026."), 16),
    Broken("A16-date-in-digits", replace("subject: Rückblick auf den Kongress", "subject: Rückblick auf den 12.11.26"), 2),
    Broken("A16-mixed-gender-forms", body("Die Bürger*innen fragten, die Planer:innen antworteten."), 16),
    Broken("A16-shouting", body(f"DER PLAN STEHT FEST\n\n{ARTICLE}"), 16),
    Broken("B17-no-text-part", without_text, also=("L13-imprint-incomplete", "L7-no-way-out", "S2-not-as-made")),
    Broken("A17-words-missing", words("<h2>Ihre Haltestelle fehlt?</h2>", "Ein Kasten."), INNER),
    Broken("A17-words-missing", words("<p>Schicken Sie uns bitte ein Foto und den Ort.</p>", "Ein Kasten."), INNER),
    Broken(
        "A17-link-missing",
        words('<p><a href="https://www.example.org/kasten" style="color:#085a6a;text-decoration:underline">Ein Kasten</a></p>'),
        INNER,
    ),
]
FINE: dict[str, Callable[[Bench], object]] = {
    "a name in another language": body("Der Vortrag „The Future of the Ferry“ ist als Film zu sehen."),
    "a passage that is marked": body(f"{ARTICLE}\n\n[{ENGLISH}]{{lang=en}}"),
    "a block in another language": add(f"  - {{type: text, language: en, body: '{ENGLISH}'}}\n"),
    "brackets with an abbreviation": body("Der Plan [EU] und die Liste [PDF] liegen aus."),
    "one long sentence among short ones": body(
        f"{LONG} So ist es. Und so bleibt es. Das ist gut. Alle sind froh. Auf bald. Bis dann. Ja."
    ),
    "abbreviations with dots": body("Das gilt z. B. für Dr. Ada Beispiel, Nr. 4, am 3. Dezember."),
    "a version and a share": body("Fassung 3.12.1 und 4.180 Gäste, 1/3 der Stadt, Telefon 030/23125-417."),
    "one gender form": body("Bürger:innen und Planer:innen: insgesamt 30."),
    "an abbreviation in capitals": replace("signature: Ihr Team", "signature: BMWK und EFRE"),
    "words worded otherwise": words(
        "<p>Schicken Sie uns bitte ein Foto und den Ort.</p>", "Bitte schicken Sie uns Foto und Ort."
    ),
    "an address without its scheme": words(
        '<p><a href="https://www.example.org/a" style="color:#085a6a;text-decoration:underline">www.example.org/a</a></p>',
        "www.example.org/a",
    ),
    "an empty paragraph": put("<p></p>"),
    "an event": add("  - {type: event, title: Ein Treffen, starts: 2026-12-05 10:00}\n"),
}


@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_what_is_broken_is_found(bench: Bench, broken: Broken) -> None:
    assert_found(bench, broken)


@pytest.mark.parametrize("name", FINE)
def test_what_is_in_order_is_not(bench: Bench, name: str) -> None:
    FINE[name](bench)
    assert bench.rules() == set()


def test_a_language_that_the_publication_gives_is_named_there(bench: Bench) -> None:
    translated(bench)
    (finding,) = bench.check().findings
    assert (finding.rule.id, finding.severity) == ("A1-text-in-other-language", "warning")
    assert str(finding.at).endswith("publication.yaml:2:11")
