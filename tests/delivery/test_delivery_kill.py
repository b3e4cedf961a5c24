"""``kill -9`` at any moment: nobody missed, nobody doubled, and whatever may have been taken is named."""

import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.delivery import account_of

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People, Sink

SENDER = Path(__file__).with_name("sender_to_kill.py")
SIZE, KILLS, CONNECTIONS = 500, 4, 5
#: Intents that are on disk ahead.
GROUP = 2 * CONNECTIONS


def test_everyone_once_through_kills(office: "Office", running_sink: "Sink", crowd: "Callable[[int], People]") -> None:
    chance = random.Random(20241201)
    made = office.freeze(crowd(SIZE))
    sink = running_sink
    command = [sys.executable, str(SENDER), office.url, str(sink.port), str(made.id)]
    enough = threading.Event()
    target = 0

    def pause() -> float:
        # Between taking a message and saying so: here the server knows more than the ledger.
        if len(sink.accepted) >= target:
            enough.set()
        return chance.random() * 0.004

    sink.pause_at_the_end = pause
    for _ in range(KILLS):
        target = len(sink.accepted) + chance.randint(15, 45)
        enough.clear()
        sender = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert enough.wait(30), sender.communicate()
        threading.Event().wait(chance.random() * 0.01)
        sender.kill()
        sender.communicate()
        account = account_of(office.store, made.id)
        assert account.audience == SIZE
        assert account.sent <= len(sink.accepted)
    last = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (last.stdout, last.stderr) == ("done", "")

    states = office.states(made)
    taken = sink.recipients
    sent = {address for address, state in states.items() if state == "sent"}
    uncertain = {address for address, state in states.items() if state == "uncertain"}
    assert len(taken) == len(set(taken)), "somebody got it twice"
    assert sent <= set(taken), "somebody is called sent whom the server does not know"
    assert set(taken) - sent <= uncertain, "something was taken and is not shown"
    assert sent | uncertain == set(states), "somebody was forgotten"
    account = account_of(office.store, made.id)
    assert (account.audience, account.sent, account.uncertain) == (SIZE, len(sent), len(uncertain))
    assert len(uncertain) <= KILLS * (2 * CONNECTIONS + 2 * GROUP)
    assert uncertain, "no kill met a message on the wire: this test shows nothing"
