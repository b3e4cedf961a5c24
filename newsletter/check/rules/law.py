"""What the law asks of a newsletter: no tracking, an imprint, privacy and accessibility notices (L11, L13, L15, L16, L19)."""

import re
from collections.abc import Iterator, Set
from urllib.parse import parse_qsl, urlsplit

from newsletter.check.rule import Found, found, rule
from newsletter.check.rules.links import links
from newsletter.check.subject import Page, Subject, style
from newsletter.issue.parts import Picture

_TRACKING_KEY = re.compile(
    r"utm_\w+|mc_[ce]id|_hsenc|_hsmi|mkt_tok|fbclid|gclid|dclid|msclkid|vero_\w+|wt_mc|pk_\w+|mtm_\w+|oly_\w+_id"
)
#: Who counts clicks and forwards: the reader does not see where a link leads.
_REDIRECTORS = {
    "bit.ly",
    "tinyurl.com",
    "t.co",
    "goo.gl",
    "ow.ly",
    "buff.ly",
    "rebrand.ly",
    "is.gd",
    "lnkd.in",
    "t1p.de",
    "kurzelinks.de",
    "list-manage.com",
    "sendgrid.net",
    "ct.sendgrid.net",
    "click.mailchimp.com",
    "mailjet.com",
    "rdir.de",
    "rs6.net",
    "exct.net",
}
_POST_BOX = re.compile(r"\b(?:postfach|p\.?\s?o\.?\s?box|post office box)\b", re.IGNORECASE)
#: Of an imprint, what § 5 DDG asks for and readers look for.
_REQUIRED = ("organisation", "street", "postal_code", "city", "email")


def _host_is(host: str, known: Set[str]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in known)


@rule(
    "L11-tracking-pixel",
    "error",
    "the picture {src} is {width} by {height} pixels, as pictures that spy on readers are",
    "take it out; opening a mail must not be reported to anyone",
    "§ 25 TDDDG; EDPB guidelines 2/2023",
    Page,
)
def tracking_pixel(page: Page) -> Iterator[Found]:
    """A picture that nobody can see is there to be counted."""
    for image in page.modern.iter("img"):
        sizes = [image.get(name) or style(image).get(name, "").removesuffix("px") for name in ("width", "height")]
        if any(size.isdecimal() and int(size) <= 2 for size in sizes):
            yield found(page.place(image), src=image.get("src", ""), width=sizes[0] or "?", height=sizes[1] or "?")


@rule(
    "L11-tracking-parameter",
    "error",
    "the link to {host} carries {key}=, which tells that server from which mail the reader comes",
    "delete everything from the ? on, or the part with {key}",
    "§ 25 TDDDG; EDPB guidelines 2/2023",
    Page,
)
def tracking_parameter(page: Page) -> Iterator[Found]:
    """Copied addresses often bring such parameters along."""
    for link, address, _ in links(page):
        parts = urlsplit(address)
        for key, _value in parse_qsl(parts.query, keep_blank_values=True):
            if _TRACKING_KEY.fullmatch(key):
                yield found(page.place(link), host=parts.hostname or "", key=key)


@rule(
    "L11-redirect",
    "error",
    "the link to {host} goes through a service that counts clicks",
    "write the address where it leads in the end",
    "§ 25 TDDDG; EDPB guidelines 2/2023",
    Page,
)
def redirect(page: Page) -> Iterator[Found]:
    """The reader cannot see where it leads, and a third party learns of the click."""
    for link, address, _ in links(page):
        host = urlsplit(address).hostname or ""
        if _host_is(host, _REDIRECTORS):
            yield found(page.place(link), host=host)


@rule(
    "L13-imprint-incomplete",
    "error",
    "the mail does not say the imprint's {key}: {value}",
    "let the layout show the whole imprint, in both parts",
    "§ 5 DDG; § 18 MStV",
    Page,
)
def imprint_incomplete(page: Page) -> Iterator[Found]:
    """In the HTML part and in the text part."""
    imprint = page.subject.issue.publication.imprint
    shown = (" ".join(page.modern.text_content().split()), " ".join(page.text.split()))
    for key in _REQUIRED:
        value = getattr(imprint, key)
        if not all(" ".join(value.split()) in part for part in shown):
            yield found(page.origin.publication("imprint", key), key=key, value=value)


@rule(
    "L13-post-box",
    "error",
    "the imprint's address is a post-office box: {street}",
    "give street and number: papers must be able to be served there",
    "§ 5 DDG",
    Subject,
)
def post_box(subject: Subject) -> Iterator[Found]:
    """An address for service is where somebody can be met."""
    street = subject.issue.publication.imprint.street
    if _POST_BOX.search(street):
        yield found(subject.origin.publication("imprint", "street"), street=street)


@rule(
    "L13-no-phone",
    "warning",
    "the imprint has no telephone number",
    "add phone: to the imprint; it is the quick contact that the law asks for beside e-mail",
    "§ 5 (1) Nr. 2 DDG",
    Subject,
)
def no_phone(subject: Subject) -> Iterator[Found]:
    """Or another way to be answered within the hour."""
    if subject.issue.publication.imprint.phone is None:
        yield found(subject.origin.publication("imprint"))


@rule(
    "L13-nobody-responsible",
    "warning",
    "the imprint names nobody who is responsible for the content",
    "add responsible: with name and address",
    "§ 18 (2) MStV",
    Subject,
)
def nobody_responsible(subject: Subject) -> Iterator[Found]:
    """For editorial texts a person is to be named."""
    if subject.issue.publication.imprint.responsible is None:
        yield found(subject.origin.publication("imprint"))


@rule(
    "L15-no-privacy-notice",
    "warning",
    "the publication names no privacy notice",
    "add privacy_url: to publication.yaml",
    "Art. 13 DSGVO",
    Subject,
)
def no_privacy_notice(subject: Subject) -> Iterator[Found]:
    """Readers are to learn what becomes of their address."""
    if subject.issue.publication.privacy_url is None:
        yield found(subject.origin.publication("privacy_url"))


@rule(
    "L15-no-accessibility-statement",
    "warning",
    "the publication names no accessibility statement",
    "add accessibility_url: to publication.yaml",
    "BITV 2.0 § 7",
    Subject,
)
def no_accessibility_statement(subject: Subject) -> Iterator[Found]:
    """Public bodies owe it to readers."""
    if subject.issue.publication.accessibility_url is None:
        yield found(subject.origin.publication("accessibility_url"))


@rule(
    "L15-notice-not-linked",
    "error",
    "the mail does not link to {address}, which publication.yaml names as {key}",
    "let the layout link it beside the imprint",
    "Art. 13 DSGVO; BITV 2.0 § 7",
    Page,
)
def notice_not_linked(page: Page) -> Iterator[Found]:
    """A notice that nobody can reach is none."""
    linked = {address for _, address, _ in links(page)}
    for key in ("privacy_url", "accessibility_url"):
        address = getattr(page.subject.issue.publication, key)
        if address is not None and address not in linked:
            yield found(page.origin.publication(key), address=address, key=key)


@rule(
    "L16-no-credit",
    "info",
    "the picture {src} names nobody who made it",
    "add credit: with the name that the licence asks for",
    "§ 13 UrhG",
    Subject,
)
def no_credit(subject: Subject) -> Iterator[Found]:
    """The maker of a picture may ask to be named; decorations are left out."""
    for loc, value in subject.issue.content.walk():
        if isinstance(value, Picture) and value.credit is None and not value.decorative:
            yield found(subject.origin.key(*loc, "src"), src=value.src)


@rule(
    "L19-recipient-in-address",
    "error",
    "the address {address} holds the recipient's own {name}, which goes on with every forwarded mail",
    "take it out of the address",
    "Art. 5 (1) c DSGVO",
    Page,
)
def recipient_in_address(page: Page) -> Iterator[Found]:
    """Only the view link and the unsubscribe link are the recipient's, and they are signed."""
    person = page.message.recipient
    for link, address, _ in links(page):
        if person.address.lower() in address.lower() and not address.lower().startswith(f"mailto:{person.address.lower()}"):
            yield found(page.place(link), address=address, name="email")
