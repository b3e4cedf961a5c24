"""The settings become the SMTP server to send through."""

import ssl
from dataclasses import dataclass, field

from pydantic import SecretStr

from newsletter.problem import complaint
from newsletter.settings import Settings, is_loopback
from newsletter.tls import strict_context


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for each answer of the server, in seconds (RFC 5321 §4.5.3.2)."""

    connect: float = 60
    command: float = 300
    data: float = 120
    final: float = 600
    quit: float = 5


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server. ``context`` is for a certificate authority of one's own; it must verify, too."""

    host: str
    port: int
    security: str
    username: str | None = None
    password: SecretStr | None = None
    messages: int | None = None
    context: ssl.SSLContext = field(default_factory=strict_context, repr=False)
    timeouts: Timeouts = Timeouts()

    @classmethod
    def of(cls, settings: Settings, context: ssl.SSLContext | None = None) -> "Server":
        """The server of the settings. Raises :class:`~newsletter.problem.InputError` where none is set."""
        host = settings.smtp_host
        if host is None:
            raise complaint("NEWSLETTER_SMTP_HOST is not set; name the server that takes your mail in .env")
        if settings.smtp_security == "none" and not is_loopback(host):  # S12
            raise complaint("NEWSLETTER_SMTP_SECURITY=none is only for a server on this machine; use starttls or tls")
        return cls(
            host,
            settings.port,
            settings.smtp_security,
            settings.smtp_username,
            settings.smtp_password,
            settings.smtp_messages_per_connection,
            context or strict_context(),
        )
