"""`make soak`: run the long proof, or the rest of it, and publish its figures.

    python -m tests.soak [--part NAME]... [--fresh]    run what has not passed yet
    python -m tests.soak --part fresh [--schedules N]  seeds never used before, until stopped or N are done
    python -m tests.soak table                         write the README's table from docs/proof.json

Ctrl-C at any moment is safe: the next run continues with the chunk that was interrupted. The exit code
is 0 only when everything that ran is good.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from tests.soak import proof, unseen
from tests.soak.ledger import Ledger
from tests.soak.parts import PARTS
from tests.soak.run import Soak, commit_of

ROOT = Path(__file__).resolve().parents[2]
PROOF, README, LEDGER = ROOT / "docs/proof.json", ROOT / "README.md", ROOT / "soak.jsonl"
UNSEEN = ROOT / "docs/unseen.json"
FRESH = "fresh"


def main() -> int:
    """Parse the command line and do it; the exit code."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("what", nargs="?", choices=["run", "table"], default="run")
    parser.add_argument(
        "--part", action="append", choices=[*names, FRESH], help="only this (repeatable)"
    )
    parser.add_argument("--fresh", action="store_true", help="run again what has passed")
    parser.add_argument(
        "--schedules", type=int, default=0, help=f"how many of {FRESH}; 0: for ever"
    )
    chosen = parser.parse_args()
    if chosen.what == "table":
        proof.publish(README, proof.load(PROOF), unseen.load(UNSEEN))
        return 0
    soak = Soak(ROOT, Ledger(LEDGER), PROOF, README, partial(print, flush=True))
    parts = [part for part in PARTS if not chosen.part or part.name in chosen.part]
    try:
        if chosen.part == [FRESH]:
            return 0 if _fresh(chosen.schedules) else 1
        good = soak.run(parts, names, fresh=chosen.fresh, commit=commit_of(ROOT))
    except KeyboardInterrupt:
        print("\nStopped. The same command continues from here.")
        return 130
    print(proof.table(proof.load(PROOF), unseen.row(unseen.load(UNSEEN))))
    return 0 if good else 1


def _fresh(schedules: int) -> bool:
    try:
        return unseen.run(ROOT, UNSEEN, commit_of(ROOT), schedules, partial(print, flush=True))
    finally:
        proof.publish(README, proof.load(PROOF), unseen.load(UNSEEN))


if __name__ == "__main__":
    sys.exit(main())
