"""Files on disk become an Issue: values resolved, merge fields and places for those who check further."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.issue import Issue, Line, load_issue, load_publication
from newsletter.issue.blocks import Event, Figures
from newsletter.problem import InputError
from newsletter.settings import Workspace

HEAD = "title: Ausgabe 4\nsubject: \"Hallo {{ first_name | default('Sie') }}\"\ndate: 2026-12-01\nblocks:\n"
LETTER = "  - type: letter\n    body: |\n      Eins\n\n      - {{ name }}\n"


def test_a_publication_keeps_what_was_written(workspace: Workspace) -> None:
    publication = load_publication(workspace)
    assert publication.imprint.postal_code == "01067"
    assert publication.imprint.street == "Hauptstraße 1"
    assert publication.layout == "region"


def test_an_issue_takes_language_and_layout_from_its_publication(load: Callable[[str], Issue]) -> None:
    issue = load(HEAD + LETTER)
    assert (issue.slug, issue.language, issue.layout) == ("4", "de", "region")
    assert issue.folder == Path("issues/4")
    assert issue.content.date == dt.date(2026, 12, 1)
    assert load(HEAD + LETTER + "language: en-GB\n").language == "en-GB"
    Path("layouts/fest").mkdir()
    Path("layouts/fest/layout.mjml.j2").touch()
    assert load(HEAD + LETTER + "layout: fest\n").layout == "fest"


def test_merge_fields_are_given_with_their_places(load: Callable[[str], Issue]) -> None:
    uses = load(HEAD + LETTER).merge_fields()
    assert [(use.name, use.default) for use in uses] == [("first_name", "Sie"), ("name", None)]
    assert [str(use.problem("is no column of list.csv")) for use in uses] == [
        "issues/4/issue.yaml:2:17: subject: is no column of list.csv",
        "issues/4/issue.yaml:9:9: blocks[0].body: is no column of list.csv",
    ]


def test_problems_can_be_dated_to_any_place(load: Callable[[str], Issue]) -> None:
    issue = load(HEAD + LETTER)
    assert str(issue.problem(("blocks", 0, "body"), "is dull")) == "issues/4/issue.yaml:6:11: blocks[0].body: is dull"
    assert str(issue.problem((), "is dull")) == "issues/4/issue.yaml:1:1: is dull"


def test_pictures_are_found_until_they_go(load: Callable[[str], Issue]) -> None:
    issue = load(HEAD + "  - {type: image, src: bild.png, alt: A}\n")
    assert issue.picture_path("bild.png").read_bytes() == Path("issues/4/bild.png").read_bytes()
    Path("issues/4/bild.png").unlink()
    with pytest.raises(InputError, match=r"^issues/4/issue.yaml:5:24: blocks\[0\].src: bild.png: there is no such file"):
        issue.picture_path("bild.png")


@pytest.mark.parametrize("named", ["4", "issues/4", "issues/4/issue.yaml", "./issues/4/"])
def test_an_issue_goes_by_slug_and_by_path(load: Callable[[str], Issue], workspace: Workspace, named: str) -> None:
    load(HEAD + LETTER)
    assert load_issue(workspace, named).slug == "4"


def test_paths_are_shown_from_here_or_as_given(
    load: Callable[[str], Issue], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(HEAD + LETTER)
    (tmp_path / "issues" / "4" / "issue.yaml").write_text("title: a: b\n")
    with pytest.raises(InputError, match=r"^issues/4/issue.yaml:1:9: "):
        load_issue(Workspace(tmp_path), "4")
    monkeypatch.chdir(tmp_path / "layouts")
    with pytest.raises(InputError) as caught:
        load_issue(Workspace(tmp_path), "4")
    assert str(caught.value).startswith(f"{tmp_path}/issues/4/issue.yaml:1:9: ")
    with pytest.raises(InputError, match=r"^\.\./issues/4/issue.yaml:1:9: "):
        load_issue(Workspace(Path("..")), "4")


def test_events_know_a_day_from_a_moment(load: Callable[[str], Issue]) -> None:
    issue = load(
        HEAD + "  - {type: event, title: A, starts: 2026-12-05, ends: 2026-12-05}\n"
        "  - {type: event, title: B, starts: 2026-12-05 10:00, ends: 2026-12-05}\n"
        "  - {type: event, title: C, starts: 2026-12-05, ends: 2026-12-05 12:00}\n"
    )
    starts = [block.starts for block in issue.content.blocks if isinstance(block, Event)]
    assert starts == [dt.date(2026, 12, 5), dt.datetime.fromisoformat("2026-12-05 10:00"), dt.date(2026, 12, 5)]
    assert [type(value) for value in starts] == [dt.date, dt.datetime, dt.date]


def test_numbers_stay_as_readers_see_them(load: Callable[[str], Issue]) -> None:
    issue = load(HEAD + "  - type: figures\n    items: [{value: 1.800, label: Gäste}, {value: 007, label: X}]\n")
    block = issue.content.blocks[0]
    assert isinstance(block, Figures)
    assert [figure.value.sample() for figure in block.items] == ["1.800", "007"]


def test_every_value_is_walked_with_its_place(load: Callable[[str], Issue]) -> None:
    issue = load(
        HEAD + "  - type: news\n    title: A\n    items: [{title: B}, {title: C, link: {label: D, url: https://x.org}}]\n"
    )
    lines = {loc: value.raw for loc, value in issue.content.walk() if isinstance(value, Line)}
    assert lines == {
        ("subject",): "Hallo {{ first_name | default('Sie') }}",
        ("blocks", 0, "title"): "A",
        ("blocks", 0, "items", 0, "title"): "B",
        ("blocks", 0, "items", 1, "title"): "C",
        ("blocks", 0, "items", 1, "link", "label"): "D",
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("newsletter@example.org", "grüße@example.org", "3:17: sender.email: is no mail address"),
        ("newsletter@example.org", '"a@example.org\\nBcc: b@x.org"', "3:17: sender.email: is no mail address"),
        ("name: Digitale", 'name: "Digitale\\r\\nBcc: a@x.org', None),
        ("language: de", "language: de\nlist_id: region", "3:10: list_id: 'region' is no List-Id"),
        ("language: de", "language: de\nlist_id: <region.example.org>", "3:10: list_id: '<region.example.org>' is no List-Id"),
        ("language: de", "language: de\nhomepage: http://example.org", "3:11: homepage: must be https"),
        ("  city: Beispielstadt\n", "", "5:3: imprint.city: missing; the imprint needs a city"),
        ("language: de\n", "", "1:1: language: missing; the publication needs a language"),
        ("  city:", "  stadt: x\n  city:", "8:3: imprint.stadt: is not a key of the imprint"),
    ],
)
def test_a_publication_is_checked_as_an_issue_is(workspace: Workspace, old: str, new: str, expected: str | None) -> None:
    text = workspace.publication_file.read_text(encoding="utf-8")
    assert old in text
    workspace.publication_file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_publication(workspace)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(f"issues/publication.yaml:{expected or ''}")


@pytest.mark.parametrize("list_id", ["digitale-region.example.org", "a.b.c.example.org", "news_2.xn--bcher-kva.example"])
def test_list_ids_of_rfc_2919_are_taken(workspace: Workspace, list_id: str) -> None:
    text = workspace.publication_file.read_text(encoding="utf-8")
    workspace.publication_file.write_text(f"{text}list_id: {list_id}\n", encoding="utf-8")
    assert load_publication(workspace).list_id == list_id
