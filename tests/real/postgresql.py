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
from sqlalchemy import NullPool, create_engine, make_url

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


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """Start a server in a temporary folder and give its address for SQLAlchemy. Nothing of it is left behind."""
    with running_server() as server:
        yield server.url


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """What :func:`running_postgresql` does, for who wants to break it."""
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
        subprocess.run(
            [str(binaries / program), *arguments],
            user=user,
            env=environment,
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
        )

    call("initdb", "--pgdata", str(data), "--auth", "trust", "--username", "newsletter", "--encoding", "UTF8", "--no-sync")
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    start = ("pg_ctl", "--pgdata", str(data), "--log", str(data / "log"), "--wait", "--options", options)
    call(*start, "start")
    try:
        yield Server(
            f"postgresql+psycopg://newsletter@127.0.0.1:{port}/postgres", lambda: call(*start, "--mode", "immediate", "restart")
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


def new_database(url: str, template: str = "template0") -> str:
    """The address of a new database on the server at ``url``: a copy of ``template``, which nobody may be connected to.

    Its files are copied as they are, which takes a tenth of the time that the migrations take.
    """
    name = _new_name()
    _administer(url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return _address(url, name)


def drop_database(url: str) -> None:
    """Drop it, also where a test left somebody connected."""
    _administer(_address(url, "postgres"), f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def _new_name() -> str:
    return f"newsletter_test_{secrets.token_hex(8)}"


def _address(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
