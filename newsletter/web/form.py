"""The body of a POST becomes the fields of a form, and a publication the choices that a form offers."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from babel import Locale, UnknownLocaleError
from starlette.requests import ClientDisconnect, Request

from newsletter.issue.model import Publication
from newsletter.issue.only import primary, tags_in

#: Bytes of a form that are read; a form of ours has some hundred.
_LARGEST = 64 * 1024
_MOST_FIELDS = 200

#: The fields of a form, each with its values in order.
Form = Mapping[str, Sequence[str]]


async def read_form(request: Request) -> Form | None:
    """The fields of an urlencoded body; None where it is too large, is no such form, or the sender went away."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                return None
    except ClientDisconnect:
        return None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except (UnicodeError, ValueError):
        return None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def first(form: Form, name: str) -> str:
    """The first value of a field, without blanks around it; empty where there is none."""
    return form.get(name, [""])[0].strip()


def comes_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site's page sent this (S18; Fetch Metadata). Origin is no help: it is ``null``
    where no referrer is told."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")


class Choice(NamedTuple):
    """One choice that a form offers."""

    value: str
    label: str
    chosen: bool


class Choices:
    """What subscribers of a publication choose from: its ``languages`` and ``topics``."""

    def __init__(self, publication: Publication) -> None:
        self._own = publication.language
        self._languages = {tag: language_name(tag) for tag in publication.languages} if len(publication.languages) > 1 else {}
        self._topics = publication.topics

    def languages(self, chosen: str | None) -> list[Choice]:
        """The languages, the chosen one marked, or the publication's own."""
        spoken = primary(chosen or self._own)
        return [Choice(tag, name, primary(tag) == spoken) for tag, name in self._languages.items()]

    def topics(self, held: str | None) -> list[Choice]:
        """The topics, those marked that stand in a cell ``tags``."""
        tags = tags_in(held or "")
        return [Choice(tag, label, bool(tags_in(tag) & tags)) for tag, label in self._topics.items()]

    def read_language(self, form: Form, before: str | None = None) -> str | None:
        """The language that was chosen; ``before`` where none was that is offered."""
        said = first(form, "language")
        return said if said in self._languages else before

    def read_topics(self, form: Form, before: str | None = None) -> str | None:
        """What was ticked, as a cell ``tags``. Tags of ``before`` that are not offered stay: somebody gave them."""
        offered = frozenset[str]().union(*map(tags_in, self._topics))
        kept = [tag for tag in (before or "").replace(";", ",").split(",") if tag.strip() and not tags_in(tag) & offered]
        ticked = [tag for tag in self._topics if tag in form.get("topics", ())]
        return ", ".join([*(tag.strip() for tag in kept), *ticked]) or None


def language_name(tag: str) -> str:
    """A language's name in that language."""
    try:
        name = Locale.parse(tag, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        name = None
    return f"{name[:1].upper()}{name[1:]}" if name else tag
