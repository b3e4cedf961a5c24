"""Mail programs: what some of them do not know of the HTML and CSS in a mail, and what their readers lose (H4)."""

from collections.abc import Iterator

from newsletter.check.clients.feature import Feature
from newsletter.check.clients.pages import unknown
from newsletter.check.clients.support import data, without
from newsletter.check.clients.written import place
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page
from newsletter.check.wording import Phrases

#: How MJML has Outlook for Windows show the picture behind a section, which else it would not.
_DRAWN = "<v:fill"
_SOURCE = f"Can I email, {data()['date']}"


@rule(
    "H4-client-support",
    "warning",
    "{feature} does not work in {clients}: {loss}",
    "do without it: {instead}",
    _SOURCE,
    Page,
)
def client_support(page: Page) -> Iterator[Found]:
    """What readers there would miss, or not be able to read."""
    for feature, clients in _missed(page):
        if feature.instead:
            yield found(
                place(feature, page.origin),
                feature=feature.shown,
                clients=clients,
                loss=Phrases((feature.loss, "")),
                instead=Phrases((feature.instead, "")),
            )


@rule(
    "H4-client-decoration",
    "info",
    "{feature} has no effect in {clients}: {loss}",
    "make sure that nothing depends on it",
    _SOURCE,
    Page,
)
def client_decoration(page: Page) -> Iterator[Found]:
    """What readers there will not miss."""
    for feature, clients in _missed(page):
        if not feature.instead:
            yield found(place(feature, page.origin), feature=feature.shown, clients=clients, loss=Phrases((feature.loss, "")))


def _missed(page: Page) -> Iterator[tuple[Feature, Phrases]]:
    """The features that a client of the publication does not know, with those clients."""
    clients = page.subject.issue.publication.clients
    for feature in unknown(page.modern):
        drawn = feature.key == "background-image" and _DRAWN in page.html
        if missed := without(feature, [client for client in clients if not (drawn and client == "outlook")]):
            yield feature, missed
