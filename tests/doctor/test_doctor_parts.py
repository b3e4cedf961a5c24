"""Python, secrets, database, mail server and public address: what is said of each in order and out of order."""

import asyncio
import datetime as dt
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from newsletter.doctor import program
from newsletter.doctor.database import file_system, is_share, look_at_database
from newsletter.doctor.mail_server import look_at_mail_server
from newsletter.doctor.program import look_at_python
from newsletter.doctor.public_url import look_at_public_url
from newsletter.doctor.secrets_kept import look_at_files, look_at_key
from newsletter.links import Links
from newsletter.settings import Settings, Workspace
from newsletter.store import open_store
from newsletter.tls import strict_context
from newsletter.web.app import create_app
from newsletter.web.server import BackgroundServer
from tests.doctor.conftest import ids

KEY = "DqKoQwZ4nU8vTz1aYb7cXe2fRg9hSj5k"


# --- Python


def test_the_strings_are_run_not_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(look_at_python()) in (["python"], ["python-email"])
    monkeypatch.setattr(program, "unstructured", lambda header, value: f"{header}: {value}")
    assert ids(look_at_python())[1:] == ["header-smuggling"]
    assert not program.library_lets_through("Ein gewöhnlicher Betreff")


# --- secrets


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name in ("NEWSLETTER_SECRET_KEY_FILE", "NEWSLETTER_SMTP_PASSWORD_FILE", "NEWSLETTER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Workspace(tmp_path)


def test_who_can_read_the_secrets(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(look_at_files(workspace)) == ["secrets-none"]
    file, password, key = (workspace.root / name for name in (".env", "password", "key"))
    for one in (file, password, key):
        one.write_text("", encoding="utf-8")
        one.chmod(0o600)
    file.write_text("NEWSLETTER_SMTP_PASSWORD_FILE=password\nNEWSLETTER_SMTP_HOST_FILE=nothing\n", encoding="utf-8")
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY_FILE", str(key))
    (told,) = look_at_files(workspace)
    assert told.message("en") == "only you can read the secrets: .env, password, key"
    file.chmod(0o640)
    password.chmod(0o644)
    key.chmod(0o602)
    assert ids(look_at_files(workspace)) == ["secrets-group", "secrets-open", "secrets-open"]
    (workspace.root / "password").unlink()
    assert ids(look_at_files(workspace)) == ["secrets-group", "secrets-open"]


def test_the_key(workspace: Workspace) -> None:
    assert ids(look_at_key(Settings())) == ["key-none"]
    assert ids(look_at_key(Settings(secret_key=SecretStr("change-me-" * 4)))) == ["key-poor"]
    assert ids(look_at_key(Settings(secret_key=SecretStr(KEY)))) == ["key"]


# --- database


def local(found: list[str]) -> list[str]:
    return [id_ for id_ in found if id_ != "database-remote"]  # where the tests lie is not ours to say


def test_the_database_is_looked_at_and_not_changed(workspace: Workspace) -> None:
    file = workspace.root / "newsletter.db"
    assert local(ids(look_at_database(workspace))) == ["database-new"]
    assert not file.exists()
    open_store(workspace.database_url()).close()
    assert local(ids(look_at_database(workspace))) == ["database"]
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    connection.close()
    before = file.read_bytes()
    assert local(ids(look_at_database(workspace))) == ["database-old"]
    assert file.read_bytes() == before


def test_a_database_of_a_newer_program_or_none_at_all(workspace: Workspace) -> None:
    file = workspace.root / "newsletter.db"
    open_store(workspace.database_url()).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    (told,) = look_at_database(workspace)
    assert told.verdict.id == "database-unusable"
    assert "form 9999" in told.message("en")
    file.write_bytes(b"no database, but a letter to somebody" * 100)
    assert ids(look_at_database(workspace)) == ["database-unusable"]
    file.unlink()
    (workspace.root / ".env").write_text("NEWSLETTER_DATABASE_URL=sqlite:///nowhere/x.db\n", encoding="utf-8")
    assert ids(look_at_database(Workspace(workspace.root))) == ["database-unusable"]


def test_a_writer_at_work_is_no_fault(workspace: Workspace) -> None:
    store = open_store(workspace.database_url())
    with store.write():
        assert local(ids(look_at_database(workspace))) == ["database"]
    store.close()


MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv rw - nfs4 server:/srv rw,vers=4.2
31 22 0:41 / /srv/own\040disk rw master:3 - xfs /dev/sdb1 rw
32 22 0:42 / /home/kim/team rw - fuse.sshfs kim@server: rw
33 22 0:43 / /over rw - ext4 /dev/sdc1 rw
34 33 0:44 / /over rw - cifs //server/share rw
nonsense
"""


@pytest.mark.parametrize(
    ("file", "system", "share"),
    [
        ("/var/newsletter.db", "ext4", False),
        ("/srv/newsletter.db", "nfs4", True),
        ("/srv/own disk/newsletter.db", "xfs", False),
        ("/srvother/newsletter.db", "ext4", False),
        ("/home/kim/team/a/newsletter.db", "fuse.sshfs", True),
        ("/over/newsletter.db", "cifs", True),
    ],
)
def test_a_network_share_is_known(file: str, system: str, share: bool) -> None:
    assert file_system(MOUNTS, Path(file)) == system
    assert is_share(system) is share


def test_where_nothing_is_known_of_mounts() -> None:
    assert file_system("", Path("/x")) is None


# --- mail server

AUTHORITY = trustme.CA()


@contextmanager
def smtp(days: int = 90, **how: object) -> Iterator[Settings]:
    """aiosmtpd with STARTTLS and a login, and the settings for it; the certificate is good for so many days."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=days, hours=1)
    AUTHORITY.issue_cert("127.0.0.1", not_after=ends).configure_cert(context)

    def authenticate(_server: object, _session: object, _envelope: object, _kind: object, data: object) -> AuthResult:
        return AuthResult(success=getattr(data, "password", b"") == b"right", handled=False)

    options: dict[str, Any] = {"tls_context": context, "authenticator": authenticate, "enable_SMTPUTF8": True} | how
    controller = Controller(Sink(), hostname="127.0.0.1", port=0, **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def listen() -> asyncio.Server:
        return await loop.create_server(controller.factory, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    port = server.sockets[0].getsockname()[1]
    try:
        yield Settings(smtp_host="127.0.0.1", smtp_port=port, smtp_username="kim", smtp_password=SecretStr("right"))
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def trusting() -> ssl.SSLContext:
    context = strict_context()
    AUTHORITY.configure_trust(context)
    return context


def test_a_mail_server_in_order() -> None:
    with smtp() as settings:
        told = list(look_at_mail_server(settings, trusting()))
    assert ids(told) == ["smtp", "certificate", "smtp-login", "smtp-extensions", "smtp-no-pipelining"]
    assert "encrypted with TLSv1.3" in told[0].message("en")
    assert told[1].message("en").endswith("good for 90 more days")
    assert told[3].message("en") == "it offers SIZE, 8BITMIME, SMTPUTF8"


def test_a_certificate_that_ends_soon() -> None:
    with smtp(days=13) as settings:
        assert ids(look_at_mail_server(settings, trusting()))[1] == "certificate-ends"


def test_a_certificate_that_nobody_trusts_and_a_wrong_password() -> None:
    with smtp() as settings:
        (told,) = look_at_mail_server(settings)
        assert "cannot be trusted" in told.message("en")
        wrong = settings.model_copy(update={"smtp_password": SecretStr("wrong-secret")})
        (told,) = look_at_mail_server(wrong, trusting())
    assert "refused the login" in told.message("en")
    assert "wrong-secret" not in told.message("en")


def test_a_server_on_this_machine_that_takes_little() -> None:
    with smtp(tls_context=None, authenticator=None, enable_SMTPUTF8=False, data_size_limit=500_000) as settings:
        (told,) = look_at_mail_server(settings, trusting())
        assert "does not offer STARTTLS" in told.message("en")
        here = Settings(smtp_host=settings.smtp_host, smtp_port=settings.smtp_port, smtp_security="none")
        found = ids(look_at_mail_server(here))
    assert found == ["smtp-here", "smtp-extensions", "smtp-no-pipelining", "smtp-no-smtputf8", "smtp-size"]


def test_no_mail_server() -> None:
    assert ids(look_at_mail_server(Settings())) == ["smtp-unset"]
    (told,) = look_at_mail_server(Settings(smtp_host="127.0.0.1", smtp_port=1, smtp_security="none"))
    assert "connection refused" in told.message("en")


# --- public address


def make_links(url: str, key: bytes = KEY.encode()) -> Links:
    return Links(url, key, "list.example.org")


def test_our_own_serve_is_known_by_its_key(tmp_path: Path) -> None:
    from newsletter.issue.model import Publication

    imprint = {"organisation": "O", "street": "S", "postal_code": "1", "city": "C", "email": "o@example.org"}
    publication = Publication.model_validate(
        {"name": "N", "language": "en", "sender": {"email": "n@example.org"}, "imprint": imprint}
    )
    store = open_store(f"sqlite:///{tmp_path / 'n.db'}")
    with BackgroundServer() as server:
        server.start(create_app(store, make_links(server.url), publication))
        assert ids(look_at_public_url(make_links(server.url))) == ["url-here", "url"]
        assert ids(look_at_public_url(make_links(server.url, b"k" * 40))) == ["url-here", "url-key"]
        url = server.url
    store.close()
    assert ids(look_at_public_url(make_links(url))) == ["url-here", "url-here-silent"]


@pytest.mark.parametrize(
    ("status", "found"), [(200, "url-other"), (404, "url-other"), (503, "url-silent"), (301, "url-redirects")]
)
def test_what_else_can_answer(status: int, found: str) -> None:
    asked = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert ids(look_at_public_url(make_links(f"http://127.0.0.1:{server.server_port}"))) == ["url-here", found]
        server.shutdown()
        thread.join()
    assert asked == ["/healthz"]


def test_an_address_that_is_not_there() -> None:
    assert ids(look_at_public_url(None)) == ["url-unset"]
    (told,) = look_at_public_url(make_links("https://newsletter.invalid"))
    assert told.verdict.id == "url-silent"
