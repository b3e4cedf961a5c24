"""Words marked with their language, in Markdown and in lines (A2)."""

import pytest

from newsletter.issue import Line, Markdown
from newsletter.issue.text import MergeField, Passage, TextError


def test_a_line_holds_passages() -> None:
    line = Line.parse("Zum [Act for {{ name | default('a]b') }}]{lang=en} und [x]{ lang = 'fr-CA' } \\{{ [y] {z}")
    assert line.parts == (
        "Zum ",
        Passage("en", ("Act for ", MergeField("name", "a]b", 13))),
        " und ",
        Passage("fr-CA", ("x",)),
        " {{ [y] {z}",
    )
    assert line.sample() == "Zum Act for a]b und x {{ [y] {z}"
    assert [field.name for field in line.fields] == ["name"]


def test_markdown_holds_passages_with_links_and_fields() -> None:
    text = Markdown.parse(
        "a [b *c* [d](https://x.org) {{ e }}]{lang=en} [[f](https://x.org)]{lang=fr} [g][h] [i]{j k}\n\n[h]: https://x.org"
    )
    children = text.tokens[1].children or []
    assert [child.attrs["lang"] for child in children if child.type == "passage_open"] == ["en", "fr"]
    assert sum(child.type == "link_open" for child in children) == 3
    assert children[-1].content == " [i]{j k}"
    assert [field.name for field in text.fields] == ["e"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a [b]§{en}", "did you mean {lang=en}?"),
        ("a [b]§{fr-CA}", "did you mean {lang=fr-CA}?"),
        ("a [b]{lang=en} [b]§{lang=english}", "did you mean en?"),
        ("a [b]§{lang=Englisch}", "did you mean en?"),
        ("a [b]§{lang=de_AT}", "did you mean de-AT?"),
        ("{{ x }} [b]§{lang=}", "write e.g. de, en"),
        ("a [b]§{.red}", "did you mean {lang=en}?"),
        ("a [b]§{language: en}", "did you mean {lang=en}?"),
    ],
)
@pytest.mark.parametrize("kind", [Line, Markdown])
def test_a_slip_is_told_where_it_is(kind: type[Line] | type[Markdown], raw: str, said: str) -> None:
    before, _, after = raw.partition("§")
    with pytest.raises(TextError, match=r"\{lang=|code") as caught:
        kind.parse(before + after)
    assert said in str(caught.value)
    assert caught.value.offset == len(before)


@pytest.mark.parametrize("raw", ["a [b](https://x.org)§{lang=en}", "a *b*§{lang=en}", "a [[b]{lang=en}§](https://x.org)"])
def test_a_mark_needs_brackets(raw: str) -> None:
    before, _, after = raw.partition("§")
    with pytest.raises(TextError, match="around a whole link") as caught:
        Markdown.parse(before + after)
    assert caught.value.offset == len(before)


@pytest.mark.parametrize("kind", [Line, Markdown])
def test_a_passage_needs_words(kind: type[Line] | type[Markdown]) -> None:
    with pytest.raises(TextError, match="no words"):
        kind.parse("a []{lang=en}")
