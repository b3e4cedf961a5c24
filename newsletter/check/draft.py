"""An issue of the workspace becomes an edition, and the mail of one person, to be looked at before anything is sent."""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from newsletter.audience.address import normalise
from newsletter.audience.csv_list import open_list
from newsletter.audience.recipient import People, Recipient, Refused
from newsletter.check.fields import check_fields
from newsletter.check.sampling import SAMPLE_ADDRESS, link_values
from newsletter.check.variants import demand_content
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import Edition, MissingValue
from newsletter.issue import Issue, load_issue
from newsletter.issue.model import PicturesElsewhere
from newsletter.issue.variant import Choice, in_words
from newsletter.links import Links
from newsletter.message import HeaderError, MessageTemplate, message_id
from newsletter.problem import complaint
from newsletter.settings import Workspace

#: Where the links of a draft lead while there is no public address: nowhere but here.
DRAFT_URL = "http://127.0.0.1:8025"


def draft_links(workspace: Workspace, issue: Issue) -> Links:
    """The links of a draft: with the address and the key of the settings, where they are set; they lead to no delivery."""
    settings = workspace.settings
    key = settings.secret_key.get_secret_value().encode() if settings.secret_key else secrets.token_bytes(32)
    return Links(settings.public_url or DRAFT_URL, key, issue.publication.own_list_id)


def sample_values(edition: Edition, links: Links, slug: str, key: str) -> dict[str, str]:
    """Values for every slot: the links lead to no delivery, a merge field without default shows its name."""
    fields = {slot.name: f"[{slot.name}]" for slot in edition.fields if slot.default is None}
    return fields | link_values(edition, links, slug, key)


class Draft:
    """An issue compiled for one person to look at: its links are examples that lead to no delivery.

    The person is the one of the list with this address, or its first; without a list a sample person. ``said`` are fields that
    count instead of the person's own. ``carries_pictures`` puts hosted pictures inside the message: ``serve`` gives them out only
    once there is a campaign. Raises :class:`InputError`.
    """

    def __init__(  # noqa: PLR0913 - what render and test are told
        self,
        workspace: Workspace,
        slug: str,
        to: Path | People | None = None,
        email: str | None = None,
        said: Mapping[str, str] = MappingProxyType({}),
        *,
        carries_pictures: bool = False,
    ) -> None:
        issue = load_issue(workspace, slug)
        if carries_pictures and issue.publication.pictures == "hosted":
            issue = replace(issue, publication=issue.publication.model_copy(update={"pictures": "inline"}))
        self.issue = issue
        self.links = draft_links(workspace, issue)
        self._choice = Choice(issue.conditions, issue.language)
        self.recipient = self._find(to, email, said)
        self.variant = self._choice(self.recipient.fields)
        demand_content(issue, self.variant, f"{self.recipient.address} gets")
        variants = [self.variant]
        if isinstance(issue.publication.pictures, PicturesElsewhere):  # what is written is uploaded: the pictures of every block
            variants.append("1" * len(issue.conditions) or None)
        self.whole: Edition = compile_issue(issue, workspace, self.links.picture_url, variants=variants)
        self.edition = self.whole.variant(self.variant)

    def _find(self, to: Path | People | None, address: str | None, said: Mapping[str, str]) -> Recipient:
        try:
            wanted = None if address is None else normalise(address)
        except ValueError as error:
            raise complaint(f"--email: the address {address!r} {error}") from None
        if to is None:
            return Recipient(*(wanted or normalise(SAMPLE_ADDRESS)), dict(said), 0)
        people = open_list(to) if isinstance(to, Path) else to
        for row in people:
            if not isinstance(row, Refused) and (wanted is None or wanted.key == row.key):
                found = row._replace(fields={**row.fields, **said})
                check_fields(self.issue, people.columns, people.path, [self._choice(found.fields)])
                return found
        raise complaint(f"has no recipient {address}; leave --email out for the first of the list", str(people.path))

    @property
    def what(self) -> str:
        """``it``, or what the person gets of it: ``it without “Für die Presse”``."""
        return "it" if self.variant is None else in_words(self.issue.content.blocks, self.variant)

    def values(self) -> dict[str, str]:
        """What the slots of this person hold; a field of a sample person that has no default shows its name."""
        key = self.recipient.key  # a person of a list: what is missing there is to be seen
        values = link_values if self.recipient.line else sample_values
        sample = values(self.edition, self.links, self.issue.slug, key)
        return sample | dict(self.recipient.fields)  # a list can have no column of the links' names

    def mail(self) -> bytes:
        """The message of this person. Raises :class:`InputError` where it cannot be made."""
        try:
            template = MessageTemplate(self.whole).of(self.variant)
            number = message_id(self.whole.hash, 0, template.domain)
            date = dt.datetime.now().astimezone()
            return template.build(to=self.recipient.address, values=self.values(), message_id=number, date=date)
        except (MissingValue, HeaderError) as error:
            raise complaint(f"{self.recipient.address}: {error}") from None
