"""The foot of a mail where readers leave by mail alone: in both layouts and languages, and by hand from the text part (L7)."""

from pathlib import Path

import pytest
from lxml.html import HtmlElement, document_fromstring

from newsletter.compose.compile import compile_issue
from newsletter.issue import load_issue
from newsletter.links import Links
from newsletter.message import OwnLinks
from newsletter.settings import Workspace

PUBLICATION = """\
name: Digitale Region
language: {language}
layout: {layout}
sender: {{email: newsletter@example.org}}
unsubscribe_email: leave@example.org
links: static
imprint: {{organisation: County Council, street: 1 High Street, postal_code: "01067", city: Sampleton, email: info@example.org}}
"""
ISSUE = "title: Ausgabe 4\nsubject: Neues\ndate: 2026-12-01\nblocks:\n  - type: letter\n    body: Hallo.\n"
OWN = Links("https://www.example.org/news", b"k" * 32, "region.example.org")
MARK = OWN.mark("ada@example.org")
SUBJECT = OWN.unsubscribe_subject(3, 77, MARK)
URL = f"mailto:leave@example.org?subject={SUBJECT.replace(' ', '%20')}"
WORDS = {
    "de": (
        "Sie möchten diesen Newsletter nicht mehr erhalten?",
        "„Digitale Region“ per E-Mail abbestellen",
        "Der Link öffnet eine E-Mail an leave@example.org. Senden Sie diese einfach unverändert ab.",
        "Oder schreiben Sie selbst an leave@example.org, mit diesem Betreff:",
    ),
    "en": (
        "You no longer want to receive this newsletter?",
        "Unsubscribe from “Digitale Region” by e-mail",
        "The link opens an e-mail to leave@example.org. Just send it as it is.",
        "Or write to leave@example.org yourself, with this subject:",
    ),
}


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("layout", ["region", "plain"])
def test_the_foot_reads_well(layout: str, language: str, tmp_path: Path) -> None:
    (tmp_path / "issues" / "4").mkdir(parents=True)
    (tmp_path / "issues" / "publication.yaml").write_text(PUBLICATION.format(language=language, layout=layout), encoding="utf-8")
    (tmp_path / "issues" / "4" / "issue.yaml").write_text(ISSUE, encoding="utf-8")
    workspace = Workspace(tmp_path)
    edition = compile_issue(load_issue(workspace, "4"), workspace, OWN.picture_url)
    values = OwnLinks(OWN, edition.headers, "4").values(3, 77, MARK)
    question, label, how, by_hand = WORDS[language]
    page: HtmlElement = document_fromstring(edition.html.fill(values))
    links = [(link.text_content().strip(), link.get("href")) for link in page.iter("a")]
    assert links[-1] == (label, URL)
    assert links[0][1] == "https://www.example.org/news/issues/4/"
    foot = " ".join(page.xpath("//a[starts-with(@href, 'mailto:leave')]")[0].getparent().text_content().split())
    assert foot == f"{question}{label}{how}"
    text = edition.text.fill(values)
    lines = [line for line in text[text.index(question) :].splitlines() if line]
    assert lines[:3] == [question, f"{label}:", URL]
    assert lines[-2:] == [by_hand, SUBJECT]
    assert " ".join(lines[3:-2]) == how
    assert "/view/" not in text + edition.html.fill(values)
