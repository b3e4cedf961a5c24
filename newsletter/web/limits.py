"""How often a form may be sent from one network: counted in memory, for an hour, and kept nowhere (S17, L3)."""

import ipaddress
import threading
from collections import OrderedDict, deque

from newsletter.store.clock import HOUR

#: So many forms an hour from one network.
MOST = 20
#: What one network is: what a household or an office has at most.
_BITS = {4: 24, 6: 56}
_REMEMBERED = 10_000


def network_of(host: str | None) -> str | None:
    """The network of an address; None where it says nothing of the reader: a proxy on this machine or beside it."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global:
        return None
    return str(ipaddress.ip_network((address, _BITS[address.version]), strict=False))


class Limits:
    """Counts what comes from each network; the networks that were heard of longest ago are forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: OrderedDict[str, deque[int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, host: str | None, moment: int) -> bool:
        """Note one form; False where this network has sent too many within the last hour."""
        network = network_of(host)
        if network is None:
            return True
        with self._lock:
            times = self._seen.setdefault(network, deque())
            self._seen.move_to_end(network)
            while times and times[0] <= moment - HOUR:
                times.popleft()
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            if len(times) >= self._most:
                return False
            times.append(moment)
            return True
