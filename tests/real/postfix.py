"""A real Postfix on loopback that delivers into Maildirs: started for a test, ended by it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "/usr/sbin/postfix"

_MASTER = """\
{host}:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = {host}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8, 198.18.0.0/15
myhostname = relay.example.net
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
smtpd_forbid_unauth_pipelining = yes
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{group}
virtual_minimum_uid = 1
"""


@dataclass(frozen=True)
class Postfix:
    """A running Postfix: ``port`` takes mail, ``mail`` holds one Maildir a recipient."""

    port: int
    folder: Path
    door: tuple[str, ...] = ()

    def set(self, **settings: str) -> None:
        """Change settings of main.cf while it runs."""
        config = self.folder / "config"
        words = [f"{name}={value}" for name, value in settings.items()]
        subprocess.run([*self.door, "postconf", "-c", str(config), "-e", *words], check=True)
        _postfix(self.door, config, "reload")

    @property
    def mail(self) -> Path:
        """The folder of the Maildirs."""
        return self.folder / "mail"

    def delivered(self, address: str) -> list[bytes]:
        """The files in a recipient's Maildir, as Postfix wrote them (line ends are LF, as on every Unix)."""
        folder = self.mail / address.lower() / "new"
        return [file.read_bytes() for file in sorted(folder.glob("*"))] if folder.is_dir() else []

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Wait until so many messages lie in all Maildirs together. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while sum(1 for _ in self.mail.glob("*/new/*")) < count:
            if time.monotonic() > deadline:
                log = (self.folder / "mail.log").read_text(errors="replace")
                raise TimeoutError(f"not {count} mails in {seconds} s; Postfix says:\n{log[-3000:]}")
            time.sleep(0.05)


@contextlib.contextmanager
def running_postfix(
    folder: Path, addresses: Sequence[str], *, host: str = "127.0.0.1", door: tuple[str, ...] = ()
) -> Iterator[Postfix]:
    """Start Postfix in ``folder``, which every user must be able to enter, with a mailbox for each address; root only.

    ``door`` is the command that becomes another one where it is to run, as ``ip netns exec NAME``; ``host`` is its address there.
    """
    import grp
    import pwd

    config, nobody = folder / "config", pwd.getpwnam("nobody")
    for name in ("config", "queue", "data", "mail"):
        (folder / name).mkdir(parents=True)
    postfix = pwd.getpwnam("postfix")
    os.chown(folder / "data", postfix.pw_uid, postfix.pw_gid)
    os.chown(folder / "mail", nobody.pw_uid, nobody.pw_gid)
    port = _free_port()
    domains = " ".join(sorted({address.rpartition("@")[2].lower() for address in addresses}))
    group = grp.getgrgid(nobody.pw_gid).gr_gid
    (config / "main.cf").write_text(_MAIN.format(folder=folder, user=nobody.pw_uid, group=group, domains=domains, host=host))
    (config / "master.cf").write_text(_MASTER.format(port=port, host=host))
    (folder / "mailboxes").write_text("".join(f"{address.lower()} {address.lower()}/\n" for address in addresses))
    _postfix(door, config, "start")
    try:
        _wait_for_port(host, port)
        yield Postfix(port, folder, door)
    finally:
        _postfix(door, config, "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _postfix(door: tuple[str, ...], config: Path, verb: str) -> None:
    done = subprocess.run([*door, PROGRAM, "-c", str(config), verb], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"postfix {verb}: {done.stderr or done.stdout}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(host: str, port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
