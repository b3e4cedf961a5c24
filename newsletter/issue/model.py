"""The issue and the publication as Pydantic models."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from newsletter.issue.address import Mailbox, Url
from newsletter.issue.blocks import Block, Model, PlainText
from newsletter.issue.dates import Day
from newsletter.issue.text import Line

_LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"
_LIST_LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LIST_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"


def _language(value: str) -> str:
    tag = value.strip()
    if not re.fullmatch(_LANGUAGE, tag):
        raise ValueError(f"{tag!r} is no language code; write e.g. de, en or de-AT")
    return tag


def _list_id(value: str) -> str:
    """RFC 2919 §2: list-label "." list-id-namespace, at most 255 octets; the angle brackets are not written here."""
    name = value.strip()
    if len(name) > 255 or not re.fullmatch(f"{_LIST_LABEL}\\.{_LIST_DOMAIN}", name):
        raise ValueError(f"{name!r} is no List-Id; write a name, a dot and your domain, e.g. newsletter.example.org")
    return name


Language = Annotated[str, AfterValidator(_language), WithJsonSchema({"type": "string", "pattern": f"^{_LANGUAGE}$"})]
ListId = Annotated[str, AfterValidator(_list_id)]


class Sender(Model):
    """Whom the mail comes from."""

    noun = "the sender"

    name: PlainText | None = Field(None, description="the From name; the publication's name where it is missing")
    email: Mailbox = Field(description="the From address")
    reply_to: Mailbox | None = Field(None, description="where answers go; to the From address where it is missing")


class Imprint(Model):
    """Who answers for the publication (§5 DDG, §18 MStV; L13)."""

    noun = "the imprint"

    organisation: PlainText = Field(description="the organisation that publishes, with its full name")
    department: PlainText | None = Field(None, description="the department in charge")
    street: PlainText = Field(description="street and number")
    postal_code: PlainText = Field(description="as it stands on letters", json_schema_extra={"type": ["string", "number"]})
    city: PlainText = Field(description="the town")
    country: PlainText | None = Field(None, description="the country")
    email: Mailbox = Field(description="where readers can write to")
    phone: PlainText | None = Field(None, description="where readers can call")
    website: Url | None = Field(None, description="the organisation's site")
    responsible: PlainText | None = Field(None, description="the person responsible for the content, with address (§18 MStV)")


class Publication(Model):
    """The newsletter as such: ``issues/publication.yaml``."""

    noun = "the publication"

    name: PlainText = Field(description="the masthead")
    tagline: PlainText | None = Field(None, description="the line under the masthead")
    language: Language = Field(description="of the issues, where they do not say another: de, en …")
    layout: PlainText = Field("region", description="the look of the issues, where they do not say another")
    sender: Sender = Field(description="whom the mail comes from")
    list_id: ListId | None = Field(None, description="newsletter.<sender domain> where it is missing (RFC 2919)")
    homepage: Url | None = Field(None, description="where a click on the masthead leads")
    imprint: Imprint = Field(description="who answers for the publication")
    privacy_url: Url | None = Field(None, description="the privacy notice")
    accessibility_url: Url | None = Field(None, description="the accessibility statement")

    @property
    def own_list_id(self) -> str:
        """The List-Id: as given, else ``newsletter.`` and the sender's domain."""
        return self.list_id or f"newsletter.{self.sender.email.rpartition('@')[2]}"


class IssueFile(Model):
    """One number of the publication, as staff write it: ``issues/<slug>/issue.yaml``."""

    noun = "an issue"

    title: PlainText = Field(description="the title, e.g. Digitale Region, Ausgabe 4")
    subject: Line = Field(description="the subject that inboxes show")
    preheader: Line | None = Field(None, description="the line that inboxes show behind the subject, 40 to 100 characters")
    date: Day = Field(description="the day of publication, e.g. 2026-12-01; shown as month and year")
    language: Language | None = Field(None, description="the publication's where it is missing")
    layout: PlainText | None = Field(None, description="the publication's where it is missing")
    blocks: list[Block] = Field(min_length=1, description="what the issue is made of, from top to bottom")
