"""`make soak PART=fresh`: schedules from seeds that nobody has used, for as long as it may run.

Invariant: the first seed of each chunk is drawn when the chunk begins, so no code can have been
written to pass it; a chunk counts only when it has finished, and a failing one stays counted. The
tally (`docs/unseen.json`) has one line for each commit and goes on over releases.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypedDict, get_args

GOAL = 1_000_000
CHUNK = 500
# Far more than will ever be run, so two chunks share a seed only by an unlikely chance.
SEEDS = 2**48
Added = Literal["schedules", "operations", "faults", "lost", "doubled", "hidden"]
ADDED: tuple[Added, ...] = get_args(Added)


class Tally(TypedDict):
    """What was run at one commit. `in_a_row`: schedules since the last that went wrong there;
    `failed`: first seeds of the chunks with a schedule that went wrong."""

    commit: str
    date: str
    schedules: int
    operations: int
    faults: int
    lost: int
    doubled: int
    hidden: int
    in_a_row: int
    failed: list[int]


class Counted(TypedDict):
    """The last line of `python -m tests.simulation`."""

    schedules: int
    seed: int
    operations: int
    faults: int
    lost: int
    doubled: int
    hidden: int


def load(path: Path) -> list[Tally]:
    """The tallies, the oldest commit first; none where nothing was run."""
    found: list[Tally] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return found


def add(path: Path, commit: str, counted: Counted) -> list[Tally]:
    """Add a finished chunk to the line of `commit`; the tallies afterwards."""
    tallies = load(path)
    if not tallies or tallies[-1]["commit"] != commit:
        tallies.append(
            {"commit": commit, "date": "", "schedules": 0, "operations": 0, "faults": 0,
             "lost": 0, "doubled": 0, "hidden": 0, "in_a_row": 0, "failed": []}
        )  # fmt: skip
    now = tallies[-1]
    now["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    for name in ADDED:
        now[name] += counted[name]
    if counted["lost"] or counted["doubled"] or counted["hidden"]:
        now["failed"].append(counted["seed"])
        now["in_a_row"] = 0
    else:
        now["in_a_row"] += counted["schedules"]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(tallies, indent=1) + "\n", "utf-8")
    return tallies


def row(tallies: Sequence[Tally]) -> str:
    """The row of the README's table; "" where nothing was run."""
    if not tallies:
        return ""
    sums = {name: sum(one[name] for one in tallies) for name in ADDED}
    figures = " | ".join(f"{sums[name]:,}" for name in ADDED[2:])
    what = (
        f"all of them, {sums['schedules']:,} schedules from seeds never used before "
        f"(aim: {GOAL:,}); the last {in_a_row(tallies):,} in a row found nothing"
    )
    newest = tallies[-1]
    return f"| unseen | {what} | fresh | {figures} | {newest['date'][:10]}, {newest['commit']} |"


def in_a_row(tallies: Sequence[Tally]) -> int:
    """Schedules since the last that went wrong, over all commits."""
    total = 0
    for one in reversed(tallies):
        total += one["in_a_row"]
        if one["failed"]:
            break
    return total


def run(
    root: Path, path: Path, commit: str, most: int, report: Callable[[str], None] = print
) -> bool:
    """Run chunks until `most` schedules are done (0: until stopped); whether all found nothing."""
    good, done = True, 0
    while not most or done < most:
        seed = secrets.randbelow(SEEDS)
        counted = _chunk(root, seed, min(CHUNK, most - done) if most else CHUNK)
        tallies = add(path, commit, counted)
        done += counted["schedules"]
        total = sum(one["schedules"] for one in tallies)
        wrong = counted["lost"] or counted["doubled"] or counted["hidden"]
        good &= not wrong
        report(
            f"fresh: {done:,} now, {total:,} of {GOAL:,} in all, {in_a_row(tallies):,} in a row"
            + (f"; WRONG in `make simulate SCHEDULES={CHUNK} SEED={seed}`" if wrong else "")
        )
    return good


def _chunk(root: Path, seed: int, schedules: int) -> Counted:
    """Raises RuntimeError where the simulation printed no figures: nothing is counted then."""
    command = [sys.executable, "-m", "tests.simulation"]
    command += ["--schedules", str(schedules), "--seed", str(seed)]
    found = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=False)
    try:
        counted: Counted = json.loads(found.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RuntimeError(f"seed {seed}: exit {found.returncode}, no figures") from error
    return counted
