"""A mailbox, wherever it is kept, becomes mails to be read; what was acted upon is marked as read, all else stays as it was."""

from newsletter.postbox.box import Mail, Postbox, PostboxError
from newsletter.postbox.reading import Unreadable, date_of, field, is_automatic, own_words, parse, sender_of, words_of
from newsletter.postbox.source import IMAP, open_box

__all__ = [
    "IMAP",
    "Mail",
    "Postbox",
    "PostboxError",
    "Unreadable",
    "date_of",
    "field",
    "is_automatic",
    "open_box",
    "own_words",
    "parse",
    "sender_of",
    "words_of",
]
