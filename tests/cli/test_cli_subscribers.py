"""``newsletter subscribers`` and ``--to subscribers``: in with proof, out for good, and mail to whoever is left."""

import csv
import io
import re
import resource
import signal
import stat
import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from newsletter.links import Links
from newsletter.store import open_store, signups, suppress
from tests.cli.conftest import KEY, SLUG
from tests.cli.test_cli_pages import ask, free_port
from tests.real.postgresql import both, in_a_file

pytestmark = both

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

SHEETS = ("--source", "sign-up sheets, town fair 2026")


def leave(office: "Office", address: str) -> None:
    """As the unsubscribe page does."""
    store = open_store(office.url)
    suppress(store, Links("", KEY.encode(), "newsletter.example.org").mark(address), reason="unsubscribed", address=address)
    store.close()


def taken(office: "Office", *rows: str) -> None:
    """Import these rows."""
    office.recipients(*rows)
    assert office.newsletter("subscribers", "import", "list.csv", *SHEETS).code == 0


def test_import_takes_in_whoever_did_not_leave(office: "Office") -> None:
    office.recipients("ada@example.org;Ada", "bob@example.org;Bob", "ADA@example.org;Ada", "kaputt;X")
    ran = office.newsletter("subscribers", "import", "list.csv", *SHEETS, "--json")
    assert (ran.code, ran.json) == (0, {"new": 2, "there": 0, "left": 0, "duplicates": 1, "refused": 1})
    assert "list.csv:4: ADA@example.org is the recipient of line 2 again" in ran.err
    assert "list.csv:5: the address 'kaputt' has no @" in ran.err
    leave(office, "bob@example.org")
    office.recipients("ada@example.org;Ada", "bob@example.org;Bob", "cyd@example.org;")
    ran = office.newsletter("subscribers", "import", "list.csv", *SHEETS)
    assert [line.split()[:2] for line in ran.err.splitlines()] == [["1", "new"], ["1", "there"], ["1", "left"]]
    listed = list(csv.DictReader(io.StringIO(office.newsletter("subscribers", "export").out), delimiter=";"))
    assert [(row["email"], row["first_name"]) for row in listed] == [("ada@example.org", "Ada"), ("cyd@example.org", "")]


def test_a_list_without_a_source_or_a_usable_row_changes_nothing(office: "Office") -> None:
    assert office.newsletter("subscribers", "import", "list.csv").code == 2
    ran = office.newsletter("subscribers", "import", "list.csv", "--source", "  ")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("--source is empty; say where and how they agreed")
    office.recipients("kaputt;X")
    assert office.newsletter("subscribers", "import", "list.csv", *SHEETS).code == 2
    assert office.newsletter("subscribers", "export").err == "0 subscribers\n"


def test_a_spreadsheet_runs_nothing_of_an_export_and_an_import_reads_it_again(office: "Office") -> None:
    evil = ("=HYPERLINK(1)", "+49 1234", "-1", "@x", "Müller; Sohn")
    taken(office, *(f'p{number}@example.org;"{value}"' for number, value in enumerate(evil)))
    ran = office.newsletter("subscribers", "export", "--out", "out.csv")
    assert (ran.code, ran.out, ran.err) == (0, "", "5 subscribers in out.csv\n")
    file = office.root / "out.csv"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")), delimiter=";"))
    assert [row["first_name"] for row in rows] == ["'=HYPERLINK(1)", "'+49 1234", "'-1", "'@x", "Müller; Sohn"]
    assert all(row["confirmed"].endswith("+00:00") for row in rows)
    assert "out.csv: is there already" in office.newsletter("subscribers", "export", "--out", "out.csv").err
    again = office.newsletter("subscribers", "import", "out.csv", *SHEETS, "--json")
    assert again.json == {"new": 0, "there": 5, "left": 0, "duplicates": 0, "refused": 0}


@in_a_file
def test_an_export_makes_the_same_subscribers_elsewhere(office: "Office") -> None:
    taken(office, "+ada@example.org;+49 1234", "-bob@example.org;=1+1", "o'brien@example.org;'Ndrangheta", "d@example.org;'")
    office.newsletter("subscribers", "export", "--out", "out.csv")
    office.settings(database_url="sqlite:///elsewhere.db")
    moved = office.newsletter("subscribers", "import", "out.csv", *SHEETS, "--json")
    assert moved.json == {"new": 4, "there": 0, "left": 0, "duplicates": 0, "refused": 0}
    shown = office.newsletter("subscribers", "show", "+ada@example.org", "--json").json
    assert (shown["address"], shown["fields"]["first_name"]) == ("+ada@example.org", "+49 1234")


@in_a_file
def test_an_export_that_breaks_off_leaves_no_half_of_it(office: "Office") -> None:
    taken(office, *(f"p{number}@example.org;{'Maximiliane' * 20}" for number in range(300)))
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (40_000, 40_000))
    exporting = office.process("subscribers", "export", "--out", "out.csv", preexec_fn=full)
    _, err = exporting.communicate()
    assert (exporting.returncode, err) == (2, "out.csv: cannot be written: File too large; no part of it is there\n")
    assert not (office.root / "out.csv").exists()


def test_one_person_comes_with_a_proof_that_can_be_printed(office: "Office") -> None:
    person = ("subscribers", "add", "Ada@Example.org", "--source", "letter of 3 May 2026")
    assert office.newsletter(*person, "--language", "en", "--tag", "presse", "--tag", "kommunen").code == 0
    shown = office.newsletter("subscribers", "show", "ada@example.org", "--json").json
    assert (shown["state"], shown["address"]) == ("confirmed", "Ada@Example.org")
    assert shown["fields"] == {"email": "Ada@Example.org", "language": "en", "tags": "presse, kommunen"}
    (step,) = shown["proof"]
    assert (step["what"], step["source"], step["list"]) == ("added", "letter of 3 May 2026", "newsletter.example.org")
    words = office.newsletter("subscribers", "show", "ada@example.org").out
    assert words.startswith("ada@example.org: subscriber\n")
    assert "  source: letter of 3 May 2026\n" in words
    nobody = office.newsletter("subscribers", "show", "bob@example.org", "--json")
    assert (nobody.code, nobody.json) == (1, {"state": "none"})
    assert "the address 'kaputt' has no @" in office.newsletter("subscribers", "show", "kaputt").err


def test_whoever_left_is_not_added_again(office: "Office") -> None:
    taken(office, "ada@example.org;Ada")
    leave(office, "ada@example.org")
    ran = office.newsletter("subscribers", "add", "ada@example.org", *SHEETS)
    assert ran.code == 2
    assert ran.err.startswith("ada@example.org left before and was not taken in")
    shown = office.newsletter("subscribers", "show", "ada@example.org", "--json").json
    assert (shown["state"], shown["suppressed"]["reason"]) == ("gone", "unsubscribed")
    assert [step["what"] for step in shown["proof"]] == ["imported", "unsubscribed"]


def test_send_to_subscribers_reaches_the_confirmed_ones(office: "Office") -> None:
    nobody = office.newsletter("send", SLUG, "--to", "subscribers", "--yes")
    assert nobody.code == 2
    assert "there are no confirmed subscribers yet" in nobody.err
    taken(office, "ada@example.org;Ada", "bob@example.org;Bob", "cyd@example.org;")
    leave(office, "bob@example.org")
    ran = office.newsletter("send", SLUG, "--to", "subscribers", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["audience"], ran.json["sent"]) == (2, 2)
    assert "2 recipients of subscribers" in ran.err
    assert set(office.post.addresses()) == {"ada@example.org", "cyd@example.org"}
    assert "Guten Tag, Ada," in office.post.texts()["ada@example.org"]
    assert "Guten Tag, liebe Leute," in office.post.texts()["cyd@example.org"]


@in_a_file
def test_blocks_for_some_go_by_what_a_subscriber_chose(office: "Office") -> None:
    office.edit(
        "    body: Die Fähre fährt.\n",
        "    body: Die Fähre fährt.\n  - {type: text, body: Zum Abdruck frei., only: {tag: presse}}\n",
    )
    for address, *tags in (("ada@example.org", "--tag", "presse"), ("bob@example.org",)):
        assert office.newsletter("subscribers", "add", address, *SHEETS, *tags).code == 0
    assert office.newsletter("check", SLUG, "--to", "subscribers").code == 0
    assert office.newsletter("render", SLUG, "--to", "subscribers", "--email", "ada@example.org", "--out", "seen").code == 0
    assert "Zum Abdruck frei." in (office.root / "seen" / "message.txt").read_text(encoding="utf-8")
    ran = office.newsletter("send", SLUG, "--to", "subscribers", "--yes")
    assert ran.code == 0, ran.err
    assert {address: "Abdruck" in text for address, text in office.post.texts().items()} == {
        "ada@example.org": True,
        "bob@example.org": False,
    }


def test_erasing_asks_first_and_leaves_the_counts(office: "Office") -> None:
    taken(office, "ada@example.org;Ada", "bob@example.org;Bob")
    assert office.newsletter("send", SLUG, "--to", "subscribers", "--yes").code == 0
    before = office.account()
    assert "nobody can be asked" in office.newsletter("subscribers", "erase", "ada@example.org").err
    refused = office.newsletter("subscribers", "erase", "ada@example.org", types="n\n")
    assert (refused.code, refused.err.splitlines()[-1][-18:]) == (1, "nothing was erased")
    assert office.newsletter("subscribers", "erase", "ADA@example.org", types="y\n").code == 0
    assert office.account() == before
    shown = office.newsletter("subscribers", "show", "ada@example.org", "--json").json
    assert "ada" not in str(shown)
    assert [step["what"] for step in shown["proof"]] == ["imported", "erased"]
    assert shown["deliveries"] == [{"issue": SLUG, "state": "sent", "at": shown["deliveries"][0]["at"]}]
    assert office.newsletter("subscribers", "add", "ada@example.org", *SHEETS).code == 2
    assert "nothing was kept" in office.newsletter("subscribers", "erase", "new@example.org", "--yes").err


def test_what_was_asked_for_with_the_form_is_shown_and_erased(office: "Office") -> None:
    store = open_store(office.url)
    mark = Links("", KEY.encode(), "newsletter.example.org").mark("new@example.org")
    values = {"key": b"k" * 16, "mark": mark, "address_key": "new@example.org", "address": "New@example.org", "topics": "presse"}
    signups.ask(store, "I agree.", values)
    store.close()
    shown = office.newsletter("subscribers", "show", "new@example.org", "--json")
    assert (shown.code, shown.json["state"], shown.json["proof"]) == (0, "none", [])
    (request,) = shown.json["requests"]
    assert (request["address"], request["tags"]) == ("New@example.org", "presse")
    words = office.newsletter("subscribers", "show", "new@example.org").out
    assert f"{request['asked']}  asked with the form\n  address: New@example.org\n  tags: presse\n" in words
    assert office.newsletter("subscribers", "erase", "new@example.org", "--yes").err.startswith("erased;")
    assert "requests" not in office.newsletter("subscribers", "show", "new@example.org", "--json").json


@pytest.mark.parametrize(
    "command", [("show", "a@example.org"), ("import", "list.csv", *SHEETS), ("erase", "a@example.org", "--yes")]
)
@in_a_file
def test_without_a_key_nobody_can_be_known_again(office: "Office", command: tuple[str, ...]) -> None:
    office.settings(secret_key="")
    ran = office.newsletter("subscribers", *command)
    assert ran.code == 2
    assert "NEWSLETTER_SECRET_KEY: is not set" in ran.err


def test_serve_takes_somebody_in_by_a_mail_and_a_click(office: "Office", post: "Post") -> None:
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    office.settings(public_url=here)
    serving = office.process("serve", "--port", str(port))
    (stamp,) = re.findall(r'name="stamp" value="([^"]+)"', ask(f"{here}/subscribe"))
    said = ask(f"{here}/subscribe", urlencode({"email": "eva@example.org", "stamp": stamp}).encode())
    assert "Bitte sehen Sie in Ihr Postfach" in said
    while not len(post):
        time.sleep(0.02)
        assert serving.poll() is None
    (url,) = re.findall(rf"{here}/confirm/\S+", post.texts()["eva@example.org"])
    assert "Sie stehen auf der Liste" in ask(url, b"yes=")
    serving.send_signal(signal.SIGTERM)
    _, err = serving.communicate(timeout=60)
    assert serving.returncode == 0
    assert "Traceback" not in err
    assert "eva@" not in err
    assert url.rsplit("/", 1)[1] not in err
    shown = office.newsletter("subscribers", "show", "eva@example.org")
    assert "  wording:\n    Ich möchte „Digitale Region“ per E-Mail erhalten." in shown.out
    assert "  mail:\n    Jemand, vermutlich Sie selbst," in shown.out


@in_a_file
def test_without_a_mail_server_serve_says_that_nobody_can_subscribe(office: "Office") -> None:
    port = free_port()
    office.settings(smtp_host="")
    serving = office.process("serve", "--port", str(port))
    ask(f"http://127.0.0.1:{port}/healthz")
    serving.send_signal(signal.SIGTERM)
    _, err = serving.communicate(timeout=60)
    assert "nobody can subscribe: NEWSLETTER_SMTP_HOST is not set" in err
