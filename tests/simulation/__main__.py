"""`make simulate`: so many schedules from a seed; the last line counts lost, doubled, hidden.

`--only SEED` runs one. A failing run is reduced to as few steps as possible and described; it is
added to regressions.json once its cause is fixed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.simulation.describe import describe
from tests.simulation.runner import WRONG, Outcome, Runner, Sum, outcomes, shrink
from tests.simulation.schedule import schedule

STORIES_MAX = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one seed")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--until-wrong", action="store_true", help="stop at the first failing seed")
    parser.add_argument("--tally", type=Path, help="write figures for each fault class here")
    given = parser.parse_args()
    seeds = (
        [given.only] if given.only is not None else range(given.seed, given.seed + given.schedules)
    )
    total = _run(seeds, given.workers, given.until_wrong)
    if not given.until_wrong:
        for outcome in total.failed[:STORIES_MAX]:
            _describe(outcome)
    if given.tally:
        given.tally.write_text(json.dumps({"rows": _rows(total)}), "utf-8")
    found = {what: total.wrong[what] for what in WRONG}
    line = {
        "schedules": total.schedules, "seed": given.seed if given.only is None else given.only,
        "operations": total.operations, "faults": sum(total.faults.values()), **found, "trace": total.trace,
    }  # fmt: skip
    print(json.dumps(line))
    return 1 if any(found.values()) else 0


def _run(seeds: range | list[int], workers: int, until_wrong: bool) -> Sum:
    total, began, shown = Sum(), time.monotonic(), 0.0
    for outcome in outcomes(seeds, workers):
        total.add(outcome)
        if outcome.wrong:
            print(
                f"seed {outcome.seed}: {outcome.wrong[0][0]}: {outcome.wrong[0][1]}",
                file=sys.stderr,
            )
            if until_wrong:
                break
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            rate = total.schedules / (shown - began)
            left = (len(seeds) - total.schedules) / rate
            print(
                f"\r{total.schedules} of {len(seeds)} schedules, {rate:.1f} a second, {left:.0f} s left ",
                end="", file=sys.stderr, flush=True,
            )  # fmt: skip
    print(
        f"\r{total.schedules} schedules in {time.monotonic() - began:.0f} s{' ' * 40}",
        file=sys.stderr,
    )
    return total


def _describe(outcome: Outcome) -> None:
    """Print the fewest steps that still go wrong, and how to run them again."""
    runner = Runner()
    try:
        print(f"\nseed {outcome.seed}: reducing its steps", file=sys.stderr)
        steps = shrink(runner, outcome, schedule(outcome.seed))
        wrong = runner.run(outcome.seed, steps).wrong
    finally:
        runner.close()
    print(f"Seed {outcome.seed}, {len(steps)} steps:")
    print("\n".join(describe(steps)))
    print("Then everybody signs in, the network works, and:")
    for what, why in wrong:
        print(f"  {what}: {why}")
    print(f"Again: make simulate ONLY={outcome.seed}. Its steps: {json.dumps(steps)}\n")


def _rows(total: Sum) -> list[dict[str, object]]:
    """A figure for each fault class; what was wrong counts against the classes of its run."""
    rows = []
    for fault in sorted(total.faults):
        failed = [one for one in total.failed if fault in one.faults]
        found = {
            what: sum(kind == what for one in failed for kind, _ in one.wrong) for what in WRONG
        }
        rows.append({"part": "simulate", "fault": fault, "tried": total.faults[fault], **found})
    return rows


if __name__ == "__main__":
    sys.exit(main())
