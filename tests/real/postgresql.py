"""A real PostgreSQL on loopback, with an empty database: started for a test run, ended by it."""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine, make_url

from newsletter.store.engine import upgrade_tables
from newsletter.store.tables import meta, metadata

#: For a module or a test: its database (the fixture ``database_url``) is once a file and once on a server.
both = pytest.mark.database("sqlite", "postgresql")
#: For a test of such a module that is about files.
in_a_file = pytest.mark.database("sqlite")
#: Who runs the server where the tests are run by root, whom PostgreSQL refuses.
SERVANT = "nobody"


def programs() -> Path | None:
    """The folder of the server's programs: those on the PATH, else of the newest version that Debian has installed."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((file.parent for file in versions), key=lambda folder: int(folder.parent.name), default=None)


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL: its address for SQLAlchemy, and how it is started anew as after a crash."""

    url: str
    restart: Callable[[], None]
    #: The same by its Unix socket, for who is on this machine, in whatever network.
    near_url: str


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """Start a server in a temporary folder and give its address for SQLAlchemy. Nothing of it is left behind."""
    with running_server() as server:
        yield server.url


@contextlib.contextmanager
def running_server(address: str = "127.0.0.1", namespace: str | None = None, *, durable: bool = False) -> Iterator[Server]:
    """What :func:`running_postgresql` does, for who wants to break it; in a network namespace it listens at its address there.

    ``durable`` waits for the disk, for who measures.
    """
    binaries = programs()
    if binaries is None:
        raise FileNotFoundError("initdb")
    user = SERVANT if os.geteuid() == 0 else None
    folder = tempfile.mkdtemp(prefix="newsletter-postgresql-")  # not pytest's: nobody but root may enter that one
    data = Path(folder) / "data"
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
        # Only root enters a network namespace, and becomes another user behind its door.
        door = [] if namespace is None else ["ip", "netns", "exec", namespace, "setpriv", f"--reuid={user}", "--clear-groups"]
        subprocess.run(
            [*door, str(binaries / program), *arguments],
            user=None if door else user,
            env=environment,
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
        )

    call("initdb", "--pgdata", str(data), "--auth", "trust", "--username", "newsletter", "--encoding", "UTF8", "--no-sync")
    if namespace is not None:
        with (data / "pg_hba.conf").open("a") as allowed:
            allowed.write(f"host all all {address}/24 trust\n")
    options = (
        f"-c port={port} -c listen_addresses={address} -c unix_socket_directories={folder} -c fsync={'on' if durable else 'off'}"
    )
    start = ("pg_ctl", "--pgdata", str(data), "--log", str(data / "log"), "--wait", "--options", options)
    call(*start, "start")
    try:
        yield Server(
            f"postgresql+psycopg://newsletter@{address}:{port}/postgres",
            lambda: call(*start, "--mode", "immediate", "restart"),
            f"postgresql+psycopg://newsletter@/postgres?host={folder}&port={port}",
        )
    finally:
        call("pg_ctl", "--pgdata", str(data), "--wait", "--mode", "immediate", "stop")
        shutil.rmtree(folder)


@contextlib.contextmanager
def own_schema(url: str) -> Iterator[str]:
    """The server's address with a new, empty schema in which tables are made and found; dropped at the end."""
    schema = _new_name()
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    yield f"{url}?options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")


#: What a test may have changed of a database besides the rows of its tables: relations, columns, rules, settings, its form.
_SHAPE = """SELECT (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind IN ('r', 'i', 'S')),
  (SELECT count(*) FROM pg_attribute WHERE NOT attisdropped),
  (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc),
  (SELECT count(*) FROM pg_db_role_setting), (SELECT string_agg(meta::text, ' ' ORDER BY meta::text) FROM meta)"""
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_FROM_ONE = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace"


class Databases:
    """Databases with tables and without rows on the server at ``url``, each lent to one test at a time.

    To make the tables, or to copy a database that has them, takes a hundred times what it takes to empty them.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: list[str] = []
        self._shapes: dict[str, object] = {}

    def lend(self) -> str:
        """The address of one."""
        if self._free:
            return self._free.pop()
        name = _new_name()
        with _connected(self._url) as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        url = make_url(self._url).set(database=name).render_as_string(hide_password=False)
        upgrade_tables(url)
        with _connected(url) as connection:
            self._shapes[url] = connection.exec_driver_sql(_SHAPE).one()
        return url

    def take_back(self, url: str) -> None:
        """Empty it, also where a test left somebody connected; what has another shape than before is not lent again."""
        with _connected(url) as connection:
            connection.exec_driver_sql(_OTHERS)
            if connection.exec_driver_sql(_SHAPE).one() != self._shapes[url]:
                return
            for table in reversed(metadata.sorted_tables):
                if table is not meta:
                    connection.execute(table.delete())
            connection.exec_driver_sql(_FROM_ONE)
        self._free.append(url)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def _new_name() -> str:
    return f"newsletter_test_{secrets.token_hex(8)}"
