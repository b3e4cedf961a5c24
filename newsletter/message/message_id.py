"""Campaign and delivery become the Message-ID, the same one each time, so that a message sent again can be recognised (B3)."""

import hmac
import re
from functools import lru_cache

from newsletter.message.address import wire_domain
from newsletter.message.headers import LONGEST_LINE, HeaderError

_HEADER = "Message-ID"
_SHAPE = re.compile(
    r"<(?!.*=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)>"
)


def message_id(campaign_key: str, delivery: int, domain: str) -> str:
    """``<32 hex digits@domain>``, a function of its three arguments.

    ``campaign_key`` is the campaign's own text, best a secret one: who knows it can tell which delivery a Message-ID names,
    nobody else can. ``domain`` is the From address's.
    Raises :class:`HeaderError` for an empty key and for what is no full domain.
    """
    begun, domain = _begun(campaign_key, domain)
    mark = begun.copy()
    mark.update(b"%d" % delivery)
    return f"<{mark.hexdigest()[:32]}@{domain}>"


@lru_cache(maxsize=8)
def _begun(campaign_key: str, domain: str) -> tuple[hmac.HMAC, str]:
    """What all messages of a campaign share."""
    if not campaign_key:
        raise HeaderError(_HEADER, "needs the campaign's key; it is empty")
    domain = wire_domain(domain, _HEADER)
    if "." not in domain:
        raise HeaderError(_HEADER, "needs a full domain, such as example.org")
    return hmac.new(campaign_key.encode(), b"newsletter:message-id:", "sha256"), domain


def check_message_id(value: str, domain: str) -> None:
    """Refuse what is no ``<unique@domain>`` of the sending ``domain`` (B3, RFC 5322 §3.6.4). Raises :class:`HeaderError`."""
    found = _SHAPE.fullmatch(value)
    if found is None or len(value) > LONGEST_LINE - len(_HEADER) - 2:
        raise HeaderError(_HEADER, "is not of the form <unique@example.org>")
    if found[1].lower() != domain.lower():
        raise HeaderError(_HEADER, f"must end in the sending domain, @{domain}>")
