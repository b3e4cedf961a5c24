"""``newsletter why``: what happened to one address, try by try, in plain words."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from newsletter.cli import OK, PARTLY
from newsletter.cli.campaigns import IssueName, last_of
from newsletter.problem import InputError, complaint

if TYPE_CHECKING:
    from newsletter.audience.address import Address
    from newsletter.settings import Workspace
    from newsletter.store import Attempt, Campaign, Store, StoredDelivery, Suppression

_STATES = {
    "pending": "not sent yet",
    "claimed": "about to be sent",
    "sending": "on its way at this moment, or the program was killed while it was",
    "sent": "sent: the mail server took it",
    "deferred": "not sent yet: the mail server asked to wait",
    "failed": "failed: refused for good",
    "suppressed": "not written to",
    "uncertain": "uncertain: no answer came, the mail server's log knows whether it was sent",
}
_SUPPRESSED = {
    "unsubscribed": "unsubscribed by its owner",
    "bounced": "its mail server said that there is no such mailbox",
    "complained": "its owner complained about the mail",
    "erased": "erased as its owner wished",
}


class _Story(NamedTuple):
    """All that is known of one address in one campaign; ``row`` says why it is not in the audience."""

    campaign: "Campaign"
    address: str
    delivery: "StoredDelivery | None"
    attempts: "list[Attempt]"
    suppression: "Suppression | None"
    row: str | None


def why(
    context: typer.Context,
    issue: IssueName,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The recipient's address.")],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="The list to look in for who got none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")] = False,
) -> int:
    """Say what happened to one address: every try, what the server said, and what that means."""
    with last_of(context, issue) as found:
        story = _story(found.workspace, found.store, found.campaign, address, to)
    if as_json:
        typer.echo(json.dumps(_as_json(story), ensure_ascii=False))
    else:
        _tell(story)
    return PARTLY if story.delivery is None else OK


def _story(workspace: "Workspace", store: "Store", campaign: "Campaign", written: str, to: Path | None) -> _Story:
    from newsletter.audience.address import normalise
    from newsletter.delivery.own_key import demand_own_key
    from newsletter.links import Links
    from newsletter.store import attempts_of, delivery_to, suppression_of

    secret = workspace.settings.secret_key
    if secret is None:
        raise complaint("NEWSLETTER_SECRET_KEY is not set; an address is found in the database by it")
    try:
        address = normalise(written)
    except ValueError as error:
        refused = _row_of(workspace, campaign, written, None, to) or f"no mail can go there: {written} {error}"
        return _Story(campaign, written, None, [], None, refused)
    links = Links("https://localhost", secret.get_secret_value().encode(), "")  # a mark does not depend on where they lead
    if campaign.emptied_at is None:
        demand_own_key(store, campaign, links)
    mark = links.mark(address.key)
    delivery = delivery_to(store, campaign.id, mark)
    attempts = [] if delivery is None else attempts_of(store, delivery.id)
    row = _row_of(workspace, campaign, address.spelling, address, to) if delivery is None else None
    return _Story(campaign, address.spelling, delivery, attempts, suppression_of(store, mark), row)


def _row_of(workspace: "Workspace", campaign: "Campaign", written: str, address: "Address | None", to: Path | None) -> str | None:
    """What the list says of someone who is not in the audience; None where it is not there or cannot be read any more."""
    from newsletter.audience.csv_list import open_list
    from newsletter.audience.recipient import Recipient
    from newsletter.audience.subscribers import SUBSCRIBERS

    if to is None and address is not None and campaign.list_name == SUBSCRIBERS:
        return f"it was no confirmed subscriber when the campaign began; newsletter subscribers show {written} says more"
    places = [Path(campaign.list_name), workspace.root / campaign.list_name] if to is None else [to]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        if to is not None:
            raise complaint("there is no such file", str(to))
        return None
    lines: list[bytes] | None = None
    wanted = written.casefold().encode()
    try:
        for row in open_list(path):
            if isinstance(row, Recipient):
                if address is not None and row.key == address.key:
                    return f"{path}:{row.line}: it stands there now, but did not when the campaign began"
                continue
            lines = lines or path.read_bytes().replace(b"\0", b"").splitlines()  # UTF-16 has zeros between
            if wanted in lines[row.line - 1].lower() or written.casefold() in row.reason.casefold():
                return f"{row}; the row was refused"
    except InputError as error:
        if to is not None:
            raise
        return str(error.problems[0])
    return f"{path}: it stands in no row"


def _tell(story: _Story) -> None:
    delivery, slug = story.delivery, story.campaign.slug
    if delivery is None:
        reason = story.row or f"{story.campaign.list_name} is not here any more; name it: --to FILE.csv says more"
        _say(f"{story.address} is not in the audience of {slug}")
        _say(f"  {reason}")
    else:
        _say(f"{story.address}, {slug}: {_STATES[delivery.state]}{_because(delivery)}")
        if delivery.fields is None:
            _say(f"  {_deleted(story)}")
        else:
            _say(f"  {'in the list':<19}  {story.campaign.list_name}:{delivery.line}")
        for attempt in story.attempts:
            _line(attempt.ended_at, attempt.state, attempt.code, attempt.reply)
            _mean(attempt.code, attempt.enhanced, attempt.reply)
        if delivery.state == "sent":
            words = "taken for sent, as somebody decided" if delivery.why == "resolved" else delivery.reply
            _line(delivery.updated_at, "sent", delivery.code, words)
        if delivery.state in ("pending", "deferred"):
            _say(f"  {_next(delivery, story.campaign)}")
    if story.suppression is not None:
        _say(f"  {_moment(story.suppression.created_at)}  not written to any more: {_SUPPRESSED[story.suppression.reason]}")


def _deleted(story: _Story) -> str:
    """Why there is no more to say: the address stands nowhere, it was found by its mark."""
    from newsletter.cli.accounts import emptied

    if story.campaign.emptied_at is not None:
        return emptied(story.campaign.emptied_at)
    return "its address, its values and the server's words were deleted; that and what became of it is all that is known"


def _because(delivery: "StoredDelivery") -> str:
    return f": {_SUPPRESSED[delivery.why]}" if delivery.state == "suppressed" and delivery.why in _SUPPRESSED else ""


def _next(delivery: "StoredDelivery", campaign: "Campaign") -> str:
    if campaign.state in ("done", "cancelled"):
        return f"the campaign was {campaign.state}: it will not be sent"
    if campaign.state in ("paused", "scheduled"):
        return f"the campaign is {campaign.state}{f', {campaign.note}' if campaign.note else ''}"
    return f"due {_moment(delivery.next_at)}" if delivery.next_at else "due as soon as newsletter send comes to it"


def _line(moment: int, state: str, code: int | None, reply: str | None) -> None:
    said = " ".join(str(part) for part in (code, reply) if part)
    _say(f"  {_moment(moment)}  {'put off' if state == 'pending' else state}{f': {said}' if said else ''}")


def _mean(code: int | None, enhanced: str | None, reply: str | None) -> None:
    from newsletter.delivery.meanings import meaning_of

    if meaning := meaning_of(code, enhanced, reply):
        _say(f"  {'':<19}  that is: {meaning}")


def _moment(moment: int) -> str:
    from newsletter.store.clock import as_datetime

    return f"{as_datetime(moment).astimezone():%Y-%m-%d %H:%M:%S}"


def _say(words: str) -> None:
    typer.echo(words, err=True)


def _iso(moment: int) -> str:
    from newsletter.store.clock import as_datetime

    return as_datetime(moment).isoformat(timespec="seconds")


def _as_json(story: _Story) -> dict[str, Any]:
    from newsletter.delivery.meanings import meaning_of

    delivery, suppression = story.delivery, story.suppression
    return {
        "issue": story.campaign.slug,
        "address": story.address,
        "state": None if delivery is None else delivery.state,
        "why": story.row if delivery is None else delivery.why,
        "line": None if delivery is None else delivery.line or None,
        "code": None if delivery is None else delivery.code,
        "reply": None if delivery is None else delivery.reply,
        "deleted": delivery is not None and delivery.fields is None,
        "updated_at": None if delivery is None else _iso(delivery.updated_at),
        "next_due": _iso(delivery.next_at) if delivery is not None and delivery.state == "deferred" else None,
        "attempts": [
            {
                "n": attempt.n,
                "ended_at": _iso(attempt.ended_at),
                "state": attempt.state,
                "code": attempt.code,
                "enhanced": attempt.enhanced,
                "reply": attempt.reply,
                "meaning": meaning_of(attempt.code, attempt.enhanced, attempt.reply),
            }
            for attempt in story.attempts
        ],
        "suppressed": None if suppression is None else {"reason": suppression.reason, "since": _iso(suppression.created_at)},
    }
