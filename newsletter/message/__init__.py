"""Edition + recipient -> bytes on the wire: MIME splicing and headers."""

from newsletter.message.address import needs_smtputf8, wire_address
from newsletter.message.headers import HeaderError
from newsletter.message.message_id import message_id
from newsletter.message.own_links import OwnLinks
from newsletter.message.template import MessageTemplate

__all__ = ["HeaderError", "MessageTemplate", "OwnLinks", "message_id", "needs_smtputf8", "wire_address"]
