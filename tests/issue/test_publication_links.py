"""How readers leave, as publication.yaml says it: each mistake in one sentence, with its place."""

from pathlib import Path

import pytest

from newsletter.issue import load_publication, publication_schema
from newsletter.problem import InputError
from newsletter.settings import Workspace

TEXT = """\
name: N
language: de
sender: {email: n@example.org}
imprint: {organisation: O, street: S 1, postal_code: "1", city: C, email: o@example.org}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "issues").mkdir()
    return Workspace(tmp_path)


def test_a_service_runs_where_nothing_is_said(workspace: Workspace) -> None:
    workspace.publication_file.write_text(TEXT)
    publication = load_publication(workspace)
    assert (publication.links, publication.unsubscribe_email) == ("served", None)


def test_leaving_by_mail_beside_one_click_and_alone(workspace: Workspace) -> None:
    for links in ("served", "static"):
        workspace.publication_file.write_text(
            f"{TEXT}unsubscribe_email: Leave@Bücher.example\nlinks: {links}\n", encoding="utf-8"
        )
        publication = load_publication(workspace)
        assert (publication.links, publication.unsubscribe_email) == (links, "Leave@xn--bcher-kva.example")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("links: static\n", ":5:8: links: static needs the key unsubscribe_email beside it; write the mailbox"),
        ("unsubscribe_email: leave\n", ":5:20: unsubscribe_email: is no mail address"),
        ("unsubscribe_email: ü@example.org\n", ":5:20: unsubscribe_email: is no mail address"),
        ("unsubscribe_email: 'Leave <l@example.org>'\n", ":5:20: unsubscribe_email: is no mail address"),
        ("links: none\n", ":5:8: links: must be served (newsletter serve runs) or static"),
        ("links: [static]\n", ":5:8: links: must be served (newsletter serve runs) or static"),
        ("links:\n", ":5:1: links: must be served"),
    ],
)
def test_a_mistake_has_its_place_and_its_cure(workspace: Workspace, lines: str, problem: str) -> None:
    workspace.publication_file.write_text(TEXT + lines, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_publication(workspace)
    (told,) = caught.value.problems
    assert problem in str(told)


def test_an_editor_knows_the_keys() -> None:
    keys = publication_schema()["properties"]
    assert keys["links"]["enum"] == ["served", "static"]
    assert "unsubscribe_email" in keys
