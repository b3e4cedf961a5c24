"""An issue whose blocks are for some: each variant that is needed is compiled once, and is what its own issue would be."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from newsletter.compose.attachments import message_size
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition
from newsletter.compose.layout import Rendered, render
from newsletter.issue import Issue
from newsletter.settings import Workspace

Write = Callable[..., Issue]
HOSTED = "https://news.example.org/pictures/{}".format
LINKS = {VIEW: "https://x.example/v", UNSUBSCRIBE: "https://x.example/u"}
BLOCKS = (
    "{type: contents},"
    "{type: article, title: Deutsches, body: '{{ ort }}', only: {language: de}},"
    "{type: article, title: English, body: '{{ town }}', image: {src: ../pictures/klein.png, alt: x}, only: {language: en}},"
    "{type: event, title: Pressetermin, starts: 2026-12-05 10:00, calendar: true, only: {tag: presse}},"
    "{type: article, title: Für alle, body: x, image: {src: ../pictures/foto.jpg, alt: y}}"
)
#: German, English, press.
OPEN, ENGLISH, PRESS = "100", "010", "101"


@pytest.fixture
def issue(write: Write) -> Issue:
    return write(BLOCKS)


@pytest.fixture
def edition(issue: Issue, workspace: Workspace) -> Edition:
    return compile_issue(issue, workspace, HOSTED, variants=[ENGLISH, OPEN, PRESS, ENGLISH])


def test_each_variant_is_what_its_own_issue_would_be(issue: Issue, workspace: Workspace, edition: Edition) -> None:
    assert edition.open_variant == OPEN
    assert edition.variant_names == {OPEN, ENGLISH, PRESS}
    for name in edition.variant_names:
        alone = compile_issue(issue.variant(name or ""), workspace, HOSTED)
        assert replace(edition.variant(name), pictures=alone.pictures) == alone
        assert set(alone.pictures) <= set(edition.pictures)
    assert edition.variant(None if edition.open_variant is None else OPEN).text == edition.text


def test_contents_and_words_are_of_the_variant_alone(edition: Edition) -> None:
    texts = {name: edition.variant(name).text.fill(LINKS | {"ort": "x", "town": "y"}) for name in (OPEN, ENGLISH, PRESS)}
    for name, has in {OPEN: "Deutsches", ENGLISH: "English", PRESS: "Deutsches Pressetermin"}.items():
        html = edition.variant(name).html.fill(LINKS | {"ort": "x", "town": "y"})
        for title in ("Deutsches", "English", "Pressetermin"):
            times = 2 if title in has.split() else 0  # in the contents and above the block
            assert texts[name].count(title) == times
            assert html.count(title) == times


def test_a_calendar_file_goes_with_its_event(edition: Edition) -> None:
    assert [file.filename for file in edition.variant(PRESS).attachments] == ["Pressetermin.ics"]
    assert edition.variant(OPEN).attachments == edition.variant(ENGLISH).attachments == ()
    assert [file.name for file in edition.files if file not in edition.pictures] == [
        file.name for file in edition.variant(PRESS).attachments
    ]


def test_what_must_be_filled_is_of_the_variant(edition: Edition) -> None:
    assert {slot.name for slot in edition.fields} == {"first_name", "ort", "town"}
    assert {slot.name for slot in edition.variant(ENGLISH).fields} == {"first_name", "town"}


def test_it_comes_back_as_it_was_stored(edition: Edition) -> None:
    files = {file.name: file.data for file in edition.files}
    again = Edition.from_json(edition.to_json(), files)
    assert again == edition
    assert again.hash == edition.hash
    assert again.choice({"language": "en"}) == ENGLISH


def test_order_and_repetition_of_the_names_change_nothing(issue: Issue, workspace: Workspace, edition: Edition) -> None:
    assert compile_issue(issue, workspace, HOSTED, variants=[PRESS, ENGLISH]).hash == edition.hash
    assert compile_issue(issue, workspace, HOSTED, variants=[PRESS]).hash != edition.hash


def test_only_what_is_needed_is_compiled(write: Write, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Issue] = []

    def counted(issue: Issue, *given: Any) -> Rendered:
        made.append(issue)
        return render(issue, *given)

    monkeypatch.setattr("newsletter.compose.compile.render", counted)
    blocks = ",".join(f"{{type: text, body: x{n}, only: {{tag: t{n}}}}}" for n in range(12))
    issue = write("{type: text, body: x}," + blocks)
    compile_issue(issue, workspace, HOSTED, variants=["1" * 12, "0" * 12, "1" * 12])
    assert len(made) == 2


def test_an_issue_for_everyone_has_no_variants(compose: Callable[..., Edition]) -> None:
    edition = compose("{type: text, body: x}")
    assert edition.open_variant is None
    assert edition.variant_names == frozenset([None])
    assert edition.variant(None) is edition
    assert '"conditions":' not in edition.to_json()
    assert '"variants":' not in edition.to_json()
    with pytest.raises(KeyError):
        edition.variant("1")


def test_a_variant_that_was_not_compiled_is_no_other_one(edition: Edition) -> None:
    with pytest.raises(KeyError, match="no variant 111"):
        edition.variant("111")
    with pytest.raises(KeyError):
        edition.variant(None)


def test_the_largest_message_counts(edition: Edition) -> None:
    sizes = {name: message_size(edition.variant(name)) for name in (OPEN, ENGLISH, PRESS)}
    assert message_size(edition) == max(sizes.values()) > min(sizes.values())
