"""``newsletter tidy``: what is kept long enough goes, also at the end of ``send``; account, ``why`` and ``status`` say so."""

import datetime as dt
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import update

from newsletter.audience.tidying import deadlines
from newsletter.issue import Retention
from newsletter.store import find_campaign, open_store
from newsletter.store.clock import HOUR, now
from newsletter.store.tables import campaign, delivery, worker
from tests.cli.conftest import PUBLICATION

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

DAY = 24 * HOUR
OLD = "deliveries of sendings that ended more than 90 days ago: address, values, the server's words"


def ago(office: "Office", days: int) -> None:
    """As if the sending had ended so long ago."""
    store = open_store(office.url)
    with store.write() as connection:
        connection.execute(update(campaign).values(ended_at=now() - days * DAY))
    store.close()


def sent(office: "Office", post: "Post") -> None:
    post.refuses = lambda address: "550 5.1.1 bob@example.org: no such user" if address.startswith("bob") else None
    assert office.send().code == 1


def dump(office: "Office") -> str:
    with sqlite3.connect(office.root / "newsletter.db") as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return text


def test_after_ninety_days_the_values_go_and_the_account_adds_up(office: "Office", post: "Post") -> None:
    sent(office, post)
    before = office.account()
    ago(office, 89)
    assert office.newsletter("tidy").err == "nothing to delete: nothing is older than it may be\n"
    ago(office, 91)
    ran = office.newsletter("tidy")
    assert (ran.code, ran.out, ran.err) == (0, "", f"deleted:\n          3  {OLD}\n")
    after = office.account()
    assert after.pop("emptied_at") is not None
    before.pop("emptied_at")
    assert after == before
    assert after["audience"] == 3 == after["sent"] + after["failed"]
    text = dump(office)
    assert "no such user" not in text
    assert text.count("@example.org") == text.count("newsletter@example.org") + text.count("info@example.org") + 1
    # That one is bob's, beside the mark of an address that bounced today.
    assert office.newsletter("tidy", "--json").json == {"signups": 0, "left": 0, "values": 0, "addresses": 0, "proofs": 0}


def test_status_and_why_say_what_was_deleted(office: "Office", post: "Post") -> None:
    sent(office, post)
    ago(office, 91)
    office.newsletter("tidy")
    deleted = f"addresses, values and the servers' words were deleted by {dt.datetime.now().astimezone():%Y-%m-%d} (retention in"
    assert deleted in office.newsletter("status", "2026-12").err
    assert deleted in office.newsletter("status", "2026-12", "--trouble").err
    why = office.newsletter("why", "2026-12", "Bob@example.org")
    assert why.code == 0
    assert "bob@example.org, 2026-12: failed: refused for good\n" in why.err.casefold()
    assert deleted in why.err
    assert "list.csv" not in why.err
    told = office.newsletter("why", "2026-12", "bob@example.org", "--json").json
    assert (told["state"], told["line"], told["reply"], told["attempts"], told["deleted"]) == ("failed", None, None, [], True)
    assert office.newsletter("why", "2026-12", "nobody@example.org").code == 1


def test_who_got_the_issue_is_known_by_the_mark_and_gets_it_once(office: "Office", post: "Post") -> None:
    """The mark stays (L8): the campaign that was emptied still knows whom it was for."""
    sent(office, post)
    ago(office, 91)
    office.newsletter("tidy")
    count = len(post)
    assert "was sent already" in office.send().err
    assert len(post) == count


def test_send_deletes_at_its_end(office: "Office", post: "Post") -> None:
    sent(office, post)
    ago(office, 91)
    again = office.send("--again")
    assert f"deleted, for publication.yaml keeps it no longer:\n          3  {OLD}\n" in again.err
    assert len(office.campaigns()) == 2
    store = open_store(office.url)
    newest = find_campaign(store, "2026-12")
    store.close()
    assert newest is not None
    assert newest.emptied_at is None


def test_send_is_not_spoilt_by_a_retention_that_cannot_be_read(office: "Office", post: "Post") -> None:
    assert office.send("--limit", "1").code == 0
    (office.root / "issues" / "publication.yaml").write_text(PUBLICATION + "retention: {values: soon}\n", encoding="utf-8")
    ran = office.newsletter("resume", "2026-12")
    assert ran.code == 0
    assert "nothing old was deleted: issues/publication.yaml:5:21: retention.values: must be a whole number of days" in ran.err
    assert len(post) == 3


def test_the_settings_count(office: "Office", post: "Post") -> None:
    (office.root / "issues" / "publication.yaml").write_text(PUBLICATION + "retention: {values: 7 days}\n", encoding="utf-8")
    sent(office, post)
    ago(office, 8)
    assert "  3  deliveries of sendings that ended more than 7 days ago" in office.newsletter("tidy").err


def test_bad_times_are_named_with_their_place(office: "Office") -> None:
    for written, wrong in (
        ("{values: 0}", "retention.values: must be a whole number of days, 1 to 3650, such as 90 days"),
        ("{values: 90 years}", "retention.values: must be a whole number of days, 1 to 3650, such as 90 days"),
        ("{proofs: never}", "retention.proofs: must be a whole number of years, 1 to 30, such as 3 years"),
        ("{value: 3}", "retention.value: "),
    ):
        (office.root / "issues" / "publication.yaml").write_text(f"{PUBLICATION}retention: {written}\n", encoding="utf-8")
        ran = office.newsletter("tidy")
        assert ran.code == 2
        assert wrong in ran.err


def test_without_a_database_nothing_is_made(office: "Office") -> None:
    assert office.newsletter("tidy").code == 0
    assert not (office.root / "newsletter.db").exists()


def test_what_has_no_address_is_not_sent_again(office: "Office", post: "Post") -> None:
    assert office.send().code == 0
    store = open_store(office.url)
    with store.write() as connection:
        connection.execute(update(delivery).values(state="uncertain", updated_at=1))
        connection.execute(update(worker).values(ended_at=1))
    ago(office, 91)
    office.newsletter("tidy")
    ran = office.newsletter("resolve", "2026-12", "--uncertain", "resend")
    assert (ran.code, ran.err) == (
        2,
        "the addresses of the uncertain mails of 2026-12 were deleted, so nothing can be sent again; "
        "newsletter resolve 2026-12 --uncertain sent closes them\n",
    )
    assert office.account()["uncertain"] == 3
    assert office.newsletter("resolve", "2026-12", "--uncertain", "sent").code == 0
    assert office.account()["sent"] == 3
    store.close()


def test_proofs_stay_three_years_to_the_end_of_the_year() -> None:
    """L8: who left in 2022 is proven until the last moment of 2025."""

    def moment(written: str) -> int:
        return int(dt.datetime.fromisoformat(f"{written}+00:00").timestamp()) * 1_000_000

    left = moment("2022-01-01T00:00:00"), moment("2022-12-31T23:59:59")
    for said, kept in ((moment("2025-12-31T23:59:59"), True), (moment("2026-01-01T00:00:00"), False)):
        assert [one >= deadlines(Retention(), said).proofs for one in left] == [kept, kept]
    assert deadlines(Retention(proofs=1), moment("2026-06-01T00:00:00")).proofs == moment("2025-01-01T00:00:00")
    assert deadlines(Retention(values=7), moment("2026-06-08T00:00:00")).values == moment("2026-06-01T00:00:00")
