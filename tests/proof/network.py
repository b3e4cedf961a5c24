"""Hosts of their own on one machine: network namespaces, and two networks between them and the servers (Linux, root, ``ip``).

The servers have a namespace, too, so that nothing of the machine's own network is touched. Each host has a line to the database
and another one to the mail server; a line is cut where it comes to the servers, as a cable that is pulled there: what the host
says into it is lost without an answer, and what was open stays open on both sides.
"""

import contextlib
import functools
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

#: The servers' addresses in the two networks (RFC 2544), and what the hosts' begin with.
DATABASE, MAIL = "198.18.1.1", "198.18.2.1"


@dataclass(frozen=True)
class Host:
    """A network namespace; ``number`` is the end of its addresses."""

    name: str
    servers: str
    number: int

    @property
    def door(self) -> tuple[str, ...]:
        """The command that becomes another one in there."""
        return "ip", "netns", "exec", self.name

    def cut(self) -> None:
        """Cut the line to the database."""
        _ip("-netns", self.servers, "link", "set", f"database{self.number}", "down")

    def join(self) -> None:
        """Put it together again."""
        _ip("-netns", self.servers, "link", "set", f"database{self.number}", "up")

    def reaches(self, address: str, port: int) -> bool:
        """Whether a new connection can be made from there within a second."""
        words = f"import socket; socket.create_connection(({address!r}, {port}), 1)"
        return not subprocess.run([*self.door, "python3", "-c", words], check=False, capture_output=True).returncode


@dataclass(frozen=True)
class Network:
    """The hosts, and the namespace of the servers."""

    servers: str
    hosts: tuple[Host, ...]


@functools.cache
def why_not() -> str | None:
    """Why there can be no namespaces here; None where they can be made."""
    if shutil.which("ip") is None or shutil.which("setpriv") is None:
        return "ip and setpriv are not installed: apt-get install iproute2 util-linux"
    if os.geteuid() != 0:
        return "network namespaces are for root"
    try:
        with running_network(1):
            return None
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"


@contextlib.contextmanager
def running_network(hosts: int) -> Iterator[Network]:
    """So many hosts beside the servers. Processes in there must have ended before; then nothing of it is left behind."""
    prefix = f"newsletter-{secrets.token_hex(3)}"
    servers = f"{prefix}-servers"
    with contextlib.ExitStack() as stack:
        _make(servers, stack)
        for name, address in (("database", DATABASE), ("mail", MAIL)):
            _ip("-netns", servers, "link", "add", name, "type", "bridge")
            _ip("-netns", servers, "address", "add", f"{address}/24", "dev", name)
            _ip("-netns", servers, "link", "set", name, "up")
        made = tuple(Host(f"{prefix}-{number}", servers, number) for number in range(2, hosts + 2))
        for host in made:
            _make(host.name, stack)
            for name, address in (("database", DATABASE), ("mail", MAIL)):
                _connect(host, name, address)
        yield Network(servers, made)


def _make(name: str, stack: contextlib.ExitStack) -> None:
    _ip("netns", "add", name)
    stack.callback(_ip, "netns", "delete", name)
    _ip("-netns", name, "link", "set", "lo", "up")


def _connect(host: Host, network: str, of: str) -> None:
    """A line from a host to a network of the servers."""
    far = f"{network}{host.number}"
    _ip("-netns", host.servers, "link", "add", far, "type", "veth", "peer", "name", network, "netns", host.name)
    _ip("-netns", host.servers, "link", "set", far, "master", network, "up")
    _ip("-netns", host.name, "address", "add", f"{of.rpartition('.')[0]}.{host.number}/24", "dev", network)
    _ip("-netns", host.name, "link", "set", network, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
