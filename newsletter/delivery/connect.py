"""A server becomes a connection, encrypted and logged in; why it could not be made, one plain sentence without any secret."""

import base64
import errno
import socket
import ssl
from typing import TYPE_CHECKING

import aiosmtplib
from pydantic import SecretStr

from newsletter.delivery.replies import printable

if TYPE_CHECKING:
    from newsletter.delivery.server import Server


class CannotConnect(Exception):
    """There is no connection; the message is a sentence for people. ``hopeless``: another try would end the same.

    ``may_pass``: not so where the server was reached before; then the name service or its TLS is out of order for a while.
    """

    def __init__(self, sentence: str, *, hopeless: bool, may_pass: bool = False) -> None:
        super().__init__(sentence)
        self.hopeless = hopeless
        self.may_pass = may_pass


async def connect(server: "Server") -> aiosmtplib.SMTP:
    """Connect, encrypt with a verified certificate (S13), log in, all by aiosmtplib. Raises :class:`CannotConnect`."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        timeout=server.timeouts.connect,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",  # True, never None: without STARTTLS no AUTH and no DATA (S12)
        tls_context=None if server.security == "none" else server.context,
        username=server.username,
        password=server.password.get_secret_value() if server.password else None,
    )
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        client.close()
        raise explain(error, server.host, server.port, server.password) from None
    return client


def explain(error: Exception, host: str, port: int, password: SecretStr | None) -> CannotConnect:
    """The sentence for an error of aiosmtplib's ``connect``."""
    sentence, hopeless = _explain(error, f"{host}:{port}", host)
    if password is not None and (secret := password.get_secret_value()):
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            sentence = sentence.replace(form, "…")  # a server that repeats what it was told (S21)
    cause = _cause_of(error)
    of_tls = isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLCertVerificationError)
    return CannotConnect(printable(sentence), hopeless=hopeless, may_pass=of_tls or isinstance(cause, socket.gaierror))


def _cause_of(error: Exception) -> BaseException:
    return error.__cause__ if isinstance(error, aiosmtplib.SMTPConnectError) and error.__cause__ is not None else error


def _explain(error: Exception, place: str, host: str) -> tuple[str, bool]:
    cause = _cause_of(error)
    if isinstance(cause, ssl.SSLError):
        return _explain_tls(cause, place)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        words = f"{place} refused the login: {error.code} {error.message}"
        return f"{words}; check NEWSLETTER_SMTP_USERNAME and NEWSLETTER_SMTP_PASSWORD", error.code >= 500
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{place} does not take mail now: {error.code} {error.message}", False
    if isinstance(cause, socket.gaierror):
        return f"cannot find {host}: {cause.strerror}; is NEWSLETTER_SMTP_HOST right?", cause.errno == socket.EAI_NONAME
    if isinstance(error, TimeoutError):
        return f"cannot reach {place}: no answer; are NEWSLETTER_SMTP_HOST and NEWSLETTER_SMTP_PORT right?", False
    if isinstance(cause, OSError) and not isinstance(cause, aiosmtplib.SMTPException):
        # asyncio folds the errors of several addresses (::1 and 127.0.0.1) into one without a number.
        refused = cause.errno == errno.ECONNREFUSED or "Connect call failed" in str(cause)
        why = "connection refused" if refused else (cause.strerror or str(cause))
        return f"cannot reach {place}: {why}; is NEWSLETTER_SMTP_HOST right?", False
    if isinstance(error, ConnectionError):
        return (
            f"{place} closed the connection before it was ready; does it want NEWSLETTER_SMTP_SECURITY=tls?",
            False,
        )
    words = str(getattr(error, "message", error))
    if "AUTH" in words:
        return f"{place} takes no login; leave NEWSLETTER_SMTP_USERNAME out, or ask its people which port is for logging in", True
    if "STARTTLS" in words:
        advice = "nothing was sent, no password either; NEWSLETTER_SMTP_SECURITY=tls is for servers with TLS from the start"
        return f"{place} does not offer STARTTLS; {advice}", True
    return f"cannot use {place}: {words}", False


def _explain_tls(cause: ssl.SSLError, place: str) -> tuple[str, bool]:
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = f"the certificate of {place} cannot be trusted: {cause.verify_message}"
        return f"{why}; NEWSLETTER_SMTP_HOST must be the name in a certificate that this machine trusts", True
    reason = (cause.reason or "unknown error").replace("_", " ").lower()
    return f"no TLS with {place}: {reason}; do NEWSLETTER_SMTP_PORT and NEWSLETTER_SMTP_SECURITY fit together?", True
