"""Subscribers become a CSV file that a spreadsheet opens without running anything in it (S20)."""

import csv
from collections.abc import Iterable
from typing import TextIO

from newsletter.audience.subscribers import merge_fields
from newsletter.store.clock import as_datetime
from newsletter.store.subscribers import Subscriber

#: The column that says when a subscriber was confirmed.
CONFIRMED = "confirmed"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: str) -> str:
    """A cell that spreadsheets show and do not calculate: an apostrophe before ``= + - @``, tab and carriage return (S20)."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def write_csv(subscribers: Iterable[Subscriber], columns: Iterable[str], file: TextIO) -> int:
    """Write one row a subscriber, with ``;`` between the cells and when each was confirmed; gives how many."""
    names = [*(name for name in columns if name != CONFIRMED), CONFIRMED]
    rows = csv.writer(file, delimiter=";", lineterminator="\r\n")
    rows.writerow(map(harmless, names))
    count = 0
    for count, one in enumerate(subscribers, 1):  # noqa: B007 - how many there were is the answer
        values = merge_fields(one)
        if one.confirmed_at is not None:
            values[CONFIRMED] = as_datetime(one.confirmed_at).isoformat(timespec="seconds")
        rows.writerow(harmless(values.get(name, "")) for name in names)
    return count
