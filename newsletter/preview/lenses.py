"""A mail's HTML becomes what is left of it in other eyes: pictures off, styles stripped, Outlook on Windows, forced dark mode."""

import re
from collections.abc import Callable

from lxml.html import HtmlElement, document_fromstring

from newsletter.check.subject import outlook_view, style
from newsletter.preview.dark import DARK_CANVAS, force_dark
from newsletter.preview.look import Look

_MEDIA = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
#: What GMX and WEB.DE take away (standards.md 2.1): attributes, and declarations of styles.
_STRIPPED_ATTRIBUTES = ("lang", "role", "dir")
_STRIPPED = re.compile(r"border(-\w+)*-radius|object-fit|flex.*|grid.*")
#: What Word's engine does not know.
_UNKNOWN_TO_WORD = re.compile(r"border(-\w+)*-radius|background-image|object-fit|flex.*|grid.*|box-shadow|opacity|float|position")


def seen(html: str, look: Look) -> HtmlElement:
    """The document as the mail program of ``look`` shows it."""
    document = document_fromstring(outlook_view(html) if look.client == "outlook" else html)
    if look.client == "gmx":
        _strip(document)
    elif look.client == "outlook":
        _as_word(document)
    if look.pictures:
        _without_pictures(document)
    if look.dark:
        force_dark(document)
    add_style(document, DARK_CANVAS if look.dark else "", first=True)
    add_style(document, "html{color-scheme:only light}", first=True)  # else the reader's own dark mode would colour the paper
    return document


def add_style(document: HtmlElement, css: str, *, first: bool = False) -> None:
    """Put rules of our own into the head."""
    head = document.find("head")
    if head is None:
        head = document.makeelement("head")
        document.insert(0, head)
    if css:
        element = head.makeelement("style")
        element.text = css
        if first:
            head.insert(0, element)
        else:
            head.append(element)


def _strip(document: HtmlElement) -> None:
    """GMX, WEB.DE: no ``<style>``, no names for screen readers, no round corners, no ``!important``."""
    for element in list(document.iter("style")):
        element.drop_tree()
    for element in document.iter():
        if isinstance(element.tag, str):
            for name in [name for name in element.attrib if name in _STRIPPED_ATTRIBUTES or name.startswith("aria-")]:
                del element.attrib[name]
            _keep(element, lambda name, value: not _STRIPPED.fullmatch(name) and "!important" not in value)


def _as_word(document: HtmlElement) -> None:
    """Outlook on Windows, as far as a browser can show it: no media queries, ``max-width`` on tables alone."""
    for element in list(document.iter("xml", "noscript")):
        element.drop_tree()
    for element in document.iter():
        if element.tag == "style" and element.text:
            element.text = _MEDIA.sub("", element.text)
        elif isinstance(element.tag, str):
            _keep(element, _known_to_word if element.tag == "table" else _known_to_word_elsewhere)


def _known_to_word(name: str, _value: str) -> bool:
    return not _UNKNOWN_TO_WORD.fullmatch(name)


def _known_to_word_elsewhere(name: str, value: str) -> bool:
    return name != "max-width" and _known_to_word(name, value)


def _keep(element: HtmlElement, wanted: Callable[[str, str], bool]) -> None:
    written = style(element)
    kept = {name: value for name, value in written.items() if wanted(name, value)}
    if len(kept) != len(written):
        element.set("style", ";".join(f"{name}:{value}" for name, value in kept.items()))


def _without_pictures(document: HtmlElement) -> None:
    """Each picture becomes the box that mail programs draw in its place, with its alternative text."""
    for image in list(document.iter("img")):
        box = image.makeelement("span", {"class": "picture-off", "role": "img", "aria-label": image.get("alt") or ""})
        sizes = {name: image.get(name, "") for name in ("width", "height")}
        size = "".join(f"{name}:{value}px;" for name, value in sizes.items() if value.isdigit())
        kept = {name: value for name, value in style(image).items() if name not in ("display", "width", "height", "border")}
        own = ";".join(f"{name}:{value}" for name, value in kept.items())
        box.set("style", f"{own};{size}max-width:100%;display:inline-block;overflow:hidden")
        box.text = image.get("alt") or ""
        box.tail = image.tail
        parent = image.getparent()
        if parent is not None:
            parent.replace(image, box)
    for element in document.iter():
        if isinstance(element.tag, str):
            element.attrib.pop("background", None)
            _keep(element, lambda _, value: "url(" not in value)
    add_style(document, ".picture-off{outline:1px dashed #8a949e;outline-offset:-1px}")
