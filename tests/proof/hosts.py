"""Two hosts send a campaign, ``newsletter worker`` on each; one is cut off from the database for longer than its lease, not from
the mail server, and joined again. The database and the mail server are elsewhere, see :mod:`tests.proof.network`."""

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, LiteralString
from urllib.parse import urlsplit

import psycopg
import trustme

from tests.proof.campaign import PATIENCE, Sink
from tests.proof.evidence import Claim
from tests.proof.network import DATABASE, MAIL, Network
from tests.proof.office import Command, Office, Sender
from tests.proof.staff import Staff
from tests.proof.strikes import Kind, Strike
from tests.real.postgresql import Server

#: Seconds that the mail server takes for an answer at most: to the end of it all, and while the campaign must not end.
_QUICK, _SLOW = 0.01, 0.4
#: Leases that a host is cut off.
_LEASES = 3
_NOW: LiteralString = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_SENT_BY: LiteralString = """
    SELECT count(*) FROM delivery JOIN worker ON worker.id = worker_id
    WHERE delivery.state = 'sent' AND pid = %s AND updated_at BETWEEN %s AND %s AND started_at >= %s
"""
_LIVES: LiteralString = "SELECT count(*) FROM worker WHERE pid = %s AND state = 'alive'"


@dataclass
class Hosts(Staff):
    """See :class:`~tests.proof.campaign.Campaign`. One worker a host; the last one is cut off."""

    network: Network | None = None
    crew: ClassVar[str] = "hosts, each with its own addresses and a newsletter worker,"

    def __post_init__(self) -> None:
        assert self.network is not None
        self._network = self.network
        self.workers = len(self.network.hosts)
        super().__post_init__()
        self._claims: list[Claim] = []

    @property
    def names(self) -> Mapping[Kind, str]:
        """See :attr:`Campaign.names <tests.proof.campaign.Campaign.names>`."""
        return {"cut off": "a host cut off from the database, joined"}

    def _plan(self) -> list[Strike]:
        return [Strike("cut off", "sending")]

    def _office(self, server: Server) -> Office:
        folder = self.folder / "office"
        near, far = server.near_url, server.url
        return Office(folder, self.connections, server_url=near, far_url=far, smtp_host=MAIL, greylists=False)

    def _open_sink(self) -> Sink:
        authority, certificate = trustme.CA(), self.folder / "mail-server.pem"
        self._authority = self.folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self._authority))
        authority.issue_cert(MAIL).private_key_and_cert_chain_pem.write_to_path(str(certificate))
        mode = ("--listen", MAIL, "--certificate", str(certificate))
        door = ("ip", "netns", "exec", self._network.servers)
        sink = Sink(self.folder / "journal.txt", self.office.ledger, self.seed, *mode, door=door)
        knows = {"SSL_CERT_FILE": str(self._authority)}
        self._starts = [functools.partial(Command, door=host.door, knows=knows) for host in self._network.hosts]
        self.start = self._starts[0]
        return sink

    def _hire(self) -> Sender:
        return self._starts[len(self._crew)](self.office.command("worker"), self._said)

    # --- the cut --------------------------------------------------------------------------------------------------------------

    def _one_sender(self) -> bool:
        self._sink.tell(f"slow {_SLOW}")
        while len(self._crew) < self.workers:
            self.starts += 1
            self._crew.append(self._hire())
        *others, lost = self._crew
        for sender in self._crew:
            self._until(lambda sender=sender: self._sent_by(sender) > self.connections, "all send")
        self._cut_off(lost, others)
        self._sink.tell(f"slow {_QUICK}")
        return self._wait_for_all()

    def _cut_off(self, lost: Sender, others: list[Sender]) -> None:
        host, begun = self._network.hosts[-1], self._now()
        host.cut()
        self.tell("cut off")
        reaches = self._reaches()
        self._look()
        self._until(lambda: self._ask(_LIVES, lost.pid) == 0, "it is taken for dead")
        dead = self._now()
        self.tell("taken for dead")
        while self._now() - begun < _LEASES * self.office.lease * 1_000_000:
            time.sleep(0.2)
            self._look()
        joined = self._now()
        meanwhile = sum(self._sent_by(other, begun, joined) for other in others)
        granted = self._sent_by(lost, dead, joined)
        doubt = len(self._look().all_in("uncertain"))
        host.join()
        self.tell("joined again")
        again = self._until(lambda: self._sent_by(lost, since=joined) > self.connections, "it sends on") or self._now()
        self.tell("sends on")
        self.done["cut off"] += 1
        self._strikes.clear()
        self.at["sending"] += 1
        on = self._sent_by(lost, since=joined)
        self._claims = [
            Claim("cut off, it reached the mail server, not the database", reaches == (True, False), str(reaches)),
            Claim("it was taken for dead, and nothing of it was stored", not granted, str(granted)),
            Claim("what it had on the wire was in doubt meanwhile", doubt > 0, str(doubt)),
            Claim("the other host sent on meanwhile", meanwhile > 0, str(meanwhile)),
            Claim("joined again, it sent on as a new worker", on > 0, f"{on} after {(again - joined) / 1e6:.1f} s"),
        ]

    def _more_claims(self) -> list[Claim]:
        return [*self._claims, *super()._more_claims()]

    def _reaches(self) -> tuple[bool, bool]:
        """Whether the last host reaches the mail server, and the database."""
        port = urlsplit(self._server.url).port
        assert port is not None
        host = self._network.hosts[-1]
        return host.reaches(MAIL, self._sink.port), host.reaches(DATABASE, port)

    def _until(self, there: Any, what: str) -> int:
        """Wait for something; gives the moment."""
        begun = time.monotonic()
        while not there():
            assert time.monotonic() - begun < PATIENCE / 3, f"it does not come to this: {what}\n{self._words()}"
            assert not self._is_done(), f"the campaign was over before: {what}"
            for sender in self._crew:
                self._is_over(sender)
            time.sleep(0.1)
        return self._now()

    def _sent_by(self, sender: Sender, begun: int = 0, until: int = 2**62, *, since: int = 0) -> int:
        """How many are sent by a process, recorded between two moments, by a worker that registered ``since`` one."""
        return self._ask(_SENT_BY, sender.pid, begun, until, since)

    def _now(self) -> int:
        return self._ask(_NOW)

    def _ask(self, words: LiteralString, *values: int) -> int:
        with psycopg.connect(str(self.office.ledger), application_name="proof", autocommit=True) as connection:
            row = connection.execute(words, values).fetchone()
        assert row is not None
        return int(row[0])
