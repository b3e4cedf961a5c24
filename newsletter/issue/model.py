"""The issue and the publication as Pydantic models."""

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from newsletter.issue.address import Mailbox, Url, check_url
from newsletter.issue.blocks import Block
from newsletter.issue.dates import Day
from newsletter.issue.language_tag import Language
from newsletter.issue.mail_programs import GERMAN, Client
from newsletter.issue.only import tags_in
from newsletter.issue.parts import MisfitError, Model, PlainText
from newsletter.issue.retention import Retention
from newsletter.issue.sending import SendingRules
from newsletter.issue.text import Line, plain_text

_LIST_LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LIST_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"


def _list_id(value: str) -> str:
    """RFC 2919 §2: list-label "." list-id-namespace, at most 255 octets; the angle brackets are not written here."""
    name = value.strip()
    if len(name) > 255 or not re.fullmatch(f"{_LIST_LABEL}\\.{_LIST_DOMAIN}", name):
        raise ValueError(f"{name!r} is no List-Id; write a name, a dot and your domain, e.g. newsletter.example.org")
    return name


def _base_url(value: str) -> str:
    url = check_url(value)
    if not url.startswith(("https:", "http:")):
        raise ValueError("must be an https address, such as https://www.example.org/newsletter/pictures")
    if "?" in url or "#" in url:
        raise ValueError("a ? or # cannot stand in it, for the names of the pictures come behind it; leave out what follows")
    return url.rstrip("/")


ListId = Annotated[str, AfterValidator(_list_id)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]


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


def _timezone(value: str) -> str:
    name = value.strip()
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError(f"{name!r} is no time zone; write e.g. Europe/Berlin or Europe/Vienna") from None


TimeZone = Annotated[str, AfterValidator(_timezone)]


class PicturesElsewhere(Model):
    """Pictures on a server of the publication's own."""

    noun = "pictures"

    base_url: BaseUrl = Field(description="the https address of the folder that the pictures are uploaded to")


def _pictures(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """One message in place of one for each thing that the value might have been."""
    if isinstance(value, str) and value.strip() in ("hosted", "inline"):
        return value.strip()
    if isinstance(value, dict):
        return PicturesElsewhere.model_validate(value)
    if isinstance(value, PicturesElsewhere):
        return handler(value)
    raise ValueError("must be hosted (on the newsletter's own server), inline (inside each mail), or {base_url: https://…}")


def _links(value: Any) -> Any:
    if value in ("served", "static"):
        return value
    raise ValueError("must be served (newsletter serve runs) or static (it does not: pages are published, leaving is by mail)")


LinksTo = Annotated[Literal["served", "static"], BeforeValidator(_links)]
Pictures = Annotated[Literal["hosted", "inline"] | PicturesElsewhere, WrapValidator(_pictures)]


class Lowered(Model):
    """A rule of ``newsletter check`` that this publication takes less seriously."""

    noun = "a lowered rule"

    severity: Literal["warning", "info", "off"] = Field(description="what a finding is to be instead: warning, info or off")
    reason: PlainText = Field(description="why; it is printed with every finding")


def _logo_width(value: Any) -> int:
    try:
        pixels = int(str(value))
    except ValueError:
        pixels = 0
    if not 24 <= pixels <= 536:
        raise ValueError("must be a whole number of pixels, 24 to 536")
    return pixels


def _topics(value: dict[str, str]) -> dict[str, str]:
    """Each key is a tag as in ``only: {tag: …}``; two must not be the same tag in another spelling."""
    seen: set[str] = set()
    for key in value:
        tags = tags_in(key)
        if len(tags) != 1 or key != plain_text(key):
            raise ValueError(f"{key!r} is no tag; write one word, as in only: {{tag: …}}, and behind it what readers see")
        if tags & seen:
            raise ValueError(f"{key!r} stands there twice; case and blanks do not tell tags apart")
        seen |= tags
    return value


Topics = Annotated[dict[str, PlainText], AfterValidator(_topics)]
LogoWidth = Annotated[int, BeforeValidator(_logo_width), WithJsonSchema({"type": "integer", "minimum": 24, "maximum": 536})]


class Logo(Model):
    """The sign at the head of every mail."""

    noun = "a logo"

    src: PlainText = Field(description="the file (PNG, JPEG or GIF), relative to the file that names it")
    alt: PlainText = Field(description="whose sign it is: the name that stands for it where pictures are off (A5)")
    width: LogoWidth = Field(120, description="how wide it is shown, in pixels")


class Timetable(Model):
    """What of the publication says when and how fast it sends."""

    noun = "the publication"

    timezone: TimeZone = Field("Europe/Berlin", description="whose clock counts")
    sending: SendingRules = Field(SendingRules(), description="when and how fast issues are sent")


class Publicity(Model):
    """What of an issue says whether it is public."""

    noun = "an issue"

    public: bool | None = None


class Kept(Model):
    """What of the publication says how long things are kept."""

    noun = "the publication"

    retention: Retention = Field(Retention(), description="how long what is known of people is kept")


class Publication(Model):
    """The newsletter as such: ``issues/publication.yaml``."""

    noun = "the publication"

    name: PlainText = Field(description="the masthead")
    tagline: PlainText | None = Field(None, description="the line under the masthead")
    language: Language = Field(description="of the issues, where they do not say another: de, en …")
    layout: PlainText = Field("region", description="the look of the issues, where they do not say another")
    sender: Sender = Field(description="whom the mail comes from")
    unsubscribe_email: Mailbox | None = Field(None, description="the mailbox for mails of those who leave")
    links: LinksTo = Field("served", description="static where no newsletter serve runs: pages are published, leaving is by mail")
    list_id: ListId | None = Field(None, description="newsletter.<sender domain> where it is missing (RFC 2919)")
    homepage: Url | None = Field(None, description="where a click on the masthead leads")
    logo: Logo | None = Field(None, description="the sign at the head of every mail; the layout's own where it is missing")
    pictures: Pictures = Field("hosted", description="where mail programs find the pictures: hosted, inline or a base_url")
    typography: bool = Field(True, description="false leaves quotation marks, dashes and blanks as they were typed")
    timezone: TimeZone = Field("Europe/Berlin", description="whose clock counts, e.g. Europe/Berlin")
    sending: SendingRules = Field(SendingRules(), description="when and how fast issues are sent")
    retention: Retention = Field(Retention(), description="how long what is known of people is kept")
    imprint: Imprint = Field(description="who answers for the publication")
    privacy_url: Url | None = Field(None, description="the privacy notice")
    accessibility_url: Url | None = Field(None, description="the accessibility statement")
    checks: dict[str, Lowered] = Field({}, description="rules of newsletter check to be taken less seriously, each with a reason")

    languages: list[Language] = Field([], description="languages that subscribers choose from; none where there is one version")
    topics: Topics = Field({}, description="what subscribers choose from: a tag, as in only, and the words that they see")
    clients: list[Client] = Field(
        list(GERMAN), min_length=1, description="mail programs to check for; without it those of Germany"
    )

    archive: bool = Field(True, description="whether issues are public once they are sent: page, archive and feed")

    @property
    def own_list_id(self) -> str:
        """The List-Id: as given, else ``newsletter.`` and the sender's domain."""
        return self.list_id or f"newsletter.{self.sender.email.rpartition('@')[2]}"

    @model_validator(mode="after")
    def _way_out(self) -> "Publication":
        if self.links == "static" and self.unsubscribe_email is None:  # L7
            advice = "write the mailbox that takes the mails of those who leave, such as leave@example.org"
            raise MisfitError("links", f"static needs the key unsubscribe_email beside it; {advice}")
        return self


class Attachment(Model):
    """A file that each mail carries."""

    noun = "an attachment"

    file: PlainText = Field(description="the file, relative to the issue file: PDF, calendar, text or office document, JPEG, PNG")
    title: PlainText | None = Field(None, description="the name that readers see, without ending; the file's own where missing")


class IssueFile(Model):
    """One number of the publication, as staff write it: ``issues/<slug>/issue.yaml``."""

    noun = "an issue"

    title: PlainText = Field(description="the title, e.g. Digitale Region, Ausgabe 4")
    subject: Line = Field(description="the subject that inboxes show")
    preheader: Line | None = Field(None, description="the line that inboxes show behind the subject, 40 to 100 characters")
    date: Day = Field(description="the day of publication, e.g. 2026-12-01; shown as month and year")
    language: Language | None = Field(None, description="the publication's where it is missing")
    layout: PlainText | None = Field(None, description="the publication's where it is missing")
    typography: bool | None = Field(None, description="the publication's where it is missing; false leaves all as it was typed")
    public: bool | None = Field(None, description="whether it has a public page; as archive in publication.yaml where missing")
    attachments: list[Attachment] = Field([], description="files that each mail carries; a link to a web page is mostly better")
    blocks: list[Block] = Field(min_length=1, description="what the issue is made of, from top to bottom")
