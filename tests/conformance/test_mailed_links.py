"""A thousand delivered mails: opening their links changes nothing, and one click takes exactly its reader off.

``make test`` has a quarter of them.
"""

import itertools
import json
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urljoin

import pytest
from lxml.html import document_fromstring
from playwright.sync_api import Browser

from newsletter.preview.inbox import Inbox
from tests.conformance.addresses import Found, addresses_in
from tests.conformance.mailed import Workplace, make_workplace
from tests.conformance.wire import Answer, Wire
from tests.thorough import examples, only_thorough

pytestmark = pytest.mark.xdist_group("conformance")

PEOPLE = [f"leser{number:04}@example.org" for number in range(examples(1000))]
#: Who is a subscriber, too: their page has the way to their settings.
SUBSCRIBERS = PEOPLE[:40]
WANTS_TO_JOIN = "neu@example.org"
BOUNDARY = "----=_Part_7_4711.42"
#: RFC 8058 §8.2 and §8.3.
URLENCODED = (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
PART = 'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click'
MULTIPART = (f"--{BOUNDARY}\r\n{PART}\r\n--{BOUNDARY}--\r\n".encode(), f'multipart/form-data; boundary="{BOUNDARY}"')
#: What a page may have around the mail: the way to the page for everyone, and a landmark.
_AROUND = re.compile(r'<aside id="newsletter-share".*?</aside>|</?main>', re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """The issue was sent to a list of a thousand, and somebody asked to subscribe; the pages are up."""
    with Inbox() as inbox:
        place = make_workplace(tmp_path_factory.mktemp("mailed"), inbox)
        place.write_list("subscribers.csv", SUBSCRIBERS)
        place.run("subscribers", "import", "subscribers.csv", "--source", "Papierformular")
        place.write_list("list.csv", PEOPLE)
        place.run("send", "2026-12", "--to", "list.csv", "--yes")
        assert len(inbox) == len(PEOPLE)
        with place.served():
            _ask_to_join(place)
            yield place


def _ask_to_join(place: Workplace) -> None:
    with Wire(place.url) as wire:
        form = document_fromstring(wire.ask("GET", "/subscribe").body)
        stamp = next(field.get("value") for field in form.iter("input") if field.get("name") == "stamp")
        body = f"email={WANTS_TO_JOIN}&stamp={stamp}&website=".encode()
        assert wire.ask("POST", "/subscribe", body, Content_Type=URLENCODED[1]).status == 200
    while place.ask("SELECT state FROM signup") != [("sent",)]:
        time.sleep(0.05)


@pytest.fixture(scope="module")
def mails(workplace: Workplace) -> list[Found]:
    """The thousand, in the order of the list."""
    found = [addresses_in(received.data) for received in workplace.inbox if received.recipients != (WANTS_TO_JOIN,)]
    return sorted(found, key=lambda mail: mail.recipient)


def own(place: Workplace, urls: Iterable[str]) -> set[str]:
    """Those that lead to the pages."""
    return {url for url in urls if url.startswith(place.url + "/")}


def test_each_mail_has_links_of_its_own_and_else_the_same_as_all(workplace: Workplace, mails: list[Found]) -> None:
    """B7, B8, L11: per recipient there are two addresses, and none of them leads elsewhere."""
    assert [mail.recipient for mail in mails] == PEOPLE
    seen: set[str] = set()
    common = frozenset.intersection(*(mail.all for mail in mails))
    for mail in mails:
        personal = mail.all - common
        assert len(personal) == 2
        assert own(workplace, personal) == personal
        assert mail.one_click in mail.in_headers & mail.in_html & mail.in_text
        assert not personal & seen
        seen |= personal


def test_opening_every_link_changes_nothing(workplace: Workplace, mails: list[Found]) -> None:
    """B11: gateways, previews and virus scanners open every link, by any method that is safe (RFC 9110 §9.2.1), more than once.

    H14: the page that the view link opens is the mail.
    """
    confirmation = next(addresses_in(one.data) for one in workplace.inbox if one.recipients == (WANTS_TO_JOIN,))
    urls = own(workplace, frozenset().union(confirmation.all, *(mail.all for mail in mails)))
    common = own(workplace, frozenset.intersection(*(mail.all for mail in mails)))
    assert len(common) == 1  # the picture
    assert len(urls) == 2 * len(PEOPLE) + 1 + len(common)
    shown = {url: mail.html for mail in mails for url in own(workplace, mail.all) - common - {mail.one_click}}
    before = workplace.dump()
    further = _two_steps_further(workplace, urls)
    assert {url.split("/")[3] for url in further} >= {"preferences", "export", "erase"}

    def open_all(part: Iterable[str]) -> None:
        with Wire(workplace.url) as wire:
            for url, _ in itertools.product(part, range(3)):
                get, head, options = (wire.ask(method, url) for method in ("GET", "HEAD", "OPTIONS"))
                assert get.status == head.status == 200, url
                assert (head.body, head["Content-Length"]) == (b"", get["Content-Length"])
                assert options.status in (200, 204, 405)
                if url in shown:
                    assert _AROUND.sub("", get.body.decode()).strip() == shown[url].replace("\r\n", "\n").strip()
                for answer in (get, head, options):
                    _asks_nothing_of_the_client(answer)

    ordered = sorted(urls | further)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(open_all, (ordered[start::3] for start in range(3))))
    assert workplace.dump() == before


def _two_steps_further(place: Workplace, urls: set[str]) -> set[str]:
    """What the pages behind the links lead to: a subscriber's settings, and from there his data and the erasure."""
    found: set[str] = set()
    with Wire(place.url) as wire:
        steps = [url for url in urls if "/view/" not in url and "/pictures/" not in url]
        for _ in range(2):
            steps = [link for url in steps for link in _linked(place, url, wire.ask("GET", url)) if link not in found]
            found.update(steps)
    return found


def _linked(place: Workplace, url: str, answer: Answer) -> set[str]:
    if not str(answer["Content-Type"]).startswith("text/html"):
        return set()
    links = document_fromstring(answer.body.decode()).iter("a")
    return own(place, (urljoin(url, link.get("href", "")) for link in links))


def _asks_nothing_of_the_client(answer: Answer) -> None:
    """No redirect, no login, nothing to remember (RFC 8058 §3.1, §3.2; S16)."""
    assert answer["Location"] is answer["Set-Cookie"] is answer["WWW-Authenticate"] is answer["Refresh"] is None


@contextmanager
def _page(body: str) -> Iterator[str]:
    """The address of a page on another origin, as a mail service's own window is."""

    class Gives(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gives) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.real
@only_thorough
def test_a_browser_that_prefetches_changes_nothing(workplace: Workplace, mails: list[Found], chromium: Browser) -> None:
    """B11, by the engine that most readers have: ``rel=prefetch``, speculation rules, frames, pictures, a visit and a reload."""
    urls = sorted(own(workplace, frozenset().union(*(mail.all for mail in mails[:5]))))
    links = "".join(f'<link rel="prefetch" href="{url}"><link rel="preload" as="fetch" href="{url}">' for url in urls)
    rules = {"prefetch": [{"urls": urls, "eagerness": "immediate"}], "prerender": [{"urls": urls, "eagerness": "immediate"}]}
    frames = "".join(f'<iframe src="{url}"></iframe><img src="{url}" alt=""><a href="{url}">x</a>' for url in urls)
    before = workplace.dump()
    seen = len(_opened(workplace))
    body = f'<!doctype html><head>{links}<script type="speculationrules">{json.dumps(rules)}</script></head>{frames}'
    with _page(body) as window:
        page = chromium.new_page()
        page.goto(window)
        while len(_opened(workplace)) < seen + len(urls):
            page.wait_for_timeout(50)
        for url in urls:
            page.goto(url)
            page.reload()
        page.close()
    assert workplace.dump() == before


def _opened(place: Workplace) -> list[str]:
    """The lines of the access log."""
    return re.findall(r" GET (?:view|unsubscribe|picture)\b.*", place.log("serve").read_text(encoding="utf-8"))


def test_one_click_takes_exactly_its_reader_off(workplace: Workplace, mails: list[Found]) -> None:
    """B9, RFC 8058 §3.2: either form of the body, more parameters, a second time. L7: on disk before the answer."""
    gone = workplace.suppressed()
    with Wire(workplace.url) as wire:
        for number, mail in enumerate(mails[::2]):
            for body, kind in (URLENCODED, MULTIPART)[:: 1 if number % 2 else -1]:
                answer = wire.ask("POST", f"{mail.one_click}?utm_source=mta&x=%00{secrets.token_hex(4)}", body, Content_Type=kind)
                assert answer.status in (200, 202, 204)
                _asks_nothing_of_the_client(answer)
                if mail.recipient not in gone:
                    gone.add(mail.recipient)
                    assert workplace.suppressed() == gone
    assert workplace.suppressed() == gone == {mail.recipient for mail in mails[::2]}
    subscribers = workplace.ask("SELECT address, state FROM subscriber WHERE state != 'pending'")
    assert {(str(address), str(state)) for address, state in subscribers} == {
        (address, "gone" if address in gone else "confirmed") for address in SUBSCRIBERS
    }


def test_the_log_of_all_this_knows_nobody(workplace: Workplace, mails: list[Found]) -> None:
    """S15, S22, L17: neither a token nor an address nor who asked."""
    with Wire(workplace.url) as wire:
        assert wire.ask("GET", mails[1].one_click).status == 200
    until = time.monotonic() + 10
    said = ""
    while " GET unsubscribe 200 " not in said:  # it is written when the answer is on its way already
        assert time.monotonic() < until, said
        time.sleep(0.01)
        said = workplace.log("serve").read_text(encoding="utf-8").partition("\n")[2]  # the first line says where it listens
    for secret in ("@", "127.0.0.1", *(url.rsplit("/", 1)[1] for mail in mails[:50] for url in own(workplace, mail.in_html))):
        assert secret not in said
