"""A delivery becomes the message for its recipient, ready for the wire."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from newsletter.compose.edition import MissingValue
from newsletter.delivery.ledger import Claimed
from newsletter.delivery.mail import Mail
from newsletter.delivery.replies import Outcome
from newsletter.message.headers import HeaderError
from newsletter.message.message_id import message_id
from newsletter.message.own_links import OwnLinks
from newsletter.message.stuffed import Stuffed
from newsletter.store.campaigns import Campaign


class Template(Protocol):
    """What makes the messages of an edition: :class:`newsletter.message.MessageTemplate`."""

    def of(self, variant: str | None) -> "Template":
        """The template of a variant of the edition."""

    def build_stuffed(self, *, to: str, values: Mapping[str, str], message_id: str, date: dt.datetime) -> Stuffed:
        """The whole message as it follows DATA. Raises :class:`MissingValue` and :class:`HeaderError`."""


@dataclass(slots=True, eq=False)
class Letter(Mail):
    """The mail of one delivery."""

    claimed: Claimed


@dataclass(frozen=True, slots=True)
class Letters:
    """Makes the messages of one campaign."""

    campaign: Campaign
    sender: str
    links: OwnLinks
    template: Template

    def write(self, claimed: Claimed) -> Letter | Outcome:
        """The message for one recipient; where it cannot be made, what is wrong."""
        values = {**claimed.fields, **self.links.values(self.campaign.id, claimed.id, claimed.mark)}
        domain = self.sender.rpartition("@")[2]
        try:
            message = self.template.of(claimed.variant).build_stuffed(
                to=claimed.address,
                values=values,
                message_id=message_id(self.campaign.key, claimed.id, domain),
                date=_this_second(int(time.time())),
            )
        except MissingValue as error:
            return Outcome("own", "reply", reply=f"{error}; fill it in the list, or give the field a default in the issue")
        except HeaderError as error:
            return Outcome("own", "reply", reply=f"the message cannot be made: {error}")
        return Letter(self.sender, claimed.address, message, claimed)


@lru_cache(maxsize=1)
def _this_second(second: int) -> dt.datetime:
    """A moment in local time; most messages of a campaign share it with the one before."""
    return dt.datetime.fromtimestamp(second, dt.UTC).astimezone()
