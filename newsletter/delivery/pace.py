"""How much may leave now, to whom: rates, messages under way and hours, and lanes that slow down where a server asks for it.

Everything here is told the time in seconds of one monotonic clock, and does nothing by itself. A lane is a mailbox provider with
a pace of its own; ``*`` is everyone else.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from newsletter.delivery.meanings import is_greylisted
from newsletter.delivery.replies import Outcome

#: A lane is slowed down at most once in so many seconds: what is on the wire still gets the old answers.
_ROUND = 5.0
#: After so many seconds without a complaint, a slowed lane gets faster by a tenth of what it did before.
_CALM = 10.0
#: Messages a second below which no lane is slowed down.
SLOWEST = 0.1
#: Seconds over which a lane's own speed is measured.
_WINDOW = 30.0
#: A lane that had nothing due is asked again after so many seconds.
_DRY = 0.5
#: How servers without enhanced codes, as Amazon SES, IONOS and Exim, say that it goes too fast.
_TOO_FAST = re.compile(r"(?i)throttl|\brate ?limit|\brate (?:exceeded|overlimit)|\bsend(?:ing)? limit|\btoo (?:many|much|fast)\b")
#: A share of a second whose messages are claimed together, so that a rate of hundreds does not mean hundreds of transactions.
TOGETHER = 0.1


@dataclass(frozen=True, slots=True)
class Limit:
    """The pace of one lane: messages a second, messages under way at the same time; None is any number."""

    rate: float | None = None
    under_way: int | None = None


class Bucket:
    """A token bucket: in any span of t seconds it gives at most ``rate × t + burst``."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, now: float, burst: float | None = None) -> None:
        self.rate = rate
        self.burst = max(1.0, rate) if burst is None else max(1.0, burst)
        self._tokens = 1.0
        self._at = now

    def holds(self, now: float) -> int:
        """How many it can give now."""
        if now > self._at:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
            self._at = now
        return int(self._tokens + 1e-9)

    def take(self, count: int, now: float) -> None:
        """Take what :meth:`holds` says that is there; a negative count gives back what was not used."""
        self.holds(now)
        self._tokens = min(self.burst, self._tokens - count)

    def wait(self, now: float) -> float:
        """Seconds until it is worth asking."""
        self.holds(now)
        worth = min(self.burst, max(1.0, self.rate * TOGETHER))
        return max(0.0, (worth - self._tokens) / self.rate)


class Lane:
    """One lane: its limit, what is under way in it, and how far it was slowed down."""

    __slots__ = ("_asked", "_bucket", "_cut_at", "_limit", "_since", "_speed", "_was", "count", "dry_until", "under_way")

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self._bucket = None if limit.rate is None else Bucket(limit.rate, now)
        self.under_way = 0
        self.dry_until = -math.inf
        self._was: float | None = None  # the speed to come back to, while it is slowed down
        self._cut_at = -math.inf
        self._since = now
        self.count = 0  # of what was taken since then
        self._asked = 0
        self._speed = 0.0

    @property
    def free(self) -> bool:
        """Whether nothing holds it back."""
        return self._bucket is None and self._limit.under_way is None

    @property
    def slowed_to(self) -> float | None:
        """Messages a second that it was slowed down to; None where it was not."""
        return None if self._was is None or self._bucket is None else self._bucket.rate

    def ready(self, now: float, most: int) -> int:
        """How many of ``most`` may be claimed."""
        if now < self.dry_until:
            return 0
        if self._limit.under_way is not None:
            most = min(most, self._limit.under_way - self.under_way)
        if self._bucket is not None:
            most = 0 if self._bucket.wait(now) > 0 else min(most, self._bucket.holds(now))
        return max(most, 0)

    def wait(self, now: float) -> float:
        """Seconds until it may be ready; endless where first something has to come back."""
        if self._limit.under_way is not None and self.under_way >= self._limit.under_way:
            return math.inf
        wait = 0.0 if self._bucket is None else self._bucket.wait(now)
        return max(wait, self.dry_until - now)

    def take(self, count: int, now: float) -> None:
        """So many were claimed."""
        self.under_way += count
        if self._bucket is not None:
            self._bucket.take(count, now)

    def back(self, now: float) -> None:
        """One that was claimed was not tried."""
        self.under_way -= 1
        if self._bucket is not None:
            self._bucket.take(-1, now)

    def landed(self, now: float, *, complained: bool) -> None:
        """One was answered; ``complained``: it was too fast for the server."""
        self.under_way -= 1
        self._measure(now)
        if complained:
            self._asked += 1
            self._slow_down(now)
        else:
            self.count += 1
            if self._was is not None and now - self._cut_at >= _CALM:
                self._speed_up(now)

    def _measure(self, now: float) -> None:
        if (span := now - self._since) >= _WINDOW:
            self._speed, self.count, self._asked, self._since = self.count / span, 0, 0, now

    def _slow_down(self, now: float) -> None:
        if now - self._cut_at < _ROUND:
            return
        if 100 * self._asked <= max(self.count, self._speed * _CALM):  # the count may just have begun anew
            return  # one answer in more than a hundred is about its recipient, not about the pace
        went = max(self.count / max(now - self._since, 0.1), self._speed)
        rate = self._bucket.rate if self._bucket is not None else max(went, 1.0)
        if self._was is None:
            self._was = rate
        # Where hardly anything was taken since, halving would take too long.
        self._set(max(SLOWEST, min(rate / 2, max(went, rate / 10))), now)
        self._cut_at, self._since, self.count, self._asked, self._speed = now, now, 0, 0, 0.0

    def _speed_up(self, now: float) -> None:
        if self._was is None or self._bucket is None:
            return
        faster = self._bucket.rate + self._was / 10
        self._cut_at = now
        if faster < self._was:
            self._set(faster, now)
            return
        self._was = None
        if self._limit.rate is None:
            self._bucket = None
        else:
            self._set(self._limit.rate, now)

    def _set(self, rate: float, now: float) -> None:
        if self._bucket is None:
            self._bucket = Bucket(rate, now)
        else:
            self._bucket.holds(now)
            self._bucket.rate, self._bucket.burst = rate, max(1.0, rate)


class Pace:
    """The pace of one campaign.

    ``limits`` are those of the lanes that have one, ``lanes`` all that the campaign has, ``rate`` is for all together.
    ``shut_for`` says in how many seconds the sending hours begin, 0 within them; ``outer`` in how many a lane may be asked again
    by the buckets that all workers share.
    """

    def __init__(  # noqa: PLR0913 - each says its own, by name
        self,
        lanes: Iterable[str],
        now: float,
        *,
        rate: float | None = None,
        limits: Mapping[str, Limit] | None = None,
        shut_for: Callable[[], float] | None = None,
        outer: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        self._lanes = {name: Lane((limits or {}).get(name, Limit()), now) for name in lanes}
        self._all = None if rate is None else Bucket(rate, now)
        self._shut_for = shut_for
        self._outer = outer
        self._first = 0
        #: Whether nothing holds anything back: then nobody needs to ask, and nothing is counted.
        self.free = self._is_free()

    def _is_free(self) -> bool:
        return self._all is None and self._shut_for is None and all(lane.free for lane in self._lanes.values())

    @property
    def slowed(self) -> dict[str, float]:
        """The lanes that a server slowed down, each with its messages a second."""
        return {name: rate for name, lane in self._lanes.items() if (rate := lane.slowed_to) is not None}

    def renew(self, outer: Callable[[str], float]) -> None:
        """Go on for another worker of this process: nothing is under way, and how far a server slowed it down stays."""
        self._outer = outer
        for lane in self._lanes.values():
            lane.under_way = 0

    def shut(self) -> float:
        """Seconds until the sending hours begin; 0 within them."""
        return 0.0 if self._shut_for is None else self._shut_for()

    def ready(self, now: float, most: int) -> dict[str, int]:
        """How many of ``most`` may be claimed in which lane; the lane that comes first changes, so that each has its turn.

        They share what there is: whoever claims says so by :meth:`took` and keeps the sum within ``most`` and :meth:`together`.
        """
        if self.shut() > 0:
            return {}
        most = min(most, self.together(now, most))
        names = list(self._lanes)
        self._first = (self._first + 1) % max(len(names), 1)
        turned = names[self._first :] + names[: self._first]
        return {name: count for name in turned if (count := self._lanes[name].ready(now, most)) > 0}

    def together(self, now: float, most: int) -> int:
        """How many of ``most`` may be claimed in all lanes together."""
        if self._all is None:
            return most
        return 0 if self._all.wait(now) > 0 else min(most, self._all.holds(now))

    def wait(self, now: float) -> float:
        """Seconds until a lane that may not claim now may; endless where only an answer opens one. 0: ask now."""
        shut = self.shut()
        waits = [wait for lane in self._lanes.values() if (wait := lane.wait(now)) > 0]
        together = 0.0 if self._all is None else self._all.wait(now)
        return max(shut, together, min(waits, default=0.0))

    def took(self, lanes: Iterable[str], most: int, claimed: Mapping[str, int], now: float) -> None:
        """How many were claimed of each lane, when up to ``most`` were asked for in the order of ``lanes``."""
        for name in lanes:
            if most <= 0:
                return  # it was not asked any more
            count, outer = claimed.get(name, 0), self._outer(name)
            if outer or not count:
                self._lanes[name].dry_until = now + (outer or _DRY)
            if not count:
                continue
            most -= count
            self._lanes[name].take(count, now)
            if self._all is not None:
                self._all.take(count, now)

    def back(self, lane: str, now: float) -> None:
        """One that was claimed was not tried."""
        self._lanes[lane].back(now)
        if self._all is not None:
            self._all.take(-1, now)

    def landed(self, lane: str, outcome: Outcome, now: float) -> None:
        """One was answered."""
        of = self._lanes[lane]
        if self.free and outcome.code is not None and outcome.code < 400:
            of.count += 1  # nothing else is worth its time for each message
            return
        complained = is_complaint(outcome)
        of.landed(now, complained=complained)
        if complained or not self.free:
            self.free = self._is_free()


def is_complaint(outcome: Outcome) -> bool:
    """Whether a server says that it gets too much: 4.7.x (RFC 3463 §3.8), 4.4.5, in words, or 421 for no reason that it names.

    No greylisting (RFC 6647), no server that shuts down (4.3.2), and no 421 before a message has begun: that one wants a new
    connection, as many do after so many messages.
    """
    if outcome.kind != "reply" or outcome.code is None or not 400 <= outcome.code < 500:
        return False
    if outcome.enhanced is None:
        return outcome.stage != "MAIL" if outcome.code == 421 else _TOO_FAST.search(outcome.reply) is not None
    return (outcome.enhanced.startswith("4.7.") or outcome.enhanced == "4.4.5") and not is_greylisted(outcome.reply)


def slowed_in_words(pace: Pace) -> str | None:
    """Where a server slowed the sending down, as a sentence; None where it did not."""
    slowed = pace.slowed
    if not slowed:
        return None
    lanes = (f"{'' if name == '*' else name + ' '}to {rate:.2g} mails a second" for name, rate in slowed.items())
    return f"slowed down {', '.join(lanes)}, as the mail server asks"
