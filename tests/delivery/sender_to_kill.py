"""A ``send`` as a process of its own, for tests that kill it: ``sender_to_kill.py DATABASE_URL PORT CAMPAIGN_ID``."""

import asyncio
import sys

from newsletter.delivery import drive
from newsletter.links import Links
from newsletter.message.template import MessageTemplate
from newsletter.settings import Settings
from newsletter.store import campaign_of, load_edition, open_store, send_lock


def main(url: str, port: str, campaign_id: str) -> None:
    """Send, and say what became of it."""
    with send_lock(url):
        store = open_store(url)
        campaign = campaign_of(store, int(campaign_id))
        assert campaign is not None
        edition = load_edition(store, campaign.edition_hash)
        assert edition is not None
        sending = drive(
            store,
            campaign.id,
            settings=Settings(smtp_host="127.0.0.1", smtp_port=int(port), smtp_security="none", smtp_connections=5),
            links=Links("http://127.0.0.1:8025", b"k" * 32, "region.example.org"),
            template=MessageTemplate(edition),
            stop=asyncio.Event(),
        )
        sys.stdout.write(asyncio.run(sending).state)


main(*sys.argv[1:])
