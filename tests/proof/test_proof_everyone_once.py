"""``make proof``, small: nobody missed and nobody doubled through six kills, a freeze and a cut, and the rest is named."""

from pathlib import Path

import pytest

from tests.proof.__main__ import table
from tests.proof.campaign import Campaign
from tests.proof.office import Quick
from tests.thorough import only_thorough

DELIVERIES, KILLS = 2_000, 6


@pytest.mark.parametrize(
    ("pipelining", "seed"),
    [pytest.param(True, 20241201, id="pipelining"), pytest.param(False, 20241202, id="sequential", marks=only_thorough)],
)
def test_everyone_once_through_kills(tmp_path: Path, pipelining: bool, seed: int) -> None:
    campaign = Campaign(tmp_path, DELIVERIES, KILLS, seed, Quick, pipelining=pipelining)
    evidence = campaign.run()
    assert all(claim.holds for claim in evidence.claims()), "\n" + table(campaign, evidence)
    assert evidence.last.all_in("uncertain"), "no strike met a message on the wire: this shows nothing"
