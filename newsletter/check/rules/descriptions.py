"""The descriptions of pictures, for those who do not see them (A5)."""

import re
from collections import defaultdict
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.check.rule import Found, found, rule
from newsletter.check.rules.pictures import images, name_of
from newsletter.check.subject import Page, Place, Subject
from newsletter.issue import Picture

_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|svg|heic|tiff?|bmp)|(?:IMG|DSCN?|DCIM|PXL|Screenshot)[\s_-]?\d[\w-]*", re.IGNORECASE
)
_POINTLESS = re.compile(
    r"(?:bild|foto|photo|grafik|image|picture|pic|logo|icon|symbol|symbolbild|symbolfoto|abbildung|abb|illustration|titelbild"
    r"|headerbild|header|banner|portr[aä]t|portrait|platzhalter|placeholder|unbenannt|untitled|screenshot|alt|alternativtext"
    r"|bildbeschreibung)[\s.:_-]*\d*\.?",
    re.IGNORECASE,
)
_LONGEST_ALT = 150


def _alt_place(page: Page, image: HtmlElement) -> Place:
    return page.origin.picture(image.get("src", ""), image.get("alt", "")) or page.place(image)


@rule(
    "A5-no-alt",
    "error",
    "the picture “{name}” has no words for those who do not see it",
    'write what it shows into alt, or alt="" where it shows nothing that matters',
    "WCAG 2.2 SC 1.1.1; EMC (critical)",
    Page,
)
def no_alt(page: Page) -> Iterator[Found]:
    """A screen reader reads the address out instead."""
    for image in images(page):
        if image.get("alt") is None:
            yield found(page.place(image), name=name_of(image))


@rule(
    "A5-linked-picture-says-nothing",
    "error",
    "a picture that is a link has no words; who does not see it cannot tell where the link leads",
    "write into alt where the link leads",
    "WCAG 2.2 SC 1.1.1, 2.4.4",
    Page,
)
def linked_picture_says_nothing(page: Page) -> Iterator[Found]:
    """Empty words are for pictures that do nothing."""
    for view in page.views:
        for link in view.iter("a"):
            pictures = list(link.iter("img"))
            said = [link.text_content(), *(image.get("alt", "") for image in pictures)]
            if link.get("href") and pictures and not "".join(said).strip():
                yield found(page.place(pictures[0]))


@rule(
    "A5-alt-is-file-name",
    "warning",
    "the description “{alt}” is the name of a file",
    "say in a few words what the picture shows",
    "WCAG 2.2 SC 1.1.1, failure F30",
    Page,
)
def alt_is_file_name(page: Page) -> Iterator[Found]:
    """What the camera or the picture archive calls it."""
    for image in images(page):
        alt = image.get("alt", "").strip()
        if _FILE_NAME.fullmatch(alt) or ("_" in alt and " " not in alt):
            yield found(_alt_place(page, image), alt=alt)


@rule(
    "A5-alt-says-nothing",
    "warning",
    "the description “{alt}” does not say what the picture shows",
    "say in a few words what the picture shows",
    "WCAG 2.2 SC 1.1.1, failure F30",
    Page,
)
def alt_says_nothing(page: Page) -> Iterator[Found]:
    """That it is a picture the screen reader says by itself."""
    for image in images(page):
        if _POINTLESS.fullmatch(image.get("alt", "").strip()):
            yield found(_alt_place(page, image), alt=image.get("alt", ""))


@rule(
    "A5-alt-too-long",
    "warning",
    "the description of a picture has {length} characters (“{alt} …”); screen readers read it out without a pause",
    "shorten it to 150 characters, and write the rest into the caption or the text",
    "WCAG 2.2 SC 1.1.1, technique G95",
    Page,
)
def alt_too_long(page: Page) -> Iterator[Found]:
    """There is no way to stop in it or to go back a word."""
    for image in images(page):
        alt = image.get("alt", "")
        if len(alt) > _LONGEST_ALT:
            yield found(_alt_place(page, image), length=len(alt), alt=alt[:40].strip())


@rule(
    "A5-alt-names-the-medium",
    "info",
    "the description “{alt}” begins with “{start}”, which screen readers say by themselves",
    "begin with what the picture shows",
    "WCAG 2.2 SC 1.1.1",
    Page,
)
def alt_names_the_medium(page: Page) -> Iterator[Found]:
    """ "Graphic: Picture of a ferry"."""
    for image in images(page):
        alt = image.get("alt", "").strip()
        start = re.match(
            r"(?:(?:ein|das|a|an|the) )?(?:bild|foto|grafik|image|picture|photo) (?:von|vom|der|des|zeigt|of|showing)\b",
            alt,
            re.IGNORECASE,
        )
        if start:
            yield found(_alt_place(page, image), alt=alt[:60], start=start[0])


@rule(
    "A5-same-alt",
    "warning",
    "{count} different pictures have the same description, “{alt}”",
    "say what distinguishes them",
    "WCAG 2.2 SC 1.1.1",
    Page,
)
def same_alt(page: Page) -> Iterator[Found]:
    """The same picture may be shown twice, at two sizes."""
    sources = page.subject.edition.sources
    files: dict[str, dict[str, HtmlElement]] = defaultdict(dict)
    for image in images(page):
        if alt := " ".join(image.get("alt", "").casefold().split()):
            address = image.get("src", "")
            files[alt].setdefault(sources.get(address.partition("@")[0].rpartition("/")[2].removeprefix("cid:"), address), image)
    for shown in files.values():
        if len(shown) > 1:
            last = list(shown.values())[-1]
            yield found(page.place(last), count=len(shown), alt=last.get("alt", ""))


@rule(
    "A5-alt-is-caption",
    "warning",
    "the description of the picture says the same as its caption: “{alt}”",
    "describe in alt what the picture shows; the caption is read out anyway",
    "WCAG 2.2 SC 1.1.1",
    Subject,
)
def alt_is_caption(subject: Subject) -> Iterator[Found]:
    """Who listens hears it twice, and learns nothing of the picture."""
    for loc, value in subject.issue.content.walk():
        if isinstance(value, Picture) and value.alt is not None and value.caption is not None:
            alt, caption = (re.findall(r"\w+", line.sample().lower()) for line in (value.alt, value.caption))
            if alt == caption:
                yield found(subject.origin.key(*loc, "alt"), alt=value.alt.sample())
