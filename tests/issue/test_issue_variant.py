"""For whom a block is, who gets which variant, and what a variant is made of."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue import Issue
from newsletter.issue.blocks import Divider, OwnBlock, Text
from newsletter.issue.only import Condition, Only, primary, tags_in
from newsletter.issue.variant import Choice, conditions_of, in_words, says_something, shown_in

Load = Callable[[str], Issue]
HEAD = "title: T\nsubject: S\ndate: 2026-12-01\nblocks:\n"


def text(title: str, **only: Any) -> Text:
    """A text block; ``only`` as in YAML."""
    return Text.model_validate({"type": "text", "title": title, **({"only": only} if only else {})})


DIVIDER = Divider(type="divider")


def titles(blocks: Sequence[OwnBlock], name: str) -> str:
    """What a variant has: the titles of its texts, a stroke for a divider."""
    shown = (blocks[position] for position in shown_in(blocks, name))
    return "".join(block.title.raw if isinstance(block, Text) and block.title else "-" for block in shown)


@pytest.mark.parametrize(("tag", "subtag"), [("de", "de"), ("DE", "de"), (" de-AT ", "de"), ("pt_BR", "pt"), ("", "")])
def test_languages_are_compared_by_their_primary_subtag(tag: str, subtag: str) -> None:
    assert primary(tag) == subtag


def test_tags_are_trimmed_and_their_case_does_not_count() -> None:
    assert tags_in(" Presse ;kommunen,,STRASSE ; Große  Kreise;") == {"presse", "kommunen", "strasse", "grosse kreise"}
    assert tags_in("") == tags_in(" ; ") == frozenset()


def test_one_value_is_a_list_of_one_and_order_and_spelling_do_not_count() -> None:
    one = Only.model_validate({"language": "de"})
    assert one.condition == Only.model_validate({"language": ["de-AT", "DE"]}).condition == Condition(("de",), ())
    assert Only.model_validate({"tag": ["B", "a"]}).condition == Only.model_validate({"tag": ["A", "b "]}).condition


@pytest.mark.parametrize(
    ("condition", "language", "tags", "holds"),
    [
        (Condition(("de", "en"), ()), "en", "", True),
        (Condition(("de", "en"), ()), "fr", "presse", False),
        (Condition((), ("presse", "kommunen")), "fr", "sport;presse", True),
        (Condition((), ("presse",)), "fr", "pressestelle", False),
        (Condition((), ("presse",)), "fr", "", False),
        (Condition(("de",), ("presse",)), "de", "presse", True),
        (Condition(("de",), ("presse",)), "de", "sport", False),
        (Condition(("de",), ("presse",)), "en", "presse", False),
    ],
)
def test_a_condition_holds_where_all_that_it_says_holds(condition: Condition, language: str, tags: str, holds: bool) -> None:
    assert condition.holds(language, tags_in(tags)) is holds


def test_whose_list_says_no_language_speaks_the_issues() -> None:
    choice = Choice([Condition(("de",), ()), Condition((), ("presse",)), Condition(("en",), ())], "de-DE")
    assert choice({}) == choice({"language": " "}) == choice({"language": "de-AT"}) == "100"
    assert choice({"language": "EN", "tags": "Presse"}) == "011"
    assert choice({"language": "Deutsch"}) == "000"


def test_without_conditions_nobody_has_a_variant() -> None:
    assert Choice([], "de")({"language": "en", "tags": "presse"}) is None


def test_equal_conditions_are_one(load: Load) -> None:
    issue = load(
        HEAD + "  - {type: text, title: A, only: {language: de}}\n  - {type: text, title: B}\n"
        "  - {type: divider, only: {tag: [presse]}}\n  - {type: text, title: C, only: {language: [DE]}}\n"
        "  - {type: text, title: D, only: {tag: PRESSE}}\n"
    )
    assert issue.conditions == (Condition(("de",), ()), Condition((), ("presse",)))
    variant = issue.variant("10")
    assert [block.title.raw for block in variant.content.blocks if isinstance(block, Text) and block.title] == ["A", "B", "C"]
    assert variant.conditions == ()
    assert issue.conditions  # as it was


@pytest.mark.parametrize(
    ("blocks", "name", "left"),
    [
        ("a-A-b", "0", "a-b"),
        ("a-A-b", "1", "a-A-b"),
        ("A-b", "0", "b"),
        ("a-A", "0", "a"),
        ("A-A-A-b-A-A", "0", "b"),
        ("a--A-b", "0", "a--b"),  # the author wrote two of them, and has them
        ("-a-A-", "0", "-a-"),
        ("-a-A-", "1", "-a-A-"),
        ("a-AbA-c", "0", "a-b-c"),
        ("A", "0", ""),
        ("-A-", "0", "-"),
    ],
)
def test_what_divided_something_goes_with_it(blocks: str, name: str, left: str) -> None:
    made = [DIVIDER if sign == "-" else text(sign, **({"tag": "x"} if sign.isupper() else {})) for sign in blocks]
    assert titles(made, name) == left


@given(st.lists(st.sampled_from("-abABCD"), min_size=1, max_size=12), st.data())
def test_a_variant_is_what_its_conditions_leave(signs: list[str], data: st.DataObject) -> None:
    made = [DIVIDER if sign == "-" else text(sign, **({"tag": sign.lower()} if sign.isupper() else {})) for sign in signs]
    conditions = conditions_of(made)
    name = "".join(data.draw(st.sampled_from("01")) for _ in conditions)
    holding = {condition.tags[0].upper() for condition, digit in zip(conditions, name, strict=True) if digit == "1"}
    left = titles(made, name)
    assert left.replace("-", "") == "".join(sign for sign in signs if sign.islower() or sign in holding)
    if "--" in left:
        assert "--" in "".join(signs)
    if "0" not in name:
        assert left == "".join(signs)
    if not (signs[0] == "-" or left == ""):
        assert not left.startswith("-")
    if not (signs[-1] == "-" or left == ""):
        assert not left.endswith("-")
    assert says_something(made, name) == bool(left.replace("-", ""))


def test_a_name_of_another_issue_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        shown_in([text("A", tag="x")], "01")


def test_a_variant_in_words() -> None:
    made = [text(f"T{n}", tag=f"t{n}") for n in range(3)]
    assert in_words(made, "111") == "all of it"
    assert in_words(made, "011") == "it without “T0”"
    assert in_words(made, "010") == "it without “T0” and “T2”"
    many = [text(f"T{n}", tag="x") for n in range(6)]
    assert in_words(many, "0") == "it without “T0”, “T1”, “T2” and 3 more blocks"


def test_a_block_without_a_title_is_told_by_its_place(load: Load) -> None:
    issue = load(
        HEAD + "  - {type: text, body: x}\n  - {type: button, label: a, url: 'https://example.org', only: {tag: a}}\n"
        "  - {type: interview, person: {name: Ada}, questions: [{question: Q, answer: A}], only: {tag: a}}\n"
    )
    assert in_words(issue.content.blocks, "0") == "it without the button (block 2) and “Ada”"
