"""A stored edition becomes the pages of an issue: the one for everyone, and the frame of each recipient's own (L19, S15)."""

from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from newsletter.compose.edition import Edition, Part
from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.store.clock import as_datetime
from newsletter.web.form import language_name
from newsletter.web.page import Pages
from newsletter.web.public_html import (
    for_everyone,
    forms_of,
    framed,
    framed_part,
    line_for_everyone,
    picture_to_share,
    with_pictures_at,
)


class _Form(NamedTuple):
    """The issue in one of its languages, as the others link to it."""

    tag: str
    name: str
    url: str
    here: bool


class IssuePages:
    """The pages of the issues of one publication; its own words on them are in its language."""

    def __init__(self, links: Links, publication: Publication, pages: Pages) -> None:
        self._links = links
        self._publication = publication
        self._pages = pages

    def own(self, html: Part, title: str, share_url: str | None) -> Part:
        """The mails of a variant as the pages of their recipients.

        ``share_url`` is the page for everyone, to which they lead where there is one. The way there stands outside of the mail,
        whose bytes are all there, in their order.
        """
        above = self._pages.render("share", url=share_url, title=title) if share_url is not None else ""
        return framed_part(html, above)

    def for_everyone(self, edition: Edition, slug: str, language: str | None, first_at: int | None) -> str | None:
        """The issue in a language, None for its own; None where it has no such form. ``first_at``: see ``BegunIssue``."""
        forms = forms_of(edition)
        own, *_others = forms
        tag = own if language is None else language
        if tag not in forms or language == own:
            return None
        html = self._html(edition, forms[tag])
        listed = [
            _Form(each, language_name(each), self._links.issue_url(slug, None if each == own else each), each == tag)
            for each in forms
        ]
        above = self._pages.render("issue_above", archive=self._links.archive_url(), forms=listed)
        below = self._pages.render("issue_below", archive=self._links.archive_url())
        return framed(html, above, below, self._head(edition, html, listed, first_at))

    def unlisted(self, edition: Edition) -> str:
        """The same for an issue that is not public: no link to an archive in which it does not stand, and nothing to share."""
        html = self._html(edition, edition.open_variant)
        return framed(html, "", self._pages.render("issue_below", archive=None))

    def _html(self, edition: Edition, variant: str | None) -> str:
        html = for_everyone(edition.variant(variant).html)
        return with_pictures_at(html, [picture.name for picture in edition.pictures], self._links.picture_url)

    def _head(self, edition: Edition, html: str, forms: list[_Form], first_at: int | None) -> str:
        here = next(form for form in forms if form.here)
        image = picture_to_share(html, edition.pictures)
        return self._pages.render(
            "issue_head",
            title=edition.title,
            summary=summary_of(edition),
            url=here.url,
            forms=forms,
            feed=self._links.feed_url(),
            locale=open_graph_locale(here.tag),
            published=None if first_at is None else timestamp(first_at),
            image=image,
            image_url=None if image is None else self._links.picture_url(image.file.name),
        )


def summary_of(edition: Edition) -> str:
    """What an issue is about, in one line: its subject without the title before it, or the title where nothing else is said."""
    return line_for_everyone(edition.subject).removeprefix(f"{edition.title}: ") or edition.title


def timestamp(moment: int) -> str:
    """A moment to the second in UTC, as RFC 3339 writes it: ``2026-12-01T07:00:00Z``."""
    return f"{as_datetime(moment):%Y-%m-%dT%H:%M:%SZ}"


def open_graph_locale(tag: str) -> str:
    """``de_DE`` for ``de``, ``de_AT`` for ``de-AT``: Open Graph wants a territory, so the likeliest is taken."""
    try:
        locale = Locale.parse(tag, sep="-")
        likely = Locale.parse(get_global("likely_subtags").get(locale.language, locale.language))
    except (UnknownLocaleError, ValueError):
        return tag.replace("-", "_")
    territory = locale.territory or likely.territory
    return f"{locale.language}_{territory}" if territory else locale.language
