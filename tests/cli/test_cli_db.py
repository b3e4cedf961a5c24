"""``newsletter db``: tables on a server, a move from a file to it in the middle of a campaign, and a look at what is there."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from newsletter.delivery import ledger
from newsletter.store import open_store, send_lock, suppress
from newsletter.store.engine import upgrade_tables
from newsletter.store.tables import REVISIONS, worker
from tests.real.postgresql import both

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

FORM = REVISIONS[-1]


def test_a_server_gets_its_tables_by_upgrade_alone(office: "Office", post: "Post", postgresql_url: str) -> None:
    office.settings(database_url=postgresql_url)
    for command in (("send", "2026-12", "--to", "list.csv", "--yes"), ("status",), ("db", "check"), ("db", "copy", "list.csv")):
        ran = office.newsletter(*command)
        assert (ran.code, ran.out, ran.err) == (2, "", "the database has no tables yet; newsletter db upgrade makes them\n")
    made = office.newsletter("db", "upgrade")
    assert (made.code, made.out) == (0, "")
    assert f": made the tables, form {FORM}\n" in made.err
    assert ": the tables of the engine for several hosts are as of " in made.err
    again = office.newsletter("db", "upgrade")
    assert again.code == 0
    assert f": is of form {FORM} already\n" in again.err
    assert office.send().code == 0
    assert len(post) == 3
    with send_lock(postgresql_url):
        ran = office.newsletter("db", "upgrade")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "another newsletter send is at work" in ran.err


def test_upgrade_of_an_older_form(office: "Office", postgresql_url: str) -> None:
    office.settings(database_url=postgresql_url)
    script = (
        "from newsletter.store import schema\nfrom newsletter.store.engine import open_bare\n"
        f"with open_bare({postgresql_url!r}).rebuild() as connection: schema.upgrade(connection, '0001')"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    ran = office.newsletter("status")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert (
        f"form 0001, this program works with form {FORM}; stop the newsletter on every host, make a backup, then run" in ran.err
    )
    assert f"brought from form 0001 to {FORM}\n" in office.newsletter("db", "upgrade").err
    assert office.newsletter("status").code == 0


def test_a_file_is_brought_up_to_date_by_upgrade_too(office: "Office") -> None:
    ran = office.newsletter("db", "upgrade")
    assert ran.code == 0
    assert ran.err.endswith(f"newsletter.db: made the tables, form {FORM}\n")


def test_a_campaign_moves_to_a_server_and_goes_on_there(office: "Office", post: "Post", postgresql_url: str) -> None:
    office.crowd(12)
    assert office.send("--limit", "5").code == 0
    before = office.account()
    file = office.url.removeprefix("sqlite:///")
    office.settings(database_url=postgresql_url)
    assert office.newsletter("db", "upgrade").code == 0
    copied = office.newsletter("db", "copy", file)
    assert copied.code == 0
    assert "         12  delivery\n" in copied.err
    assert copied.err.endswith("every value is the same on both sides; put the old one away, so that nobody sends from it\n")
    assert office.account() == before
    assert office.newsletter("resume", "2026-12").code == 0
    assert set(post.addresses().values()) == {1}
    assert len(post) == 12
    again = office.newsletter("db", "copy", file)
    assert again.code == 2
    assert again.err.endswith("the database to copy to is not empty: there are rows in edition; name an empty one\n")
    counts = office.newsletter("db", "check", "--json").json
    assert (counts["form"], counts["rows"]["delivery"], counts["faults"]) == (FORM, 12, [])


def test_what_a_crash_left_is_uncertain_on_the_other_side(office: "Office", post: "Post", postgresql_url: str) -> None:
    office.crowd(6)
    post.hold_at = 3
    sending = office.process("send", "2026-12", "--to", "list.csv", "--yes")
    assert post.holding.wait(60)
    file = office.url.removeprefix("sqlite:///")
    upgrade_tables(postgresql_url)
    office.settings(database_url=postgresql_url)
    refused = office.newsletter("db", "copy", file)
    assert refused.code == 2
    assert f"another newsletter send is at work with this database (process {sending.pid})" in refused.err
    sending.send_signal(signal.SIGKILL)
    sending.wait()
    post.go_on.set()
    assert office.newsletter("db", "copy", file).code == 0
    account = office.account()
    assert account["uncertain"] >= 1
    assert account["audience"] == 6
    office.newsletter("send", "2026-12")
    assert set(post.addresses().values()) == {1}


def test_nothing_is_moved_or_changed_while_a_worker_lives(office: "Office", postgresql_url: str) -> None:
    # On a server the lock of send is free while it sends: there the lease says who lives.
    upgrade_tables(postgresql_url)
    store = open_store(postgresql_url)
    with store.write() as connection:
        ledger.register(connection, host="mail2", pid=4711, version="1", now=store.now(connection), lease=store.lease)
    words = (
        "a newsletter is sending with this database (process 4711 on mail2); stop it, or where it is dead, wait half a minute\n"
    )
    assert office.newsletter("db", "copy", postgresql_url).err.endswith(words)
    assert office.newsletter("db", "check", "--json").json["rows"]["worker"] == 0
    office.settings(database_url=postgresql_url)
    assert office.newsletter("db", "upgrade").err.endswith(words)
    with store.write() as connection:  # half a minute later
        connection.execute(worker.update().values(lease_until=store.now(connection) - 1))
    assert office.newsletter("db", "upgrade").code == 0
    office.settings()
    assert office.newsletter("db", "copy", postgresql_url).code == 0
    with store.read() as connection:
        assert connection.scalars(select(worker.c.state)).all() == ["dead"]
    store.close()


def test_a_copy_names_what_is_wrong_with_it(office: "Office", postgresql_url: str, tmp_path: Path) -> None:
    open_store(office.url).close()
    itself = office.newsletter("db", "copy", "newsletter.db")
    assert (itself.code, itself.err.count("\n")) == (2, 1)
    assert "is the database of the settings itself; set NEWSLETTER_DATABASE_URL to the new one first" in itself.err
    upgrade_tables(postgresql_url)
    office.settings(database_url=postgresql_url)
    missing = office.newsletter("db", "copy", "elsewhere.db")
    assert (missing.code, missing.err) == (2, f"{tmp_path / 'elsewhere.db'}: there is no such database\n")
    assert not (tmp_path / "elsewhere.db").exists()
    none = office.newsletter("db", "copy", "list.csv")
    assert (none.code, none.err.count("\n")) == (2, 1)
    assert "list.csv: cannot be used as the database" in none.err
    for url in ("postgresql://me:Xyzzy@db/x", "postgresql://me@db/x?password=Xyzzy"):
        secret = office.newsletter("db", "copy", url)
        assert (secret.code, secret.err.count("\n")) == (2, 1)
        assert "a password does not belong on a command line" in secret.err
        assert "Xyzzy" not in secret.err


def test_a_password_stands_in_no_message(office: "Office") -> None:
    office.settings(database_url="postgresql://me:Xyzzy@127.0.0.1:1/x")
    for command in (
        ("status",),
        ("db", "upgrade"),
        ("db", "check"),
        ("send", "2026-12", "--to", "list.csv", "--yes"),
        ("doctor",),
    ):
        ran = office.newsletter(*command)
        assert ran.code in (1, 2)
        assert "Xyzzy" not in ran.out + ran.err
        assert "me@127.0.0.1:1/x cannot be used" in " ".join(ran.err.split())


@both
def test_check_counts_and_finds_what_is_missing(office: "Office") -> None:
    assert office.send().code == 0
    whole = office.newsletter("db", "check")
    assert whole.code == 0
    assert "          3  delivery\n" in whole.out
    assert whole.err.endswith(f", form {FORM}\nall is whole\n")
    store = open_store(office.url)
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM delivery WHERE line = 3")
    store.close()
    broken = office.newsletter("db", "check")
    assert broken.code == 1
    words = "campaign 2026-12, number 1, has an audience of 3, but 2 deliveries\nnot all is well: restore it from a backup\n"
    assert broken.err.endswith(words)
    assert office.newsletter("db", "check", "--json").json["faults"] == [words.partition("\n")[0]]


@both
def test_unsubscribed_on_either_side_stays_so(office: "Office", postgresql_url: str) -> None:
    # From a file to a server, and from one server to another one.
    store = open_store(office.url)
    suppress(store, b"m" * 16, reason="unsubscribed")
    store.close()
    if office.url.startswith("postgresql"):
        office.settings(database_url=f"sqlite:///{office.root / 'back.db'}")
        source = office.url
    else:
        upgrade_tables(postgresql_url)
        office.settings(database_url=postgresql_url)
        source = "newsletter.db"
    assert office.newsletter("db", "copy", source).code == 0
    assert office.newsletter("db", "check", "--json").json["rows"]["suppression"] == 1
