"""The pace: never more than the rate allows, no lane waits for another, and a server that wants less gets less."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.pace import SLOWEST, Bucket, Limit, Pace, is_complaint, slowed_in_words
from newsletter.delivery.replies import Outcome, read_reply

TAKEN = Outcome("end", "reply", 250)
SLOWER = Outcome("RCPT", "reply", 451, "4.7.0 too fast", "4.7.0")
STEPS = st.lists(st.tuples(st.floats(0, 5), st.integers(0, 50)), max_size=60)


@given(st.floats(0.1, 500), STEPS)
def test_a_bucket_gives_no_more_than_rate_and_burst_in_any_window(rate: float, steps: list[tuple[float, int]]) -> None:
    bucket, now, given_at = Bucket(rate, 0.0), 0.0, list[tuple[float, int]]()
    for pause, wanted in steps:
        now += pause
        count = min(wanted, bucket.holds(now))
        bucket.take(count, now)
        given_at.append((now, count))
    for first in range(len(given_at)):
        total = 0
        for moment, count in given_at[first:]:
            total += count
            assert total <= rate * (moment - given_at[first][0]) + bucket.burst + 1e-6


LIMITS = st.builds(Limit, st.none() | st.floats(0.5, 50), st.none() | st.integers(1, 5))


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["a", "b", "*"]), LIMITS, min_size=1), st.none() | st.floats(0.5, 50), st.data())
def test_many_lanes_keep_their_limits_and_that_of_all(limits: dict[str, Limit], rate: float | None, data: st.DataObject) -> None:
    pace, now = Pace(limits, 0.0, rate=rate, limits=limits), 0.0
    under_way: Counter[str] = Counter()
    events: list[tuple[float, str, int]] = []
    for pause, most in data.draw(STEPS):
        now += pause
        lanes, left, claimed = (
            pace.ready(now, most),
            most if rate is None else min(most, pace.together(now, most)),
            Counter[str](),
        )
        for name, count in lanes.items():
            claimed[name] = data.draw(st.integers(0, min(count, left)))
            left -= claimed[name]
        pace.took(lanes, sum(claimed.values()) + left, claimed, now)
        events += [(now, name, count) for name, count in claimed.items()]
        under_way += claimed
        for name, of in limits.items():
            assert of.under_way is None or under_way[name] <= of.under_way
            for _ in range(data.draw(st.integers(0, under_way[name]))):
                under_way[name] -= 1
                pace.landed(name, TAKEN, now)
    for whose, of in [*((name, one) for name, one in limits.items()), (None, Limit(rate))]:
        mine = [(moment, count) for moment, lane, count in events if whose in (None, lane)]
        for first in range(len(mine) if of.rate else 0):
            assert of.rate is not None
            total = 0
            for moment, count in mine[first:]:
                total += count
                assert total <= of.rate * (moment - mine[first][0]) + max(1.0, of.rate) + 1e-6


def test_an_empty_lane_does_not_hold_the_others_up() -> None:
    pace = Pace(["*", "slow"], 0.0, limits={"slow": Limit(0.1)})
    assert pace.ready(0.0, 20) == {"slow": 1, "*": 20}
    pace.took(["slow", "*"], 20, {"slow": 1, "*": 19}, 0.0)
    assert pace.ready(1.0, 20) == {"*": 20}
    assert pace.wait(1.0) == pytest.approx(9.0)
    assert "slow" in pace.ready(10.1, 20)


def test_nothing_set_costs_nothing_until_a_server_complains() -> None:
    pace = Pace(["*"], 0.0)
    assert pace.free
    for _ in range(90):
        pace.landed("*", TAKEN, 1.0)
    pace.landed("*", SLOWER, 9.0)
    assert not pace.free
    assert pace.slowed == {"*": 5.0}
    assert slowed_in_words(pace) == "slowed down to 5 mails a second, as the mail server asks"


def test_it_slows_down_and_comes_back() -> None:
    pace = Pace(["*", "gmx"], 0.0, limits={"gmx": Limit(20)})
    for number in range(1500):
        pace.landed("gmx", TAKEN, number / 15)
    for now in (100.0, 101.0, 102.0):
        pace.landed("gmx", SLOWER, now)
    assert pace.slowed == {"gmx": 10.0}  # the second and third answer are about the old pace
    for number in range(11, 20):
        pace.landed("gmx", SLOWER, 10.0 * number)
    assert pace.slowed == {"gmx": SLOWEST}
    speeds = []
    for now in range(200, 400, 5):
        pace.landed("gmx", TAKEN, float(now))
        speeds.append(pace.slowed.get("gmx", math.inf))
    assert speeds == sorted(speeds)
    assert speeds[-1] == math.inf
    assert not pace.free  # its own limit stays
    assert pace.ready(1000.0, 50)["gmx"] == 20


def test_a_lane_without_a_limit_is_free_again_in_the_end() -> None:
    pace = Pace(["*"], 0.0)
    for _ in range(100):
        pace.landed("*", TAKEN, 1.0)
    pace.landed("*", SLOWER, 10.0)
    for now in range(20, 200, 5):
        pace.landed("*", TAKEN, float(now))
    assert pace.free
    assert pace.slowed == {}


@pytest.mark.parametrize(
    ("code", "text", "asks"),
    [
        (421, "4.7.0 unusual rate", True),
        (421, "too many connections", True),
        (421, "4.3.2 closing", False),
        (451, "4.7.0 too many messages", True),
        (451, "4.7.1 Greylisted, try again in 5 minutes", False),
        (454, "Throttling failure: Maximum sending rate exceeded.", True),
        (454, "Throttling failure: Daily message quota exceeded.", True),
        (451, "Sender rate overlimit - 120.3 / 1h", True),
        (450, "Requested mail action not taken: mailbox unavailable\nMail send limit exceeded.", True),
        (450, "too many messages from you", True),
        (454, "Temporary authentication failure", False),
        (452, "mailbox quota exceeded", False),
        (450, "4.2.0 busy", False),
        (550, "5.7.1 no", False),
        (250, "2.0.0 ok", False),
    ],
)
def test_what_is_a_complaint(code: int, text: str, asks: bool) -> None:
    assert is_complaint(read_reply("RCPT", code, text)) is asks


def test_few_complaints_among_many_are_about_their_recipients() -> None:
    pace = Pace(["*"], 0.0)
    for _ in range(1000):
        pace.landed("*", TAKEN, 1.0)
    for _ in range(10):
        pace.landed("*", SLOWER, 2.0)
    assert pace.free
    pace.landed("*", SLOWER, 2.0)
    assert pace.slowed == {"*": 250.0}


def test_one_complaint_late_in_a_campaign_is_about_its_recipient() -> None:
    pace = Pace(["*"], 0.0)
    for number in range(6000):
        pace.landed("*", TAKEN, number / 100)
    pace.landed("*", SLOWER, 60.0)
    assert pace.free
    for _ in range(10):
        pace.landed("*", SLOWER, 60.1)
    assert pace.slowed == {"*": 50.0}


def test_a_421_before_a_message_wants_a_new_connection() -> None:
    assert not is_complaint(read_reply("MAIL", 421, "too many messages on this connection"))


def test_out_of_hours_nothing_is_ready() -> None:
    shut = [60.0]
    pace = Pace(["*"], 0.0, shut_for=lambda: shut[0])
    assert (pace.ready(0.0, 5), pace.wait(0.0)) == ({}, 60.0)
    shut[0] = 0.0
    assert pace.ready(0.0, 5) == {"*": 5}
