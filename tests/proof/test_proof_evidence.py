"""The proof's judge: each claim fails where something is wrong, and only then."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.proof.evidence import Evidence, Journal, observe


def evidence(folder: Path, rows: dict[str, str], taken: list[str], *, campaigns: int = 1) -> Evidence:
    """Of a ledger with these states, and a journal with these addresses; ``!`` before one: its intent was not on disk."""
    database = folder / "newsletter.db"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE campaign (number, state)")
        connection.execute("CREATE TABLE delivery (address, state)")
        connection.executemany("INSERT INTO campaign VALUES (?, 'done')", [(number,) for number in range(campaigns)])
        connection.executemany("INSERT INTO delivery VALUES (?, ?)", rows.items())
    lines = [f"1 {one.strip('!')} <{one.strip('!')}> {'claimed' if one[0] == '!' else 'sending'}\n" for one in taken]
    (folder / "journal.txt").write_text("".join(lines), encoding="utf-8")
    journal = Journal(folder / "journal.txt")
    last, seen = observe(database, journal)
    return Evidence(
        deliveries=4,
        connections=1,
        last=last,
        journal=journal,
        observations=[seen],
        left=set(),
        planned=1,
        struck=1,
        broke=1,
        program_says=last.account,
        second_send_ran=0,
    )


GOOD = {"a": "sent", "b": "sent", "c": "uncertain", "d": "failed"}
DOUBLED, EARLY, UNSHOWN = (
    "nobody doubled",
    "at each look nobody was called sent too early",
    "at each look what was accepted was shown",
)
OVER, UNRECORDED, SUM = (
    "the campaign is done",
    "what was accepted and not recorded is uncertain",
    "sent <= accepted <= sent + uncertain",
)
UNKNOWN, KEPT_OUT = "nobody is called sent whom the server does not know", "no mail to who unsubscribed before, or was refused"
INTENT = "each message's intent was on disk before its first byte came"


def fails(found: Evidence) -> set[str]:
    """The claims that do not hold."""
    return {claim.words for claim in found.claims() if not claim.holds}


@pytest.mark.parametrize(
    "taken", [["a", "b"], ["b", "c", "a"]], ids=["the uncertain one was lost", "the uncertain one was taken"]
)
def test_all_is_well(tmp_path: Path, taken: list[str]) -> None:
    assert fails(evidence(tmp_path, GOOD, taken)) == set()


@pytest.mark.parametrize(
    ("rows", "taken", "wrong"),
    [
        (GOOD, ["a", "b", "b"], {DOUBLED}),
        (GOOD, ["a"], {"nobody missed", SUM, UNKNOWN, EARLY}),
        (GOOD, ["a", "!b"], {INTENT}),
        (GOOD, ["a", "b", "d"], {UNRECORDED, UNSHOWN, KEPT_OUT}),
        ({**GOOD, "c": "pending"}, ["a", "b"], {OVER, "nobody missed"}),
        ({**GOOD, "c": "pending"}, ["a", "b", "c"], {OVER, SUM, UNRECORDED, UNSHOWN}),
        ({"a": "sent", "b": "sent", "d": "failed"}, ["a", "b"], {"at each of 1 looks the account adds up to the audience"}),
    ],
    ids=["doubled", "missed", "no intent", "refused and taken", "not finished", "taken and pending", "a row is gone"],
)
def test_what_is_wrong_is_seen(tmp_path: Path, rows: dict[str, str], taken: list[str], wrong: set[str]) -> None:
    assert fails(evidence(tmp_path, rows, taken)) == wrong


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (lambda found: setattr(found, "struck", 0), "every strike of the plan hit"),
        (lambda found: setattr(found, "second_send_ran", 1), "no second send ran beside one that was frozen"),
        (lambda found: setattr(found, "program_says", {"sent": 3}), "the program counts as we do"),
        (lambda found: setattr(found, "connections", 0), "uncertain a strike: 0 at most on average"),
    ],
    ids=["missed its aim", "two senders", "another account", "too many in doubt"],
)
def test_what_was_counted_is_judged(tmp_path: Path, spoil: Callable[[Evidence], None], wrong: str) -> None:
    found = evidence(tmp_path, GOOD, ["a", "b"])
    spoil(found)
    assert fails(found) == {wrong}


def test_two_campaigns_are_one_too_many(tmp_path: Path) -> None:
    assert fails(evidence(tmp_path, GOOD, ["a", "b"], campaigns=2)) == {"one campaign, never a second one"}
