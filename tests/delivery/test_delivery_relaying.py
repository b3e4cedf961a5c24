"""Several relays: the connections are shared by weight, whoever cannot be used rests, and everyone gets one mail."""

import asyncio
import contextlib
import itertools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from newsletter.delivery import Account, SendError, account_of
from newsletter.delivery.replies import Pauses

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People, Sink

    Crowd = Callable[[int], People]


def run(office: "Office", made: Any, sinks: "list[Sink]", weights: tuple[int, ...] = (1, 1), **how: Any) -> Account:
    """Drive a campaign over two sinks that are up."""

    async def once() -> Account:
        async with contextlib.AsyncExitStack() as stack:
            for sink in sinks:
                await stack.enter_async_context(sink.serve())
            hosts = ", ".join(f"127.0.0.1:{sink.port}*{weight}" for sink, weight in zip(sinks, weights, strict=True))
            settings = {"smtp_host": hosts, **how.pop("settings", {})}
            return await office.send(made, sinks[0], settings=settings, **how)

    return asyncio.run(once())


@pytest.fixture
def other(sink: "Sink") -> "Sink":
    """A second server like the first."""
    return type(sink)(extensions=sink.extensions)


def once_each(sinks: "list[Sink]", count: int) -> None:
    taken = [recipient for sink in sinks for recipient in sink.recipients]
    assert sorted(taken) == sorted(f"p{number}@example.org" for number in range(count))


@pytest.mark.parametrize(("weights", "connections"), [((1, 2), (3, 7)), ((1, 1), (5, 5)), ((1, 100), (1, 9))])
def test_connections_are_shared_by_weight(  # noqa: PLR0917 - fixtures
    office: "Office", sink: "Sink", other: "Sink", crowd: "Crowd", weights: tuple[int, int], connections: tuple[int, int]
) -> None:
    sink.pause_at_the_end = other.pause_at_the_end = lambda: 0.05
    account = run(office, office.freeze(crowd(120)), [sink, other], weights, settings={"smtp_connections": 10})
    assert (account.state, account.sent) == ("done", 120)
    assert (sink.most_open, other.most_open) == connections
    once_each([sink, other], 120)


def _refuses(sink: "Sink") -> Callable[[str, str], str | None]:
    return lambda step, _: "421 4.3.2 down" if step == "connect" else None


def _takes_no_mail(sink: "Sink") -> Callable[[str, str], str | None]:
    return lambda step, _: "421 4.3.2 out of order" if step == "MAIL" else None


def _drops_later(sink: "Sink") -> Callable[[str, str], str | None]:
    return lambda step, _: "drop" if len(sink.accepted) >= 10 and step in ("connect", "RCPT") else None


def _comes_back(sink: "Sink") -> Callable[[str, str], str | None]:
    tries = itertools.count()
    return lambda step, _: "421 4.3.2 down" if step == "connect" and next(tries) < 2 else None


@pytest.mark.parametrize("trouble", [_refuses, _takes_no_mail, _drops_later, _comes_back])
@pytest.mark.parametrize("first", [True, False])
def test_the_others_take_over_and_everyone_gets_one(  # noqa: PLR0917 - fixtures
    office: "Office", sink: "Sink", other: "Sink", crowd: "Crowd", trouble: Any, first: bool
) -> None:
    bad, good = (sink, other) if first else (other, sink)
    bad.answers = trouble(bad)
    good.pause_at_the_end = lambda: 0.01
    account = run(office, office.freeze(crowd(80)), [sink, other], settings={"smtp_messages_per_connection": 5})
    assert (account.state, account.sent, account.uncertain) == ("done", 80, 0)
    once_each([sink, other], 80)
    assert bool(bad.accepted) is (trouble in (_drops_later, _comes_back))


def test_who_comes_back_gets_its_share_while_the_others_are_at_work(
    office: "Office", sink: "Sink", other: "Sink", crowd: "Crowd"
) -> None:
    sink.answers = lambda step, _: "421 4.3.2 down" if step == "connect" and len(other.accepted) < 40 else None
    sink.pause_at_the_end = other.pause_at_the_end = lambda: 0.05
    account = run(office, office.freeze(crowd(300)), [sink, other], settings={"smtp_connections": 10})
    assert (account.state, account.sent, account.uncertain) == ("done", 300, 0)
    once_each([sink, other], 300)
    assert (sink.most_open, other.most_open) == (5, 10)
    assert len(sink.accepted) > 60


def test_who_refuses_the_login_rests(office: "Office", sink: "Sink", other: "Sink", crowd: "Crowd", trusting: Any) -> None:
    for one, password in ((sink, "right"), (other, "wrong")):
        one.offer_tls, one.password = True, password
    login = {"smtp_security": "starttls", "smtp_username": "office", "smtp_password": "right"}
    account = run(office, office.freeze(crowd(40)), [sink, other], settings=login, context=trusting)
    assert (account.state, account.sent, other.accepted) == ("done", 40, [])
    once_each([sink], 40)


def test_when_none_can_be_used_it_ends_with_every_reason(office: "Office", sink: "Sink", other: "Sink", crowd: "Crowd") -> None:
    sink.answers, other.answers = _refuses(sink), _takes_no_mail(other)
    made = office.freeze(crowd(20))
    with pytest.raises(SendError, match=r"no mail server can be used: .*421 4.3.2 down.*; .*no mail: 421 4.3.2 out of order"):
        run(office, made, [sink, other])
    assert account_of(office.store, made.id).pending == 20


def test_a_relay_that_refuses_by_policy_pauses_with_its_name(
    office: "Office", sink: "Sink", other: "Sink", crowd: "Crowd"
) -> None:
    other.answers = lambda step, _: "554 5.7.1 not you" if step == "end" else None
    account = run(office, office.freeze(crowd(100)), [sink, other])
    assert (account.state, account.note) == ("paused", f"127.0.0.1:{other.port} refuses the mail: 554 5.7.1 not you")


def test_the_account_says_which_relay_rests(
    office: "Office", sink: "Sink", other: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["newsletter.delivery.drive"], "_REPORT", 0.01)
    other.answers = _refuses(other)
    told: list[str | None] = []
    tries = iter(range(6000))

    def says_so() -> bool:
        return any(note and note.startswith(f"127.0.0.1:{other.port} rests: ") and "421" in note for note in told)

    sink.hold_at_the_end = lambda: not says_so() and next(tries, None) is not None
    long = Pauses(first=0.02, longest=0.05, connecting=(1.0, 1.0))  # it still rests when the next report comes
    run(office, office.freeze(crowd(80)), [sink, other], pauses=long, on_progress=lambda account: told.append(account.note))
    assert says_so()
    assert told[-1] is None
