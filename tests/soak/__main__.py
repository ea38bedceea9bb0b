"""`make soak`: run the long proof, or the rest of it, and publish its figures.

    python -m tests.soak [--part NAME]... [--fresh]    run what has not passed yet
    python -m tests.soak table                         write the README's table from docs/proof.json

Ctrl-C at any moment is safe: the next run continues with the chunk that was interrupted. The exit code
is 0 only when everything that ran is good.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from tests.soak import proof
from tests.soak.ledger import Ledger
from tests.soak.parts import PARTS
from tests.soak.run import Soak, commit_of

ROOT = Path(__file__).resolve().parents[2]
PROOF, README, LEDGER = ROOT / "docs/proof.json", ROOT / "README.md", ROOT / "soak.jsonl"


def main() -> int:
    """Parse the command line and do it; the exit code."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("what", nargs="?", choices=["run", "table"], default="run")
    parser.add_argument("--part", action="append", choices=names, help="only this (repeatable)")
    parser.add_argument("--fresh", action="store_true", help="run again what has passed")
    chosen = parser.parse_args()
    if chosen.what == "table":
        proof.publish(README, proof.load(PROOF))
        return 0
    soak = Soak(ROOT, Ledger(LEDGER), PROOF, README, partial(print, flush=True))
    parts = [part for part in PARTS if not chosen.part or part.name in chosen.part]
    try:
        good = soak.run(parts, names, fresh=chosen.fresh, commit=commit_of(ROOT))
    except KeyboardInterrupt:
        print("\nStopped. The same command continues from here.")
        return 130
    print(proof.table(proof.load(PROOF)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
