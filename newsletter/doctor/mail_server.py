"""The SMTP server becomes verdicts: it is greeted, encrypted, logged in to and left again; no mail is sent."""

import asyncio
import datetime as dt
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import aiosmtplib

from newsletter.delivery.connect import CannotConnect, connect
from newsletter.delivery.server import Server, Timeouts
from newsletter.doctor.verdict import Told, verdict
from newsletter.settings import Settings, is_loopback

#: A person waits: not the minutes of RFC 5321 §4.5.3.2.
PATIENCE = Timeouts(connect=15, command=15, quit=3)
#: Days that a certificate should still be good for.
_SOON = 14

_UNSET = verdict(
    "smtp-unset",
    "error",
    "NEWSLETTER_SMTP_HOST is not set, so nothing can be sent",
    "name the server that takes your mail in .env",
)
_CANNOT = verdict("smtp-unusable", "error", "the mail server cannot be used: {why}", "ask its people, with these words")
_SECURE = verdict("smtp", "ok", "the mail server {place} answers, encrypted with {version}")
_HERE = verdict("smtp-here", "ok", "the mail server {place} answers, not encrypted, on this machine")
_LOGIN = verdict("smtp-login", "ok", "it takes the login of {username}")
_NO_LOGIN = verdict("smtp-no-login", "note", "no login is set; the mail server has to know this machine by its address")
_DAYS = verdict("certificate", "ok", "its certificate is trusted, and good for {days} more days")
_ENDS = verdict(
    "certificate-ends",
    "warning",
    "its certificate ends in {days} days; no mail leaves after that",
    "ask the people of the mail server to renew it",
)
_EXTENSIONS = verdict("smtp-extensions", "ok", "it offers {offered}")
_SLOW = verdict("smtp-no-pipelining", "note", "it does not offer PIPELINING, so sending takes longer")
_ASCII = verdict(
    "smtp-no-smtputf8", "note", "it does not offer SMTPUTF8, so addresses with letters such as ü before the @ cannot be reached"
)
_SMALL = verdict(
    "smtp-size",
    "warning",
    "it takes mails of at most {size} MB",
    "keep pictures and attachments below that, or ask its people for more",
)
_WANTED = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8")
_SMALLEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Greeted:
    """What a server said of itself. ``version`` and ``ends`` are None where the connection is not encrypted."""

    extensions: Mapping[str, str]
    version: str | None
    ends: dt.datetime | None


def look_at_mail_server(
    settings: Settings, context: ssl.SSLContext | None = None, now: dt.datetime | None = None
) -> Iterator[Told]:
    """Connect as ``send`` does (S12, S13). ``context`` is for a certificate authority of one's own."""
    if settings.smtp_host is None:
        yield _UNSET()
        return
    for server in Server.all_of(settings, context):
        yield from _look_at(server, now)


def _look_at(server: Server, now: dt.datetime | None) -> Iterator[Told]:
    try:
        greeted = asyncio.run(_greet(server))
    except CannotConnect as error:
        yield _CANNOT(why=error)
        return
    place = f"{server.host}:{server.port}"
    yield _HERE(place=place) if greeted.version is None else _SECURE(place=place, version=greeted.version)
    if greeted.ends is not None:
        days = (greeted.ends - (now or dt.datetime.now(dt.UTC))).days
        yield (_DAYS if days >= _SOON else _ENDS)(days=days)
    if server.username:
        yield _LOGIN(username=server.username)
    elif not is_loopback(server.host):
        yield _NO_LOGIN()
    yield from _look_at_extensions(greeted.extensions)


async def _greet(server: Server) -> Greeted:
    patient = Server(server.host, server.port, server.security, server.username, server.password, None, server.context, PATIENCE)
    client = await connect(patient)
    try:
        extensions = {name.upper(): value for name, value in client.esmtp_extensions.items()}
        tls = client.transport.get_extra_info("ssl_object") if client.transport is not None else None
        ends = tls.getpeercert().get("notAfter") if tls is not None else None
        end = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), dt.UTC) if ends else None
        return Greeted(extensions, tls.version() if tls is not None else None, end)
    finally:
        await _leave(client)


async def _leave(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit(timeout=PATIENCE.quit)
    except (aiosmtplib.SMTPException, OSError):
        client.close()


def _look_at_extensions(extensions: Mapping[str, str]) -> Iterator[Told]:
    offered = [name for name in _WANTED if name in extensions]
    size = extensions.get("SIZE", "").strip()
    if offered:
        yield _EXTENSIONS(offered=", ".join(offered))
    if "PIPELINING" not in extensions:
        yield _SLOW()
    if "SMTPUTF8" not in extensions:
        yield _ASCII()
    if size.isdecimal() and 0 < int(size) < _SMALLEST:
        yield _SMALL(size=f"{int(size) / 1_000_000:.1f}")
