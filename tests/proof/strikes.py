"""A seed becomes the plan of a proof: what strikes the sender, and at which step of its work."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "kill",
    "frozen, then killed",
    "frozen, then woken",
    "cut",
    "all killed",
    "frozen past its lease",
    "lines cut",
    "restarted",
    "cut off",
]
#: What a table calls them.
NAMES: dict[Kind, str] = {
    "kill": "kill -9",
    "frozen, then killed": "SIGSTOP, then kill -9",
    "frozen, then woken": "SIGSTOP, then SIGCONT",
    "cut": "all connections cut",
}
#: And of a ledger on a server, with several workers.
SHARED: dict[Kind, str] = {
    "kill": "kill -9 of one worker",
    "all killed": "kill -9 of all workers at once",
    "frozen past its lease": "SIGSTOP past the lease, then SIGCONT",
    "cut": "all connections to the mail server cut",
    "lines cut": "all connections to the database cut",
    "restarted": "PostgreSQL crashed and started anew",
}
#: Kinds after which the sender is dead.
DEADLY: tuple[Kind, ...] = ("kill", "frozen, then killed", "all killed")

#: At any moment while it prepares the campaign: it compiles, checks, and writes the audience into the ledger.
PREPARING = "preparing"
#: At any moment about its start: often it has not said a word to the server then.
MOMENT = "moment"
#: The steps of a conversation, as the server sees them: ``body`` is inside a message, ``dot`` when it is whole and not yet taken,
#: ``taken`` between the acceptance and the answer, ``half`` inside the answer, ``answered`` behind it.
STEPS = ("connect", "MAIL", "RCPT", "DATA", "body", "dot", "taken", "half", "answered")
#: Where there is more to get wrong, more strikes.
_OFTEN = ("body", "dot", "taken", "half", "answered")


@dataclass(frozen=True, slots=True)
class Strike:
    """One blow. ``at`` is one of :data:`STEPS`, :data:`MOMENT` or :data:`PREPARING`."""

    kind: Kind
    at: str


def plan(chance: random.Random, kills: int) -> list[Strike]:
    """So many deaths, one in seven after a freeze; beside them, for ten deaths, one freeze that is survived and two cuts.

    Steps come in turn, in an order of chance. The first strikes are for a sender that prepares; the last quarter comes while it
    sends, for near its end a campaign is over sooner than a moment of chance.
    """
    first = max(kills // 50, 1)
    kinds: list[Kind] = ["frozen, then killed" if number % 7 == 3 else "kill" for number in range(max(kills - first, 0))]
    kinds.extend(["frozen, then woken"] * max(kills // 10, 1))
    kinds.extend(["cut"] * max(kills // 5, 1))
    chance.shuffle(kinds)
    anywhere = _in_turn(chance, (*STEPS, *_OFTEN, MOMENT, MOMENT))
    talking = _in_turn(chance, (*STEPS, *_OFTEN))
    late = len(kinds) * 3 // 4
    # The server can cut only where a conversation is, and a frozen sender shuts others out only once it has the lock.
    strikes = [Strike(kind, next(talking if kind != "kill" or n >= late else anywhere)) for n, kind in enumerate(kinds)]
    for number in range(1, len(strikes)):
        if strikes[number - 1].kind not in DEADLY and strikes[number].at in (MOMENT, "connect"):  # it has started long ago
            strikes[number] = Strike(strikes[number].kind, "MAIL")
    return [Strike("kill", PREPARING)] * first + strikes


def plan_shared(chance: random.Random, kills: int) -> list[Strike]:
    """So many deaths of one worker, one in six of all at once; for six deaths two freezes past the lease, two times the lines to
    the database cut, one restart of it, and one cut of the lines to the mail server. All come while they send."""
    share = max(kills // 6, 1)
    kinds: list[Kind] = ["all killed" if number < share else "kill" for number in range(kills)]
    beside: tuple[Kind, ...] = ("frozen past its lease", "lines cut") * 2 + ("restarted", "cut")
    kinds.extend(beside * share)
    chance.shuffle(kinds)
    steps = _in_turn(chance, (*(step for step in STEPS if step != "connect"), *_OFTEN))
    return [Strike(kind, next(steps)) for kind in kinds]


def _in_turn(chance: random.Random, steps: tuple[str, ...]) -> Iterator[str]:
    while True:
        yield from chance.sample(steps, len(steps))
