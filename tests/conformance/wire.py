"""HTTP as it goes over a socket: what a client sends, byte for byte, and what comes back."""

import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """A status, the headers as they came, and the body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, (name, values)
        return values[0] if values else None

    @property
    def fixed(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """The whole answer but for the time of day."""
        return self.status, tuple(one for one in self.headers if one[0].lower() != "date"), self.body


class Wire:
    """One kept connection. It sends no header that it is not told to send: no cookie, Referer, Origin or User-Agent (B9)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._place, self._address = parts.netloc, (parts.hostname or "", parts.port or 0)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def ask(self, method: str, url: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request; ``url`` is whole or a path, ``headers`` have ``_`` for ``-``."""
        path = url.partition(self._place)[2] or url
        named = {"Host": self._place, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None:
            named["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
        sent = "\r\n".join(lines).encode("latin-1") + (body or b"")
        kept = self._socket is not None
        answer = self._exchange(method, sent)
        if answer is None and kept:  # a server lets go of a connection that nobody uses for some seconds
            answer = self._exchange(method, sent)
        assert answer is not None, (method, path)
        return answer

    def _exchange(self, method: str, sent: bytes) -> Answer | None:
        """The answer, or None where the connection was gone."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heard = b""
        try:
            self._socket.sendall(sent)
            while b"\r\n\r\n" not in heard:
                heard += self._more()
        except ConnectionError:
            self._close()
            return None
        head, _, body = heard.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        split = (line.partition(":") for line in lines)
        answer = Answer(int(first.split(" ")[1]), tuple((name, value.strip()) for name, _, value in split), b"")
        size = 0 if method == "HEAD" or answer.status in (204, 304) else int(answer["Content-Length"] or 0)
        while len(body) < size:
            body += self._more()
        assert len(body) == size, (method, answer)
        if answer["Connection"] == "close":
            self._close()
        return Answer(answer.status, answer.headers, body)

    def _more(self) -> bytes:
        assert self._socket is not None
        if not (more := self._socket.recv(1 << 20)):
            raise ConnectionResetError
        return more

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
