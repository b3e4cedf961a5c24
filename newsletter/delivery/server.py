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
    weight: int = 1

    @classmethod
    def all_of(cls, settings: Settings, context: ssl.SSLContext | None = None) -> "tuple[Server, ...]":
        """Every server of the settings. Raises :class:`~newsletter.problem.InputError` where none is set."""
        relays = settings.relays
        if not relays:
            raise complaint("NEWSLETTER_SMTP_HOST is not set; name the server that takes your mail in .env")
        if settings.smtp_security == "none" and not all(is_loopback(relay.host) for relay in relays):  # S12
            raise complaint("NEWSLETTER_SMTP_SECURITY=none is only for a server on this machine; use starttls or tls")
        context = context or strict_context()
        return tuple(
            cls(
                relay.host,
                relay.port or settings.port,
                settings.smtp_security,
                settings.smtp_username,
                settings.smtp_password,
                settings.smtp_messages_per_connection,
                context,
                weight=relay.weight,
            )
            for relay in relays
        )
