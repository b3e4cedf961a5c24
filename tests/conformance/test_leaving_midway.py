"""Somebody leaves while a campaign is being sent: what no server was handed yet does not go out any more (B28, L7)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Post
from tests.conformance.addresses import addresses_in
from tests.conformance.mailed import Workplace, make_workplace
from tests.conformance.wire import Wire
from tests.thorough import only_thorough

PEOPLE = [f"leser{number:02}@example.org" for number in range(80)]
FORM = "application/x-www-form-urlencoded"
ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as post:
        yield post
        post.go_on.set()


@pytest.fixture
def workplace(tmp_path: Path, post: Post) -> Iterator[Workplace]:
    """The issue was sent to all of the list once, so that everyone has a link; the pages are up."""
    place = make_workplace(tmp_path, post, connections=1)
    place.write_list("list.csv", PEOPLE)
    place.run("send", "2026-12", "--to", "list.csv", "--yes")
    with place.served():
        yield place


def states(place: Workplace) -> dict[str, str]:
    """Who stands where in the second campaign."""
    rows = place.ask("SELECT address, delivery.state FROM delivery JOIN campaign ON campaign.id = campaign_id WHERE number = 2")
    return {str(address): str(state) for address, state in rows}


def settled(place: Workplace) -> dict[str, str]:
    """The same, when nothing moves any more: the ledger writes on for a moment while the server is silent."""
    seen = [states(place)]
    while len(seen) < 5 or any(one != seen[-1] for one in seen[-5:]):
        time.sleep(0.05)
        seen.append(states(place))
    return seen[-1]


def leave(place: Workplace, links: dict[str, str], address: str, wire: Wire) -> None:
    assert wire.ask("POST", links[address], ONE_CLICK, Content_Type=FORM).status == 200
    assert address in place.suppressed()


def test_whoever_waits_in_a_running_campaign_gets_nothing_more(workplace: Workplace, post: Post) -> None:
    """The campaign stands in the middle, its server silent; those who wait leave; the server goes on."""
    links = {found.recipient: found.one_click for found in (addresses_in(one.data) for one in post)}
    assert set(links) == set(PEOPLE)
    post.hold_at = len(PEOPLE) + 5
    sending = workplace.start("send", "2026-12", "--to", "list.csv", "--yes", "--again")
    assert post.holding.wait(60)
    before = settled(workplace)
    claimed = [address for address, state in before.items() if state == "claimed"]
    pending = [address for address, state in before.items() if state == "pending"]
    sent = [address for address, state in before.items() if state == "sent"]
    gone = {*claimed[::2], *pending[::3], *sent[:2]}
    assert pending
    with Wire(workplace.url) as wire:
        for address in gone:
            leave(workplace, links, address, wire)
            assert states(workplace)[address] == ("sent" if address in sent else "suppressed")
    post.go_on.set()
    assert sending.wait(timeout=60) == 0
    after = states(workplace)
    assert {address for address, state in after.items() if state == "suppressed"} == gone - set(sent)
    assert set(after.values()) == {"sent", "suppressed"}
    again = [one.recipients[0] for one in list(post)[len(PEOPLE) :]]
    assert sorted(again) == sorted(set(PEOPLE) - gone | set(sent))


@only_thorough
def test_at_full_speed_everyone_is_either_sent_to_or_suppressed(workplace: Workplace, post: Post) -> None:
    """Whoever is called suppressed got nothing, whoever is called sent got one mail, and everyone who left stays off."""
    links = {found.recipient: found.one_click for found in (addresses_in(one.data) for one in post)}
    post.hold_at = len(PEOPLE) + 1
    sending = workplace.start("send", "2026-12", "--to", "list.csv", "--yes", "--again")
    assert post.holding.wait(60)
    post.go_on.set()
    with Wire(workplace.url) as wire:
        for address in reversed(PEOPLE[::2]):  # towards the sending
            leave(workplace, links, address, wire)
    assert sending.wait(timeout=60) == 0
    after = states(workplace)
    again = [one.recipients[0] for one in list(post)[len(PEOPLE) :]]
    assert sorted(again) == sorted(address for address, state in after.items() if state == "sent")
    assert {address for address, state in after.items() if state != "sent"} <= set(PEOPLE[::2])
    assert workplace.suppressed() == set(PEOPLE[::2])
