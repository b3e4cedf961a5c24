"""A delivery becomes what the link slots of its message hold: the way into the browser, and the ways off the list."""

from newsletter.compose.edition import LEAVING, UNSUBSCRIBE, VIEW, Headers
from newsletter.links import Links, mail_link


class OwnLinks:
    """The links in the mails of one edition, as its headers and the slug of its issue have them.

    Where they lead to pages that are published (``links: static``), nothing there can act: leaving is by mail.
    """

    def __init__(self, links: Links, said: Headers, slug: str) -> None:
        self._links = links
        self._mail = said.unsubscribe_email is not None
        self._page = links.issue_url(slug) if said.static else ""
        self._mail_link = mail_link(said.unsubscribe_email or "")

    def values(self, campaign: int, delivery: int, mark: bytes) -> dict[str, str]:
        """The value of each slot for one recipient; ``mark`` is ``Links.mark`` of the address. Both numbers are 0 in a draft."""
        links = self._links
        subject = links.unsubscribe_subject(campaign, delivery, mark) if self._mail else ""
        if self._page:
            return {VIEW: self._page, UNSUBSCRIBE: self._mail_link + subject.replace(" ", "%20"), LEAVING: subject}
        return {
            VIEW: links.view_url(campaign, delivery),
            UNSUBSCRIBE: links.unsubscribe_url(campaign, delivery, mark),
            LEAVING: subject,
        }
