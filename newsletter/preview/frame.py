"""A message becomes what stands in the frame: pictures from here, links in new tabs, a mark at each place of the file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml.html import HtmlElement, tostring

from newsletter.audience.recipient import Recipient
from newsletter.check.origin import Place
from newsletter.compose.compile import picture_address
from newsletter.preview.bench import Proof
from newsletter.preview.lenses import add_style, seen
from newsletter.preview.look import Look

_BLOCK = re.compile(r"blocks\[\d+\]")
_MARKED = ":target{outline:3px solid #c2410c !important;outline-offset:3px;scroll-margin:96px}"


@dataclass(frozen=True)
class Framed:
    """The HTML for the frame, and the id of the element that says what stands at a place."""

    html: str
    marks: Mapping[Place, str]

    def mark(self, place: Place) -> str | None:
        """The id of the element that shows a place, else of the first one of its block; None where it is not to be seen."""
        if place in self.marks:
            return self.marks[place]
        near = [(at, name) for at, name in self.marks.items() if at.path == place.path]
        same_line = next((name for at, name in near if at.line == place.line), None)
        block = _BLOCK.match(place.where)
        if same_line or not block:
            return same_line
        return next((name for at, name in near if at.where.startswith(block[0])), None)


def framed(proof: Proof, person: Recipient, look: Look, pictures: str, example: str) -> Framed:
    """The mail of a person as ``look`` has it. ``pictures`` is the address before a picture's name, ``example`` the page in place
    of those that the mail's own links lead to. Raises :class:`~newsletter.problem.InputError` where there is no mail.
    """
    page = proof.page(person)
    document = seen(page.html, look)
    marks: dict[Place, str] = {}
    files = {str(proof.issue.source.name), str(proof.issue.publication_source.name)}
    for element in document.iter():
        if _speaks(element):
            place = page.place(element)
            if place.path in files and place not in marks:
                marks[place] = _id(element, f"place-{len(marks)}")
    _lead(document, proof.links.public_url, example)
    add_style(document, _MARKED)
    html = "<!DOCTYPE html>\n" + str(tostring(document, encoding="unicode"))
    address = picture_address(proof.issue.publication, proof.links.picture_url)
    for picture in proof.edition.pictures:
        html = html.replace(address(picture.name), pictures + picture.name)
    return Framed(html, marks)


def _speaks(element: HtmlElement) -> bool:
    """Whether the element itself says or shows something, not only what is in it."""
    if not isinstance(element.tag, str) or element.tag in ("style", "title", "html", "body", "head", "script"):
        return False
    own = (element.text, *(child.tail for child in element))
    return element.tag in ("img", "a") or any(text and text.strip() for text in own)


def _id(element: HtmlElement, name: str) -> str:
    if not element.get("id"):
        element.set("id", name)
    return str(element.get("id"))


def _lead(document: HtmlElement, own: str, example: str) -> None:
    """A link opens in a tab of its own; those to our own pages lead to no delivery, so an example says what comes there."""
    for link in document.iter("a"):
        address = link.get("href", "")
        if address.startswith(f"{own}/"):
            link.set("href", example)
        if not address.startswith("#"):
            link.set("target", "_blank")
            link.set("rel", "noreferrer noopener")
