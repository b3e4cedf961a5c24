"""A folder of an IMAP mailbox: read by UID over a verified connection, marked, never deleted (N10, S12, S13)."""

import imaplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, UnexpectedCommandStatusError

from newsletter.postbox.box import LARGEST, Mail, PostboxError
from newsletter.problem import complaint
from newsletter.settings import Settings
from newsletter.tls import strict_context

#: Seconds to wait for each answer.
_PATIENCE = 60.0
_Answer = TypeVar("_Answer")


class ImapBox:
    """The folder of the settings, open. ``context`` is for a certificate authority of one's own; it must verify, too.

    Raises :class:`~newsletter.problem.InputError` where a setting is missing, :class:`PostboxError` where the server cannot be
    used.
    """

    def __init__(self, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        host, username, password = settings.imap_host, settings.imap_username, settings.imap_password
        if host is None or username is None or password is None:
            names = {"HOST": host, "USERNAME": username, "PASSWORD": password}
            missing = ", ".join(f"NEWSLETTER_IMAP_{name}" for name, value in names.items() if value is None)
            raise complaint(f"imap needs {missing}; set it in .env, or name a Maildir, an mbox or .eml files instead")
        self._place = f"{host}:{settings.own_imap_port}"
        self._password = password
        self._folder = settings.imap_folder
        self.name = f"{self._folder} at {host}"
        self._box = self._asked(lambda: _connect(settings, host, context or strict_context()))
        try:
            login = f"{self._place} refused the login: {{}}; check NEWSLETTER_IMAP_USERNAME and NEWSLETTER_IMAP_PASSWORD"
            self._asked(partial(self._log_in, username, password.get_secret_value()), login)
            unknown = f"{self._place} does not open the folder {self._folder!r}: {{}}; is NEWSLETTER_IMAP_FOLDER right?"
            self._asked(lambda: self._box.folder.set(self._folder), unknown)
        except PostboxError:
            self.close()
            raise

    def __iter__(self) -> Iterator[Mail]:
        for uid in self.unread():
            data = self._asked(partial(self._fetch, uid))
            if data is not None:
                yield Mail(f"mail {uid} of {self.name}", data, uid)

    def unread(self) -> list[str]:
        """The UIDs of the mails that nobody has read, oldest first."""
        return self._asked(lambda: self._box.uids("UNSEEN UNDELETED", charset=None))

    def done(self, mail: Mail) -> None:
        """Set the flag Seen, by UID. imap-tools' own ``flag`` expunges, and what others deleted would be gone for good."""
        status, _ = self._asked(lambda: self._box.client.uid("STORE", mail.key, "+FLAGS.SILENT", r"(\Seen)"))
        if status != "OK":
            raise PostboxError(f"{self._place} does not mark mails as read; may {self._folder} be written to?")

    def close(self) -> None:
        """Log out. LOGOUT, unlike CLOSE, removes nothing (RFC 9051 §6.1.3)."""
        try:
            self._box.logout()
        except (imaplib.IMAP4.error, ImapToolsError, OSError):
            with suppress(OSError):
                self._box.client.shutdown()

    def _log_in(self, username: str, password: str) -> None:
        """By LOGIN, where imaplib can: it takes ASCII alone there."""
        log_in = self._box.login if (username + password).isascii() else self._box.login_utf8
        log_in(username, password, initial_folder=None)

    def _fetch(self, uid: str) -> bytes | None:
        """At most one octet more than :data:`LARGEST`, without marking it as read; None where it has gone meanwhile."""
        status, answer = self._box.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST + 1}>)")
        if status != "OK":
            raise imaplib.IMAP4.error(f"FETCH: {answer}")
        return next((bytes(item[1]) for item in answer if isinstance(item, tuple)), None)

    def _asked(self, ask: Callable[[], _Answer], refused: str = "") -> _Answer:
        """What the server answers; ``refused`` is the sentence for a server that says no, with a place for its words."""
        try:
            return ask()
        except (imaplib.IMAP4.error, ImapToolsError, OSError) as error:
            sentence = self._explain(error, refused or f"{self._place} does not answer as it should: {{}}")
            raise PostboxError(_printable(sentence.replace(self._password.get_secret_value(), "…"))) from None  # S21

    def _explain(self, error: Exception, refused: str) -> str:
        place = self._place
        match error:
            case ssl.SSLCertVerificationError():
                why = f"the certificate of {place} cannot be trusted: {error.verify_message}"
                return f"{why}; NEWSLETTER_IMAP_HOST must be the name in a certificate that this machine trusts"
            case ssl.SSLError():
                why = (error.reason or "unknown error").replace("_", " ").lower()
                return f"no TLS with {place}: {why}; do NEWSLETTER_IMAP_PORT and NEWSLETTER_IMAP_SECURITY fit together?"
            case socket.gaierror():
                return f"cannot find {place}: {error.strerror}; is NEWSLETTER_IMAP_HOST right?"
            case TimeoutError():
                return f"cannot reach {place}: no answer; are NEWSLETTER_IMAP_HOST and NEWSLETTER_IMAP_PORT right?"
            case OSError():
                return f"cannot reach {place}: {error.strerror or error}; is NEWSLETTER_IMAP_HOST right?"
            case UnexpectedCommandStatusError():
                return refused.replace("{}", _words(error.command_result), 1)
            case _ if "STARTTLS" in str(error):
                return (
                    f"{place} does not offer STARTTLS, no password was sent; NEWSLETTER_IMAP_SECURITY=tls is TLS from the start"
                )
            case _:
                return refused.replace("{}", str(error), 1)


def _connect(settings: Settings, host: str, context: ssl.SSLContext) -> BaseMailBox:
    port = settings.own_imap_port
    match settings.imap_security:
        case "tls":
            return MailBox(host, port, timeout=_PATIENCE, ssl_context=context)
        case "starttls":
            return MailBoxStartTls(host, port, timeout=_PATIENCE, ssl_context=context)
        case _:  # for this machine alone, which the settings see to
            return MailBoxUnencrypted(host, port, timeout=_PATIENCE)


def _words(result: tuple[Any, ...]) -> str:
    """What the server said, of a status and a list of bytes."""
    said = result[1][0] if len(result) > 1 and result[1] else result[0]
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text)[:500]
