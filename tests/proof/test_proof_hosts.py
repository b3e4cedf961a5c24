"""Two hosts for real: one is cut off from the database in mid-campaign, not from the mail server, and joined again."""

from pathlib import Path

import pytest

from tests.proof.__main__ import table
from tests.proof.hosts import Hosts
from tests.proof.network import DATABASE, running_network, why_not
from tests.proof.office import Command
from tests.real.postgresql import programs, running_server
from tests.thorough import only_thorough

DELIVERIES, CONNECTIONS = 1_200, 4


@only_thorough
@pytest.mark.real
def test_a_host_that_was_cut_off_doubles_nothing_and_sends_on(tmp_path: Path) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    with running_network(2) as network, running_server(DATABASE, network.servers) as server:
        campaign = Hosts(tmp_path, DELIVERIES, 0, 20241205, Command, connections=CONNECTIONS, server=server, network=network)
        evidence = campaign.run()
    assert all(claim.holds for claim in evidence.claims()), "\n" + table(campaign, evidence)
