"""The database: what was sent to whom, what may not be sent, and what the subscribers' pages show."""

from newsletter.store.archive import BegunIssue, begun_editions, begun_issue, begun_issues, note_public
from newsletter.store.attempts import Attempt, attempts_of
from newsletter.store.campaigns import Campaign, campaign_of, find_campaign, list_campaigns
from newsletter.store.consents import Consent, consents_of
from newsletter.store.deliveries import StoredDelivery, delivery_of, delivery_to
from newsletter.store.editions import Picture, load_edition, picture_of, save_edition
from newsletter.store.engine import Store, open_store, send_at_work, send_lock
from newsletter.store.glance import Unready
from newsletter.store.shown import Shown, shown_at_once, shown_of
from newsletter.store.subscribers import Subscriber, erase, find_subscriber, list_subscribers
from newsletter.store.suppressions import (
    Suppression,
    is_suppressed,
    list_suppressions,
    suppress,
    suppression_of,
    unsuppress,
)

__all__ = [
    "Attempt",
    "BegunIssue",
    "Campaign",
    "Consent",
    "Picture",
    "Shown",
    "Store",
    "StoredDelivery",
    "Subscriber",
    "Suppression",
    "Unready",
    "attempts_of",
    "begun_editions",
    "begun_issue",
    "begun_issues",
    "campaign_of",
    "consents_of",
    "delivery_of",
    "delivery_to",
    "erase",
    "find_campaign",
    "find_subscriber",
    "is_suppressed",
    "list_campaigns",
    "list_subscribers",
    "list_suppressions",
    "load_edition",
    "note_public",
    "open_store",
    "picture_of",
    "save_edition",
    "send_at_work",
    "send_lock",
    "shown_at_once",
    "shown_of",
    "suppress",
    "suppression_of",
    "unsuppress",
]
