"""The mailbox of those who leave becomes verdicts: can ``newsletter unsubscribes read imap`` read it? No mail is touched."""

import ssl
from collections.abc import Iterator
from contextlib import closing

from newsletter.doctor.verdict import Told, verdict
from newsletter.issue import Publication
from newsletter.postbox import PostboxError
from newsletter.postbox.imap import ImapBox
from newsletter.problem import InputError
from newsletter.settings import Settings

_UNSET = verdict(
    "mailbox-unset",
    "note",
    "no mailbox is set (NEWSLETTER_IMAP_HOST), so the mails of those who leave to {address} are read from files alone",
    "set it in .env, or let newsletter unsubscribes read a Maildir, an mbox or .eml files",
)
_UNUSED = verdict(
    "mailbox-unused",
    "note",
    "a mailbox is set (NEWSLETTER_IMAP_HOST), but publication.yaml names no unsubscribe_email, so nobody leaves by mail",
)
_GOOD = verdict("mailbox", "ok", "the mailbox {name} can be read; unread mails in it: {count}")
_CANNOT = verdict(
    "mailbox-unusable", "error", "the mailbox of those who leave cannot be read: {why}", "ask the people of the mail server"
)


def look_at_mailbox(settings: Settings, publication: Publication, context: ssl.SSLContext | None = None) -> Iterator[Told]:
    """Log in, open the folder, count. ``context`` is for a certificate authority of one's own."""
    address = publication.unsubscribe_email
    if settings.imap_host is None:
        if address is not None:
            yield _UNSET(address=address)
        return
    if address is None:
        yield _UNUSED()
    try:
        with closing(ImapBox(settings, context)) as box:
            yield _GOOD(name=box.name, count=len(box.unread()))
    except (PostboxError, InputError) as error:
        yield _CANNOT(why=error)
