"""Typography by language: quotation marks, apostrophes, dashes, dots and no-break blanks, and nothing else."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue import Issue, Line, Markdown
from newsletter.issue.text import TextError
from newsletter.issue.typeset import set_line
from newsletter.issue.typography import Typography

LANGUAGES = ["de", "de-CH", "en", "fr", "sv", "ar", "hsb"]
HEAD = "title: 'Die \"Fähre\"'\nsubject: '10 % mehr \"Fähre\" - ab 5 km'\ndate: 2026-12-01\n"


def line(text: str, tag: str) -> str:
    return set_line(Line.parse(text), Typography(tag)).sample()


def markdown(text: str, tag: str) -> str:
    """The words of a Markdown text, blanks in place of line breaks."""
    tokens = Markdown.parse(text, Typography(tag)).tokens
    return "".join(child.content or " " * (child.type == "softbreak") for token in tokens for child in token.children or ())


@pytest.mark.parametrize("read", [line, markdown])
@pytest.mark.parametrize(
    ("tag", "typed", "shown"),
    [
        ("de", "Sie sagt: \"Er rief 'Halt' und ging.\"", "Sie sagt: „Er rief ‚Halt‘ und ging.“"),
        ("en", "She says: \"He cried 'stop' and left.\"", "She says: “He cried ‘stop’ and left.”"),
        ("fr", 'Il dit : "Oui !"', "Il dit : «\u202fOui\u202f!\u202f»"),
        ("de-CH", '"Grüezi"', "«Grüezi»"),
        ("de-AT", '"Servus"', "„Servus“"),
        ("qqq", '"a" it\'s', '"a" it\'s'),
        ("de", "„Schon“ ‚gesetzt‘ – so", "„Schon“ ‚gesetzt‘ – so"),
        ("de", "Geht's, Hans' Auto", "Geht’s, Hans’ Auto"),
        ("en", "it's the '90s", "it’s the ’90s"),
        ("de", 'ein 24"-Monitor und ein "Wort"', 'ein 24"-Monitor und ein „Wort“'),
        ("de", '"Ein 24" Monitor"', '„Ein 24" Monitor“'),
        ("de", 'die "Agenda 2030" und 24"', 'die „Agenda 2030“ und 24"'),
        ("en", "6'2\" tall, 5' wide", "6'2\" tall, 5' wide"),
        ("de", "Wort - Wort -- Wort", "Wort – Wort – Wort"),
        ("de", "Wort--Wort", "Wort – Wort"),
        ("en", "word--word", "word—word"),
        ("de", "10--12 Uhr, E-Mail, 030 - 12", "10–12\u00a0Uhr, E-Mail, 030 – 12"),
        ("de", "und so...", "und so…"),
        ("de", "und .... oder ../..", "und .... oder ../.."),
        ("de", "z. B. 10 % nach § 5", "z.\u00a0B. 10\u00a0% nach §\u00a05"),
        ("de", "Dr. Ada, 5 km, 5 kmart", "Dr.\u00a0Ada, 5\u00a0km, 5 kmart"),
        ("en", "Dr Ada at 9 a.m.", "Dr\u00a0Ada at 9\u00a0a.m."),
        ("de", "https://x.org/a--b...'c und a'b@x.org", "https://x.org/a--b...'c und a'b@x.org"),
        ("de", '"{{ name }}" - {{ name }}\'s', "„{name}“ – {name}’s"),
    ],
)
def test_what_was_typed_becomes_what_is_set(read: Callable[[str, str], str], tag: str, typed: str, shown: str) -> None:
    assert read(typed, tag).replace("{{ name }}", "{name}") == shown


def test_code_addresses_escapes_and_defaults_are_kept() -> None:
    kept = '`"a" - b` <https://x.org/it\'s> [w](https://x.org/a--b) \\"x\\"'
    assert markdown(kept, "de") == '"a" - b https://x.org/it\'s w "x"'
    assert Markdown.parse('[w](https://x.org/"a"--b)', Typography("de")).tokens[1].children[0].attrs["href"].endswith("--b")  # type: ignore[index, union-attr]
    fields = set_line(Line.parse("x {{ a | default('\"b\" - c') }}"), Typography("de")).fields
    assert [field.default for field in fields] == ['"b" - c']


def test_a_dash_and_a_quotation_may_span_lines_and_emphasis() -> None:
    assert markdown('**fett** - "und\nweiter -\nda *so*"', "de") == "fett – „und weiter – da so“"


def test_a_passage_has_its_own_quotation_marks() -> None:
    typed = '"Das ["big" Act]{lang=en} und ["x"]{lang=qqq}"'
    for read in (line, markdown):
        assert read(typed, "de") == "„Das “big” Act und „x““"


SIGNS = re.compile("[\"'„“”‚‘’«»‹›\u202f\u00a0 \\-–—]|\\.{3}|…")
PROSE = st.text(st.sampled_from("ab Z5.,!?:-()[]*\"'„“»%\u00a0…§ö "), min_size=1, max_size=40)


@given(PROSE, st.sampled_from(LANGUAGES))
def test_nothing_but_these_signs_changes_and_twice_is_once(text: str, tag: str) -> None:
    try:
        read = Line.parse(text)
    except TextError:
        return
    once = set_line(read, Typography(tag))
    assert SIGNS.sub("", once.sample()) == SIGNS.sub("", read.sample())
    assert set_line(once, Typography(tag)).parts == once.parts


def issue_with(load: Callable[[str], Issue], more: str = "", block: str = "") -> Issue:
    return load(HEAD + more + "blocks: [{type: article, title: 'Ein \"T\"', body: 'ein \"B\"'" + block + "}]\n")


def test_an_issue_is_set_when_it_is_loaded(load: Callable[[str], Issue]) -> None:
    issue = issue_with(load)
    assert issue.content.title == "Die „Fähre“"
    assert issue.content.subject.sample() == "10 % mehr „Fähre“ – ab 5 km"  # a subject has no lines to break
    assert issue.content.blocks[0].title.sample() == "Ein „T“"  # type: ignore[union-attr]
    assert "ein „B“" in str(issue.content.blocks[0].body.tokens)  # type: ignore[union-attr]


def test_a_block_is_set_in_its_own_language(load: Callable[[str], Issue]) -> None:
    assert issue_with(load, block=", language: en").content.blocks[0].title.sample() == "Ein “T”"  # type: ignore[union-attr]


def test_typography_can_be_turned_off(load: Callable[[str], Issue]) -> None:
    assert issue_with(load, "typography: false\n").content.title == 'Die "Fähre"'
