"""The sender's domain becomes verdicts by what DNS says of it: can it be answered, who may send for it, what of fakes (B25)?"""

import ipaddress
from collections.abc import Iterator, Sequence

from newsletter.doctor.dmarc import REMOVED, SeveralPolicies, find_policy
from newsletter.doctor.resolver import Address, Dns, NoDns
from newsletter.doctor.spf import MOST_LOOKUPS, MOST_VOIDS, SpfError, Walk
from newsletter.doctor.spf_record import SpfSyntax
from newsletter.doctor.verdict import Told, verdict
from newsletter.relays import read_relays
from newsletter.settings import is_loopback

#: Addresses of a relay that are looked at.
_RELAYS = 8

_SILENT = verdict("dns-silent", "warning", "DNS cannot be asked from here: {why}; the records of {domain} were not looked at")
_UNKNOWN = verdict("dns-unanswered", "warning", "DNS was of no help: {why}", "try again later")

_MX = verdict("mx", "ok", "answers to {domain} go to {hosts}")
_NO_MX = verdict("mx-none", "note", "{domain} has no MX record; answers go to its own address")
_NULL_MX = verdict(
    "mx-null",
    "error",
    "{domain} says that it takes no mail (null MX), so answers and returned mail are lost, and many servers refuse its mail",
    "take a sender address that can be answered, in sender.email of publication.yaml",
)
_NOWHERE = verdict(
    "mx-nowhere",
    "error",
    "{domain} has neither an MX record nor an address, so its mail is refused nearly everywhere",
    "correct sender.email in publication.yaml, or ask who runs the domain to add an MX record",
)

_ASK = "ask who runs the domain; the provider of the mail server says which entry it wants"
_SPF = verdict("spf", "ok", "SPF: {domain} names the mail server's address {address}, with {lookups} of 10 lookups")
_SPF_THERE = verdict("spf-there", "ok", "SPF: {domain} has a record, with {lookups} of 10 lookups")
_UNSURE = verdict(
    "spf-unsure",
    "note",
    "SPF: whether it names the mail server cannot be seen from here; the header of a test mail shows it (spf=pass)",
)
_NOT_NAMED = verdict(
    "spf-not-named",
    "warning",
    "SPF: {domain} does not name the mail server's address {address}; some servers send from other addresses, "
    "a test mail shows it",
    "look for spf=pass in the header of a test mail, and if it is not there ask who runs the domain to add the mail server",
)
_NO_SPF = verdict("spf-none", "error", "{domain} has no SPF record (a TXT record that begins with v=spf1)", _ASK)
_SEVERAL_SPF = verdict(
    "spf-several",
    "error",
    "{domain} has more than one SPF record, so receivers use none",
    "ask who runs the domain to join them into one",
)
_MISSING = verdict(
    "spf-include-none",
    "error",
    "SPF: the record of {domain} refers to {other}, which has none, so receivers use none of it",
    _ASK,
)
_SYNTAX = verdict(
    "spf-syntax",
    "error",
    "SPF: the record of {domain} has a part that receivers do not understand: “{part}”",
    "ask who runs the domain",
)
_LOOP = verdict(
    "spf-loop", "error", "SPF: the record of {domain} refers to itself in a circle, at {other}", "ask who runs the domain"
)
_HOSTS = verdict(
    "spf-hosts", "error", "SPF: {other} has more than 10 mail hosts, too many for an mx term", "name them by ip4 and ip6 instead"
)
_LOOKUPS = verdict(
    "spf-lookups",
    "error",
    "SPF: the record of {domain} takes {lookups} lookups; receivers stop at 10 and use none of it",
    "take out entries of services that do not send for the domain any more",
)
_VOIDS = verdict(
    "spf-voids",
    "error",
    "SPF: {voids} names in the record of {domain} do not exist; receivers stop at 2 and use none of it",
    "take these names out",
)
_EVERYONE = verdict(
    "spf-everyone", "error", "SPF: the record of {domain} lets everyone send for it (+all)", "end it with -all or ~all"
)
_OPEN = verdict(
    "spf-open", "warning", "SPF: the record of {domain} says nothing of those whom it does not name", "end it with -all or ~all"
)
_PTR = verdict("spf-ptr", "warning", "SPF: the record of {domain} has a ptr term, which many receivers ignore", "take it out")

_DMARC = verdict("dmarc", "ok", "DMARC: {at} asks receivers to treat fakes with {policy}")
_WATCHES = verdict(
    "dmarc-none",
    "note",
    "DMARC: {at} only watches (p=none): fakes of your address are delivered",
    "once its reports show that all of your own mail passes, ask for p=quarantine or p=reject",
)
_NO_DMARC = verdict(
    "dmarc-missing",
    "error",
    "{domain} has no DMARC record; large mailbox providers refuse newsletters without one",
    "ask who runs the domain to add the TXT record _dmarc.{domain}, at first with: v=DMARC1; p=none",
)
_NO_POLICY = verdict(
    "dmarc-policy",
    "error",
    "DMARC: {at} has no policy that receivers understand",
    "it must say p=none, p=quarantine or p=reject",
)
_SEVERAL_DMARC = verdict(
    "dmarc-several", "error", "there is more than one DMARC record at {at}, so receivers use none", "keep one of them"
)
_REMOVED = verdict(
    "dmarc-removed",
    "warning",
    "DMARC: {at} has {tags}, which receivers ignore since RFC 9989",
    "take it out; t=y marks a policy on trial",
)
_DKIM = verdict(
    "dkim",
    "note",
    "DKIM: your mail server signs, so it cannot be seen from here: send a test with newsletter test, "
    "and look whether its header has DKIM-Signature with d={domain}",
)


def look_at_sender(dns: Dns, address: str, relay: str | None) -> Iterator[Told]:
    """``address`` is the sender's, in ASCII; ``relay`` the SMTP server's name or address. Silence of DNS is said once."""
    domain = address.rpartition("@")[2].lower()
    try:
        yield from _look_at_mx(dns, domain)
    except NoDns as error:
        yield _SILENT(why=error, domain=domain)
        return
    for looked in (_look_at_spf(dns, domain, address, relay), _look_at_dmarc(dns, domain)):
        try:
            yield from looked
        except NoDns as error:
            yield _UNKNOWN(why=error)
    yield _DKIM(domain=domain)


def no_dns(address: str, why: NoDns) -> Told:
    """Said where there is no server to ask."""
    return _SILENT(why=why, domain=address.rpartition("@")[2].lower())


def _look_at_mx(dns: Dns, domain: str) -> Iterator[Told]:
    hosts = dns.exchangers(domain)
    if hosts == ["."]:
        yield _NULL_MX(domain=domain)
    elif hosts:
        yield _MX(domain=domain, hosts=", ".join(hosts[:3]))
    else:
        yield (_NO_MX if dns.addresses(domain) else _NOWHERE)(domain=domain)  # RFC 5321 §5.1


def _look_at_spf(dns: Dns, domain: str, sender: str, relay: str | None) -> Iterator[Told]:
    relays: Sequence[Address | None] = _relay_addresses(dns, relay) or [None]
    walks: list[tuple[Walk, str | None]] = []
    try:
        for address in relays:
            walk = Walk(dns, sender, address, relay or "unknown")
            walks.append((walk, walk.check(domain)))
        record = walks[0][0].record(domain)
    except SpfSyntax as error:
        yield _SYNTAX(domain=domain, part=error.part)
        return
    except SpfError as error:
        yield _broken(error, domain)
        return
    lookups, voids = max(walk.lookups for walk, _ in walks), max(walk.voids for walk, _ in walks)
    faults = list(_faults(domain, lookups, voids))
    yield from faults
    if not faults:
        yield from _named(domain, lookups, walks)
    if record.final == "+":
        yield _EVERYONE(domain=domain)
    elif record.final == "?" or (record.final is None and record.redirect is None):
        yield _OPEN(domain=domain)
    if walks[0][0].ptr:
        yield _PTR(domain=domain)


def _broken(error: SpfError, domain: str) -> Told:
    if error.kind == "none":
        return _NO_SPF(domain=domain) if error.domain == domain else _MISSING(domain=domain, other=error.domain)
    if error.kind == "several":
        return _SEVERAL_SPF(domain=error.domain)
    return (_HOSTS if error.kind == "hosts" else _LOOP)(domain=domain, other=error.domain)


def _faults(domain: str, lookups: int, voids: int) -> Iterator[Told]:
    if lookups > MOST_LOOKUPS:
        yield _LOOKUPS(domain=domain, lookups=lookups)
    if voids > MOST_VOIDS:
        yield _VOIDS(domain=domain, voids=voids)


def _named(domain: str, lookups: int, walks: list[tuple[Walk, str | None]]) -> Iterator[Told]:
    """Whether it passes from each address of the relay; one that is left out is enough to be told."""
    if walks[0][0].relay is None:
        yield _SPF_THERE(domain=domain, lookups=lookups)
        yield _UNSURE()
        return
    missed = [walk.relay for walk, result in walks if result != "+"]
    if missed:
        yield _SPF_THERE(domain=domain, lookups=lookups)
        yield _NOT_NAMED(domain=domain, address=missed[0])
    else:
        yield _SPF(domain=domain, address=walks[0][0].relay, lookups=lookups)


def _relay_addresses(dns: Dns, relay: str | None) -> list[Address]:
    """The public addresses of the relays; one inside the house sends from another one, which nobody here knows."""
    found: list[Address] = []
    for one in read_relays(relay) if relay is not None else ():
        if is_loopback(one.host):
            continue
        try:
            found.append(ipaddress.ip_address(one.host))
        except ValueError:
            found += dns.addresses(one.host)
    return [address for address in found if not address.is_private][:_RELAYS]


def _look_at_dmarc(dns: Dns, domain: str) -> Iterator[Told]:
    try:
        policy = find_policy(dns, domain)
    except SeveralPolicies as error:
        yield _SEVERAL_DMARC(at=error)
        return
    if policy is None:
        yield _NO_DMARC(domain=domain)
        return
    if policy.asked is None:
        yield _NO_POLICY(at=policy.at)
    elif policy.asked == "none":
        yield _WATCHES(at=policy.at)
    else:
        yield _DMARC(at=policy.at, policy=policy.asked)
    if removed := [tag for tag in REMOVED if tag in policy.tags]:
        yield _REMOVED(at=policy.at, tags=", ".join(removed))
