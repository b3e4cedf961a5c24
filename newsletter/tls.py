"""TLS as every connection of the program wants it."""

import ssl


def strict_context() -> ssl.SSLContext:
    """The system's authorities, a verified certificate and host name (S13), TLS 1.2 at least (S12)."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
