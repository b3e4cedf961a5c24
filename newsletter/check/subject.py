"""What rules look at: an issue with its edition, each message that was made of it, and the page that a message shows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import TYPE_CHECKING

from lxml.html import HtmlElement, document_fromstring

from newsletter.audience.recipient import Recipient
from newsletter.check.look import Looks, Text, looks, style, texts
from newsletter.check.origin import Origin, Place
from newsletter.compose.edition import Edition
from newsletter.issue import Issue
from newsletter.issue.blocks import OwnBlock
from newsletter.issue.variant import shown_in
from newsletter.message import MessageTemplate
from newsletter.settings import Settings

__all__ = ["Message", "Online", "Page", "Place", "Subject", "Visit", "outlook_view", "style"]

if TYPE_CHECKING:
    from newsletter.check.people import People

_HIDDEN_FROM_OUTLOOK = re.compile(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", re.DOTALL)
_FOR_OUTLOOK = re.compile(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)


@dataclass(frozen=True)
class Subject:
    """An issue and the edition that was compiled of it, for rules that need no message. ``people`` is the list, where one is."""

    issue: Issue
    edition: Edition
    settings: Settings
    people: "People | None" = None

    @cached_property
    def origin(self) -> Origin:
        """Says where in the files something comes from."""
        return Origin(self.issue, self.edition.sources)


@dataclass(frozen=True)
class Message:
    """The real bytes that one recipient gets, and the template that they were made by."""

    subject: Subject
    recipient: Recipient
    raw: bytes
    template: MessageTemplate = field(repr=False)

    @cached_property
    def parsed(self) -> EmailMessage:
        """The message as the standard library reads it."""
        return message_from_bytes(self.raw, policy=policy.default)

    @cached_property
    def page(self) -> "Page":
        """Its HTML and text parts, decoded."""
        return Page(self, self._body("html"), self._body("plain"))

    def _body(self, kind: str) -> str:
        part = self.parsed.get_body((kind,))
        return "" if part is None else str(part.get_content())


@dataclass(frozen=True)
class Page:
    """The two bodies of a message: ``html`` and ``text``. The DOM is shared by all rules and must not be changed."""

    message: Message
    html: str = field(repr=False)
    text: str = field(repr=False)

    @property
    def subject(self) -> Subject:
        """What it was made of."""
        return self.message.subject

    @property
    def origin(self) -> Origin:
        """Says where in the files something comes from."""
        return self.subject.origin

    @cached_property
    def blocks(self) -> list[tuple[int, OwnBlock]]:
        """The issue's blocks that this recipient gets, each with its position."""
        blocks = self.subject.issue.content.blocks
        variant = self.subject.edition.choice(self.message.recipient.fields)
        return [(number, blocks[number]) for number in (range(len(blocks)) if variant is None else shown_in(blocks, variant))]

    @cached_property
    def modern(self) -> HtmlElement:
        """The HTML as all clients but Outlook on Windows read it."""
        return document_fromstring(self.html or "<p></p>")

    @cached_property
    def outlook(self) -> HtmlElement:
        """The HTML as Outlook's Word engine reads it: its conditional comments unfolded."""
        return document_fromstring(outlook_view(self.html) or "<p></p>")

    @property
    def views(self) -> tuple[HtmlElement, HtmlElement]:
        """Both of them."""
        return self.modern, self.outlook

    @cached_property
    def looks(self) -> tuple[Looks, Looks]:
        """How the elements of both look."""
        return looks(self.modern), looks(self.outlook)

    @cached_property
    def texts(self) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
        """The texts that readers of both see."""
        modern, outlook = (tuple(texts(known)) for known in self.looks)
        return modern, outlook

    def place(self, element: HtmlElement) -> Place:
        """Where the words, the link or the picture of an element come from; else the layout."""
        return next(filter(None, self._places(element)), self.origin.layout())

    def _places(self, element: HtmlElement) -> Iterator[Place | None]:
        if element.tag == "img":
            yield self.origin.picture(element.get("src", ""))
        for link in (element, *element.iterancestors("a")):
            if link.tag == "a" and link.get("href"):
                yield self.origin.address(link.get("href", ""), link.text_content())
        yield self.origin.text(" ".join(element.itertext()) if element.tag == "table" else str(element.text_content()))
        for image in element.iter("img"):
            yield self.origin.picture(image.get("src", ""))


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of asking for an address: a ``status`` and media type, or an ``error``. ``private``: it was not asked at all."""

    status: int | None = None
    media_type: str = ""
    error: str | None = None
    private: bool = False


@dataclass(frozen=True)
class Online:
    """A page with what the web said of its links and pictures (``--online``)."""

    page: Page
    answers: Mapping[str, Visit]

    def may_ask(self, address: str) -> bool:
        """Whether the address was asked for: a web address, and none of our own (S9)."""
        return address in self.answers


def outlook_view(html: str) -> str:
    """What Outlook's Word engine reads: its conditional comments unfolded, what is hidden from it left out."""
    return _FOR_OUTLOOK.sub(r"\1", _HIDDEN_FROM_OUTLOOK.sub("", html))
