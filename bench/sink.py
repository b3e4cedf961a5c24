"""An SMTP server that takes mail as fast as Python can, in a process of its own (``python -m bench.sink HOST [CERTIFICATE]``).

It listens at HOST and prints its port. With a CERTIFICATE (a file with its key) it offers STARTTLS. At the end of its standard
input it prints ``accepted first last``: how many messages, and when the first MAIL and the last dot came.
"""

import asyncio
import ssl
import sys
import time

_GREETING = b"220 sink ESMTP\r\n"
_OFFERS = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


class _Count:
    """What all connections together took."""

    def __init__(self) -> None:
        self.accepted = 0
        self.first = 0.0
        self.last = 0.0


class _Session(asyncio.BufferedProtocol):
    """Reads commands and bodies; replies to everything that came in one read leave in one write."""

    def __init__(self, count: _Count, context: ssl.SSLContext | None) -> None:
        self._count = count
        self._context = context
        self._upgrade: asyncio.Task[None] | None = None
        self._buffer = memoryview(bytearray(1 << 18))
        self._rest = b""
        self._in_body = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._write(_GREETING)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = self._rest + bytes(self._buffer[:nbytes])
        replies = []
        while data:
            if self._in_body:
                end = data.find(b"\r\n.\r\n")
                if end < 0:
                    self._rest = data[-4:]
                    break
                data = data[end + 5 :]
                self._in_body = False
                self._count.accepted += 1
                self._count.last = time.monotonic()
                replies.append(b"250 2.0.0 Ok: queued\r\n")
            else:
                line, found, behind = data.partition(b"\r\n")
                if not found:
                    self._rest = data
                    break
                replies.append(self._answer(line[:4].upper()))
                data = behind
        else:
            self._rest = b""
        if replies:
            self._write(b"".join(replies))

    def _answer(self, verb: bytes) -> bytes:
        if verb == b"DATA":
            self._in_body = True
            return b"354 go on\r\n"
        if verb == b"MAIL" and not self._count.first:
            self._count.first = time.monotonic()
        if verb == b"STAR":
            self._upgrade = asyncio.get_running_loop().create_task(self._encrypt())
            return b"220 go on\r\n"
        if verb == b"EHLO" and self._context is not None:
            return _OFFERS.replace(b"250-SIZE", b"250-STARTTLS\r\n250-SIZE")
        return _OFFERS if verb == b"EHLO" else b"221 bye\r\n" if verb == b"QUIT" else b"250 2.1.0 Ok\r\n"

    async def _encrypt(self) -> None:
        assert self._transport is not None
        assert self._context is not None
        context, self._context = self._context, None
        self._transport = await asyncio.get_running_loop().start_tls(self._transport, self, context, server_side=True)

    def _write(self, said: bytes) -> None:
        if self._context is None and self._upgrade is not None and not self._upgrade.done():
            # What came with the end of the handshake is heard before start_tls() gives the new transport.
            asyncio.get_running_loop().call_soon(self._write, said)
            return
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(said)


async def _main(host: str, certificate: str | None) -> None:
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    count = _Count()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Session(count, context), host, 0, backlog=200)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(count.accepted, count.first, count.last, flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None))
