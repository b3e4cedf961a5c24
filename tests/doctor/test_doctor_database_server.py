"""What doctor says of a database on a server, of a real one where it can be brought about."""

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.doctor import database_server
from newsletter.doctor.database import look_at_database
from newsletter.doctor.database_server import look_at_database_server
from newsletter.problem import complaint
from newsletter.settings import Workspace
from newsletter.store.engine import open_bare, upgrade_tables
from newsletter.store.look import Server, look_at_server
from tests.doctor.conftest import ids

#: As a real server answers, in order.
GOOD = Server("me@db/x", "current", "16.3", True, False, 0, False, (), False, 300)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Server]:
    """What the server says of itself, to be put in."""
    answer = {"": GOOD}
    monkeypatch.setattr(database_server, "look_at_server", lambda _url: answer[""])
    return answer


def test_a_real_server_is_looked_at_and_not_changed(postgresql_url: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"NEWSLETTER_DATABASE_URL={postgresql_url}\n", encoding="utf-8")
    assert ids(look_at_database(Workspace(tmp_path))) == ["database-empty", "database-unsafe"]  # the tests' server has fsync off
    upgrade_tables(postgresql_url)
    found = ids(look_at_database(Workspace(tmp_path)))
    assert found == ["database-server", "database-unsafe"]
    bare = open_bare(postgresql_url)
    with bare.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert ids(look_at_database(Workspace(tmp_path))) == ["database-behind", "database-unsafe"]
    with bare.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    bare.close()
    (told,) = look_at_database(Workspace(tmp_path))
    assert told.verdict.id == "database-unreachable"
    assert "form 9999" in told.message("en")


def test_what_a_real_server_says_of_itself(postgresql_url: str) -> None:
    server = look_at_server(f"{postgresql_url}%20-csynchronous_commit%3Doff")
    assert server.major >= 13
    assert (server.encrypted, server.standby, server.standbys, server.waits, server.lax) == (False, False, 0, False, True)
    assert server.unsafe == ("fsync",)
    assert abs(server.skew) < 2_000_000  # the same machine
    assert "@127.0.0.1:" in server.where


def test_a_server_that_is_not_there(said: dict[str, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_url: str) -> Server:
        raise complaint("the database at me@db/x cannot be used: connection refused")

    monkeypatch.setattr(database_server, "look_at_server", refuse)
    (told,) = look_at_database_server("postgresql://me:geheim@db/x")
    assert (told.verdict.id, told.level) == ("database-unreachable", "error")
    assert "geheim" not in told.message("en")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, ["database-server"]),
        ({"version": "12.20"}, ["database-server-old"]),
        ({"standby": True}, ["database-standby"]),
        ({"unsafe": ("fsync", "full_page_writes")}, ["database-server", "database-unsafe", "database-unsafe"]),
        ({"lax": True}, ["database-server", "database-lax"]),
        ({"standbys": 2}, ["database-server", "database-asynchronous"]),
        ({"standbys": 2, "waits": True}, ["database-server"]),
        ({"encrypted": False}, ["database-server", "database-open-wire"]),
        ({"skew": -7_600_000}, ["database-server", "database-clock"]),
    ],
)
def test_what_a_server_may_say(said: dict[str, Server], change: dict[str, object], found: list[str]) -> None:
    said[""] = replace(GOOD, **change)  # type: ignore[arg-type]
    told = list(look_at_database_server("postgresql://me@db.example.org/x"))
    assert ids(iter(told)) == found
    if "skew" in change:
        assert "differ by 8 seconds" in told[-1].message("en")


@pytest.mark.parametrize("url", ["postgresql://me@127.0.0.1/x", "postgresql:///x", "postgresql://me@localhost/x?host=/run/pg"])
def test_on_this_machine_the_way_need_not_be_encrypted(said: dict[str, Server], url: str) -> None:
    said[""] = replace(GOOD, encrypted=False)
    assert ids(look_at_database_server(url)) == ["database-server"]
