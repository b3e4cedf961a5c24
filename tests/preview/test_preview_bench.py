"""The last good state stays while the newest is broken; findings come after the mail."""

import threading
from collections.abc import Iterator

import pytest

from newsletter.check.sampling import SAMPLE_ADDRESS
from newsletter.preview.bench import Bench, State
from newsletter.preview.excerpt import excerpt
from newsletter.preview.frame import framed
from newsletter.preview.look import Look
from newsletter.preview.people import People, samples
from newsletter.problem import InputError
from tests.preview.conftest import Office


class Listener:
    """Waits for what a bench tells."""

    def __init__(self, office: Office) -> None:
        self.told = threading.Event()
        self.bench = Bench(office.root, "2026-12", self.told.set)

    def checked(self) -> State:
        assert self.told.wait(30)
        self.told.clear()
        return self.bench.state


@pytest.fixture
def listener(office: Office) -> Iterator[Listener]:
    made = Listener(office)
    yield made
    made.bench.close()


def test_findings_come_after_the_mail(listener: Listener, office: Office) -> None:
    state = listener.bench.state
    assert (state.proof is not None, state.report) == (True, None)
    report = listener.checked().report
    assert report is not None
    assert "A6-link-says-nothing" in [finding.rule.id for finding in report.findings]
    office.edit("[hier]", "[im Bericht über den Bau des Stegs]")
    assert listener.bench.refresh().report is report  # until there are new ones
    after = listener.checked().report
    assert after is not None
    assert "A6-link-says-nothing" not in [finding.rule.id for finding in after.findings]


def test_the_last_good_state_stays_behind_a_broken_file(listener: Listener, office: Office) -> None:
    good = listener.bench.state
    office.edit("type: letter", "type: lettre")
    broken = listener.bench.refresh()
    assert (broken.proof, broken.number) == (good.proof, good.number)
    (problem,) = broken.problems
    assert (problem.path, problem.line, problem.column) == ("issues/2026-12/issue.yaml", 6, 11)
    office.edit("type: lettre", "type: letter")
    mended = listener.bench.refresh()
    assert (mended.problems, mended.number) == ((), good.number + 1)


def test_a_file_that_was_never_good_has_no_mail(office: Office) -> None:
    office.issue.write_text("title: [", encoding="utf-8")
    state = Bench(office.root, "2026-12", lambda: None).state
    assert state.proof is None
    assert state.problems


def test_each_person_gets_their_variant(listener: Listener, office: Office) -> None:
    people = People(office.root / "list.csv")
    texts = {}
    for name in ("ada", "bob"):
        person = people.person(f"{name}@example.org")
        assert person is not None
        proof = listener.bench.proof_for(person)
        assert proof is not None
        texts[name] = proof.page(person).text
    assert "hoher Auflösung" in texts["bob"]
    assert "hoher Auflösung" not in texts["ada"]
    assert "Guten Tag, Ada," in texts["ada"]


def test_sample_people_are_of_every_kind(listener: Listener) -> None:
    proof = listener.bench.state.proof
    assert proof is not None
    made = samples(proof.edition)
    assert [sample.name for sample in made] == ["usual", "only-0", "long", "little", "odd"]
    assert (made[0].person.address, made[1].detail) == (SAMPLE_ADDRESS, "presse")


def test_a_variant_that_nobody_asked_for_is_compiled_when_somebody_does(listener: Listener, office: Office) -> None:
    office.edit("body: Bilder", "language: en\n    body: Bilder")
    office.edit("only: {tag: presse}", "only: {tag: presse, language: en}")
    office.issue.write_text(office.issue.read_text() + "  - {type: text, only: {language: fr}, body: Bonjour tout le monde}\n")
    office.recipients("eve@example.org;Eve;presse")
    person = People(office.root / "list.csv").person("eve@example.org")
    assert person is not None
    both = person._replace(fields={**person.fields, "language": "en"})
    proof = listener.bench.proof_for(both)
    assert proof is not None
    assert "hoher Auflösung" in proof.page(both).text


def test_a_variant_of_a_broken_file_cannot_be_had(listener: Listener, office: Office) -> None:
    office.issue.write_text(
        office.issue.read_text() + "  - {type: text, only: {language: fr}, body: Bonjour}\n", encoding="utf-8"
    )
    usual = People(office.root / "list.csv").person("bob@example.org")
    assert usual is not None
    assert listener.bench.state.proof is not None
    office.edit("type: letter", "type: lettre")
    listener.bench.refresh()
    with pytest.raises(InputError, match="lettre"):
        listener.bench.proof_for(usual._replace(fields={**usual.fields, "language": "fr"}))


def test_who_would_get_nothing_is_told(listener: Listener, office: Office) -> None:
    office.issue.write_text(
        office.issue.read_text().split("blocks:")[0] + "blocks:\n  - {type: text, only: {tag: a}, body: Hallo}\n"
    )
    person = People(office.root / "list.csv").person("ada@example.org")
    assert person is not None
    with pytest.raises(InputError, match="no block of the issue that says anything"):
        listener.bench.proof_for(person)


def test_a_finding_leads_to_its_element(listener: Listener) -> None:
    state = listener.bench.state
    report = listener.checked().report
    assert state.proof is not None
    assert report is not None
    person = samples(state.proof.edition)[0].person
    shown = framed(state.proof, person, Look(), "/pictures/", "/example")
    finding = next(finding for finding in report.findings if finding.rule.id == "A6-link-says-nothing")
    mark = shown.mark(finding.at)
    assert f'id="{mark}"' in shown.html
    element = shown.html.split(f'id="{mark}"')[0].rsplit("<", 1)[1]
    assert element.startswith("a ")
    assert "https://region.example/steg" in element
    assert f'src="/pictures/{state.proof.edition.pictures[0].name}"' in shown.html
    assert "127.0.0.1:8025" not in shown.html  # its own links lead to the example
    assert 'href="/example" ' in shown.html


def test_lines_around_a_place(office: Office) -> None:
    rows = excerpt("issues/2026-12/issue.yaml", 6, 11)
    assert [row.number for row in rows] == [3, 4, 5, 6, 7, 8, 9]
    (meant,) = [row for row in rows if row.meant]
    assert (meant.before, meant.at, meant.behind) == ("  - type: ", "letter", "")
    assert excerpt("issues/2026-12/issue.yaml", 0, 0) == ()
    assert excerpt("issues/none.yaml", 1, 1) == ()
    assert excerpt("issues/2026-12/issue.yaml", 2, 500)[1].at == " "
