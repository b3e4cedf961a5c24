"""HTTP as it goes over a socket: what a client sends, byte for byte, and what comes back."""

import http.client
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
        self._place = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(self._place, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def ask(self, method: str, url: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request; ``url`` is whole or a path, ``headers`` have ``_`` for ``-``."""
        path = url.partition(self._place)[2] or url
        self._connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        named = {"Host": self._place, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None:
            named["Content-Length"] = str(len(body))
        for name, value in named.items():
            self._connection.putheader(name, value)
        self._connection.endheaders(body)
        answer = self._connection.getresponse()
        return Answer(answer.status, tuple(answer.getheaders()), answer.read())
