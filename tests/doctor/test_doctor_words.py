"""Every verdict has its words in German too, with the same places, and no German words are left over."""

import string

import pytest

from newsletter.check.wording import wording
from newsletter.doctor.verdict import WORDS, all_verdicts, verdict

VERDICTS = all_verdicts()
GERMAN = wording("de", WORDS).translations


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("id_", VERDICTS)
def test_a_verdict_has_its_words_in_german(id_: str) -> None:
    one = VERDICTS[id_]
    for sentence in filter(None, (one.says, one.mend)):
        assert places(GERMAN[sentence]) == places(sentence)
        assert not sentence.endswith(".")
    assert places(one.mend) <= places(one.says)
    assert one.mend or one.level != "error"


def test_no_german_words_are_left_over() -> None:
    assert set(GERMAN) == {sentence for one in VERDICTS.values() for sentence in (one.says, one.mend) if sentence}


def test_an_id_is_taken_once() -> None:
    with pytest.raises(ValueError, match="already"):
        verdict("python", "ok", "x")
