"""Hours, providers and rates as an office writes them, and what the progress bar says."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from newsletter.cli.progress import speed_of, troubles_of
from newsletter.delivery.account import Account, Deferrals

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post


def sending(office: "Office", text: str) -> None:
    file = office.root / "issues" / "publication.yaml"
    file.write_text(file.read_text(encoding="utf-8") + f"sending: {text}\n", encoding="utf-8")


def test_outside_of_the_hours_it_says_when_they_begin(office: "Office", post: "Post") -> None:
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).strftime("%a").lower()
    sending(office, f'{{hours: "09:00-10:00", days: {day}}}')
    ran = office.send("--json")
    assert (ran.code, ran.json["state"], ran.json["pending"], len(post)) == (1, "running", 3, 0)
    assert f"2026-12: not within the sending hours, they begin {day.title()} 20" in ran.err
    assert " 09:00 (Europe/Berlin)\n" in ran.err
    (office.root / "issues" / "publication.yaml").write_text("name: x\n", encoding="utf-8")  # broken since, but it names no hours
    assert (office.newsletter("resume", "2026-12").code, len(post)) == (0, 3)


def test_a_provider_has_a_lane_and_a_server_its_rate(office: "Office", post: "Post") -> None:
    sending(office, "{providers: {gmx: {rate: 50}, county: {domains: [example.org], connections: 1}}}")
    office.settings(smtp_rate="200", smtp_connections="2")
    office.recipients("ada@example.org;A", "bob@web.de;B", "cyd@gmx.net;C", "dan@example.net;D")
    assert office.send().code == 0
    assert len(post) == 4


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{late_hours: soon}", "sending.late_hours: must be a number of hours, 0 to 720"),
        ('{hours: "8 to 20"}', 'sending.hours: must be a span of the day, such as "08:00-20:00"'),
        ('{hours: "08:00-25:00"}', "sending.hours: must be a span"),
        ("{days: mon-workday}", "sending.days: must be weekdays, such as mon-fri or mon, wed, fri"),
        ("{providers: {gmx: {rate: 0}}}", "sending.providers.gmx.rate: must be messages a second"),
        ("{providers: {gmx: {connections: 1.5}}}", "sending.providers.gmx.connections: must be a whole number, 1 to 100"),
        ("{providers: {acme: {rate: 1}}}", "sending.providers: acme is not known by name: add its domains"),
        ("{providers: {a: {domains: [gmx.de]}, gmx: {rate: 1}}}", "gmx.de belongs to a and to gmx"),
        ("{providers: {a: {domains: [nodots]}}}", "'nodots' is no domain"),
        ("{provider: {}}", "did you mean providers?"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(office: "Office", written: str, says: str) -> None:
    sending(office, written)
    ran = office.send()
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("issues/publication.yaml:5:")
    assert says in ran.err


def account(**numbers: Any) -> Account:
    names = ("sent", "failed", "suppressed", "uncertain", "deferred", "pending", "refused", "duplicates")
    counts = {name: numbers.pop(name, 0) for name in names}
    return Account("2026-12", "running", **counts, next_due=None, **{"note": None, **numbers})


def test_the_bar_says_how_fast_and_where_it_hangs() -> None:
    assert speed_of([(0.0, 0)]) == ""
    assert speed_of([(0.0, 0), (2.0, 3000), (10.0, 20_000)]) == "2,000/s"
    assert speed_of([(0.0, 10), (4.0, 20)]) == "2.5/s"
    assert troubles_of(account(sent=5)) == ""
    waiting = (Deferrals("gmx.de", 7, 0), Deferrals("web.de", 2, 0), Deferrals("x.org", 1, 0))
    words = troubles_of(account(failed=1, deferred=10, deferrals=waiting, note="slowed down to 5 mails a second"))
    assert words == "1 failed, 10 deferred (7 gmx.de, 2 web.de), slowed down to 5 mails a second"
