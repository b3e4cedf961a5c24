"""The documented nginx and Caddy in front of a real ``serve``: they pass on what it needs, and keep no token."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPSConnection
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
import trustme

from newsletter.audience.address import normalise
from newsletter.store import is_suppressed, open_store
from newsletter.store.tables import picture
from tests.cli.serving import FORM, Serving
from tests.cli.test_cli_pages import free_port
from tests.thorough import only_thorough

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

pytestmark = pytest.mark.real

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
NAME = "newsletter.example.org"
AUTHORITY = trustme.CA()
PICTURE = "0123456789abcdef.png"


class Front:
    """A proxy on a port of this machine, and a reader who asks it for :data:`NAME` by https."""

    def __init__(self, folder: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self._context = ssl.create_default_context()
        AUTHORITY.configure_trust(self._context)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[int, bytes, Any]:
        """Status, body and headers."""
        wire = _Pinned(NAME, self.port, context=self._context, timeout=60)
        wire.request(method, path, body, {**(FORM if body is not None else {}), **headers})
        answer = wire.getresponse()
        given = answer.status, answer.read(), answer.headers
        wire.close()
        return given

    def wait(self) -> None:
        """Until it listens."""
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=60).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


class _Pinned(HTTPSConnection):
    """Connects to this machine, whatever name it asks for."""

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)  # type: ignore[attr-defined]


def started(folder: Path, port: int, *command: str, **environment: str) -> Front:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ | environment)
    front = Front(folder, port, process)
    front.wait()
    return front


def certificate(folder: Path) -> None:
    issued = AUTHORITY.issue_cert(NAME)
    issued.private_key_pem.write_to_path(folder / "privkey.pem")
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(folder / "fullchain.pem", append=number > 0)


def replaced(text: str, changes: dict[str, str]) -> str:
    """The documented file with what a test must have otherwise; each change is there to be made."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(folder: Path, upstream: int) -> Front:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    port, plain = free_port(), free_port()
    certificate(folder)
    documented = replaced(
        (DEPLOY / "nginx.conf").read_text(encoding="utf-8"),
        {
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "    listen [::]:443 ssl;\n": "",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "    listen [::]:80;\n": "",
            "/etc/ssl/newsletter/": f"{folder}/",
            "/var/cache/nginx/newsletter": f"{folder}/cache",
            "/var/log/nginx/newsletter.log": f"{folder}/error.log",
            "127.0.0.1:8025": f"127.0.0.1:{upstream}",
        },
    )
    user = "user root;" if os.geteuid() == 0 else ""
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"{user}\ndaemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{\n{paths}{documented}\n}}\n"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    return started(folder, port, program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log"))


def caddy(folder: Path, upstream: int) -> Front:
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("Caddy is not installed")
    port = free_port()
    certificate(folder)
    documented = replaced(
        (DEPLOY / "Caddyfile").read_text(encoding="utf-8"),
        {
            "{\n\t# Caddy": "{\n\tadmin off\n\tauto_https disable_redirects\n\t# Caddy",
            f"\n{NAME} {{\n": f"\nhttps://{NAME}:{port} {{\n\ttls fullchain.pem privkey.pem\n\tbind 127.0.0.1\n",
            "127.0.0.1:8025": f"127.0.0.1:{upstream}",
        },
    )
    (folder / "Caddyfile").write_text(documented, encoding="utf-8")
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    return started(folder, port, program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile", **homes)


@pytest.fixture(params=[nginx, pytest.param(caddy, marks=only_thorough)])
def behind(office: "Office", post: "Post", request: pytest.FixtureRequest) -> Iterator[tuple[Serving, Front]]:
    folder = office.root / "front"
    folder.mkdir()
    serving = Serving(office, post, public_url=f"https://{NAME}")
    front = request.param(folder, serving.port)
    yield serving, front
    front.stop()


def test_readers_get_through_and_no_token_stays_behind(behind: tuple[Serving, Front], post: "Post", office: "Office") -> None:
    serving, front = behind
    told = {"Referer": f"https://{NAME}{serving.view}", "User-Agent": serving.view}
    status, page, headers = front.ask("GET", serving.view, headers=told)
    assert (status, b"Guten Tag, Ada" in page) == (200, True)
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert (front.ask("GET", "/healthz")[0], front.ask("GET", "/metrics")[0]) == (200, 404)
    # One click (RFC 8058): no redirect, no question, on disk when it is answered.
    status, _, headers = front.ask("POST", serving.unsubscribe, b"List-Unsubscribe=One-Click", headers=told)
    assert (status, headers["Location"]) == (200, None)
    store = open_store(office.url)
    assert is_suppressed(store, serving.links.mark(normalise(serving.reader).key))
    store.close()
    assert front.ask("POST", serving.unsubscribe, b"x" * 70_000, headers=told)[0] == 413
    assert front.ask("GET", f"/nothing/{serving.view}", headers=told)[0] == 404
    written = serving.stop()
    assert front.ask("GET", serving.view, headers=told)[0] == 502
    assert front.ask("POST", serving.unsubscribe, b"List-Unsubscribe=One-Click", headers=told)[0] == 502
    front.stop()
    assert "GET view 200" in written
    kept = written.encode() + b"".join(file.read_bytes() for file in front.folder.rglob("*") if file.is_file())
    for secret in (serving.view, serving.unsubscribe, serving.reader):
        assert secret.rsplit("/", 1)[-1].encode() not in kept


def test_the_limits_see_the_readers_and_not_the_proxy(behind: tuple[Serving, Front]) -> None:
    """The test's reader is on this machine, which is trusted, so that the address before his own counts; Caddy believes none."""
    serving, front = behind
    stamp = serving.links.stamp(time.time_ns() // 1000)
    statuses = []
    for number in range(21):
        body = urlencode({"email": f"a{number}@example.net", "stamp": stamp, "website": ""}).encode()
        statuses.append(front.ask("POST", "/subscribe", body, {"X-Forwarded-For": "9.9.9.9"})[0])
    assert statuses == [200] * 20 + [429 if (front.folder / "nginx.conf").exists() else 200]
    assert serving.subscribe("b@example.net", "1.1.1.1", host=NAME) == 200


def test_nginx_keeps_the_pictures_and_nothing_else(office: "Office", post: "Post") -> None:
    folder = office.root / "front"
    folder.mkdir()
    serving = Serving(office, post, public_url=f"https://{NAME}")
    store = open_store(office.url)
    with store.write() as connection:
        connection.execute(picture.insert().values(name=PICTURE, media_type="image/png", data=b"a picture"))
    store.close()
    front = nginx(folder, serving.port)
    try:
        for path in (f"/pictures/{PICTURE}", serving.view, serving.unsubscribe, "/subscribe", f"/nothing/{quote(serving.view)}"):
            front.ask("GET", path)
        serving.stop()
        assert front.ask("GET", f"/pictures/{PICTURE}")[:2] == (200, b"a picture")
        assert front.ask("GET", serving.view)[0] == 502
        cached = [file for file in (folder / "cache").rglob("*") if file.is_file()]
        assert [b"a picture" in file.read_bytes() for file in cached] == [True]
    finally:
        front.stop()
