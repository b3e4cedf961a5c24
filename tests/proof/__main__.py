"""The proof as anyone can run it: ``make proof``, or ``python -m tests.proof --deliveries N --kills N --seed N``."""

import argparse
import contextlib
import functools
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.proof.campaign import Campaign
from tests.proof.evidence import Evidence
from tests.proof.hosts import Hosts
from tests.proof.network import DATABASE, running_network, why_not
from tests.proof.office import Command, Quick
from tests.proof.several import Several
from tests.proof.staff import Staff
from tests.proof.strikes import DEADLY
from tests.real.postgresql import running_server


def table(campaign: Campaign, evidence: Evidence) -> str:
    """All that was counted, and what it means."""
    last, accepted = evidence.last, evidence.journal.accepted
    mode = "with PIPELINING" if campaign.pipelining else "without PIPELINING"
    crew = f"{campaign.workers} {campaign.crew} on PostgreSQL, each with " if isinstance(campaign, Several) else ""
    lines = [
        f"{campaign.deliveries:,} deliveries, {crew}{campaign.connections} connections, {mode}, seed {campaign.seed}:"
        f" {campaign.starts} starts in {campaign.seconds / 60:.1f} minutes",
        "",
        f"{'strikes':<40}{'done':>9}   in doubt after it, mean and most",
    ]
    for kind, name in campaign.names.items():
        costs = campaign.costs.get(kind, [])
        doubt = f"   {sum(costs) / len(costs):.1f}   {max(costs)}" if costs else ""
        lines.append(f"  {name:<38}{campaign.done[kind]:>9,}{doubt}")
    lines.append(f"  {'kill -9 in all':<38}{sum(campaign.done[kind] for kind in DEADLY):>9,}")
    lines.append("  at: " + ", ".join(f"{step} {count}" for step, count in sorted(campaign.at.items())))
    lines += ["", f"{'deliveries':<40}{len(last.states):>9,}"]
    lines += [f"  {name:<38}{count:>9,}" for name, count in last.account.items()]
    lines += [
        f"{'accepted by the server':<40}{len(accepted):>9,}",
        f"  {'and recorded as sent':<38}{len(accepted & last.all_in('sent')):>9,}",
        f"  {'and uncertain in the ledger':<38}{len(evidence.found_sent):>9,}",
        f"{'missed':<40}{len(evidence.missed):>9,}",
        f"{'doubled':<40}{len(evidence.doubled):>9,}",
        "",
        "claims",
    ]
    lines += [f"  {'ok' if claim.holds else 'FAIL':<6}{claim.words:<64}{claim.seen}" for claim in evidence.claims()]
    return "\n".join(lines)


def main() -> int:
    """Run one campaign, print the table; 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sequential", action="store_true", help="the server does not offer PIPELINING")
    parser.add_argument("--quick", action="store_true", help="fork the sender from one that is loaded, with short pauses")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=2, help="how many send side by side, on PostgreSQL")
    parser.add_argument("--hosts", action="store_true", help="two hosts, one is cut off and joined again; needs root")
    parser.add_argument("--engine", choices=["send", "worker"], default="send", help="newsletter send or worker, on PostgreSQL")
    chosen = parser.parse_args()
    if chosen.hosts and (reason := why_not()) is not None:
        parser.error(reason)
    folder = Path(tempfile.mkdtemp(prefix="newsletter-proof-"))
    begun = time.monotonic()

    def tell(words: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {words}", file=sys.stderr)

    start = Quick if chosen.quick else Command
    make: Callable[..., Campaign] = functools.partial(Campaign, pipelining=not chosen.sequential, tell=tell)
    try:
        with contextlib.ExitStack() as stack:
            if chosen.hosts:
                network = stack.enter_context(running_network(2))
                server = stack.enter_context(running_server(DATABASE, network.servers))
                make = functools.partial(Hosts, tell=tell, server=server, network=network)
            elif chosen.database == "postgresql":
                server = stack.enter_context(running_server())
                make = functools.partial(
                    Staff if chosen.engine == "worker" else Several,
                    pipelining=not chosen.sequential,
                    tell=tell,
                    server=server,
                    workers=chosen.workers,
                )
            campaign = make(folder, chosen.deliveries, chosen.kills, chosen.seed, start)
            evidence = campaign.run()
    except BaseException:
        print(f"what there is lies in {folder}", file=sys.stderr)
        raise
    print(table(campaign, evidence))
    if all(claim.holds for claim in evidence.claims()):
        shutil.rmtree(folder)
        return 0
    print(f"\nthe ledger, the journal and what the program said lie in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
