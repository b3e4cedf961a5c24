"""A DNS server on a real socket that knows what a test tells it, and the words that a look yields."""

import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from newsletter.doctor.resolver import Dns
from newsletter.doctor.verdict import Told


@dataclass
class Zone:
    """Answers over UDP. Names of ``fails`` get SERVFAIL; where ``mute`` is set, nobody gets anything."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    fails: set[str] = field(default_factory=set)
    mute: bool = False
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def put(self, name: str, kind: str, *values: str) -> None:
        """Add records; a TXT is quoted here."""
        texts = [f'"{value}"' for value in values] if kind == "TXT" else list(values)
        self.records.setdefault((name, kind), []).extend(texts)

    def spf(self, name: str, text: str) -> None:
        """The SPF record of a name."""
        self.put(name, "TXT", f"v=spf1 {text}")

    def address(self, name: str, *addresses: str) -> None:
        """A and AAAA records."""
        for address in addresses:
            self.put(name, "A" if ip_address(address).version == 4 else "AAAA", address)

    def __enter__(self) -> "Zone":
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
            knock.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(4096)
            if not data:
                return
            if not self.mute:
                self._socket.sendto(self._answer(dns.message.from_wire(data)), sender)

    def _answer(self, query: dns.message.Message) -> bytes:
        question = query.question[0]
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name in self.fails:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif values := self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()


@pytest.fixture
def zone() -> Iterator[Zone]:
    with Zone() as zone:
        yield zone


@pytest.fixture
def dns_client(zone: Zone) -> Dns:
    """Asks the zone."""
    return Dns(zone.place)


def ids(told: Iterable[Told]) -> list[str]:
    """The ids of what was told, each also in words without a place left open."""
    found = list(told)
    for one in found:
        for language in ("en", "de"):
            assert "{" not in one.message(language) + one.mend(language)
    return [one.verdict.id for one in found]
