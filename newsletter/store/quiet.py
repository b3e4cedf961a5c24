"""A database that is to be moved or changed must be at rest: where a worker is at work with it, that is said."""

from sqlalchemy import Connection, inspect, or_, select

from newsletter.problem import complaint
from newsletter.store.tables import worker


def demand_quiet(connection: Connection, now: int) -> None:
    """Raise :class:`~newsletter.problem.InputError` where a worker lives: its lease lasts beyond ``now``, or it has none.

    What workers without a lease left, in a file, is settled before, under the lock of ``send``.
    """
    if "lease_until" not in {column["name"] for column in _columns(connection)}:
        return  # of a form, or of none, with which nobody works on several hosts
    living = or_(worker.c.lease_until.is_(None), worker.c.lease_until > now)
    at_work = select(worker.c.host, worker.c.pid).where(worker.c.state == "alive", living).order_by(worker.c.id).limit(1)
    found = connection.execute(at_work).one_or_none()
    if found is not None:
        raise complaint(
            f"a newsletter is sending with this database (process {found.pid} on {found.host}); stop it, or where it is dead, "
            "wait half a minute"
        )


def _columns(connection: Connection) -> list[dict[str, object]]:
    known = inspect(connection)
    return [dict(column) for column in known.get_columns(worker.name)] if known.has_table(worker.name) else []
