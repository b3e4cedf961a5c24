"""P4, S10: what a client that passes bytes through puts on the wire, recorded byte by byte."""

import re
import smtplib
import socket
import threading
from collections.abc import Callable

from newsletter.compose.edition import Edition, Part, Slot
from newsletter.message.template import MessageTemplate

MakeEdition = Callable[..., Edition]
Build = Callable[..., bytes]


class RecordingServer(threading.Thread):
    """A mail server for one connection that keeps each byte after DATA as it came."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.data = b""

    def run(self) -> None:
        connection, _ = self.listener.accept()
        with connection, self.listener, connection.makefile("rb") as lines:
            connection.sendall(b"220 recorder\r\n")
            for command in lines:
                verb = command[:4].upper()
                connection.sendall({b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n"))
                if verb == b"QUIT":
                    return
                if verb == b"DATA":
                    while not self.data.endswith(b"\r\n.\r\n"):
                        self.data += lines.read(1)
                    connection.sendall(b"250 taken\r\n")


def test_smtplib_puts_our_bytes_on_the_wire_clean(make_edition: MakeEdition, build: Build) -> None:
    awkward = "\n.\n..\r.\rB\r\n.\r\nC\r.\r\nMAIL FROM:<evil@example.org>\n"
    edition = make_edition(
        text=Part((awkward, Slot("first_name", None, "plain"), awkward)),
        html=Part((".", Slot("first_name", None, "text"), awkward)),
    )
    raw = build(MessageTemplate(edition), {"first_name": ".\r\n.\r\nRCPT TO:<evil@example.org>\r\n"})
    server = RecordingServer()
    server.start()
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("newsletter@example.org", ["reader@example.net"], raw)
    server.join(timeout=60)
    assert not server.is_alive()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", server.data)
    assert server.data.count(b"\r\n.\r\n") == 1
    stuffed = server.data.removesuffix(b".\r\n")
    assert b"\r\n.." in stuffed
    assert stuffed.replace(b"\r\n..", b"\r\n.") == raw
