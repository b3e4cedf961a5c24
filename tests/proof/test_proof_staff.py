"""The proof with several ``newsletter worker`` on one PostgreSQL, small: what is left to them is sent to everyone once."""

from pathlib import Path

import pytest

from tests.proof.__main__ import table
from tests.proof.office import Quick
from tests.proof.staff import Staff
from tests.real.postgresql import programs, running_server
from tests.thorough import only_thorough

DELIVERIES, KILLS, WORKERS = 1_500, 6, 2


@only_thorough
def test_everyone_once_from_workers_who_stay(tmp_path: Path) -> None:
    pytest.importorskip("procrastinate", reason="Procrastinate is not installed: pip install 'newsletter[cluster]'")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_server() as server:
        campaign = Staff(tmp_path, DELIVERIES, KILLS, 20241204, Quick, server=server, workers=WORKERS)
        evidence = campaign.run()
    assert all(claim.holds for claim in evidence.claims()), "\n" + table(campaign, evidence)
    assert evidence.last.all_in("uncertain"), "no strike met a message on the wire: this shows nothing"
