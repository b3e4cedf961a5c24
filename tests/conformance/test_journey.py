"""A reader's whole way in a real browser without JavaScript and cookies, by keyboard alone: from the form to the erasure.

Every page that he sees is then looked at by axe, narrow and wide, light and dark.
"""

import itertools
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from newsletter.audience.proof import record_of
from newsletter.audience.signups import MOST_AN_HOUR
from newsletter.preview.inbox import Inbox
from newsletter.store import consents_of, tables
from newsletter.web.server import BackgroundServer
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.thorough import only_thorough
from tests.web.subscribing import Office, make_office

pytestmark = pytest.mark.real

READER, MOVED = "leserin@example.org", "neu@example.org"
LOOKS: list[tuple[Literal["light", "dark"], int]] = list(itertools.product(("light", "dark"), (320, 1200)))
#: A browser whose owner lets no page run scripts or keep cookies: Chromium's own settings, 2 is "block".
_SETTINGS = {"profile": {"default_content_setting_values": {"cookies": 2, "javascript": 2}}}
#: What the Tab key reaches, in the order of the page: of a radio group the chosen one.
_FOCUSABLE = "a[href], button, input:not([type=hidden], [type=radio], .trap *), input[type=radio]:checked"
_WHERE = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    index: [...document.querySelectorAll(FOCUSABLE)].indexOf(one),
    outline: style.outlineStyle !== "none" ? parseFloat(style.outlineWidth) : 0,
    seen: box.width > 0 && box.top > -1 && box.bottom < innerHeight + 1,
  };
}""".replace("FOCUSABLE", json.dumps(_FOCUSABLE))
_AXE = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: rules, preload: false });
  return violations.map((found) => `${found.id}: ${found.nodes[0].html}`);
}"""


@dataclass
class Reader:
    """Somebody at a keyboard. ``seen`` is every page as it was shown: its name and its HTML."""

    page: Page
    office: Office
    seen: dict[str, str] = field(default_factory=dict)

    def look(self, heading: str, name: str) -> None:
        """The page has this heading; every stop of the Tab key is in its order, in the window and visibly chosen (A12)."""
        self.wait(heading)
        self.seen[name] = self.page.content()
        count = self.page.locator(_FOCUSABLE).count()
        self.page.evaluate("document.activeElement.blur()")
        for index in range(count):
            stop = self._press("Tab")
            assert stop["index"] == index, (name, stop)
            assert stop["outline"] >= 2, (name, stop)
            assert stop["seen"], (name, stop)

    def wait(self, heading: str) -> None:
        """Until the page of this heading is there."""
        self.page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()

    def go_to(self, role: Any, name: str) -> None:
        """Press Tab until this has the focus."""
        wanted = self.page.get_by_role(role, name=name, exact=True)
        for _ in range(self.page.locator(_FOCUSABLE).count() + 1):
            if wanted.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key does not reach {role} {name}")

    def enter(self, role: Any, name: str) -> None:
        """Go there and press Enter."""
        self.go_to(role, name)
        self.page.keyboard.press("Enter")

    def open(self, url: str) -> None:
        """Follow a link of a mail."""
        self.page.goto(url)

    def _press(self, key: str) -> dict[str, Any]:
        self.page.keyboard.press(key)
        for _ in range(20):  # the page scrolls to it with its next frame
            if (stop := dict(self.page.evaluate(_WHERE)))["seen"]:
                break
            self.page.wait_for_timeout(50)
        return stop

    def mail(self, count: int) -> tuple[EmailMessage, str]:
        """The last mail when there are so many, and the link in it."""
        while len(self.office.inbox) < count:
            time.sleep(0.02)
        received = list(self.office.inbox)[-1]
        return received.message, self.office.link()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Inbox() as inbox, BackgroundServer() as server:
        made = make_office(f"sqlite:///{tmp_path / 'newsletter.db'}", inbox, server.url)
        server.start(made.app)
        with made.postman:
            yield made
        made.site.store.close()


@pytest.fixture
def reader(office: Office, chromium: Browser, tmp_path: Path) -> Iterator[Reader]:
    """A browser of its own, with the settings of a careful owner."""
    (tmp_path / "browser" / "Default").mkdir(parents=True)
    (tmp_path / "browser" / "Default" / "Preferences").write_text(json.dumps(_SETTINGS), encoding="utf-8")
    context = chromium.browser_type.launch_persistent_context(
        tmp_path / "browser", executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS, viewport={"width": 700, "height": 900}
    )
    page = context.new_page()
    page.set_content("<title>off</title><script>document.title = 'on'</script>")
    assert page.title() == "off"
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - playwright writes on what it is given
    yield Reader(page, office)
    assert answers
    assert not [answer.url for answer in answers if "set-cookie" in answer.headers]
    assert context.cookies() == []
    context.close()


@only_thorough
def test_from_the_form_to_the_erasure(office: Office, reader: Reader, chromium: Browser, axe_source: str) -> None:
    """L3 to L7, L10: each step as a reader takes it, and what the office can prove afterwards."""
    subscribe(office, reader)
    change_settings(reader)
    move(office, reader)
    take_data_along(reader)
    leave_and_come_back(office, reader)
    be_forgotten(office, reader)
    see_what_goes_wrong(office, reader)
    everyone_can_use(reader.seen, chromium, axe_source)


def everyone_can_use(seen: dict[str, str], chromium: Browser, axe_source: str) -> None:
    """The pages as they were seen, in a browser that lets axe run: their own policy forbids scripts (A8, A10, L15)."""
    folder = os.environ.get("NEWSLETTER_SHOTS")  # to look at them oneself
    page = chromium.new_page()
    for name, html in seen.items():
        page.set_content(html)
        page.evaluate(axe_source)
        for scheme, width in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(_AXE) == [], (name, scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
            if folder:
                page.screenshot(path=Path(folder) / f"{name}-{scheme}-{width}.png", full_page=True)
    page.close()


def subscribe(office: Office, reader: Reader) -> None:
    reader.open(f"{office.links.public_url}/subscribe")
    reader.look("Digitale Region abonnieren", "subscribe")
    reader.go_to("textbox", "E-Mail-Adresse")
    reader.page.keyboard.type("leserin@example")  # a browser lets it pass
    reader.page.keyboard.press("Enter")
    reader.page.get_by_role("alert").wait_for()
    reader.look("Digitale Region abonnieren", "subscribe-wrong")
    reader.go_to("textbox", "E-Mail-Adresse")
    reader.page.keyboard.press("End")
    reader.page.keyboard.type(".org")
    reader.go_to("radio", "Deutsch")
    reader.page.keyboard.press("ArrowDown")
    reader.go_to("checkbox", "Für Kommunen")
    reader.page.keyboard.press("Space")
    reader.enter("button", "Anmelden")
    reader.look("Bitte sehen Sie in Ihr Postfach", "asked")
    assert office.subscribers() == []
    mail, url = reader.mail(1)
    assert mail["To"] == READER
    for _ in range(3):
        before = office.site.dump()
        reader.open(url)
        reader.look("Anmeldung bestätigen", "confirm")
        assert office.site.dump() == before  # B11
    reader.enter("button", "Bestätigen")
    reader.look("Sie stehen auf der Liste", "confirmed")
    (one,) = office.subscribers()
    assert (one.address, one.language, one.topics) == (READER, "en", "kommunen")
    (step,) = consents_of(office.site.store, one.mark)
    assert step.kind == "confirmed"
    assert step.message_id == mail["Message-ID"]
    assert "Ich möchte „Digitale Region“ per E-Mail erhalten." in str(step.wording)
    assert step.asked_at is not None
    assert step.asked_at < step.at


def change_settings(reader: Reader) -> None:
    reader.enter("link", "Ihre Einstellungen")
    reader.look("Ihre Einstellungen", "preferences")
    reader.go_to("radio", "English")
    reader.page.keyboard.press("ArrowUp")
    reader.go_to("checkbox", "Für die Presse")
    reader.page.keyboard.press("Space")
    reader.enter("button", "Speichern")
    reader.page.get_by_role("status").wait_for()
    reader.look("Ihre Einstellungen", "preferences-saved")
    (one,) = reader.office.subscribers()
    assert (one.language, one.topics) == ("de", "presse, kommunen")


def move(office: Office, reader: Reader) -> None:
    settings = reader.page.url
    reader.go_to("textbox", "Neue E-Mail-Adresse")
    reader.page.keyboard.type("neu@example")
    reader.page.keyboard.press("Enter")
    reader.page.get_by_role("alert").wait_for()
    reader.look("Ihre Einstellungen", "preferences-wrong")
    reader.go_to("textbox", "Neue E-Mail-Adresse")
    reader.page.keyboard.press("End")
    reader.page.keyboard.type(".org")
    reader.enter("button", "Adresse ändern")
    reader.look("Bitte sehen Sie in Ihr Postfach", "asked-moving")
    mail, url = reader.mail(2)
    assert mail["To"] == MOVED
    reader.open(url)
    reader.look("Neue Adresse bestätigen", "confirm-moving")
    reader.enter("button", "Bestätigen")
    reader.look("Ihre Adresse ist geändert", "confirmed-moving")
    assert [one.address for one in office.subscribers()] == [MOVED]
    reader.open(url)
    reader.look("Dieser Link ist verbraucht", "expired")
    reader.open(settings)  # the address of before


def take_data_along(reader: Reader) -> None:
    with reader.page.expect_download() as download:
        reader.enter("link", "Herunterladen, was zu Ihnen gespeichert ist (JSON)")
    assert download.value.suggested_filename == "newsletter.json"
    kept = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    (one,) = reader.office.subscribers()
    assert kept == record_of(reader.office.site.store, one.mark)
    assert kept["fields"]["email"] == MOVED


def leave_and_come_back(office: Office, reader: Reader) -> None:
    (one,) = office.subscribers()
    reader.open(office.links.unsubscribe_url(1, 1, one.mark))  # as a mail has it
    reader.look("Digitale Region abbestellen", "leave")
    reader.enter("link", "Ihre Einstellungen")
    reader.wait("Ihre Einstellungen")
    reader.enter("button", "Abbestellen")
    reader.look("Sie sind abgemeldet", "gone")
    assert office.subscribers() == []
    reader.enter("button", "Das war ein Versehen: auf der Liste bleiben")
    reader.look("Sie stehen weiter auf der Liste", "returned")
    assert [one.address for one in office.subscribers()] == [MOVED]
    reader.open(office.links.unsubscribe_url(1, 1, one.mark))
    reader.enter("button", "Abbestellen")
    reader.wait("Sie sind abgemeldet")
    reader.open(f"{office.links.public_url}/return/{office.links.preferences_token(one.mark)}")
    reader.look("Auf der Liste bleiben?", "return")
    reader.enter("button", "Auf der Liste bleiben")
    reader.wait("Sie stehen weiter auf der Liste")
    kinds = [step.kind for step in consents_of(office.site.store, one.mark)]
    assert kinds == ["confirmed", "moved", "unsubscribed", "returned", "unsubscribed", "returned"]


def be_forgotten(office: Office, reader: Reader) -> None:
    (one,) = office.subscribers()
    reader.open(office.links.preferences_url(one.mark))
    reader.enter("link", "Alles löschen lassen")
    reader.look("Alles löschen lassen", "erase")
    reader.enter("button", "Endgültig löschen")
    reader.look("Ihre Daten sind gelöscht", "erased")
    assert not re.search(r"leserin@|neu@", "\n".join(office.site.dump()))
    reader.open(f"{office.links.public_url}/return/{office.links.preferences_token(one.mark)}")
    reader.enter("button", "Auf der Liste bleiben")
    reader.look("Das geht nicht mehr rückgängig zu machen", "late")


def see_what_goes_wrong(office: Office, reader: Reader) -> None:
    reader.open(f"{office.links.public_url}/nothing")
    reader.look("Diese Seite gibt es nicht", "missing")
    reader.open(office.links.view_url(0, 0))
    reader.look("Dieser Link gehört zu einem Test", "example")
    reader.open(office.site.unsubscribe["bert@example.org"])  # of a list
    reader.look("Digitale Region abbestellen", "unsubscribe")
    moment = office.site.store.clock()
    row = {"mark": bytes(16), "address": "x", "address_key": "x", "state": "dropped", "asked_at": moment, "next_at": 0}
    with office.site.store.write() as connection:
        connection.execute(tables.wording.insert().values(hash="w", body="w"))
        rows = [row | {"key": b"%016d" % number, "wording": "w"} for number in range(MOST_AN_HOUR)]
        connection.execute(tables.signup.insert(), rows)
    reader.open(f"{office.links.public_url}/subscribe")
    reader.go_to("textbox", "E-Mail-Adresse")
    reader.page.keyboard.type(READER)
    reader.page.keyboard.press("Enter")
    reader.look("Bitte versuchen Sie es später noch einmal", "crowded")
    with office.site.store.write() as connection:
        tables.suppression.drop(connection)
    reader.open(office.site.unsubscribe["bert@example.org"])
    reader.enter("button", "Abbestellen")
    reader.look("Das hat nicht geklappt", "broken")
