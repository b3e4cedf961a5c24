"""The workspace's database, open for the length of one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.problem import complaint

if TYPE_CHECKING:
    from newsletter.audience.recipient import People
    from newsletter.settings import Workspace
    from newsletter.store import Store


@contextmanager
def open_database(workspace: "Workspace") -> "Iterator[Store]":
    """The store, closed at the end. Raises :class:`~newsletter.problem.InputError` where the database cannot be used.

    Only its own words are passed on: the whole exception would show the values of recipients (S22).
    """
    from sqlalchemy.exc import DBAPIError

    from newsletter.store import open_store
    from newsletter.store.clock import SECOND
    from newsletter.store.faults import fault_of

    store = open_store(workspace.database_url(), lease=workspace.settings.lease * SECOND)
    try:
        yield store
    except DBAPIError as error:
        raise complaint(f"the database cannot be used: {fault_of(error)}") from None
    finally:
        store.close()


def is_new(workspace: "Workspace") -> bool:
    """Whether there is no database yet: reading it would make one."""
    start = "sqlite:///"
    url = workspace.database_url()
    return url.startswith(start) and not Path(url.removeprefix(start)).exists()


def open_people(to: Path, store: "Store") -> "People":
    """The recipient list of a file, or the confirmed subscribers where ``to`` is ``subscribers``.

    Raises :class:`~newsletter.problem.InputError` where the file is no list.
    """
    from newsletter.audience.csv_list import open_list
    from newsletter.audience.subscribers import SUBSCRIBERS, Subscribers

    return Subscribers(store) if str(to) == SUBSCRIBERS else open_list(to)


@contextmanager
def people_of(to: Path | None, workspace: "Workspace") -> "Iterator[People | None]":
    """What :func:`open_people` does for a command that needs the database for nothing else; None where there is no ``--to``."""
    from newsletter.audience.csv_list import open_list
    from newsletter.audience.subscribers import SUBSCRIBERS

    if to is None or str(to) != SUBSCRIBERS:
        yield None if to is None else open_list(to)
        return
    with open_database(workspace) as store:
        yield open_people(to, store)
