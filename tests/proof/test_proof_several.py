"""The proof with several workers on one PostgreSQL, small: workers die, freeze and wake too late, the database goes and comes."""

from pathlib import Path

import pytest

from tests.proof.__main__ import table
from tests.proof.office import Quick
from tests.proof.several import Several
from tests.real.postgresql import programs, running_server
from tests.thorough import only_thorough

DELIVERIES, KILLS, WORKERS = 1_500, 6, 2


@only_thorough
def test_everyone_once_from_several_workers(tmp_path: Path) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_server() as server:
        campaign = Several(tmp_path, DELIVERIES, KILLS, 20241203, Quick, server=server, workers=WORKERS)
        evidence = campaign.run()
    assert all(claim.holds for claim in evidence.claims()), "\n" + table(campaign, evidence)
    assert evidence.last.all_in("uncertain"), "no strike met a message on the wire: this shows nothing"
