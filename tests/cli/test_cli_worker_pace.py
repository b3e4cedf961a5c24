"""One rate for all ``newsletter worker``, also while one of them dies and others take over from it."""

import time

from tests.cli.conftest import Office
from tests.cli.hired import dismiss, hire, is_done, on_a_server, wait_until
from tests.thorough import only_thorough

RATE = 20


@only_thorough
@on_a_server
def test_no_second_gets_more_than_rate_and_burst_also_where_one_of_four_is_killed(hosts: Office) -> None:
    hosts.settings(lease="4", smtp_rate=str(RATE), smtp_connections="2")
    hosts.crowd(140)
    moments: list[float] = []
    hosts.post.refuses = lambda _address: moments.append(time.monotonic())
    killed, *others = hire(hosts, 4)
    hosts.send("--background")
    wait_until(lambda: len(moments) >= 50)
    killed.kill()
    killed.communicate()
    wait_until(lambda: is_done(hosts))
    account = hosts.account()
    assert account["sent"] + account["uncertain"] == 140
    assert max(hosts.post.addresses().values()) == 1
    busiest = max(sum(begin <= one < begin + 1 for one in moments) for begin in moments)
    assert busiest <= RATE + RATE  # the burst is a second's worth
    dismiss(*others)
