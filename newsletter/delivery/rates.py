"""The pace that all workers of a database share: buckets in it, granted together with the claim, in one transaction.

One bucket is for all mail of the account, one for each lane with a rate. They are the outer bound: each worker's own pace
(:mod:`newsletter.delivery.pace`) holds within it, with its slow-downs, and so do its connections: how many messages are under
way to a provider is limited for each worker by itself. In any second at most ``rate + burst`` are granted. What was claimed and
not tried is given back; what a worker had that died is lost.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, case, select, update

from newsletter.delivery.pace import TOGETHER
from newsletter.store.clock import SECOND
from newsletter.store.engine import insert_new
from newsletter.store.tables import rate

#: The scope of all mail.
ALL = "*"


@dataclass
class Bucket:
    """A bucket as GCRA keeps it (ITU-T I.371): ``tat``, in microseconds, is when it is full again, of ``burst`` mails."""

    per_s: float
    burst: float
    tat: int

    @classmethod
    def empty(cls, per_s: float, now: int) -> "Bucket":
        """A new one, with a single mail in it: what was sent before it is not known."""
        burst = max(1.0, per_s)
        return cls(per_s, burst, now + math.ceil((burst - 1) * SECOND / per_s))

    def latest(self, now: int) -> int:
        """When an empty one would be full."""
        return now + math.ceil(self.burst * SECOND / self.per_s)

    def holds(self, now: int) -> int:
        """How many it can give now."""
        return max(0, int((now - max(self.tat, now)) * self.per_s / SECOND + self.burst + 1e-9))

    def take(self, count: int, now: int) -> None:
        """Take what it holds; a negative count gives back."""
        self.tat = max(self.tat, now) + math.ceil(count * SECOND / self.per_s)

    def wait(self, now: int) -> int:
        """Microseconds until it is worth asking."""
        worth = min(self.burst, max(1.0, self.per_s * TOGETHER))
        return max(0, math.ceil(self.tat - now - (self.burst - worth) * SECOND / self.per_s))


class Rates:
    """The shared buckets as one worker knows them: ``per_s`` for all mail, ``lanes`` for each lane that has a rate."""

    def __init__(self, per_s: float | None, lanes: Mapping[str, float]) -> None:
        self._rates = {**({} if per_s is None else {ALL: per_s}), **{_scope(name): of for name, of in lanes.items()}}
        self._open_at: dict[str, float] = {}

    def set_up(self, connection: Connection, now: int) -> None:
        """Make the buckets, or change them to what is set now: the worker that came last knows best."""
        for scope, per_s in sorted(self._rates.items()):
            new = Bucket.empty(per_s, now)
            row = {"scope": scope, "per_s": per_s, "burst": new.burst, "tat": new.tat}
            connection.execute(insert_new(connection, rate).values(row))
            latest = new.latest(now)  # where it was slower before, it may have been empty for long
            tat = case((rate.c.tat > latest, latest), else_=rate.c.tat)
            other = update(rate).where(rate.c.scope == scope, rate.c.per_s != per_s)
            connection.execute(other.values(per_s=per_s, burst=new.burst, tat=tat))

    def open(self, connection: Connection, lanes: Iterable[str], now: int) -> "Grant":
        """The buckets of these lanes, and of all mail, for this transaction; other workers wait for its end."""
        wanted = [scope for scope in (ALL, *map(_scope, lanes)) if scope in self._rates]
        if not wanted:
            return Grant({}, now)
        rows = connection.execute(select(rate).where(rate.c.scope.in_(wanted)).order_by(rate.c.scope).with_for_update())
        return Grant({row.scope: Bucket(row.per_s, row.burst, row.tat) for row in rows}, now)

    def close(self, connection: Connection, grant: "Grant") -> None:
        """Store what was taken, and remember when it is worth asking again."""
        for scope in sorted(grant.changed):
            connection.execute(update(rate).where(rate.c.scope == scope).values(tat=grant.buckets[scope].tat))
        asked = time.monotonic()
        waits = {scope: asked + bucket.wait(grant.now) / SECOND for scope, bucket in grant.buckets.items()}
        self._open_at = {**self._open_at, **waits}  # one assignment: another thread reads it

    def give_back(self, connection: Connection, lanes: Iterable[str], now: int) -> None:
        """So many of each lane were not tried."""
        back = Counter(lanes)
        grant = self.open(connection, back, now)
        for lane, count in back.items():
            grant.take(lane, -count)
        self.close(connection, grant)

    def wait(self, lane: str) -> float:
        """Seconds until it is worth asking for a lane; 0 where nothing is known against it. Asks no database."""
        opens = max(self._open_at.get(ALL, 0.0), self._open_at.get(_scope(lane), 0.0))
        return max(0.0, opens - time.monotonic())


class Grant:
    """What the buckets give in one transaction."""

    def __init__(self, buckets: dict[str, Bucket], now: int) -> None:
        self.buckets = buckets
        self.now = now
        self.changed: set[str] = set()
        for scope, bucket in buckets.items():
            if bucket.tat > (latest := bucket.latest(now)):  # the server's clock was put back
                bucket.tat = latest
                self.changed.add(scope)

    def holds(self, lane: str, most: int) -> int:
        """How many of ``most`` a lane may claim."""
        return min([most, *(bucket.holds(self.now) for _, bucket in self._of(lane))])

    def take(self, lane: str, count: int) -> None:
        """So many were claimed in a lane; a negative count gives back."""
        for scope, bucket in self._of(lane) if count else ():
            bucket.take(count, self.now)
            self.changed.add(scope)

    def _of(self, lane: str) -> list[tuple[str, Bucket]]:
        return [(scope, self.buckets[scope]) for scope in (ALL, _scope(lane)) if scope in self.buckets]


def _scope(lane: str) -> str:
    return f"lane:{lane}"
