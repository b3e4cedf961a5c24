"""Subscribing by double opt-in: a form, a mail without advertising, one button, and proof; nothing by chance or by strangers."""

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest
from lxml.html import document_fromstring
from playwright.sync_api import Browser
from sqlalchemy import event
from sqlalchemy.engine import Engine

from newsletter.audience import signups
from newsletter.audience.signups import MOST_AN_HOUR, WEEK
from newsletter.audience.tidying import tidy
from newsletter.delivery.server import Server
from newsletter.issue import Retention
from newsletter.preview.inbox import Inbox
from newsletter.store import (
    Store,
    consents_of,
    erase,
    find_subscriber,
    is_suppressed,
    suppress,
    tables,
)
from newsletter.store.clock import HOUR, MINUTE, now
from newsletter.store.signups import Signup, due_signup
from newsletter.web.limits import Limits, network_of
from newsletter.web.postman import Postman
from newsletter.web.server import BackgroundServer
from tests.real.axe import violations
from tests.real.postgresql import both, in_a_file
from tests.web.subscribing import ANNA, KEY, Office, make_office, parsed

pytestmark = both

if TYPE_CHECKING:
    from tests.web.conftest import Site


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    with Inbox() as inbox:
        made = make_office(database_url, inbox)
        yield made
        made.site.store.close()


def test_two_steps_make_a_subscriber_with_proof(office: Office) -> None:
    url = office.join(language="en", topics=["presse"])
    assert office.subscribers() == []
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        before = office.site.dump()
        office.ask(method, url)
        assert office.site.dump() == before
    assert "<h1>Anmeldung bestätigen</h1>" in office.ask("GET", url).text
    answer = office.post(url)
    assert answer.status_code == 200
    assert "<h1>Sie stehen auf der Liste</h1>" in answer.text
    (anna,) = office.subscribers()
    assert (anna.address, anna.address_key, anna.language, anna.topics) == (ANNA, KEY, "en", "presse")
    (step,) = consents_of(office.site.store, office.links.mark(KEY))
    assert (step.kind, step.list_id) == ("confirmed", "newsletter.seenland.example")
    assert step.wording is not None
    assert step.wording.startswith("Ich möchte „Digitale Region“ per E-Mail erhalten.")
    assert step.asked_at is not None
    assert step.asked_at < step.at
    (received,) = office.inbox
    assert step.message_id == received.message["Message-ID"]
    text = received.message.get_body(("plain",))
    assert text is not None
    assert step.mail == str(text.get_content()).replace(url, "[…]").replace("\r\n", "\n")
    again = office.post(url)
    assert again.status_code == office.ask("GET", url).status_code == 410
    assert "<h1>Dieser Link ist verbraucht</h1>" in again.text
    assert len(consents_of(office.site.store, office.links.mark(KEY))) == 1


@in_a_file
def test_the_mail_says_what_it_must_and_nothing_else(office: Office) -> None:
    url = office.join()
    (received,) = office.inbox
    mail = received.message
    assert received.recipients == (ANNA,)
    assert (mail["To"], mail["Subject"]) == (ANNA, "Bitte bestätigen: Digitale Region")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not {"List-Id", "Precedence", "List-Unsubscribe"} & set(mail.keys())
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    html = mail.get_body(("html",))
    assert html is not None
    root: Any = document_fromstring(str(html.get_content()))
    assert root.xpath("//a/@href") == [url, "https://seenland.example/datenschutz"]
    assert not root.xpath("//img | //script | //link")
    for words in ("Ich möchte „Digitale Region“", "Landratsamt Seenland", "innerhalb von 7 Tagen", "brauchen Sie nichts zu tun"):
        assert words in root.text_content()
    assert len(received.data) < 6000


def answers(office: Office, address: str) -> tuple[int, str, list[str]]:
    """Status, page and the kinds of statements by which a form is answered."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    form = office.form(address)
    event.listen(Engine, "before_cursor_execute", note)
    answer = office.post("/subscribe", **form)
    event.remove(Engine, "before_cursor_execute", note)
    return answer.status_code, answer.text, statements


def test_nobody_learns_who_is_on_the_list(office: Office) -> None:
    office.post(office.join("known@example.org"))
    suppress(office.site.store, office.links.mark("left@example.org"), reason="unsubscribed")
    suppress(office.site.store, office.links.mark("angry@example.org"), reason="complained")
    office.join("asked@example.org")
    names = ("known", "left", "angry", "asked", "new")
    found = {name: answers(office, f"{name}@example.org") for name in names}
    assert all(answer == found["new"] for answer in found.values())  # the same work, so the same time
    assert "<h1>Bitte sehen Sie in Ihr Postfach</h1>" in found["new"][1]
    count = len(office.inbox)
    office.postman.deliver()
    written = {received.recipients[0]: str(received.message["Subject"]) for received in list(office.inbox)[count:]}
    assert written == {
        "left@example.org": "Bitte bestätigen: Digitale Region",
        "new@example.org": "Bitte bestätigen: Digitale Region",
    }


def test_whoever_is_on_the_list_gets_a_way_to_the_settings_instead(office: Office) -> None:
    office.post(office.join())
    office.later(25 * HOUR)
    url = office.join(topics=["kommunen"])
    assert url == office.links.preferences_url(office.links.mark(KEY))
    assert str(list(office.inbox)[-1].message["Subject"]) == "Sie erhalten Digitale Region schon"
    (anna,) = office.subscribers()
    assert anna.topics is None


def test_an_address_is_written_to_once_a_day(office: Office) -> None:
    office.join()
    for _ in range(3):
        office.post("/subscribe", **office.form(KEY))
    assert office.postman.deliver() == 0
    assert [row.state for row in office.rows()] == ["sent", "dropped", "dropped", "dropped"]
    office.later(25 * HOUR)
    office.join()


def test_confirming_ends_that_somebody_left(office: Office) -> None:
    mark = office.links.mark(KEY)
    suppress(office.site.store, mark, reason="unsubscribed")
    url = office.join()
    assert is_suppressed(office.site.store, mark)
    office.post(url)
    assert not is_suppressed(office.site.store, mark)
    assert len(office.subscribers()) == 1


def test_who_is_erased_while_the_mail_is_made_gets_none_and_nothing_is_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def erased_meanwhile(store: Store, lease: int) -> Signup | None:
        one = due_signup(store, lease)
        if one is not None:
            erase(store, one.mark, "region.example.org")
        return one

    monkeypatch.setattr(signups, "due_signup", erased_meanwhile)
    assert office.post("/subscribe", **office.form()).status_code == 200
    assert office.postman.deliver() == 0
    assert list(office.inbox) == []
    assert KEY not in "\n".join(office.site.dump()).lower()


def test_a_link_is_good_for_seven_days_and_then_nothing_is_left(office: Office) -> None:
    url = office.join()
    office.later(WEEK + MINUTE)
    for method in ("GET", "POST"):
        assert office.ask(method, url, data={"x": ""} if method == "POST" else None).status_code == 410
    tidy(office.site.store, Retention())
    assert office.rows() == []
    assert find_subscriber(office.site.store, office.links.mark(KEY)) is None
    assert office.ask("GET", url).status_code == 410


@in_a_file
def test_other_tokens_are_no_page(office: Office) -> None:
    url = office.join()
    before = office.site.dump()
    token = url.rsplit("/", 1)[1]
    other = office.links.preferences_token(office.links.mark(KEY))
    missing = office.ask("GET", "/nothing")
    for wrong in (token[:-1], token + "A", token.swapcase(), other, "x", office.links.stamp(1)):
        for answer in (office.ask("GET", f"/confirm/{wrong}"), office.post(f"/confirm/{wrong}")):
            assert (answer.status_code, answer.text) == (404, missing.text)
    assert office.site.dump() == before


@pytest.mark.parametrize(
    "address", ["", "anna", "anna@example", "a@b@example.org", "x" * 300 + "@example.org", "a@x.org\r\nBcc: b@x.org"]
)
def test_what_is_no_address_is_told_beside_the_field(office: Office, address: str) -> None:
    before = office.site.dump()
    answer = office.post("/subscribe", **office.form(address, topics=["presse"]))
    assert answer.status_code == 400
    root = parsed(answer)
    (field,) = root.xpath("//input[@name='email']")
    assert field.get("aria-invalid") == "true"
    (words,) = root.xpath(f"//*[@id='{field.get('aria-describedby')}']")
    assert words.text_content().startswith("Das ist keine vollständige E-Mail-Adresse.")
    assert root.xpath("//input[@checked]/@value") == ["de", "presse"]
    assert office.site.dump() == before


def test_machines_and_other_sites_store_nothing(office: Office) -> None:
    before = office.site.dump()
    asked = office.post("/subscribe", **office.form(website="https://spam.example"))
    assert (asked.status_code, "<h1>Bitte sehen Sie in Ihr Postfach</h1>" in asked.text) == (200, True)
    for stamp in ("", "x", office.links.stamp(now() - 25 * HOUR), office.links.stamp(now() + HOUR)):
        late = office.post("/subscribe", **office.form(stamp=stamp))
        assert (late.status_code, "Die Seite war zu lange geöffnet" in late.text) == (400, True)
        assert f'value="{ANNA}"' in late.text
    for site in ("cross-site", "same-site"):
        elsewhere = office.ask("POST", "/subscribe", data=office.form(), headers={"Sec-Fetch-Site": site})
        assert elsewhere.status_code == 400
    for body, kind in ((b"{}", "application/json"), (b"\xff", "application/x-www-form-urlencoded"), (b"", "")):
        assert office.ask("POST", "/subscribe", content=body, headers={"Content-Type": kind}).status_code == 400
    huge = office.ask(
        "POST", "/subscribe", content=b"a=" + b"x" * 70_000, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert huge.status_code == 400
    assert office.site.dump() == before


def test_only_what_is_offered_can_be_chosen(office: Office) -> None:
    office.post(office.join(language="fr", topics=["presse", "intern", "presse"]))
    (anna,) = office.subscribers()
    assert (anna.language, anna.topics) == (None, "presse")


def test_too_many_requests_are_put_off(office: Office) -> None:
    with office.site.store.write() as connection:
        row = {"mark": b"m" * 16, "address": "x", "address_key": "x", "state": "dropped", "asked_at": now(), "next_at": 0}
        connection.execute(tables.wording.insert().values(hash="w", body="w"))
        rows = [row | {"key": b"%016d" % number, "wording": "w"} for number in range(MOST_AN_HOUR)]
        connection.execute(tables.signup.insert(), rows)
    answer = office.post("/subscribe", **office.form())
    assert (answer.status_code, "<h1>Bitte versuchen Sie es später noch einmal</h1>" in answer.text) == (429, True)
    assert len(office.rows()) == MOST_AN_HOUR
    office.later(2 * HOUR)
    assert office.post("/subscribe", **office.form()).status_code == 200


def test_a_network_is_heard_so_many_times_an_hour() -> None:
    limits = Limits(most=2)
    assert [limits.take(host, 0) for host in ("9.9.9.1", "9.9.9.250", "9.9.9.7", "9.9.8.1")] == [True, True, False, True]
    assert limits.take("9.9.9.1", HOUR)
    assert network_of("2a00:1450:4001:ab12::5") == "2a00:1450:4001:ab00::/56"
    assert network_of("::ffff:9.9.9.1") == "9.9.9.0/24"
    for nobody in ("127.0.0.1", "::1", "10.0.0.7", "testclient", None):  # a proxy: everyone comes from there
        assert network_of(nobody) is None
        assert all(limits.take(nobody, 0) for _ in range(5))


def test_where_one_mail_server_is_down_another_takes_it(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    up = Server(office.inbox.host, office.inbox.port, "none")
    postman = Postman(office.postman.signups, up, Server("127.0.0.1", 9, "none", weight=2))
    office.post("/subscribe", **office.form())
    assert postman.deliver() == 1
    assert office.post(office.link()).status_code == 200
    assert "waits" not in caplog.text


def test_while_the_mail_server_is_down_nothing_is_lost(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "newsletter")
    down = Postman(office.postman.signups, Server("127.0.0.1", 9, "none"))
    office.post("/subscribe", **office.form())
    assert down.deliver() == 0
    assert office.postman.deliver() == 0  # not due yet
    office.later(MINUTE + 1)
    assert down.deliver() == 0
    office.later(2 * MINUTE + 1)
    assert office.postman.deliver() == 1
    assert office.post(office.link()).status_code == 200
    assert "a confirmation mail waits: cannot reach 127.0.0.1:9" in caplog.text
    assert "confirmation mails sent: 1" in caplog.text
    assert "nna@" not in caplog.text


def test_after_a_day_in_vain_it_is_given_up(office: Office) -> None:
    down = Postman(office.postman.signups, Server("127.0.0.1", 9, "none"))
    office.post("/subscribe", **office.form())
    for _ in range(60):
        down.deliver()
        if office.rows()[0].state == "failed":
            break
        office.later(HOUR)
    assert office.rows()[0].state == "failed"
    assert office.rows()[0].attempts in range(20, 30)


def test_what_the_server_refuses_for_good_is_not_tried_again(office: Office) -> None:
    async def refuse(*_: Any) -> str:
        return "550 5.1.1 no such user"

    office.inbox.handle_RCPT = refuse  # type: ignore[attr-defined]
    office.post("/subscribe", **office.form())
    assert office.postman.deliver() == 0
    assert office.rows()[0].state == "failed"


def test_without_a_mail_server_there_is_no_form(site: "Site") -> None:
    assert site.ask("GET", "/subscribe").status_code == 404
    assert site.ask("POST", "/subscribe").status_code == 404


def test_a_publication_without_choices_asks_for_the_address_alone(database_url: str) -> None:
    with Inbox() as inbox:
        made = make_office(database_url, inbox, topics={}, languages=[])
        page = parsed(made.ask("GET", "/subscribe"))
        assert page.xpath("//input/@name") == ["stamp", "email", "website"]
        assert page.xpath("//input[@required]/@name") == ["email"]
        made.site.store.close()


def test_nothing_is_ticked_beforehand_and_the_notice_stands_before_the_button(office: Office) -> None:
    answer = office.ask("GET", "/subscribe")
    page = parsed(answer)
    assert page.xpath("//input[@type='checkbox']/@checked") == []
    assert "https://seenland.example/datenschutz" in page.xpath("//button/preceding::a/@href")
    assert "jederzeit widerrufen" in "".join(page.xpath("//button/preceding::p//text()"))
    assert not answer.headers.keys() & {"set-cookie", "location"}
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.real
@in_a_file
def test_a_reader_subscribes_by_keyboard_and_every_page_is_usable(database_url: str, chromium: Browser, axe_source: str) -> None:
    with Inbox() as inbox, BackgroundServer() as server:
        office = make_office(database_url, inbox, server.url)
        server.start(office.app)
        with office.postman:
            looks: list[tuple[Literal["light", "dark"], int]] = [("light", 320), ("dark", 1200)]
            for scheme, width in looks:
                size: Any = {"width": width, "height": 800}
                context = chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport=size)
                page = context.new_page()
                seen: list[str] = []

                def fits() -> None:
                    seen.append(page.locator("h1").inner_text())  # noqa: B023 - used within the loop alone
                    assert violations(page, axe_source) == []  # noqa: B023
                    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # noqa: B023

                page.goto(f"{server.url}/subscribe")
                fits()
                page.locator("#email").focus()
                page.keyboard.type(f"{scheme}@example.org")
                page.locator("#topic-2").press("Space")
                page.keyboard.press("Tab")
                page.locator("main button").focus()
                page.keyboard.press("Enter")
                page.wait_for_selector("form", state="detached")
                fits()
                while not [one for one in inbox if one.recipients == (f"{scheme}@example.org",)]:
                    page.wait_for_timeout(20)
                part = list(inbox)[-1].message.get_body(("plain",))
                assert part is not None
                (url,) = re.findall(rf"{server.url}/confirm/\S+", str(part.get_content()))
                page.goto(url)
                fits()
                page.locator("main button").press("Enter")
                page.wait_for_selector("form", state="detached")
                fits()
                page.goto(url)
                fits()
                assert seen == [
                    "Digitale Region abonnieren",
                    "Bitte sehen Sie in Ihr Postfach",
                    "Anmeldung bestätigen",
                    "Sie stehen auf der Liste",
                    "Dieser Link ist verbraucht",
                ]
                assert context.cookies() == []
                context.close()
        assert {one.address: one.topics for one in office.subscribers()} == {
            "light@example.org": "kommunen",
            "dark@example.org": "kommunen",
        }
        office.site.store.close()
