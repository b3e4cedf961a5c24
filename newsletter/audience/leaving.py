"""What an unsubscribe token names becomes a suppression, whether a page brings it or a mail (B9, B28, L7)."""

from newsletter.links import Leaving
from newsletter.store import Store, delivery_of, suppress


def leave(store: Store, named: Leaving) -> bool:
    """Take a recipient off the list: on disk when this returns, also for what still waits in a campaign (B28).

    The mark is enough; the address is kept beside it where its row is still there. Gives True where it is new: to do it again
    changes nothing.
    """
    row = delivery_of(store, named.campaign, named.delivery)
    return suppress(
        store,
        named.mark,
        reason="unsubscribed",
        address=(row.address or None) if row is not None and row.mark == named.mark else None,
        campaign_id=named.campaign,
        delivery_id=named.delivery,
    )
