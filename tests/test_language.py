"""The program's words and dates in the publication's language."""

import datetime as dt
import os
import re
import tomllib
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import newsletter
from newsletter.language import language
from newsletter.problem import InputError

ROOT = Path(newsletter.__file__).parent
CATALOGUES = sorted((ROOT / "locale").glob("*.po"))
STARTS = dt.datetime(2026, 12, 5, 10, 0)  # noqa: DTZ001 - a wall clock, as staff write it


def test_german_is_spoken_and_english_is_built_in() -> None:
    assert language("de").say("Imprint") == "Impressum"
    assert language("de-AT").say("Imprint") == "Impressum"
    assert language("en").say("Imprint") == "Imprint"
    assert language("fr").say("Imprint") == "Imprint"
    assert language("de").say("not in the catalogue: {x}", x="1") == "not in the catalogue: 1"


def test_values_are_put_in_as_they_are() -> None:
    assert language("de").say("Unsubscribe from {name}", name="{title} & 100 %") == "{title} & 100 % abbestellen"


@pytest.mark.parametrize(
    ("tag", "day", "month", "moment"),
    [
        ("de", "5. Dezember 2026", "Dezember 2026", "Samstag, 5. Dezember 2026, 10:00 Uhr"),
        ("de-AT", "5. Dezember 2026", "Dezember 2026", "Samstag, 5. Dezember 2026, 10:00 Uhr"),
        ("de-1996", "5. Dezember 2026", "Dezember 2026", "Samstag, 5. Dezember 2026, 10:00 Uhr"),
        ("de-simple", "5. Dezember 2026", "Dezember 2026", "Samstag, 5. Dezember 2026, 10:00 Uhr"),
        ("en-GB", "5 December 2026", "December 2026", "Saturday, 5 December 2026, 10:00"),
    ],
)
def test_dates(tag: str, day: str, month: str, moment: str) -> None:
    spoken = language(tag)
    assert spoken.tag == tag
    assert spoken.day(STARTS.date()) == day
    assert spoken.month(STARTS.date()) == month
    assert spoken.moment(STARTS).replace(" 2026 at ", " 2026, ") == moment


def test_a_language_without_a_catalogue_has_its_own_dates() -> None:
    assert language("fr").day(STARTS.date()) == "5 décembre 2026"
    assert language("fr").moment(STARTS) == "samedi 5 décembre 2026, 10:00"


def test_a_day_alone_has_no_time() -> None:
    assert language("de").moment(dt.date(2026, 12, 5)) == "Samstag, 5. Dezember 2026"


def test_a_time_with_a_zone_stays_what_was_written() -> None:
    assert language("de").time(STARTS.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))) == "10:00 Uhr"


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (STARTS, None, "Samstag, 5. Dezember 2026, 10:00 Uhr"),
        (STARTS, STARTS.replace(hour=12, minute=30), "Samstag, 5. Dezember 2026, 10:00 bis 12:30 Uhr"),
        (
            STARTS,
            STARTS.replace(day=6, hour=8),
            "Samstag, 5. Dezember 2026, 10:00 Uhr bis Sonntag, 6. Dezember 2026, 08:00 Uhr",
        ),
        (dt.date(2026, 12, 5), dt.date(2026, 12, 6), "Samstag, 5. Dezember 2026 bis Sonntag, 6. Dezember 2026"),
        (dt.date(2026, 12, 5), dt.date(2026, 12, 5), "Samstag, 5. Dezember 2026"),
        (STARTS, STARTS, "Samstag, 5. Dezember 2026, 10:00 Uhr"),
    ],
)
def test_periods(starts: dt.datetime | dt.date, ends: dt.datetime | dt.date | None, expected: str) -> None:
    assert language("de").period(starts, ends) == expected


@pytest.mark.parametrize(
    ("tag", "seconds", "expected"),
    [
        ("de", 200, "3 Minuten 20 Sekunden"),
        ("de", 61, "1 Minute 1 Sekunde"),
        ("de", 7200, "2 Stunden"),
        ("en", 3800, "1 hour 3 minutes 20 seconds"),
        ("en-GB", 180, "3 minutes"),
        ("fr", 45, "45\u00a0secondes"),
    ],
)
def test_lengths(tag: str, seconds: int, expected: str) -> None:
    assert language(tag).length(dt.timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("tag", "direction"), [("de", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("ar-simple", "rtl"), ("qqq", "ltr")]
)
def test_direction(tag: str, direction: str) -> None:
    assert language(tag).direction == direction


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_translations_name_the_same_values_and_none_is_empty(file: Path) -> None:
    with file.open("rb") as stream:
        messages = [message for message in read_po(stream, locale=file.stem, abort_invalid=True) if message.id]
    assert messages
    for message in messages:
        assert message.string, message.id
        assert not message.fuzzy, message.id
        assert placeholders(str(message.string)) == placeholders(str(message.id)), message.id


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_no_message_stands_twice_in_a_catalogue(file: Path) -> None:
    ids = re.findall(r'^msgid "(.+)"$', file.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(ids) == sorted(set(ids))


def spoken_messages() -> set[str]:
    """Every word that ``make words`` finds in the program and its layouts."""
    with (ROOT.parent / "pyproject.toml").open("rb") as stream:
        methods = [(entry["pattern"], entry["method"]) for entry in tomllib.load(stream)["tool"]["babel"]["mappings"]]
    return {
        str(message)
        for folder in (ROOT, ROOT.parent / "layouts")
        for _, _, message, _, _ in extract_from_dir(folder, methods, keywords={"say": None})
    }


def ids(file: Path) -> set[str]:
    with file.open("rb") as stream:
        return {str(message.id) for message in read_po(stream) if message.id}


def test_the_list_of_words_is_what_is_said() -> None:
    spoken = spoken_messages()
    assert "Unsubscribe" in spoken
    assert "View “{title}” in the browser" in spoken
    assert ids(ROOT / "locale" / "newsletter.pot") == spoken, "run: make words"


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_a_catalogue_has_a_word_for_everything_that_is_said(file: Path) -> None:
    assert ids(file) == spoken_messages()


def test_a_third_language_is_one_file_of_the_workspace(french_words: Path) -> None:
    french = language("fr-CA", french_words)
    assert french.say("Imprint") == "FR Imprint"
    assert not language("fr-CA").speaks("Imprint")
    assert french.speaks("Imprint")
    assert french.period(STARTS, STARTS.replace(hour=12)).startswith("FR samedi 5 décembre 2026, 10")


def test_a_word_of_the_workspace_wins_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text('msgid "Imprint"\nmsgstr "Herausgeber"\n', encoding="utf-8")
    german = language("de-AT", tmp_path)
    assert (german.say("Imprint"), german.say("Privacy")) == ("Herausgeber", "Datenschutz")
    (tmp_path / "de.po").write_text('msgid "Imprint"\nmsgstr "Über uns"\n\nmsgid "Privacy"\nmsgstr ""\n', encoding="utf-8")
    os.utime(tmp_path / "de.po", (1, 1))
    german = language("de-AT", tmp_path)
    assert (german.say("Imprint"), german.say("Privacy")) == ("Über uns", "Datenschutz")


@pytest.mark.parametrize(
    "content",
    ["<html>", 'msgid "Phone: {phone}"\nmsgstr "Telefon: {fon}"', 'msgid "Imprint"\nmsgstr "{"'],
    ids=["no catalogue", "another value", "a brace"],
)
def test_a_catalogue_that_cannot_be_used_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "fr.po").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"fr\.po"):
        language("fr", tmp_path)
