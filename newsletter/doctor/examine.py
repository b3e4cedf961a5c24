"""A workspace becomes everything that is to be said of its set-up, in the order in which it is looked at; nothing is sent."""

from collections.abc import Iterator

from newsletter.doctor.database import look_at_database
from newsletter.doctor.mail_server import look_at_mail_server
from newsletter.doctor.mailbox import look_at_mailbox
from newsletter.doctor.program import look_at_python
from newsletter.doctor.public_url import look_at_pages, look_at_public_url
from newsletter.doctor.resolver import Dns, NoDns
from newsletter.doctor.secrets_kept import look_at_files, look_at_key
from newsletter.doctor.sender_domain import look_at_sender, no_dns
from newsletter.doctor.verdict import Told, verdict
from newsletter.issue import Publication, load_publication
from newsletter.links import Links
from newsletter.message import HeaderError, wire_address
from newsletter.problem import InputError
from newsletter.settings import Settings, Workspace

_WRONG = verdict("wrong", "error", "{problem}", "mend that first; what depends on it was not looked at")


def examine_setup(workspace: Workspace, dns: Dns | None = None) -> Iterator[Told]:
    """Look at each part in turn: what is wrong with one does not keep the others from being looked at.

    ``dns`` is asked instead of this machine's own DNS servers.
    """
    yield from look_at_python()
    yield from look_at_files(workspace)
    settings = publication = None
    try:
        settings = workspace.settings
    except InputError as error:
        yield from (_WRONG(problem=problem) for problem in error.problems)
    try:
        publication = load_publication(workspace)
    except InputError as error:
        yield from (_WRONG(problem=problem) for problem in error.problems)
    if settings is not None:
        yield from look_at_key(settings)
        yield from look_at_database(workspace)
        yield from look_at_mail_server(settings)
        if publication is not None:
            look = look_at_pages if publication.links == "static" else look_at_public_url
            yield from look(_links(settings, publication))
            yield from look_at_mailbox(settings, publication)
    if publication is not None:
        yield from _look_at_dns(publication.sender.email, settings, dns)


def _links(settings: Settings, publication: Publication) -> Links | None:
    key = settings.secret_key.get_secret_value() if settings.secret_key is not None else ""
    return Links(settings.public_url, key.encode(), publication.own_list_id) if settings.public_url is not None else None


def _look_at_dns(sender: str, settings: Settings | None, dns: Dns | None) -> Iterator[Told]:
    try:
        address = wire_address(sender, "From")
    except HeaderError as error:
        yield _WRONG(problem=error)
        return
    try:
        dns = dns or Dns()
    except NoDns as error:
        yield no_dns(address, error)
        return
    yield from look_at_sender(dns, address, settings.smtp_host if settings is not None else None)
