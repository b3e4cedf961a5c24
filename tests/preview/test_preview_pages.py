"""What stands on the pages."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.preview.app import Studio, create_app
from newsletter.preview.inbox import Inbox
from newsletter.preview.page import spoken
from newsletter.preview.people import People
from newsletter.problem import InputError
from tests.preview.conftest import TOKEN, Office, Visitor

PAGES = Path(__file__).parents[2] / "newsletter" / "preview" / "pages"
_SAID = re.compile(r"""\bt\(\s*(?:"([^"]+)"|'([^']+)')""")


def test_all_words_are_german_too() -> None:
    files = [*PAGES.glob("*.j2")]
    said = {first or second for file in files for first, second in _SAID.findall(file.read_text(encoding="utf-8"))}
    said |= {"Someone as usual", "Someone with {detail}", "Long names", "Nearly nothing known", "Umlauts and special characters"}
    assert len(said) > 60
    assert {words for words in said if not spoken("de").speaks(words)} == set()


def test_the_start_page_lists_the_issues(visitor: Visitor, office: Office) -> None:
    other = office.root / "issues" / "2027-01" / "issue.yaml"
    other.parent.mkdir()
    other.write_text("title: [\n", encoding="utf-8")
    text = visitor.get("").text
    assert f'href="/{TOKEN}/issue/2026-12"' in text
    assert "Ausgabe Dezember" in text
    assert "Dezember 2026" in text
    assert text.index("2027-01") < text.index("2026-12")
    assert "issues/2027-01/issue.yaml:" in text  # why it cannot be shown


def test_an_office_without_issues_hears_how_to_make_one(visitor: Visitor, office: Office) -> None:
    office.issue.unlink()
    assert "newsletter new" in visitor.get("").text


def test_the_page_speaks_the_publications_language_or_the_chosen_one(visitor: Visitor) -> None:
    german, english = visitor.get("issue/2026-12").text, visitor.get("issue/2026-12?lang=en").text
    assert '<html lang="de">' in german
    assert "Test an mich senden" in german
    assert '<html lang="en">' in english
    assert "Send a test to me" in english
    assert 'name="lang" value="en"' in english  # kept by every switch


@pytest.mark.parametrize("name", ["usual", "only-0", "long", "little", "odd", "nobody", "bob@example.org", "none@example.org"])
def test_everyone_has_a_mail(visitor: Visitor, name: str) -> None:
    page = visitor.get(f"issue/2026-12?to={name}")
    mail = visitor.get(f"issue/2026-12/mail?to={name}")
    assert (page.status_code, mail.status_code) == (200, 200)
    assert ("hoher Auflösung" in mail.text) == (name in ("only-0", "bob@example.org"))
    assert ("Guten Tag, Bob" in mail.text) == (name == "bob@example.org")


def test_what_is_pressed_says_so(visitor: Visitor) -> None:
    text = visitor.get("issue/2026-12?width=320&client=gmx&dark=1").text
    pressed = set(re.findall(r'id="([\w-]+)"[^>]*aria-pressed="true"', text))
    assert pressed == {"view-mail", "width-320", "client-gmx", "dark-switch", "to-usual"}
    assert 'class="pane w320 dark"' in text
    assert re.search(r'<iframe[^>]*src="[^"]*/mail\?client=gmx&amp;dark=1"', text)


def test_text_headers_and_source_are_those_of_the_message(visitor: Visitor) -> None:
    raw = visitor.get("issue/2026-12/mail.eml").content
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == "Neues aus der Region für den ganzen Dezember"
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines()[5] in visitor.get("issue/2026-12?view=text").text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in visitor.get("issue/2026-12?view=headers").text
    source = visitor.get("issue/2026-12?view=source").text
    assert "&lt;!DOCTYPE html&gt;" in source
    assert "127.0.0.1:8025/pictures/" in source  # as it is sent, not as the frame has it


def test_pictures_come_from_here(visitor: Visitor) -> None:
    (address,) = set(re.findall(r'<img[^>]*src="([^"]+)"', visitor.get("issue/2026-12/mail").text))
    answer = visitor.ask("GET", address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")


def test_a_broken_file_shows_its_lines(visitor: Visitor, studio: Studio, office: Office) -> None:
    assert visitor.get("issue/2026-12").status_code == 200
    office.edit("type: letter", "type: lettre")
    studio.saved()
    page = visitor.get("issue/2026-12").text
    assert "Das muss zuerst in Ordnung gebracht werden" in page
    assert "<mark>lettre</mark>" in page
    assert "issues/2026-12/issue.yaml:6:11" in page
    assert 'class="mail behind"' in page
    assert "Guten Tag, liebe Leute" in visitor.get("issue/2026-12/mail").text


def test_a_file_that_was_broken_from_the_start_has_a_page(visitor: Visitor, office: Office) -> None:
    office.issue.write_text("title: [\n", encoding="utf-8")
    page = visitor.get("issue/2026-12")
    assert page.status_code == 200
    assert "issues/2026-12/issue.yaml:" in page.text
    assert "<iframe" not in page.text
    assert visitor.get("issue/2026-12/mail").status_code == 404
    assert "issue.yaml:" in visitor.post("issue/2026-12/test", address="me@example.org").text


def test_a_recipient_without_the_field_is_named(visitor: Visitor, office: Office) -> None:
    office.edit("{{ first_name | default('liebe Leute') }}", "{{ first_name }}")
    page = visitor.get("issue/2026-12?to=cyd@example.org").text
    assert "cyd@example.org: no value for the merge field &#39;first_name&#39;" in page
    assert "<iframe" not in page
    assert "Guten Tag, Ada" in visitor.get("issue/2026-12/mail?to=ada@example.org").text


def test_people_are_found_and_kept_out_of_the_markup(visitor: Visitor, office: Office) -> None:
    office.recipients('x@example.org;"<script>alert(1)</script>";', "ada@example.org;Ada;")
    text = visitor.get("issue/2026-12?find=example").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in visitor.get("issue/2026-12/mail?to=x@example.org").text
    assert 'value="ada@example.org"' in visitor.get("issue/2026-12?find=ADA").text


def test_a_named_issue_may_lie_elsewhere(office: Office, tmp_path: Path) -> None:
    far = tmp_path / "drafts" / "far"
    far.mkdir(parents=True)
    (far / "issue.yaml").write_text("title: Fern\nsubject: Fern\ndate: 2026-12-01\nblocks: [{type: text, body: Hallo}]\n")
    with Inbox() as inbox:
        studio = Studio(office.root, inbox, People(None), str(far / "issue.yaml"))
        assert "Fern" in Visitor(create_app(studio, TOKEN)).get("issue/far").text
        with pytest.raises(InputError):
            Studio(office.root, inbox, People(None), "nothing")
        studio.close()


def test_its_own_links_lead_to_an_example(visitor: Visitor) -> None:
    addresses = re.findall(r'href="([^"#]+)"', visitor.get("issue/2026-12/mail").text)
    (example,) = {address for address in addresses if address.startswith("/")}
    assert "noch niemand bekommen" in visitor.ask("GET", example).text
