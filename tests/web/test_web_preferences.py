"""What subscribers do about themselves: choose, move, leave, come back, take along what is kept, be forgotten."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser
from sqlalchemy import select

from newsletter.audience.address import normalise
from newsletter.audience.signups import WEEK
from newsletter.preview.inbox import Inbox
from newsletter.store import consents_of, find_subscriber, is_suppressed, list_suppressions, suppress, suppression_of, tables
from newsletter.store.clock import MINUTE
from newsletter.web.server import BackgroundServer
from tests.real.axe import violations
from tests.real.postgresql import both, in_a_file
from tests.web.conftest import PEOPLE
from tests.web.subscribing import Office, make_office, parsed

pytestmark = both

if TYPE_CHECKING:
    from tests.web.conftest import Site

#: She is in the site's campaign, and a subscriber.
ANNA, BERT, NEW = "anna@example.org", "bert@example.org", "neu@example.org"
PAGES = ("preferences", "address", "leave", "return", "erase", "export")


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    with Inbox() as inbox:
        made = make_office(database_url, inbox)
        made.post(made.join(ANNA, language="de", topics=["presse"]))
        yield made
        made.site.store.close()


def at(office: Office, page: str, address: str = ANNA) -> str:
    """The address of a page."""
    return f"/{page}/{office.links.preferences_token(office.links.mark(address))}"


def hrefs(answer: Any) -> list[str]:
    return [str(url) for url in parsed(answer).xpath("//main//a/@href")]


def test_the_link_of_a_mail_leads_to_the_settings(office: Office) -> None:
    page = office.ask("GET", office.site.unsubscribe[ANNA])
    assert page.text.count("<button") == 1
    (way,) = hrefs(page)
    assert way == ".." + at(office, "preferences")
    settings = office.ask("GET", at(office, "preferences"))
    assert settings.status_code == 200
    assert parsed(settings).xpath("//input[@checked]/@value") == ["de", "presse"]
    assert ANNA in settings.text
    assert hrefs(office.ask("GET", office.site.unsubscribe[BERT])) == []  # of a list, without settings
    assert office.ask("GET", at(office, "preferences", BERT)).status_code == 404


def test_nothing_but_post_changes_anything(office: Office) -> None:
    before = office.site.dump()
    for name in PAGES:
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            office.ask(method, at(office, name), headers={"Purpose": "prefetch"})
    assert office.site.dump() == before


@in_a_file
def test_other_tokens_are_no_page(office: Office) -> None:
    before = office.site.dump()
    missing = office.ask("GET", "/nothing").text
    token = at(office, "x")[3:]
    unsubscribe = office.site.unsubscribe[ANNA].rsplit("/", 1)[1]
    for wrong in (token[:-1], token[1:], token + "A", token.swapcase(), unsubscribe, "x"):
        for name in PAGES:
            answer = office.ask("GET", f"/{name}/{wrong}")
            assert (answer.status_code, answer.text) == (404, missing)
            if name != "export":
                answer = office.post(f"/{name}/{wrong}")
                assert (answer.status_code, answer.text) == (404, missing)
    assert office.ask("POST", f"/unsubscribe/{token}").status_code == 404
    assert office.site.dump() == before


@in_a_file
def test_pages_of_other_sites_cannot_act(office: Office) -> None:
    before = office.site.dump()
    for name in ("preferences", "address", "leave", "return", "erase"):
        form = {"email": NEW, "topics": "kommunen"}
        answer = office.ask("POST", at(office, name), data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 400
        assert office.ask("POST", at(office, name), content=b"{}").status_code == 400
    assert office.site.dump() == before


def test_language_and_topics_are_chosen(office: Office) -> None:
    saved = office.post(at(office, "preferences"), language="en", topics=["kommunen", "intern"])
    assert "Gespeichert." in saved.text
    (anna,) = office.subscribers()
    assert (anna.language, anna.topics) == ("en", "kommunen")
    office.post(at(office, "preferences"), language="fr")
    (anna,) = office.subscribers()
    assert (anna.language, anna.topics) == ("en", None)


def test_tags_that_are_not_offered_stay(office: Office) -> None:
    with office.site.store.write() as connection:
        connection.execute(tables.subscriber.update().values(topics="Rat; PRESSE"))
    assert parsed(office.ask("GET", at(office, "preferences"))).xpath("//input[@type='checkbox'][@checked]/@value") == ["presse"]
    office.post(at(office, "preferences"), language="de", topics=["kommunen"])
    (anna,) = office.subscribers()
    assert anna.topics == "Rat, kommunen"


def test_a_new_address_counts_once_it_is_confirmed_there(office: Office) -> None:
    assert office.post(at(office, "address"), email=NEW).status_code == 200
    assert office.postman.deliver() == 1
    url = office.link()
    assert list(office.inbox)[-1].recipients == (NEW,)
    assert [one.address for one in office.subscribers()] == [ANNA]
    assert "<h1>Neue Adresse bestätigen</h1>" in office.ask("GET", url).text
    assert office.post(url).status_code == 200
    (moved,) = office.subscribers()
    assert (moved.address, moved.topics) == (NEW, "presse")
    assert [step.kind for step in consents_of(office.site.store, moved.mark)] == ["confirmed", "moved"]
    assert office.post(url).status_code == 410
    assert NEW in office.ask("GET", at(office, "preferences")).text  # the old link leads to the same person
    assert office.ask("POST", office.site.unsubscribe[ANNA]).status_code == 200
    assert office.subscribers() == []
    assert is_suppressed(office.site.store, office.links.mark(NEW))


def test_what_is_no_address_is_told_beside_the_field(office: Office) -> None:
    before = office.site.dump()
    answer = office.post(at(office, "address"), email="neu@")
    assert answer.status_code == 400
    assert parsed(answer).xpath("//input[@aria-invalid='true']/@value") == ["neu@"]
    assert office.site.dump() == before


def test_without_a_mail_server_the_address_stays(site: "Site") -> None:
    token = site.links.preferences_token(site.links.mark(ANNA))
    assert site.ask("POST", f"/address/{token}", data={"email": NEW}).status_code == 404


@pytest.mark.parametrize("by_mail", [True, False])
def test_leaving_was_a_mistake(office: Office, by_mail: bool) -> None:
    left = office.post(office.site.unsubscribe[ANNA] if by_mail else at(office, "leave"))
    assert "<h1>Sie sind abgemeldet</h1>" in left.text
    assert office.subscribers() == []
    (action,) = parsed(left).xpath("//form/@action")
    assert action == ".." + at(office, "return")
    assert "<h1>Sie sind abgemeldet</h1>" in office.ask("GET", at(office, "preferences")).text
    for _ in range(2):
        back = office.post(at(office, "return"))
        assert (back.status_code, "<h1>Sie stehen weiter auf der Liste</h1>" in back.text) == (200, True)
        assert [one.address for one in office.subscribers()] == [ANNA]
    assert [step.kind for step in consents_of(office.site.store, office.links.mark(ANNA))] == [
        *("confirmed", "unsubscribed", "returned"),
    ]


def test_it_can_be_undone_for_a_week_and_only_by_who_left(office: Office) -> None:
    office.post(at(office, "leave"))
    office.later(WEEK + MINUTE)
    late = office.post(at(office, "return"))
    assert (late.status_code, "<h1>Das geht nicht mehr" in late.text) == (410, True)
    suppress(office.site.store, office.links.mark(BERT), reason="complained")
    assert office.post(at(office, "return", BERT)).status_code == 410
    assert {one.mark for one in list_suppressions(office.site.store)} == {office.links.mark(ANNA), office.links.mark(BERT)}


def test_somebody_of_a_list_can_come_back_too(site: "Site") -> None:
    left = site.ask("POST", site.unsubscribe[BERT])
    (action,) = parsed(left).xpath("//form/@action")
    assert site.ask("POST", str(action)[2:], data={"x": ""}).status_code == 200
    assert list(list_suppressions(site.store)) == []


def test_what_is_kept_can_be_taken_along(office: Office) -> None:
    answer = office.ask("GET", at(office, "export"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="newsletter.json"'
    assert answer.headers["referrer-policy"] == "no-referrer"
    kept = json.loads(answer.text)
    assert kept["fields"] == {"email": ANNA, "language": "de", "tags": "presse"}
    assert kept["proof"][0]["wording"].startswith("Ich möchte „Digitale Region“")
    assert kept["deliveries"][0]["issue"] == "2024-12"
    assert office.ask("GET", at(office, "export", NEW)).status_code == 404


def test_being_forgotten_leaves_a_mark_and_the_counts(office: Office) -> None:
    assert parsed(office.ask("GET", at(office, "erase"))).xpath("count(//button)") == 1
    assert "<h1>Ihre Daten sind gelöscht</h1>" in office.post(at(office, "erase")).text
    mark = office.links.mark(ANNA)
    assert find_subscriber(office.site.store, mark) is None
    gone = suppression_of(office.site.store, mark)
    assert gone is not None
    assert (gone.reason, gone.address) == ("erased", None)
    script = "\n".join(office.site.dump())
    assert ANNA not in script
    assert PEOPLE[ANNA] not in script
    with office.site.store.read() as connection:
        assert len(connection.execute(select(tables.delivery)).all()) == len(PEOPLE)
    assert office.ask("POST", office.site.unsubscribe[ANNA]).status_code == 200  # an old link harms nothing
    after = suppression_of(office.site.store, mark)
    assert after == gone
    assert office.post(at(office, "return")).status_code == 410


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    page=st.sampled_from(["subscribe", "confirm", *PAGES]),
    token=st.sampled_from(["good", "%00", "..", "a.b", "%F0"]) | st.text(max_size=8),
    body=st.binary(max_size=40)
    | st.from_regex(r"(email|topics|language|stamp|x)=[^&]{0,20}(&topics=%[0-9a-f]{2}){0,3}", fullmatch=True),
)
@in_a_file
def test_no_request_breaks_a_page(office: Office, page: str, token: str, body: bytes | str) -> None:
    url = at(office, page) if token == "good" else f"/{page}/{quote(token, safe='%.')}"
    url = "/subscribe" if page == "subscribe" else url
    content = body.encode() if isinstance(body, str) else body
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for answer in (office.ask("GET", url), office.ask("POST", url, content=content, headers=headers)):
        assert answer.status_code < 500


@pytest.mark.real
@in_a_file
def test_every_page_is_usable(database_url: str, chromium: Browser, axe_source: str) -> None:
    with Inbox() as inbox, BackgroundServer() as server:
        office = make_office(database_url, inbox, server.url)
        server.start(office.app)
        looks: list[tuple[Literal["light", "dark"], int]] = [("light", 320), ("dark", 1200)]
        with office.postman:
            for scheme, width in looks:
                address = f"{scheme}@example.org"
                office.postman.signups.ask(normalise(address), None, None)
                office.postman.ring()
                context = chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800})
                page = context.new_page()
                while not [one for one in inbox if one.recipients == (address,)]:
                    page.wait_for_timeout(20)
                part = list(inbox)[-1].message.get_body(("plain",))
                assert part is not None
                (url,) = re.findall(rf"{server.url}/confirm/\S+", str(part.get_content()))
                page.goto(url)
                page.locator("main button").click()
                page.get_by_role("link", name="Ihre Einstellungen").click()
                page.locator("#topic-1").check()
                page.get_by_role("button", name="Speichern").click()
                page.get_by_role("status").wait_for()
                for role, name, heading in (
                    ("link", "", ""),
                    ("button", "Abbestellen", "Sie sind abgemeldet"),
                    ("button", "Das war ein Versehen: auf der Liste bleiben", "Sie stehen weiter auf der Liste"),
                ):
                    if name:
                        page.get_by_role(role, name=name).click()  # type: ignore[arg-type]
                        page.get_by_role("heading", name=heading).wait_for()
                    assert violations(page, axe_source) == [], page.url
                    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                for name, heading in (("erase", "Alles löschen lassen"), ("return", "Auf der Liste bleiben?")):
                    page.goto(server.url + at(office, name, address))
                    assert page.locator("h1").inner_text() == heading
                    assert violations(page, axe_source) == []
                assert context.cookies() == []
                context.close()
        assert [one.topics for one in office.subscribers()] == ["presse", "presse"]
        office.site.store.close()
