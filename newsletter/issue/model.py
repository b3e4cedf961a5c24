"""The issue and the publication as Pydantic models."""

import datetime as dt
from typing import Annotated

from pydantic import Field, StringConstraints

from newsletter.issue.address import Mailbox, Url
from newsletter.issue.blocks import Block, Model, PlainText
from newsletter.issue.text import Line

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Sender(Model):
    """Whom the mail comes from."""

    name: PlainText | None = Field(None, description="the From name; the publication's name where it is missing")
    email: Mailbox
    reply_to: Mailbox | None = None


class Imprint(Model):
    """Who answers for the publication (§5 DDG, §18 MStV; L13)."""

    organisation: PlainText
    department: PlainText | None = None
    street: PlainText
    postal_code: PlainText
    city: PlainText
    country: PlainText | None = None
    email: Mailbox
    phone: PlainText | None = None
    website: Url | None = None
    responsible: PlainText | None = Field(None, description="the person responsible for the content, with address (§18 MStV)")


class Publication(Model):
    """The newsletter as such: ``issues/publication.yaml``."""

    name: PlainText
    tagline: PlainText | None = None
    language: Language
    layout: PlainText = "region"
    sender: Sender
    list_id: PlainText | None = Field(None, description="newsletter.<sender domain> where it is missing (RFC 2919)")
    homepage: Url | None = None
    imprint: Imprint
    privacy_url: Url | None = None
    accessibility_url: Url | None = None


class IssueFile(Model):
    """One number of the publication, as staff write it: ``issues/<slug>/issue.yaml``."""

    title: PlainText
    subject: Line
    preheader: Line | None = Field(None, description="the line that inboxes show behind the subject, 40 to 100 characters")
    date: dt.date
    language: Language | None = None
    layout: PlainText | None = None
    blocks: list[Block] = Field(min_length=1)
