"""Broken issue files: each gives exactly one line with file, line, column, and what to do. ``§`` marks where it points to."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.issue import Issue, new_issue
from newsletter.problem import InputError

HEAD = "title: Ausgabe 4\nsubject: Neues\ndate: 2026-12-01\n"
BLOCKS = HEAD + "blocks:\n"
LETTER = "  - type: letter\n    body: Text\n"
IMAGE = "  - type: image\n    alt: Ein Bild\n    src: "
ARTICLE = "  - type: article\n    title: Bericht\n    body: "
VIDEO = "  - type: video\n    url: https://x.org\n"
MJML = "  - type: mjml\n    text: Text\n    source: |\n"

#: name, file, place, piece of the message
CASES = [
    # keys
    (
        "typo in a key",
        BLOCKS + LETTER + "    §salutaton: Hallo\n",
        "blocks[0].salutaton",
        "not a key of a letter block; did you mean salutation?",
    ),
    ("unknown key", BLOCKS + "  - type: divider\n    §x: 1\n", "blocks[0].x", "is not a key of a divider block; there are: "),
    (
        "unknown key above",
        BLOCKS.replace("subject", "§Subjct: a\nsubject") + LETTER,
        "Subjct",
        "not a key of an issue; did you mean subject?",
    ),
    ("key twice", BLOCKS + LETTER + "    §body: Noch einer\n", "blocks[0].body", "a second time; the first is in line 6"),
    ("missing subject", "§title: a\ndate: 2026-12-01\nblocks:\n" + LETTER, "subject", "missing; an issue needs a subject"),
    (
        "missing answer",
        BLOCKS + "  - type: interview\n    person: {name: N}\n    questions:\n      - §question: Warum?\n",
        "blocks[0].questions[0].answer",
        "missing; an interview question needs an answer",
    ),
    (
        "missing label",
        BLOCKS + ARTICLE + "x\n    link: §{url: https://x.org}\n",
        "blocks[0].link.label",
        "missing; a link needs a label",
    ),
    ("missing items", BLOCKS + "  - §type: figures\n", "blocks[0].items", "missing; a figures block needs items"),
    ("empty value", BLOCKS + "  - type: letter\n    §body:\n", "blocks[0].body", "is empty; a letter needs a body"),
    ("empty text", BLOCKS + "  - type: letter\n    body: §''\n", "blocks[0].body", "is empty; write some text"),
    ("text of blanks", BLOCKS + ARTICLE + "x\n    kicker: §'  '\n", "blocks[0].kicker", "is empty; write some text"),
    ("text says nothing", BLOCKS + "  - §type: text\n", "blocks[0]", "has neither title nor body"),
    # types
    (
        "unknown block type",
        BLOCKS + "  - type: §artikle\n",
        "blocks[0].type",
        'no block type "artikle"; did you mean article? there are: letter',
    ),
    ("block without type", BLOCKS + "  - §body: x\n", "blocks[0]", "type is missing; a block begins with its type"),
    ("block is text", BLOCKS + "  - §Hallo\n", "blocks[0]", "is one line of text; it must have keys of its own"),
    ("blocks is text", HEAD + "blocks: §Hallo\n", "blocks", "is one line of text; it must be a list"),
    ("no blocks", HEAD + "blocks: §[]\n", "blocks", "is an empty list"),
    (
        "list for a line",
        BLOCKS + "  - type: article\n    title:\n      §- a\n    body: x\n",
        "blocks[0].title",
        "is a list; it must be one line of text",
    ),
    (
        "keys for a text",
        BLOCKS + "  - type: letter\n    body: §{a: b}\n",
        "blocks[0].body",
        "has keys of its own; it must be text",
    ),
    (
        "text for a link",
        BLOCKS + ARTICLE + "x\n    link: §https://x.org\n",
        "blocks[0].link",
        "it must have keys of its own: label, url",
    ),
    (
        "question is text",
        BLOCKS + "  - type: interview\n    person: {name: N}\n    questions:\n      - §Warum?\n",
        "blocks[0].questions[0]",
        "it must have keys of its own: question, answer",
    ),
    ("not true or false", BLOCKS + IMAGE + "foto.jpg\n    decorative: §ja\n", "blocks[0].decorative", "must be true or false"),
    (
        "one column",
        BLOCKS + "  - type: columns\n    items:\n      §- {title: A}\n",
        "blocks[0].items",
        "has 1 of the 2 entries that it needs",
    ),
    (
        "three columns",
        BLOCKS + "  - type: columns\n    items:\n      §- {title: A}\n      - {title: B}\n      - {title: C}\n",
        "blocks[0].items",
        "has 3 entries; 2 are the most",
    ),
    (
        "column without a title",
        BLOCKS + "  - type: columns\n    items:\n      - {title: A}\n      - §{body: B}\n",
        "blocks[0].items[1].title",
        "missing; a teaser needs a title",
    ),
    ("video without a picture", BLOCKS + VIDEO.replace("type", "§type"), "blocks[0].image", "missing; a video needs an image"),
    (
        "video without an address",
        BLOCKS + "  - §{type: video, image: {src: foto.jpg, alt: A}}\n",
        "blocks[0].url",
        "missing; a video needs a url",
    ),
    (
        "decorative picture of a video",
        BLOCKS + VIDEO + "    image: §{src: foto.jpg, decorative: true}\n",
        "blocks[0].image.alt",
        "a video's picture is a link and cannot be decorative",
    ),
    (
        "no alt of a video's picture",
        BLOCKS + VIDEO + "    image: §{src: foto.jpg}\n",
        "blocks[0].image.alt",
        "missing; say in a few words what the picture shows",
    ),
    (
        "duration in words",
        BLOCKS + VIDEO + "    image: {src: foto.jpg, alt: A}\n    duration: §3 Minuten\n",
        "blocks[0].duration",
        "is no duration; write minutes and seconds, e.g. 3:20",
    ),
    (
        "duration is a list",
        BLOCKS + VIDEO + "    image: {src: foto.jpg, alt: A}\n    duration: §[3, 20]\n",
        "blocks[0].duration",
        "is a list; it must be a duration such as 3:20",
    ),
    (
        "five figures",
        BLOCKS + "  - type: figures\n    items:\n      §- {value: 1, label: a}\n" + "      - {value: 1, label: a}\n" * 4,
        "blocks[0].items",
        "has 5 entries; 4 are the most",
    ),
    (
        "a text block with the key text",
        BLOCKS + "  - type: text\n    body: x\n    §text: y\n",
        "blocks[0].text",
        "is not a key of a text block",
    ),
    # for whom a block is
    ("only for nobody", BLOCKS + LETTER + "    only: §{}\n", "blocks[0].only", "says nobody; write language: de, tag: presse"),
    ("only without a value", BLOCKS + LETTER + "    §only:\n", "blocks[0].only", "is empty; write e.g. {language: de}"),
    (
        "only for a word",
        BLOCKS + LETTER + "    only: §presse\n",
        "blocks[0].only",
        "is one line of text; it must have keys of its own: language, tag",
    ),
    (
        "only for something else",
        BLOCKS + LETTER + "    only: {§tags: presse}\n",
        "blocks[0].only.tags",
        "is not a key of only; did you mean tag?",
    ),
    ("only with an empty list", BLOCKS + LETTER + "    only: {tag: §[]}\n", "blocks[0].only.tag", "is an empty list"),
    (
        "only with half a condition",
        BLOCKS + LETTER + "    only: {language: de, §tag: }\n",
        "blocks[0].only.tag",
        "is empty; write a value or a list of values",
    ),
    (
        "only with a merge field",
        BLOCKS + LETTER + "    only: {tag: '§{{ ort }}'}\n",
        "blocks[0].only.tag",
        "merge fields cannot stand here",
    ),
    (
        "only with a merge field in a list",
        BLOCKS + LETTER + "    only:\n      language: [de, '§{{ language }}']\n",
        "blocks[0].only.language[1]",
        "merge fields cannot stand here",
    ),
    (
        "only for a language in words",
        BLOCKS + LETTER + "    only: {language: §Deutsch!}\n",
        "blocks[0].only.language",
        "is no language code; write e.g. de",
    ),
    (
        "only with tags in one line",
        BLOCKS + LETTER + "    only: {tag: §presse; kommunen}\n",
        "blocks[0].only.tag",
        "names several tags; write them as a list: [presse, kommunen]",
    ),
    (
        "only for one piece of news",
        BLOCKS + "  - type: news\n    title: N\n    items:\n      - title: x\n        §only: {tag: presse}\n",
        "blocks[0].items[0].only",
        "is not a key of a news item",
    ),
    # dates, language, layout
    ("no such day", BLOCKS.replace("2026-12-01", "§2024-13-45") + LETTER, "date", "'2024-13-45' is no day of the calendar"),
    ("day as in German", BLOCKS.replace("2026-12-01", "§05.12.2026") + LETTER, "date", "write 2026-12-05"),
    ("year alone", BLOCKS.replace("2026-12-01", "§2026") + LETTER, "date", "write year-month-day"),
    ("date is a list", BLOCKS.replace("2026-12-01", "§[2026]") + LETTER, "date", "is a list; it must be a day"),
    ("no such hour", BLOCKS + "  - {type: event, title: T, starts: §2026-12-05 25:00}\n", "blocks[0].starts", "does not exist"),
    (
        "ends before it starts",
        BLOCKS + "  - type: event\n    title: T\n    starts: 2026-12-05 10:00\n    ends: §2026-12-05 09:00\n",
        "blocks[0].ends",
        "is before the event starts",
    ),
    ("language in words", BLOCKS + LETTER + "language: §Deutsch\n", "language", "is no language code; did you mean de?"),
    ("unknown layout", BLOCKS + LETTER + "layout: §regoin\n", "layout", "there is no layout 'regoin'; did you mean region?"),
    # merge fields
    (
        "field with two words",
        BLOCKS + "  - type: letter\n    body: |\n      Hallo\n\n      und §{{ first name }}\n",
        "blocks[0].body",
        "this is no merge field",
    ),
    ("field not closed", BLOCKS.replace("Neues", "Neues, §{{ name }") + LETTER, "subject", "this is no merge field"),
    ("template code", BLOCKS.replace("Neues", "'Für''s §{{ 7*7 }}'") + LETTER, "subject", "this is no merge field"),
    (
        "reserved field",
        BLOCKS + "  - type: letter\n    body: a §{{ view_url }}\n",
        "blocks[0].body",
        "is filled in by the layout",
    ),
    ("field in the title", BLOCKS.replace("Ausgabe 4", '"Für \\u00e4 §{{ name }}"') + LETTER, "title", "the same for everyone"),
    (
        "field in a link",
        BLOCKS + "  - type: letter\n    body: a [b](https://x.org/§{{ id }})\n",
        "blocks[0].body",
        "cannot stand in code or in a link",
    ),
    (
        "field in code",
        BLOCKS + "  - type: letter\n    body: |\n      a\n\n          §{{ id }}\n",
        "blocks[0].body",
        "cannot stand in code",
    ),
    (
        "field without quotes",
        BLOCKS + "  - type: letter\n    body: x\n    salutation: §{{ name }}, hallo\n",
        "",
        "must stand in quotation marks",
    ),
    ("field alone without quotes", BLOCKS + "  - type: letter\n    body: §{{ name }}\n", "", "must stand in quotation marks"),
    # links
    (
        "javascript link",
        BLOCKS + "  - type: button\n    label: L\n    url: §javascript:alert(1)\n",
        "blocks[0].url",
        "javascript: links are not allowed",
    ),
    (
        "http link",
        BLOCKS + "  - type: button\n    label: L\n    url: §http://x.org\n",
        "blocks[0].url",
        "must be https; try https://x.org",
    ),
    (
        "link without scheme",
        BLOCKS + "  - type: button\n    label: L\n    url: §www.x.org\n",
        "blocks[0].url",
        "did you mean https://www.x.org?",
    ),
    ("link to #", BLOCKS + "  - type: button\n    label: L\n    url: §'#'\n", "blocks[0].url", "leads nowhere in a mail"),
    (
        "javascript link in Markdown",
        BLOCKS + "  - type: letter\n    body: |\n      a\n      - [b](§javascript:x)\n",
        "blocks[0].body",
        "javascript: links",
    ),
    (
        "data link in Markdown",
        BLOCKS + "  - type: letter\n    body: a [b](§data:text/html,x)\n",
        "blocks[0].body",
        "data: links are not allowed",
    ),
    (
        "header in mailto",
        BLOCKS + "  - type: letter\n    body: a [b](§mailto:a@x.org?subject=a%0ABcc:b)\n",
        "blocks[0].body",
        "coded line break",
    ),
    (
        "picture in Markdown",
        BLOCKS + "  - type: letter\n    body: a §![b](c.png)\n",
        "blocks[0].body",
        "pictures are blocks of their own",
    ),
    # pictures
    (
        "no alt",
        BLOCKS + "  - §type: image\n    src: foto.jpg\n",
        "blocks[0].alt",
        "missing; say in a few words what the picture shows",
    ),
    (
        "alt and decorative",
        BLOCKS + "  - type: image\n    src: foto.jpg\n    alt: §a\n    decorative: true\n",
        "blocks[0].alt",
        "exclude each other",
    ),
    (
        "linked and decorative",
        BLOCKS + "  - §{type: image, src: foto.jpg, decorative: true, url: https://x.org}\n",
        "blocks[0].alt",
        "cannot be decorative",
    ),
    ("no such picture", BLOCKS + IMAGE + "§Foto.jpeg\n", "blocks[0].src", "there is no such file; did you mean foto.jpg?"),
    ("picture outside", BLOCKS + IMAGE + "§../../../foto.jpg\n", "blocks[0].src", "lies outside of the workspace"),
    ("picture elsewhere", BLOCKS + IMAGE + "§/etc/passwd\n", "blocks[0].src", "a path of your own machine"),
    ("picture of the web", BLOCKS + IMAGE + "§https://x.org/a.jpg\n", "blocks[0].src", "is an address"),
    ("picture of Windows", BLOCKS + IMAGE + "§bilder\\foto.jpg\n", "blocks[0].src", "as in bilder/foto.jpg"),
    ("picture is a folder", BLOCKS + IMAGE + "§.\n", "blocks[0].src", "is no file"),
    # MJML
    (
        "MJML not closed",
        BLOCKS + MJML + "      <mj-section>\n        <mj-column>\n      </mj-section>§\n",
        "blocks[0].source",
        "is no well-formed MJML",
    ),
    ("MJML at the top", BLOCKS + MJML + "      §<mj-text>a</mj-text>\n", "blocks[0].source", "<mj-text> cannot stand here"),
    (
        "MJML include",
        BLOCKS + MJML + "      <mj-section>\n       §<mj-include path='a'/></mj-section>\n",
        "blocks[0].source",
        "files cannot be included",
    ),
    (
        "MJML with a field",
        BLOCKS + MJML + "      <mj-section>§{{ a }}</mj-section>\n",
        "blocks[0].source",
        "{{ cannot stand in raw MJML",
    ),
    # characters
    ("control character", BLOCKS.replace("Neues", '"Neues §\\r\\nBcc: a@x.org"') + LETTER, "subject", "control character U+000D"),
    ("raw control character", BLOCKS.replace("Neues", "Neues§\x08") + LETTER, "", "control character U+0008"),
    ("line separator", BLOCKS.replace("Neues", "Neues§\u2028") + LETTER, "", "control character U+2028"),
    ("surrogate", BLOCKS.replace("Neues", '"Neues §\\ud800"') + LETTER, "subject", "U+D800"),
    (
        "encoded word",
        BLOCKS.replace("Neues", "Neues §=?utf-8?b?DQpCY2M6IHhAeQ==?=") + LETTER,
        "subject",
        "holds an encoded mail header",
    ),
    # YAML
    ("colon in a title", BLOCKS.replace("Ausgabe 4", "Bilanz§: was war") + LETTER, "", 'in quotation marks: title: "…: …"'),
    ("colon in a list entry", BLOCKS + "  - type: quote\n    text: Er sagte§: ja\n", "", 'quotation marks: text: "…: …"'),
    ("tab", BLOCKS + "  - type: letter\n§\tbody: x\n", "", "a tab indents this line"),
    ("tab in a text", BLOCKS + "  - type: letter\n    body: |\n§\tText\n", "", "a tab indents this line"),
    ("quote not closed", BLOCKS.replace("Neues", '§"Neues') + LETTER, "", "is never closed"),
    ("quote closed by another", BLOCKS.replace("Neues", '§"Neues') + LETTER + '    title: "x"\n', "", "is closed only in line 7"),
    ("quotes in quotes", BLOCKS.replace("Neues", '"Das "§Neue" da"') + LETTER, "", "goes on after its closing quotation mark"),
    ("apostrophe in quotes", BLOCKS.replace("Neues", "'Wie geht'§s'") + LETTER, "", "goes on after its closing quotation mark"),
    (
        "missing indent",
        BLOCKS + "  - type: letter\n    body: |\n      Eins\n    §Zwei\n    title: x\n",
        "",
        "neither a key with a colon nor indented",
    ),
    ("indented too far", BLOCKS + "  - type: letter\n      §body: x\n", "", "indented further than the keys above"),
    ("crooked indent", BLOCKS + "  - type: letter\n   §body: x\n", "", "is not indented like the lines it belongs to"),
    ("no blank after a colon", "title§:Ausgabe\nsubject: x\n", "", "a blank is missing after this colon"),
    ("list behind a key", BLOCKS.replace("Neues", "§- Neues") + LETTER, "", "a list cannot begin behind a key"),
    (
        "bracket first",
        BLOCKS.replace("Neues", "§[Neu] heute") + LETTER,
        "",
        "a text that begins with [ must stand in quotation marks",
    ),
    ("at sign first", BLOCKS.replace("Neues", "§@alle") + LETTER, "", "a text that begins with @ must stand in quotation marks"),
    (
        "emphasis first",
        BLOCKS.replace("Neues", "§*Neues* heute") + LETTER,
        "",
        "a text that begins with * must stand in quotation marks",
    ),
    ("backslash", BLOCKS.replace("Neues", '"C:§\\quatsch"') + LETTER, "", "a backslash has a meaning of its own"),
    ("anchor", BLOCKS.replace("Neues", "§&a Neues") + LETTER, "", "anchors are not allowed"),
    ("tag", BLOCKS.replace("Neues", "§!!python/object:os.system x") + LETTER, "", "tags are not allowed"),
    ("hash in a title", BLOCKS.replace("Ausgabe 4", "Ausgabe §#4") + LETTER, "title", "is a comment and would be lost"),
    ("two documents", BLOCKS + LETTER + "§---\ntitle: x\n", "", "a second document begins here"),
    ("directive", "§%YAML 1.1\n---\n" + BLOCKS + LETTER, "", "a line cannot begin with %"),
    ("too deep", HEAD + "x: " + "[" * 20 + "§[" + "]" * 21 + "\n", "", "more than 20 levels deep"),
    ("a list alone", "§- a\n", "", "must begin with keys"),
    ("nothing", "§# nur ein Kommentar\n", "", "is empty"),
]


@pytest.mark.parametrize(("marked", "place", "piece"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_mistake_is_named_where_it_is(load: Callable[[str], Issue], marked: str, place: str, piece: str) -> None:
    before, _, after = marked.partition("§")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    with pytest.raises(InputError) as caught:
        load(before + after)

    assert len(caught.value.problems) == 1, caught.value
    problem = caught.value.problems[0]
    assert str(problem).startswith(f"issues/4/issue.yaml:{line}:{column}: " + (f"{place}: " if place else ""))
    assert piece in problem.message
    assert "\n" not in str(problem)
    str(problem).encode()  # whatever stood in the file, the line can be printed


def test_there_are_enough_of_them() -> None:
    assert len({name for name, *_ in CASES}) == len(CASES) >= 30


def test_all_mistakes_of_a_file_are_told_at_once(load: Callable[[str], Issue]) -> None:
    text = "title: ''\ndate: morgen\nlayout: fehlt\nblocks:\n  - type: letter\n  - type: image\n    src: fehlt.png\n  - type: x\n"
    with pytest.raises(InputError) as caught:
        load(text)
    told = [(problem.line, problem.column, problem.where) for problem in caught.value.problems]
    assert told == [
        (1, 1, "subject"),
        (1, 8, "title"),
        (2, 7, "date"),
        (3, 9, "layout"),
        (5, 5, "blocks[0].body"),
        (6, 5, "blocks[1].alt"),
        (7, 10, "blocks[1].src"),
        (8, 11, "blocks[2].type"),
    ]


def test_publication_and_issue_are_told_together(load: Callable[[str], Issue]) -> None:
    Path("issues/publication.yaml").write_text("name: N\nlanguage: de\nsender: {email: keine}\nlayout: x\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(BLOCKS + "  - type: letter\n")
    assert [str(problem).partition("; ")[0] for problem in caught.value.problems] == [
        "issues/4/issue.yaml:5:5: blocks[0].body: missing",
        "issues/publication.yaml:1:1: imprint: missing",
        "issues/publication.yaml:3:17: sender.email: is no mail address: An email address must have an @-sign.",
        "issues/publication.yaml:4:9: layout: there is no layout 'x'",
    ]


@pytest.mark.parametrize(
    ("content", "position", "piece"),
    [
        (b"title: a\nsubject: \xfcber\n", "2:10", "not UTF-8 (it is 'ü' as older Windows programs save it)"),
        ("title: ä\n".encode("utf-16"), "1:1", "UTF-16; save it as UTF-8"),
        ("title: ä\n".encode() + b"x: \xc3", "2:4", "not UTF-8"),
        (b"\xef\xbb\xbftitle: a: b\n", "1:9", "quotation marks"),
        (b"title: a\r\nsubject: b: c\r\n", "2:11", "quotation marks"),
        (b"title: a\rsubject: b: c\r", "2:11", "quotation marks"),
        (b"title: a\0b", "1:9", "U+0000"),
        (b"", "1:1", "is empty"),
    ],
)
def test_bytes_that_are_no_text(load: Callable[[bytes], Issue], content: bytes, position: str, piece: str) -> None:
    with pytest.raises(InputError) as caught:
        load(content)
    assert str(caught.value).startswith(f"issues/4/issue.yaml:{position}: ")
    assert piece in str(caught.value)


def test_a_file_of_more_than_1_mb_is_not_read(load: Callable[[str], Issue]) -> None:
    with pytest.raises(InputError, match=r"^issues/4/issue.yaml: is larger than 1 MB"):
        load("#" * 1_000_001)


def test_a_missing_publication_is_named(load: Callable[[str], Issue]) -> None:
    Path("issues/publication.yaml").unlink()
    with pytest.raises(InputError, match=r"^issues/publication.yaml: there is no such file$"):
        load(BLOCKS + LETTER)


SAMPLE = new_issue("de", "Ausgabe 4", dt.date(2026, 12, 1))
DAMAGE = st.binary(max_size=3) | st.sampled_from(
    [b"{{", b"}}", b"'", b'"', b": ", b"\n", b"\n  ", b"- ", b"\t", b"#", b"[", b"{", b"|", b"\\U"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 30), DAMAGE), min_size=1, max_size=3))
def test_damage_anywhere_is_only_ever_an_input_error(
    load: Callable[[bytes], Issue], damage: list[tuple[float, int, bytes]]
) -> None:
    content = SAMPLE.encode()
    for place, lost, added in damage:
        at = int(place * len(content))
        content = content[:at] + added + content[at + lost :]
    with pytest.raises(InputError) as caught:  # the pictures are not there, so it never loads
        load(content)
    lines = content.count(b"\n") + content.count(b"\r") + 1
    for problem in caught.value.problems:
        assert problem.path == "issues/4/issue.yaml"
        assert 1 <= problem.line <= lines
        assert "\n" not in str(problem)
