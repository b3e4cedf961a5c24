"""An issue of the workspace becomes an edition, and the mail of one person in files."""

import contextlib
import datetime as dt
import difflib
import secrets
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes, policy
from pathlib import Path

from newsletter.audience.address import normalise
from newsletter.audience.columns import ADDRESS, field_names
from newsletter.audience.columns import HeaderError as HeadingError
from newsletter.audience.csv_list import RecipientList, open_list
from newsletter.audience.recipient import Recipient, Refused
from newsletter.compose.compile import compile_issue, picture_address
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, MissingValue
from newsletter.issue import Issue, load_issue
from newsletter.links import Links
from newsletter.message import HeaderError, MessageTemplate, message_id
from newsletter.problem import InputError, Problem, complaint
from newsletter.settings import Workspace

#: Where the links of a draft lead while there is no public address: nowhere but here.
DRAFT_URL = "http://127.0.0.1:8025"
SAMPLE_ADDRESS = "ada.lovelace@example.org"
_TOLD = 20
_ADVICE = "fill the cell, or give the merge field a default: {{ field | default('…') }}"


def check_fields(issue: Issue, columns: Sequence[str], path: Path) -> None:
    """Raise :class:`InputError` for every merge field without default that the recipient list has no column for."""
    problems = []
    for field in issue.merge_fields():
        if field.name in columns or field.default is not None:
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
    """A recipient list in which every merge field without default has a value, or else an :class:`InputError` at its end."""

    def __init__(self, people: RecipientList, edition: Edition) -> None:
        self.path = people.path
        self._people = people
        self._needed = [slot for slot in edition.fields if slot.default is None]

    def __iter__(self) -> Iterator[Recipient | Refused]:
        problems: list[Problem] = []
        for row in self._people:
            if isinstance(row, Recipient):
                problems += (
                    Problem(
                        str(self.path), row.line, 1, "", f"{row.address} has no {slot.name}, which the issue needs; {_ADVICE}"
                    )
                    for slot in self._needed
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
    """Make one message: what may not go into a header is said before it befalls everyone. Raises :class:`InputError`."""
    try:
        template = MessageTemplate(edition)
        number = message_id(edition.hash, 0, template.domain)
        values = sample_values(edition, links, SAMPLE_ADDRESS)
        template.build(to=SAMPLE_ADDRESS, values=values, message_id=number, date=dt.datetime.now().astimezone())
    except HeaderError as error:
        raise complaint(f"the message cannot be made: {error}") from None


class Draft:
    """An issue compiled for looking at: its links are examples that lead to no delivery."""

    def __init__(self, workspace: Workspace, slug: str) -> None:
        self.issue = load_issue(workspace, slug)
        settings = workspace.settings
        key = settings.secret_key.get_secret_value().encode() if settings.secret_key else secrets.token_bytes(32)
        self.links = Links(settings.public_url or DRAFT_URL, key, self.issue.publication.own_list_id)
        self.edition: Edition = compile_issue(self.issue, workspace, self.links.picture_url)

    def recipient(self, file: Path | None, address: str | None) -> Recipient:
        """The person of the list with this address, or its first; without a list a sample person. Raises :class:`InputError`."""
        try:
            wanted = None if address is None else normalise(address)
        except ValueError as error:
            raise complaint(f"--email: the address {address!r} {error}") from None
        if file is None:
            return Recipient(*(wanted or normalise(SAMPLE_ADDRESS)), {}, 0)
        people = open_list(file)
        check_fields(self.issue, people.columns, file)
        for row in people:
            if not isinstance(row, Refused) and (wanted is None or wanted.key == row.key):
                return row
        raise complaint(f"has no recipient {address}; leave --email out for the first of the list", str(file))

    def values(self, recipient: Recipient) -> dict[str, str]:
        """What the slots of this person hold; a field of a sample person that has no default shows its name."""
        sample = sample_values(self.edition, self.links, recipient.key)
        if recipient.line:  # a person of a list: what is missing there is to be seen
            sample = {name: value for name, value in sample.items() if name in (VIEW, UNSUBSCRIBE)}
        return dict(recipient.fields) | sample

    def write(self, folder: Path, recipient: Recipient) -> list[Path]:
        """Write the mail of this person into ``folder`` (see :func:`write_mail`). Raises :class:`InputError`."""
        values = self.values(recipient)
        try:
            template = MessageTemplate(self.edition)
            number = message_id(self.edition.hash, 0, template.domain)
            mail = template.build(to=recipient.address, values=values, message_id=number, date=dt.datetime.now().astimezone())
        except (MissingValue, HeaderError) as error:
            raise complaint(f"{recipient.address}: {error}") from None
        picture_url = picture_address(self.issue.publication, self.links.picture_url)
        return write_mail(folder, mail, self.edition, picture_url)


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
