"""Leaving by mail, beside one click and alone: what is whole passes every rule, each fault is found by its own (B5 to B7, L7)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.check import Subject, check
from newsletter.check.fetch import Answer
from newsletter.check.sampling import Writer, messages
from newsletter.check.visit import visit
from newsletter.compose.compile import compile_issue
from newsletter.issue import load_issue
from newsletter.links import Links
from tests.check.broken import ISSUE, PUBLICATION, URL, Bench

MAIL = "unsubscribe_email: leave@region.example.org\n"
STATIC = f"{MAIL}links: static\n"
BYTES = "S2-not-as-made"


@pytest.fixture
def both(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.write(PUBLICATION + MAIL)
    return bench


@pytest.fixture
def static(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.write(PUBLICATION + STATIC)
    return bench


@pytest.mark.parametrize("layout", ["region", "plain"])
@pytest.mark.parametrize("lines", [MAIL, STATIC])
def test_what_is_whole_passes(lines: str, layout: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write(PUBLICATION.replace("layout: region", f"layout: {layout}") + lines)
    assert bench.rules() == set()


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        (b", <mailto:", b", <https:", {"B5-list-unsubscribe", "B7-unsubscribe-token"}),
        (b"%209", b"%20AA>, <mailto:x@example.org?subject=9", {"B5-list-unsubscribe", "B7-unsubscribe-token"}),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Clicks", {"B6-one-click"}),
        (b"List-Unsubscribe-Post:", b"X-Post:", {"B6-one-click", BYTES}),
    ],
)
def test_faults_where_there_are_both(old: bytes, new: bytes, rules: set[str], both: Bench) -> None:
    both.raw(old, new)
    assert both.rules() == rules


NO_MAIL = {"B5-unsubscribe-by-mail", "B7-unsubscribe-token", "L7-no-way-out"}


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        (b"List-Unsubscribe: <mailto:", b"List-Unsubscribe: <mail:", NO_MAIL | {"B6-one-click"}),
        (
            b"mailto:leave@region.example.org?subject=",
            b"mailto:leave@region.example.org?body=",
            NO_MAIL | {"L7-subject-not-told"},
        ),
        (b"\r\nList-Id:", b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id:", {"B6-one-click", BYTES}),
    ],
)
def test_faults_where_leaving_is_by_mail_alone(old: bytes, new: bytes, rules: set[str], static: Bench) -> None:
    static.raw(old, new)
    assert static.rules() == rules


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        ("text.j2", "{{ unsubscribe_subject }}\n", "\n", "L7-subject-not-told"),
        ("text.j2", "\n{{ unsubscribe_url }}\n{{ say('The link", "\n[{{ unsubscribe_url }}]\n{{ say('The link", "L7-no-way-out"),
    ],
)
def test_a_layout_that_forgets_how(file: str, old: str, new: str, rule: str, static: Bench) -> None:
    static.layout(file, old, new)
    assert static.rules() == {rule}


def test_the_view_link_leads_to_the_page_for_everyone(static: Bench) -> None:
    static.layout("layout.mjml.j2", '<p><a href="{{ view_url }}">', '<p><a href="https://news.example.org/issue/4/">')
    static.layout("imprint-words.mjml.j2", "{{ imprint.street }}", '<a href="{{ view_url }}">{{ imprint.street }}</a>')
    assert "H14-view-link-late" in static.rules()


def test_an_issue_that_is_not_public_has_no_page_to_lead_to(static: Bench) -> None:
    static.write(PUBLICATION + STATIC, f"{ISSUE}public: false\n")
    (one,) = static.check().findings
    assert (one.rule.id, str(one.at).rpartition("/")[2]) == ("H14-not-public", "issue.yaml:17:9")
    static.write(f"{PUBLICATION}{STATIC}archive: false\n")
    (one,) = static.check().findings
    assert (one.rule.id, str(one.at).rpartition("/")[2]) == ("H14-not-public", "publication.yaml:19:10")
    static.write(f"{PUBLICATION}{STATIC}archive: false\n", f"{ISSUE}public: true\n")
    assert static.rules() == set()


def found(bench: Bench, ask: Callable[[str], Answer]) -> set[str]:
    issue = load_issue(bench.workspace, "4")
    own = Links(URL, b"k" * 32, issue.publication.own_list_id)
    edition = compile_issue(issue, bench.workspace, own.picture_url)
    subject = Subject(issue, edition, bench.settings)
    made = messages(subject, Writer(edition, own, issue.slug))
    return {finding.rule.id for finding in check(subject, made, visit(made[0].page, own, ask)).findings}


def test_published_pages_are_asked_for_online(static: Bench) -> None:
    asked: list[str] = []

    def ask(url: str) -> Answer:
        asked.append(url)
        missing = url.startswith(URL)
        return Answer(404 if missing else 200, url, "text/html", 1)

    assert found(static, ask) == {"H14-not-published", "H7-picture-not-there"}
    assert f"{URL}/issues/4/" in asked
    assert not [url for url in asked if "mailto" in url or "unsubscribe" in url]
    assert found(static, lambda url: Answer(200, url, "image/jpeg" if "/pictures/" in url else "text/html", 1)) == set()
