"""The preview in a real browser: what staff do all day."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Page, expect

from newsletter.compose.contrast import inverted
from newsletter.preview.inbox import Received
from newsletter.preview.server import Preview
from newsletter.settings import Workspace, program_folder
from tests.preview.conftest import Office
from tests.thorough import only_thorough

pytestmark = pytest.mark.real

LONG = "\n".join(f"  - {{type: text, title: Absatz {number}, body: {'Worte. ' * 60}}}" for number in range(12))
_AXE = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: rules, iframes: false });
  return violations.map((found) => `${found.id}: ${found.nodes[0].html}`);
}"""


@pytest.fixture
def tab(chromium: Browser, running: Preview) -> Iterator[Page]:
    """A tab with the issue's page; what the browser complains of is a fault."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{running.url}issue/2026-12")
    yield page
    context.close()
    assert complaints == []


def _mail(tab: Page) -> FrameLocator:
    return tab.frame_locator(".pane iframe:not(.coming)")


def _style(tab: Page, selector: str, name: str) -> str:
    return str(_mail(tab).locator(selector).first.evaluate(f"element => getComputedStyle(element).{name}"))


def _press(tab: Page, name: str) -> None:
    tab.get_by_role("button", name=name, exact=True).click()
    expect(tab.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")


def _scrolled(tab: Page) -> float:
    return float(tab.evaluate("document.querySelector('.pane iframe').contentDocument.scrollingElement.scrollTop"))


def test_a_saved_change_is_seen_at_the_place_where_one_was(tab: Page, office: Office) -> None:
    office.issue.write_text(office.issue.read_text() + LONG + "\n", encoding="utf-8")
    tab.set_default_timeout(10_000)
    _mail(tab).get_by_text("Absatz 11").first.wait_for()
    tab.evaluate("document.querySelector('.pane iframe').contentDocument.scrollingElement.scrollTop = 700")
    office.edit("Absatz 11", "Der letzte Absatz")
    _mail(tab).get_by_text("Der letzte Absatz").first.wait_for()
    expect(tab.locator(".pane iframe")).to_have_count(1)  # the file may have been seen twice while it was written
    assert _scrolled(tab) == 700


@only_thorough
def test_everything_that_a_mail_is_made_of_is_watched(chromium: Browser, office: Office) -> None:
    own = office.root / "layouts" / "region"
    own.mkdir(parents=True)
    for file in (program_folder("layouts") / "region").iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    (office.root / "locale").mkdir()
    with Preview(Workspace(office.root), "2026-12") as preview:
        page = chromium.new_page()
        page.goto(f"{preview.url}issue/2026-12?to=ada@example.org")
        mail = _mail(page)
        expect(mail.get_by_text("Guten Tag, Ada,").first).to_be_visible()
        publication = office.root / "issues" / "publication.yaml"
        publication.write_text(publication.read_text().replace("Digitale Region", "Neuer Name"), encoding="utf-8")
        expect(mail.get_by_text("Neuer Name").first).to_be_attached()
        before = mail.locator("img").get_attribute("src")
        assert before
        Image.new("RGB", (900, 600), "#bb8866").save(office.issue.parent / "steg.png")
        expect(mail.locator("img")).not_to_have_attribute("src", before)
        office.recipients("ada@example.org;Ada Lovelace;")
        expect(mail.get_by_text("Guten Tag, Ada Lovelace").first).to_be_visible()
        theme = own / "theme.yaml"
        theme.write_text(re.sub(r"(?m)^width:.*\n", "", theme.read_text()) + "\nwidth: 560\n", encoding="utf-8")
        expect(mail.locator("div[style*='max-width:560px']").first).to_be_attached()
        words = 'msgid ""\nmsgstr "Language: de\\n"\n\nmsgid "Imprint"\nmsgstr "Wer das schreibt"\n'
        (office.root / "locale" / "de.po").write_text(words, encoding="utf-8")
        expect(mail.get_by_text("Wer das schreibt").first).to_be_attached()
        page.close()


def test_every_switch(tab: Page, running: Preview) -> None:
    for width in ("320", "375", "600", "1200"):
        _press(tab, width)
        expect(tab.locator(".pane")).to_have_class(re.compile(rf"\bw{width}\b"))
        assert _mail(tab).locator("html").evaluate("() => innerWidth") == int(width)
    _press(tab, "Dunkel")
    dark = inverted("#ffffff", ground=True)
    expected = f"rgb({int(dark[1:3], 16)}, {int(dark[3:5], 16)}, {int(dark[5:7], 16)})"
    expect(_mail(tab).locator(f"[style*='{dark}']").first).to_be_attached()
    assert _style(tab, f"[style*='background:{dark}'], [style*='background-color:{dark}']", "backgroundColor") == expected
    _press(tab, "Ohne Bilder")
    expect(_mail(tab).get_by_text("Ein Steg aus hellem Holz am Ufer des Sees")).to_be_visible()
    assert _mail(tab).locator("img").count() == 0
    _press(tab, "GMX")
    expect(_mail(tab).locator("[role]:not(.picture-off)")).to_have_count(0)
    _press(tab, "Outlook")
    expect(_mail(tab).locator("table[width='600']").first).to_be_attached()
    assert set(tab.url.split("?")[1].split("&")) == {"width=1200", "client=outlook", "dark=1", "pictures=off"}
    tab.reload()
    expect(tab.get_by_role("button", name="Outlook")).to_have_attribute("aria-pressed", "true")
    tab.get_by_role("button", name="Dunkel", exact=True).click()
    expect(tab.get_by_role("button", name="Dunkel", exact=True)).to_have_attribute("aria-pressed", "false")
    _press(tab, "Text")
    expect(tab.locator(".raw")).to_contain_text("Guten Tag, liebe Leute,")
    _press(tab, "Kopfzeilen")
    expect(tab.locator(".raw")).to_contain_text("List-Unsubscribe-Post")
    _press(tab, "Quelltext")
    expect(tab.locator(".raw")).to_contain_text("<!DOCTYPE html>")


def test_switches_work_by_keyboard_and_keep_the_focus(tab: Page) -> None:
    button = tab.get_by_role("button", name="320", exact=True)
    button.focus()
    tab.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_be_focused()
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("button", name="375", exact=True)).to_be_focused()
    tab.keyboard.press("Space")
    expect(tab.get_by_role("button", name="375", exact=True)).to_have_attribute("aria-pressed", "true")


@only_thorough
def test_nothing_moves_when_something_is_switched_or_saved(tab: Page, office: Office) -> None:
    expect(tab.locator("#findings .finding").first).to_be_visible()
    places = """() => [...document.querySelectorAll('.top *, .tools button, .box, .pane')]
      .map((element) => JSON.stringify(element.getBoundingClientRect()))"""
    before = tab.evaluate(places)
    office.edit("jeden Tag", "alle Tage")
    _mail(tab).get_by_text("alle Tage").first.wait_for()
    assert tab.evaluate(places) == before
    _press(tab, "GMX")
    assert tab.evaluate(places) == before


def test_a_broken_file_shows_its_lines_over_the_last_good_mail_until_it_is_mended(tab: Page, office: Office) -> None:
    _mail(tab).get_by_text("Guten Tag").first.wait_for()
    office.edit("type: letter", "type: lettre")
    trouble = tab.locator(".trouble")
    expect(trouble).to_contain_text("issues/2026-12/issue.yaml:6:11")
    expect(trouble.locator("mark")).to_have_text("lettre")
    expect(_mail(tab).get_by_text("Guten Tag").first).to_be_attached()
    expect(tab.locator(".pane")).to_have_css("opacity", "0.35")
    office.edit("type: lettre", "type: letter")
    expect(trouble).to_have_count(0)
    expect(tab.locator(".pane")).to_have_css("opacity", "1")


def test_a_finding_shows_its_block_and_its_line(tab: Page, office: Office) -> None:
    tab.emulate_media(reduced_motion="reduce")  # at once: on a slow machine, a swap of the frames would end the slow scrolling
    office.issue.write_text(office.issue.read_text().replace("  - type: article", LONG + "\n  - type: article"), encoding="utf-8")
    _mail(tab).get_by_text("Absatz 11").first.wait_for()
    finding = tab.locator(".finding", has_text="„hier“")
    expect(tab.locator("#findings")).to_have_attribute("aria-busy", "false")
    expect(tab.locator(".pane iframe")).to_have_count(1)
    link = _mail(tab).get_by_role("link", name="hier", exact=True)
    finding.locator("summary").click()
    expect(link).to_be_in_viewport()
    expect(finding.locator(".meant")).to_contain_text("Mehr über den Steg steht [hier]")
    finding.get_by_role("button", name="Kopieren").click()
    place = finding.locator(".place code").inner_text()
    expect(tab.locator("#connection")).to_have_text(f"{place}: kopiert")
    assert tab.evaluate("navigator.clipboard.readText()") == place
    assert re.fullmatch(r"issues/2026-12/issue\.yaml:\d+:\d+", place)
    office.edit("[hier]", "[im Bericht über den Bau]")
    expect(finding).to_have_count(0)


def test_an_open_finding_stays_open_while_one_writes(tab: Page, office: Office) -> None:
    finding = tab.locator(".finding", has_text="„hier“")
    finding.locator("summary").click()
    office.edit("jeden Tag", "alle Tage")
    _mail(tab).get_by_text("alle Tage").first.wait_for()
    expect(finding.locator("details")).to_have_attribute("open", "")


def test_a_recipient_is_found_and_the_mail_is_theirs(tab: Page) -> None:
    tab.locator("#reader-open").click()
    tab.locator("#find").press_sequentially("bob")
    expect(tab.locator("#found button")).to_have_count(1)
    expect(tab.locator("#find")).to_be_focused()
    expect(tab.locator("#find")).to_have_value("bob")
    tab.locator("#found button").click()
    expect(_mail(tab).get_by_text("Guten Tag, Bob,").first).to_be_visible()
    expect(_mail(tab).get_by_text("hoher Auflösung").first).to_be_attached()
    tab.get_by_role("button", name="Lange Namen").click()
    expect(_mail(tab).get_by_text("Guten Tag, Wilhelmine-Charlotte").first).to_be_visible()


def test_a_test_mail_arrives_in_the_inbox(tab: Page, running: Preview) -> None:
    tab.get_by_label("An die Adresse").fill("me@example.org")
    tab.get_by_role("button", name="Senden").click()
    expect(tab.locator("#sent")).to_contain_text("Geprobt: Der Test für me@example.org")
    expect(tab.locator("#inbox-link .count")).to_have_text("1")
    assert [received.recipients for received in running.inbox] == [("me@example.org",)]
    tab.get_by_role("link", name="Ansehen").click()
    tab.get_by_role("link", name="Test: Neues aus der Region").click()
    expect(_mail(tab).get_by_text("Guten Tag, liebe Leute,").first).to_be_visible()
    assert _mail(tab).locator("img").evaluate("image => image.complete && image.naturalWidth > 0")
    _press(tab, "Quelltext")
    expect(tab.locator(".raw")).to_contain_text("Content-Type: multipart/alternative")


def test_the_inbox_shows_at_once_what_arrives(tab: Page, running: Preview) -> None:
    tab.goto(f"{running.url}inbox")
    expect(tab.get_by_text("Noch ist nichts angekommen")).to_be_visible()
    running.inbox._received.append(Received("a@example.org", ("b@example.org",), b"Subject: Eilig\r\n\r\nx\r\n"))
    running.inbox.changed()
    expect(tab.get_by_role("link", name="Eilig")).to_be_visible()


def test_no_script_of_a_mail_runs(chromium: Browser, running: Preview) -> None:
    evil = (
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n<p>da</p><img src=x onerror='top.location=1'><script>top.evil=1</script>"
    )
    running.inbox._received.append(Received("a@example.org", ("b@example.org",), evil))
    page = chromium.new_page()
    page.goto(f"{running.url}inbox/1")
    expect(_mail(page).get_by_text("da")).to_be_visible()
    assert page.evaluate("window.evil") is None
    assert page.url == f"{running.url}inbox/1"
    page.close()


@only_thorough
def test_axe_finds_nothing(chromium: Browser, running: Preview, office: Office, axe_source: str) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, bypass_csp=True)
    page = context.new_page()
    page.add_init_script(axe_source)
    here = f"{running.url}issue/2026-12"
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    running.inbox._received.append(Received("a@example.org", ("b@example.org",), b"Subject: x\r\n\r\nx\r\n"))

    def finds_nothing(address: str, prepare: Callable[[], None] = lambda: None) -> None:
        page.goto(address)
        prepare()
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(_AXE) == [], (address, scheme)

    def open_all() -> None:
        page.locator(".finding summary").first.click()
        page.locator("#reader-open").click()

    for address in (running.url, f"{running.url}inbox", f"{running.url}inbox/1", f"{running.url}none", f"{here}/example"):
        finds_nothing(address)
    finds_nothing(here, open_all)
    for query in ("view=text", "view=headers", "view=source", "width=1200&dark=1", "width=320&lang=en"):
        finds_nothing(f"{here}?{query}")
    office.edit("type: letter", "type: lettre")
    finds_nothing(here, lambda: page.locator(".trouble").wait_for())
    page.set_viewport_size({"width": 600, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 600
    finds_nothing(here)
    context.close()


def test_a_lost_server_is_told(chromium: Browser, office: Office) -> None:
    page = chromium.new_page()
    with Preview(Workspace(office.root)) as preview:
        page.goto(preview.url)
        expect(page.get_by_role("link", name="Ausgabe Dezember")).to_be_visible()
        started = time.monotonic()
    assert time.monotonic() - started < 60  # an open page does not keep it from ending
    expect(page.locator("#connection")).to_contain_text("Läuft newsletter preview noch?")
    page.close()
