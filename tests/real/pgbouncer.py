"""A real PgBouncer before a PostgreSQL: two transactions of one connection may be in two sessions of the server."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from tests.real.postgresql import SERVANT


@contextlib.contextmanager
def running_pgbouncer(url: str) -> Iterator[str]:
    """Pool the connections to the server of ``url`` by transactions; gives the pool's address. FileNotFoundError without it."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        raise FileNotFoundError("pgbouncer")
    server = make_url(url)
    search_path = str(server.query["options"]).removeprefix("-csearch_path=")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="newsletter-pgbouncer-"))
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{server.database} = host={server.host} port={server.port} user={server.username} "
        f"connect_query='SET search_path = {search_path}'\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 3\n",
        encoding="utf-8",
    )
    user = SERVANT if os.geteuid() == 0 else None
    if user is not None:
        for path in (folder, settings):
            os.chown(path, pwd.getpwnam(user).pw_uid, -1)
    pooling = subprocess.Popen([program, str(settings)], user=user, stderr=subprocess.DEVNULL, cwd="/")
    try:
        while pooling.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        yield f"postgresql://{server.username}@127.0.0.1:{port}/{server.database}"
    finally:
        pooling.kill()
        pooling.wait()
        shutil.rmtree(folder)
