"""The ledger, the campaign's life and the way to the SMTP server."""

from newsletter.delivery.account import Account, account_of, deferrals
from newsletter.delivery.desk import LedgerError
from newsletter.delivery.dial import SendError
from newsletter.delivery.drive import drive
from newsletter.delivery.freeze import FreezeReport, Recipients, discard, freeze
from newsletter.store.campaigns import Campaign, find_campaign

__all__ = [
    "Account",
    "Campaign",
    "FreezeReport",
    "LedgerError",
    "Recipients",
    "SendError",
    "account_of",
    "deferrals",
    "discard",
    "drive",
    "find_campaign",
    "freeze",
]
