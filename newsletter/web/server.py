"""An ASGI application becomes a server: in this process until it is told to stop, or beside it in a thread."""

import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from newsletter.problem import complaint

#: Seconds that requests under way have to end when the server is told to stop.
_GRACE = 10


def serve(app: ASGIApp, host: str, port: int, proxies: Sequence[str] = ()) -> None:
    """Serve until SIGTERM or Ctrl-C, end what is under way, and return.

    ``proxies`` are addresses and networks whose ``X-Forwarded-For`` is believed: a request then comes from the last address in it
    that is not one of them. Raises :class:`~newsletter.problem.InputError` where ``host`` and ``port`` cannot be listened on.
    """
    place = listen(host, port)
    with _stoppable():
        uvicorn.Server(_config(app, proxies)).run(sockets=[place])


class BackgroundServer:
    """A server in a thread of this process; as a context manager it stops at the end.

    It listens from the first moment, so that ``url`` is known (``port`` 0 takes a free one) before the app is made of it;
    what comes before :meth:`start` waits. Raises :class:`~newsletter.problem.InputError` where it cannot listen.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, named_by: str = "--host or --port") -> None:
        self._socket = listen(host, port, named_by)
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._socket.getsockname()[1]}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, app: ASGIApp) -> None:
        """Answer with ``app`` from now on."""
        self._server = uvicorn.Server(_config(app))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, name="newsletter-web")
        self._thread.start()

    def stop(self) -> None:
        """End what is under way and stop listening."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def listen(host: str, port: int, named_by: str = "--host or --port") -> socket.socket:
    """A listening socket. Raises :class:`~newsletter.problem.InputError` saying why there is none, and what names another."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        place = socket.create_server((address[0], port), family=family, backlog=512)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise complaint(f"cannot listen on {host}, port {port}: {reason}; choose another {named_by}") from None
    # Its connections inherit this. asyncio sets it only where a socket names its protocol, as this one does not. Head and body
    # of an answer are two writes, and the second would wait 40 ms for the reader's delayed ACK (RFC 9293 §3.7.4).
    place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return place


def _config(app: ASGIApp, proxies: Sequence[str] = ()) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,  # it would hold the tokens (S15); newsletter.web.access writes ours
        log_config=None,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_GRACE,
    )


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM and Ctrl-C end the block and nothing else: uvicorn raises the signal once more when it has stopped gracefully."""
    previous = {name: signal.signal(name, signal.default_int_handler) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)
