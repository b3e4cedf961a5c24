"""A database becomes counts, and what is wrong in it: to be looked at after it was restored from a copy, or moved."""

from sqlalchemy import Connection, func, select

from newsletter.store.tables import campaign, delivery, metadata


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each table has, by its name."""
    return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables}


def find_faults(connection: Connection) -> list[str]:
    """What is wrong, a sentence each: pages of a file that cannot be read, rows that point to nothing, campaigns with too few
    or too many deliveries. Reads everything.
    """
    return [*_broken_file(connection), *_wrong_audiences(connection)]


def _broken_file(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []  # PostgreSQL keeps its promises by itself, and its own pg_amcheck knows more of its files
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)") if row[0] != "ok"]
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if lost:
        found.append(f"{len(lost)} rows point to rows that are not there, the first in {lost[0][0]}")
    return found


def _wrong_audiences(connection: Connection) -> list[str]:
    counted = select(delivery.c.campaign_id, func.count().label("deliveries")).group_by(delivery.c.campaign_id).subquery()
    audience = campaign.c.candidates - campaign.c.duplicates - campaign.c.refused
    deliveries = func.coalesce(counted.c.deliveries, 0)
    wrong = (
        select(campaign.c.slug, campaign.c.number, audience.label("audience"), deliveries.label("deliveries"))
        .join(counted, counted.c.campaign_id == campaign.c.id, isouter=True)
        .where(audience != deliveries)
        .order_by(campaign.c.id)
    )
    return [
        f"campaign {row.slug}, number {row.number}, has an audience of {row.audience:,}, but {row.deliveries:,} deliveries"
        for row in connection.execute(wrong)
    ]
