"""A test mail goes to the inbox, or through the office's own server, and what the server says is said."""

import socket
from collections.abc import Iterator

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.preview.app import Studio
from newsletter.preview.inbox import Inbox
from tests.preview.conftest import Office, Visitor


class Server(Inbox):
    """The office's mail server, which does not know everyone."""

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address.startswith("unknown"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"


@pytest.fixture
def server(office: Office) -> Iterator[Server]:
    with Server() as server:
        settings = f"NEWSLETTER_SMTP_HOST=127.0.0.1\nNEWSLETTER_SMTP_PORT={server.port}\nNEWSLETTER_SMTP_SECURITY=none\n"
        (office.root / ".env").write_text(settings, encoding="utf-8")
        yield server


def test_without_a_server_it_is_a_rehearsal(visitor: Visitor, studio: Studio) -> None:
    assert "Eine Probe:" in visitor.get("issue/2026-12").text
    answer = visitor.post("issue/2026-12/test", address=" Me@Example.org ", to="bob@example.org", width="320")
    assert "Geprobt: Der Test für Me@Example.org liegt hier im Posteingang." in answer.text
    assert str(answer.url).endswith("?width=320&to=bob%40example.org&sent=1")
    (received,) = studio.inbox
    assert (received.sender, received.recipients) == ("newsletter@example.org", ("Me@Example.org",))
    assert received.message["Subject"] == "Test: Neues aus der Region für den ganzen Dezember"
    assert received.message["To"] == "Me@Example.org"
    body = received.message.get_body(("plain",))
    assert body is not None
    assert "Guten Tag, Bob," in body.get_content()


def test_with_a_server_it_goes_there(visitor: Visitor, studio: Studio, server: Server) -> None:
    assert "Er geht über 127.0.0.1." in visitor.get("issue/2026-12").text
    answer = visitor.post("issue/2026-12/test", address="me@example.org")
    assert "Gesendet: 127.0.0.1 hat den Test für me@example.org angenommen." in answer.text
    assert (len(server), len(studio.inbox)) == (1, 0)


def test_where_one_server_is_down_another_takes_it(visitor: Visitor, server: Server, office: Office) -> None:
    settings = f"NEWSLETTER_SMTP_HOST=127.0.0.1:9*2, localhost:{server.port}\nNEWSLETTER_SMTP_SECURITY=none\n"
    (office.root / ".env").write_text(settings, encoding="utf-8")
    assert "Er geht über 127.0.0.1, localhost." in visitor.get("issue/2026-12").text
    answer = visitor.post("issue/2026-12/test", address="me@example.org")
    assert "Gesendet: localhost hat den Test für me@example.org angenommen." in answer.text
    assert len(server) == 1


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "x@example.org\r\nBcc: y@example.org"])
def test_what_is_no_address_is_refused(visitor: Visitor, studio: Studio, address: str) -> None:
    assert "the address" in visitor.post("issue/2026-12/test", address=address).text
    assert len(studio.inbox) == 0


def test_the_servers_refusal_is_told(visitor: Visitor, server: Server) -> None:
    answer = visitor.post("issue/2026-12/test", address="unknown@example.org")
    assert "127.0.0.1 does not take mail for unknown@example.org: 550 5.1.1 no such user" in answer.text
    assert len(server) == 0


def test_nothing_leaves_unencrypted_where_tls_is_wanted(visitor: Visitor, server: Server, office: Office) -> None:
    settings = (office.root / ".env").read_text().replace("SECURITY=none", "SECURITY=starttls")
    (office.root / ".env").write_text(settings, encoding="utf-8")
    answer = visitor.post("issue/2026-12/test", address="me@example.org")
    assert "does not offer STARTTLS; nothing was sent" in answer.text
    assert len(server) == 0


def test_a_server_that_is_not_there_is_named(visitor: Visitor, office: Office) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = f"NEWSLETTER_SMTP_HOST=127.0.0.1\nNEWSLETTER_SMTP_PORT={port}\nNEWSLETTER_SMTP_SECURITY=none\n"
    (office.root / ".env").write_text(settings, encoding="utf-8")
    answer = visitor.post("issue/2026-12/test", address="me@example.org").text
    assert f"cannot reach 127.0.0.1:{port}: connection refused" in answer
