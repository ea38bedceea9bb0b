"""`python -m tests.server_faults statements|writes|disk|planted [--slice I/N]`: one part of the long proof.

The last line is JSON: how many faults were tried, and what was lost, doubled or hidden by them; every
bad point is reported before, on standard error. The exit code is 0 only when there was none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.server_faults import statements, storage
from tests.server_faults.disk import SHIM, environment
from tests.server_faults.mutations import MUTATIONS
from tests.server_faults.oracle import Findings
from tests.server_faults.story import build, freeze

BAD = ("lost", "doubled", "hidden", "unlocked")


def points(slice: str, total: int) -> range:
    """The points of slice `I/N` (I from 1): every N-th, so that each slice covers the whole story."""
    part, _, parts = slice.partition("/")
    return range(int(part), total + 1, int(parts))


def main() -> int:
    """Run one part; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.server_faults")
    parser.add_argument("part", choices=["statements", "writes", "disk", "planted", "locks"])
    parser.add_argument("--slice", default="1/1")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), help="with this in the code")
    parser.add_argument("--stop", action="store_true", help="at the first bad point")
    chosen = parser.parse_args()
    if chosen.part == "planted":
        row = catch_all()
        print(json.dumps(row))
        return int(bool(row["hidden"]))
    with tempfile.TemporaryDirectory() as folder:
        if chosen.part != "statements" and SHIM not in os.environ:
            command = [sys.executable, "-m", "tests.server_faults", *sys.argv[1:]]
            return subprocess.run(command, env=environment(Path(folder)), check=False).returncode
        freeze()
        if chosen.mutation:
            MUTATIONS[chosen.mutation].plant()
        if chosen.part == "locks":
            free = storage.unlocked_calls(
                Path(folder) / "base", build(Path(folder) / "base"), Path(folder) / "data"
            )
            print(json.dumps({"unlocked": free}))
            return int(bool(free))
        total, tried = run(chosen.part, chosen.slice, Path(folder), stop=chosen.stop)
    row = {
        "part": f"server-{chosen.part}",
        "fault": "F6" if chosen.part == "statements" else "F7",
        "tried": tried,
        "lost": len(total.lost),
        "doubled": len(total.doubled),
        "hidden": len(total.hidden),
    }
    print(json.dumps(row))
    return int(bool(total))


def catch_all() -> dict[str, Any]:
    """Make each mutation and run the part that must catch it; the row of figures."""
    caught = 0
    for name, mutation in sorted(MUTATIONS.items()):
        command = [sys.executable, "-m", "tests.server_faults", mutation.part]
        command += ["--slice", mutation.slice, "--mutation", name, "--stop"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        figures = json.loads((done.stdout.splitlines() or ["{}"])[-1])
        by = next((line for line in done.stderr.splitlines() if " of " in line), done.stdout)
        seen = done.returncode == 1 and any(figures.get(key) for key in BAD)
        caught += seen
        why = by.strip()[:200] if seen else f"NOT CAUGHT {done.stderr[-2000:]}"
        print(f"{name}: {why}", flush=True)
    return {
        "part": "server-planted",
        "fault": "planted bugs",
        "tried": len(MUTATIONS),
        "lost": 0,
        "doubled": 0,
        "hidden": len(MUTATIONS) - caught,
    }


def run(part: str, slice: str, folder: Path, *, stop: bool = False) -> tuple[Findings, int]:
    """Try every point of the slice in every way; what went wrong, and how many were tried."""
    base, scratch = folder / "base", folder / "data"
    story = build(base)
    total, tried = Findings(), 0
    if part == "statements":
        steps = statements.reference(base, story, scratch)
        what = steps.what
    else:
        calls = storage.reference(base, story, scratch)
        what = calls.what
    for point in points(slice, len(what)):
        for how in storage.ways(part) if part != "statements" else ["killed"]:
            tried += 1
            if part == "statements":
                found = statements.kill_at(point, base, story, scratch, steps)
            else:
                found = storage.fail_at(point, how, base, story, scratch, calls)
            if found:
                print(f"{point} of {len(what)}, {what[point - 1]}, {how}: {found}", file=sys.stderr)
            total.add(found)
            if stop and total:
                return total, tried
    return total, tried


if __name__ == "__main__":
    sys.exit(main())
