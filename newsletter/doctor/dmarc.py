"""A sender's domain becomes its DMARC policy, found by the tree walk of RFC 9989 §4.10."""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.doctor.resolver import Dns

#: Tags of RFC 7489 that RFC 9989 has removed.
REMOVED = ("pct", "rf", "ri")
POLICIES = ("none", "quarantine", "reject")
#: RFC 9989 §4.10: a longer domain is cut to so many labels, so that nobody can make a receiver ask for long.
_MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Policy:
    """A DMARC record: where it stands, whether it is the sender's own domain, and its tags."""

    at: str
    own: bool
    tags: Mapping[str, str]

    @property
    def asked(self) -> str | None:
        """What receivers are asked to do with mail that is not the domain's; None where the record does not say it rightly."""
        wanted = self.tags.get("p")
        if not self.own and "sp" in self.tags:
            wanted = self.tags["sp"]
        return wanted.lower() if wanted is not None and wanted.lower() in POLICIES else None


class SeveralPolicies(Exception):
    """More than one DMARC record at a name: receivers use none of them. The message is the name."""


def find_policy(dns: Dns, domain: str) -> Policy | None:
    """The policy that holds for a domain. Raises :class:`SeveralPolicies`, :class:`~newsletter.doctor.resolver.NoDns`."""
    own = _at(dns, domain)
    if own is not None:
        return Policy(f"_dmarc.{domain}", own=True, tags=own)
    found: Policy | None = None
    for parent in _parents(domain):
        tags = _at(dns, parent)
        if tags is None:
            continue
        suffix = tags.get("psd") == "y"  # a registry's: the domain below it counts, if that has one
        if not (suffix and found):
            found = Policy(f"_dmarc.{parent}", own=False, tags=tags)
        if tags.get("psd") in ("y", "n"):
            break
    return found


def read_tags(record: str) -> dict[str, str] | None:
    """The tags of a record; None where it is no DMARC record, which begins with ``v=DMARC1`` in just these letters."""
    pairs = [part.partition("=") for part in record.split(";") if part.strip()]
    tags = {name.strip().lower(): value.strip() for name, _, value in pairs}
    first = (pairs[0][0].strip(), pairs[0][2].strip()) if pairs else ("", "")
    return tags if first == ("v", "DMARC1") else None


def _at(dns: Dns, domain: str) -> dict[str, str] | None:
    records = [tags for text in dns.texts(f"_dmarc.{domain}") if (tags := read_tags(text)) is not None]
    if len(records) > 1:
        raise SeveralPolicies(f"_dmarc.{domain}")
    return records[0] if records else None


def _parents(domain: str) -> list[str]:
    labels = domain.rstrip(".").split(".")[1:]
    labels = labels[-(_MOST_LABELS - 1) :]
    return [".".join(labels[start:]) for start in range(len(labels))]
