"""Pictures as the mail shows them: address, kind, size, and what is left where they are off (H7, A15)."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from lxml.html import HtmlElement

from newsletter.check.look import style
from newsletter.check.rule import Found, found, rule
from newsletter.check.rules.addresses import is_loopback
from newsletter.check.rules.links import split
from newsletter.check.subject import Page, Subject
from newsletter.compose.contrast import contrast
from newsletter.issue import Picture

_WORDS_A_PICTURE = 10
_READABLE = 4.5


def images(page: Page) -> Iterator[HtmlElement]:
    """The pictures of both views, each once."""
    seen = set()
    for view in page.views:
        for image in view.iter("img"):
            key = tuple(sorted(image.attrib.items()))
            if key not in seen:
                seen.add(key)
                yield image


def _path(image: HtmlElement) -> PurePosixPath:
    """The path of its address, empty where that is none."""
    parts = split(image.get("src", ""))
    return PurePosixPath(parts.path if parts is not None else "")


@rule(
    "H7-no-address",
    "error",
    "a picture has no address; readers see an empty frame",
    "give the picture an https address, or take it out",
    "HTML Living Standard, 4.8.3",
    Page,
)
def no_address(page: Page) -> Iterator[Found]:
    """An empty ``src`` makes some programs load the mail itself as a picture."""
    for image in images(page):
        if not image.get("src", "").strip():
            yield found(page.place(image))


@rule(
    "H7-not-https",
    "error",
    "mail programs cannot load the picture “{address}”; its address must begin with https://",
    "put the picture into the issue's folder, or write its whole https address",
    "caniemail; mixed content",
    Page,
)
def not_https(page: Page) -> Iterator[Found]:
    """``cid:`` names a picture inside the message, http on loopback is a rehearsal."""
    for image in images(page):
        address = image.get("src", "").strip()
        kind = address.partition(":")[0].lower()
        if address and kind not in ("https", "cid", "data", "file") and not is_loopback(address):
            yield found(page.place(image), address=address[:80])


@rule(
    "H7-unknown-kind",
    "error",
    "many mail programs do not show pictures of the kind “{kind}”",
    "save the picture as JPEG or PNG",
    "caniemail: WebP, SVG",
    Page,
)
def unknown_kind(page: Page) -> Iterator[Found]:
    """By the ending of its name: nothing is fetched."""
    for image in images(page):
        kind = _path(image).suffix.lower()
        if kind in (".webp", ".svg", ".avif", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".pdf"):
            yield found(page.place(image), kind=kind.removeprefix("."))


@rule(
    "H7-no-width",
    "error",
    "the picture “{alt}” does not say how wide it is; Outlook on Windows shows it as large as its file",
    "give it a width in whole pixels",
    "caniemail: width",
    Page,
)
def no_width(page: Page) -> Iterator[Found]:
    """The Word engine reads the attribute alone."""
    for image in images(page):
        if not re.fullmatch(r"[1-9]\d*", image.get("width", "")):
            yield found(page.place(image), alt=name_of(image))


@rule(
    "H7-loose-picture",
    "error",
    "the picture “{alt}” lacks {what}; some programs distort it or leave a gap below it",
    "write it into the picture's tag; mj-image does so by itself",
    "caniemail: height; Outlook.com, Gmail",
    Page,
)
def loose_picture(page: Page) -> Iterator[Found]:
    """A height that follows the width, and a place of its own; a picture in the midst of words is a letter."""
    for image in images(page):
        around = next(image.iterancestors("td", "p", "div", "li"), None)
        alone = around is None or not around.text_content().strip()
        if "height" not in style(image) and not image.get("height"):
            yield found(page.place(image), alt=name_of(image), what="height: auto")
        if alone and style(image).get("display") != "block":
            yield found(page.place(image), alt=name_of(image), what="display: block")


def name_of(image: HtmlElement) -> str:
    """Its description, else the name of its file."""
    return image.get("alt") or _path(image).name


@rule(
    "A15-text-on-picture",
    "warning",
    "“{words}” stands on a background picture without a colour of its own; with pictures off it is hard to see",
    "give the section a background colour as well",
    "caniemail: background-image",
    Page,
)
def text_on_picture(page: Page) -> Iterator[Found]:
    """Outlook and Thunderbird load no pictures until they are told to; Outlook on Windows never loads this kind."""
    for seen in page.texts:
        for text in seen:
            if text.look.bare and contrast(text.look.colour, text.look.ground) < _READABLE:
                yield found(page.place(text.element), words=" ".join(text.words.split())[:40])


@rule(
    "A15-nearly-only-pictures",
    "warning",
    "the issue has {pictures} pictures and only {words} words; with pictures off little is left of it",
    "say in words what the pictures tell",
    "WCAG 2.2 SC 1.1.1; SpamAssassin HTML_IMAGE_ONLY",
    Subject,
)
def nearly_only_pictures(subject: Subject) -> Iterator[Found]:
    """A flyer as a picture: nobody can search, enlarge or hear it. Captions count as words, descriptions do not."""
    values = subject.issue.content.walk()
    pictures = sum(isinstance(value, Picture) and not value.decorative for _, value in values)
    own = [
        passage for passage in subject.origin.passages if passage.loc[0] == "blocks" and passage.loc[-1] not in ("alt", "credit")
    ]
    words = sum(len(passage.text.split()) for passage in own)
    if pictures > 1 and words < _WORDS_A_PICTURE * pictures:
        yield found(subject.origin.key("blocks"), pictures=pictures, words=words)
