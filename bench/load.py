"""What a measurement takes of the processor: of its senders, of a PostgreSQL, of the whole machine (Linux, by ``/proc``)."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import NullPool, create_engine

_TICK = os.sysconf("SC_CLK_TCK")


def postmaster(url: str) -> int:
    """The process that all processes of a server on this machine come from."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        backend = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    return int(_fields(backend)[1])


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds of the processor so far, of ``senders`` and ``database``; ``idle`` is of all processors together, ``all`` too."""

    senders: float
    database: float
    idle: float
    all: float

    @classmethod
    def now(cls, senders: list[int], server: int | None) -> "Load":
        """Look. No senders: this process is the one."""
        times = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        spent = sum(map(_spent, senders or [os.getpid()]))
        return cls(spent, _of_server(server) if server else 0.0, (times[3] + times[4]) / _TICK, sum(times) / _TICK)

    def until(self, later: "Load") -> "Load":
        """What was spent in between."""
        return Load(later.senders - self.senders, later.database - self.database, later.idle - self.idle, later.all - self.all)

    @property
    def busy(self) -> float:
        """The share of the machine that was at work."""
        return 1 - self.idle / self.all if self.all else 0.0


def _of_server(server: int) -> float:
    """All that it ever spent, also by processes that are gone."""
    living = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal()]
    return _spent(server, with_gone=True) + sum(_spent(one) for one in living if _parent(one) == server)


def _parent(process: int) -> int:
    try:
        return int(_fields(process)[1])
    except OSError:  # it has ended
        return 0


def _spent(process: int, *, with_gone: bool = False) -> float:
    try:
        fields = _fields(process)
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if with_gone else 13])) / _TICK


def _fields(process: int) -> list[str]:
    """Those behind the name: state, parent, …; utime is 11."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
