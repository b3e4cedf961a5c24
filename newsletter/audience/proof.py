"""What is kept of one person becomes plain data: for ``subscribers show``, and for the person to take along (L3, L10)."""

from typing import Any

from sqlalchemy import select

from newsletter.audience.subscribers import LANGUAGE, TAGS, merge_fields
from newsletter.store import Store, consents_of, find_subscriber, suppression_of
from newsletter.store.clock import as_datetime
from newsletter.store.consents import Consent, linked_marks
from newsletter.store.signups import Signup, signups_for
from newsletter.store.tables import campaign, delivery

#: So many digits of a declaration's hash name its version.
_VERSION = 12


def record_of(store: Store, mark: bytes) -> dict[str, Any] | None:
    """Everything that is kept of the person with this mark, or None where there is nothing. Moments are ISO 8601, UTC.

    ``requests`` are the forms that were sent with this address in the last days, ``proof`` has the steps of the consent, oldest
    first; ``deliveries`` the issues that were sent to the person, without their content.
    """
    one, steps, stop = find_subscriber(store, mark), consents_of(store, mark), suppression_of(store, mark)
    asked, sent = signups_for(store, mark), _deliveries(store, mark)
    if one is None and not steps and stop is None and not asked and not sent:
        return None
    kept: dict[str, Any] = {"state": one.state if one is not None else "none"}
    if one is not None:
        kept |= {"address": one.address, "fields": merge_fields(one), "created": _moment(one.created_at)}
        kept |= {"confirmed": _moment(one.confirmed_at), "left": _moment(one.gone_at)}
    if stop is not None:
        kept["suppressed"] = {"reason": stop.reason, "since": _moment(stop.created_at)}
    if asked:
        kept["requests"] = [_request(request) for request in asked]
    return kept | {"proof": [_step(step) for step in steps], "deliveries": sent}


def _request(one: Signup) -> dict[str, Any]:
    said = {"asked": _moment(one.asked_at), "address": one.address, LANGUAGE: one.language, TAGS: one.topics}
    return {name: value for name, value in said.items() if value is not None}


def _step(step: Consent) -> dict[str, Any]:
    said = {
        "what": step.kind,
        "at": _moment(step.at),
        "asked": _moment(step.asked_at),
        "list": step.list_id,
        "source": step.source,
        "wording": step.wording,
        "version": step.wording_version[:_VERSION] if step.wording_version else None,
        "mail": step.mail,
        "message_id": step.message_id,
        "former_address": step.former.hex() if step.former else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _deliveries(store: Store, mark: bytes) -> list[dict[str, Any]]:
    columns = (campaign.c.slug, delivery.c.state, delivery.c.updated_at)
    with store.read() as connection:
        marks = linked_marks(connection, mark)
        rows = connection.execute(
            select(*columns)
            .join(campaign, campaign.c.id == delivery.c.campaign_id)
            .where(delivery.c.mark.in_(marks), delivery.c.campaign_id.in_(select(campaign.c.id)))
            .order_by(delivery.c.id)
        ).all()
    return [{"issue": row.slug, "state": row.state, "at": _moment(row.updated_at)} for row in rows]


def _moment(moment: int | None) -> str | None:
    return None if moment is None else as_datetime(moment).isoformat(timespec="seconds")
