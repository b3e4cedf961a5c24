"""A real Dovecot on loopback with Maildirs of its own: started for a test, ended by it."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

PROGRAM = "/usr/sbin/dovecot"
USER, PASSWORD = "leave@example.org", "right 'wörd\""

_CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:~/Maildir
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=plain {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running Dovecot: ``port`` offers STARTTLS, ``tls_port`` TLS from the start; ``authority`` is the file to trust."""

    port: int
    tls_port: int
    folder: Path
    authority: Path

    @property
    def maildir(self) -> Path:
        """The Maildir of the one mailbox."""
        return self.folder / "mail" / "Maildir"

    def deliver(self, name: str, data: bytes, folder: str = "", flags: str = "") -> None:
        """Put a mail into a folder (``.Name`` as Maildir++ has it), as a deliverer does."""
        user = pwd.getpwnam("nobody")
        box = self.maildir / folder
        for kind in ("cur", "new", "tmp"):
            (box / kind).mkdir(parents=True, exist_ok=True)
        file = box / ("cur" if flags else "new") / (f"{name}:2,{flags}" if flags else name)
        file.write_bytes(data)
        for path in (self.maildir, box, *box.iterdir(), file):
            os.chown(path, user.pw_uid, user.pw_gid)

    def flags(self, folder: str = "") -> dict[str, str]:
        """The flags of each mail, by its name."""
        box = self.maildir / folder
        files = [file for kind in ("new", "cur") for file in (box / kind).iterdir()]
        return {file.name.partition(":2,")[0].partition(",")[0]: file.name.partition(":2,")[2] for file in files}


@contextlib.contextmanager
def running_dovecot(folder: Path) -> Iterator[Dovecot]:
    """Start Dovecot in ``folder``, which every user must be able to enter; root only."""
    user = pwd.getpwnam("nobody")
    for name in ("run", "state", "mail"):
        (folder / name).mkdir(parents=True)
    os.chown(folder / "mail", user.pw_uid, user.pw_gid)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n", encoding="utf-8")
    port, tls_port = _free_port(), _free_port()
    config = folder / "dovecot.conf"
    config.write_text(_CONFIG.format(folder=folder, uid=user.pw_uid, gid=user.pw_gid, port=port, tls_port=tls_port))
    process = subprocess.Popen([PROGRAM, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        _wait_for_port(tls_port, folder / "log")
        yield Dovecot(port, tls_port, folder, folder / "ca.pem")
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(port: int, log: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"Dovecot does not listen after {seconds} s:\n{log.read_text() if log.exists() else ''}")
        time.sleep(0.05)
