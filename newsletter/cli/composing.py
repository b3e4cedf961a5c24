"""An issue of the workspace becomes an edition, and the mail of one person in files."""

import contextlib
import datetime as dt
import difflib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from pathlib import Path
from types import MappingProxyType

from newsletter.audience.address import normalise
from newsletter.audience.columns import ADDRESS, field_names
from newsletter.audience.columns import HeaderError as HeadingError
from newsletter.audience.csv_list import RecipientList, open_list
from newsletter.audience.recipient import Recipient, Refused
from newsletter.cli.variants import demand_content
from newsletter.compose.compile import compile_issue, picture_address
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, MissingValue
from newsletter.issue import Issue, load_issue
from newsletter.issue.model import PicturesElsewhere
from newsletter.issue.variant import Choice, in_words, shown_in
from newsletter.links import Links
from newsletter.message import HeaderError, MessageTemplate, message_id
from newsletter.problem import InputError, Problem, complaint
from newsletter.settings import Workspace

#: Where the links of a draft lead while there is no public address: nowhere but here.
DRAFT_URL = "http://127.0.0.1:8025"
SAMPLE_ADDRESS = "ada.lovelace@example.org"
_TOLD = 20
_ADVICE = "fill the cell, or give the merge field a default: {{ field | default('…') }}"


def check_fields(issue: Issue, columns: Sequence[str], path: Path, variants: Iterable[str | None]) -> None:
    """Raise :class:`InputError` for every merge field without default that the recipient list has no column for.

    What stands in a block that none of the ``variants`` has is not needed.
    """
    blocks = issue.content.blocks
    shown = {position for name in variants for position in (range(len(blocks)) if name is None else shown_in(blocks, name))}
    problems = []
    for field in issue.merge_fields():
        if field.name in columns or field.default is not None:
            continue
        if field.loc[0] == "blocks" and field.loc[1] not in shown:
            continue
        near = _meant(field.name, columns)
        hint = f"did you mean {near}?" if near else f"its columns are: {', '.join(columns)}"
        problems.append(field.problem(f"the merge field {field.name} is no column of {path}, and it has no default; {hint}"))
    if problems:
        raise InputError(problems)


def _meant(name: str, columns: Sequence[str]) -> str | None:
    """The column that somebody means who writes this name: what the heading ``vorname`` became, or one spelt alike."""
    with contextlib.suppress(HeadingError):
        usual = field_names((ADDRESS, name))[-1]
        if usual in columns:
            return usual
    return next(iter(difflib.get_close_matches(name, columns, 1)), None)


class WithFields:
    """A recipient list in which everyone has a value for the merge fields without default of the own variant.

    Else it ends with an :class:`InputError`.
    """

    def __init__(self, people: RecipientList, edition: Edition) -> None:
        self.path = people.path
        self._people = people
        self._choice = edition.choice
        self._needed = {
            name: [slot for slot in edition.variant(name).fields if slot.default is None] for name in edition.variant_names
        }

    def __iter__(self) -> Iterator[Recipient | Refused]:
        problems: list[Problem] = []
        for row in self._people:
            if isinstance(row, Recipient):
                problems += (
                    Problem(
                        str(self.path), row.line, 1, "", f"{row.address} has no {slot.name}, which the issue needs; {_ADVICE}"
                    )
                    for slot in self._needed.get(self._choice(row.fields), ())
                    if len(problems) < _TOLD and not slot.has_value(row.fields)
                )
            yield row
        if problems:
            raise InputError(problems)


def sample_values(edition: Edition, links: Links, key: str) -> dict[str, str]:
    """Values for every slot: the links lead to no delivery, a merge field without default shows its name."""
    fields = {slot.name: f"[{slot.name}]" for slot in edition.fields if slot.default is None}
    return fields | {VIEW: links.view_url(0, 0), UNSUBSCRIBE: links.unsubscribe_url(0, 0, links.mark(key))}


def check_message(edition: Edition, links: Links) -> None:
    """Make a message of each variant: what may not go into a header is said before it befalls everyone.

    Raises :class:`InputError`.
    """
    try:
        template = MessageTemplate(edition)
        number = message_id(edition.hash, 0, template.domain)
        values = sample_values(edition, links, SAMPLE_ADDRESS)
        for name in edition.variant_names:
            template.of(name).build(to=SAMPLE_ADDRESS, values=values, message_id=number, date=dt.datetime.now().astimezone())
    except HeaderError as error:
        raise complaint(f"the message cannot be made: {error}") from None


class Draft:
    """An issue compiled for one person to look at: its links are examples that lead to no delivery.

    The person is the one of the list with this address, or its first; without a list a sample person. ``said`` are fields that
    count instead of the person's own. Raises :class:`InputError`.
    """

    def __init__(
        self,
        workspace: Workspace,
        slug: str,
        to: Path | None = None,
        email: str | None = None,
        said: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.issue = issue = load_issue(workspace, slug)
        settings = workspace.settings
        key = settings.secret_key.get_secret_value().encode() if settings.secret_key else secrets.token_bytes(32)
        self.links = Links(settings.public_url or DRAFT_URL, key, issue.publication.own_list_id)
        self._choice = Choice(issue.conditions, issue.language)
        self.recipient = self._find(to, email, said)
        self.variant = self._choice(self.recipient.fields)
        demand_content(issue, self.variant, f"{self.recipient.address} gets")
        variants = [self.variant]
        if isinstance(issue.publication.pictures, PicturesElsewhere):  # what is written is uploaded: the pictures of every block
            variants.append("1" * len(issue.conditions) or None)
        self._all: Edition = compile_issue(issue, workspace, self.links.picture_url, variants=variants)
        self.edition = self._all.variant(self.variant)

    def _find(self, file: Path | None, address: str | None, said: Mapping[str, str]) -> Recipient:
        try:
            wanted = None if address is None else normalise(address)
        except ValueError as error:
            raise complaint(f"--email: the address {address!r} {error}") from None
        if file is None:
            return Recipient(*(wanted or normalise(SAMPLE_ADDRESS)), dict(said), 0)
        people = open_list(file)
        for row in people:
            if not isinstance(row, Refused) and (wanted is None or wanted.key == row.key):
                found = row._replace(fields={**row.fields, **said})
                check_fields(self.issue, people.columns, file, [self._choice(found.fields)])
                return found
        raise complaint(f"has no recipient {address}; leave --email out for the first of the list", str(file))

    @property
    def what(self) -> str:
        """``it``, or what the person gets of it: ``it without “Für die Presse”``."""
        return "it" if self.variant is None else in_words(self.issue.content.blocks, self.variant)

    def values(self) -> dict[str, str]:
        """What the slots of this person hold; a field of a sample person that has no default shows its name."""
        sample = sample_values(self.edition, self.links, self.recipient.key)
        if self.recipient.line:  # a person of a list: what is missing there is to be seen
            sample = {name: value for name, value in sample.items() if name in (VIEW, UNSUBSCRIBE)}
        return sample | dict(self.recipient.fields)  # a list can have no column of the links' names

    def write(self, folder: Path) -> list[Path]:
        """Write the mail of this person into ``folder`` (see :func:`write_mail`). Raises :class:`InputError`."""
        recipient = self.recipient
        try:
            template = MessageTemplate(self._all).of(self.variant)
            number = message_id(self._all.hash, 0, template.domain)
            date = dt.datetime.now().astimezone()
            mail = template.build(to=recipient.address, values=self.values(), message_id=number, date=date)
        except (MissingValue, HeaderError) as error:
            raise complaint(f"{recipient.address}: {error}") from None
        picture_url = picture_address(self.issue.publication, self.links.picture_url)
        return write_mail(folder, mail, self._all, picture_url)


def write_mail(folder: Path, mail: bytes, edition: Edition, picture_url: Callable[[str], str]) -> list[Path]:
    """Write a message as ``message.eml`` and its two parts as ``message.html`` and ``message.txt``; gives these files.

    The HTML file finds its pictures beside it, so that it can be looked at without ``serve``; everything else is as sent.
    ``picture_url`` is what the edition names its pictures by (:func:`~newsletter.compose.compile.picture_address`).
    """
    parsed = message_from_bytes(mail, policy=policy.default)
    bodies = (parsed.get_body((kind,)) for kind in ("plain", "html"))
    text, html = (str(body.get_content()) for body in bodies if body is not None)
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for picture in edition.pictures:
        (pictures / picture.name).write_bytes(picture.data)
        html = html.replace(picture_url(picture.name), f"pictures/{picture.name}")
    files = [folder / f"message.{ending}" for ending in ("html", "txt", "eml")]
    for file, content in zip(files, (html.encode(), text.encode(), mail), strict=True):
        file.write_bytes(content)
    return files
