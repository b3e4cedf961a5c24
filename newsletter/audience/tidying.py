"""How long a publication keeps what it knows of people becomes moments, and what is older goes (L5, L8, L17)."""

import datetime as dt

from newsletter.audience.signups import DAY, WEEK
from newsletter.issue import Retention
from newsletter.store import Store
from newsletter.store.clock import SECOND, as_datetime
from newsletter.store.tidying import Before, Rest, Tidied, sleep
from newsletter.store.tidying import tidy as tidy_store


def tidy(store: Store, retention: Retention, rest: Rest = sleep) -> Tidied:
    """Delete all that time has run out for; everything that goes by itself goes here. ``rest`` as :data:`Rest` says."""
    return tidy_store(store, deadlines(retention, store.clock()), rest)


def deadlines(retention: Retention, moment: int) -> Before:
    """What goes at a moment: what is older than each of these."""
    # L8: kept to the end of the year, so whole years go at its turn.
    proofs = dt.datetime(as_datetime(moment).year - retention.proofs, 1, 1, tzinfo=dt.UTC)
    return Before(signups=moment - WEEK, values=moment - retention.values * DAY, proofs=int(proofs.timestamp()) * SECOND)
