"""Runs schedules, one process for each core, and adds up the outcomes.

Invariant: the trace of a run depends on its seed alone, and the sum on the order of the seeds, so
the same command gives the same figures however many processes share the work.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.cast.randomness import repeated_randomness
from tests.simulation.company import Company
from tests.simulation.oracle import check
from tests.simulation.phones import Phones
from tests.simulation.schedule import Step, schedule
from tests.simulation.settling import settle
from tests.simulation.site import Site
from tests.simulation.world import World

CHUNK = 20
WRONG = ("lost", "doubled", "hidden")


@dataclass
class Outcome:
    """The outcome of one run; `wrong` holds (lost, doubled or hidden; what)."""

    seed: int
    operations: int
    faults: dict[str, int]
    wrong: list[tuple[str, str]]
    trace: str


class Runner:
    """Runs schedules one after the other: one application, one process with all phones."""

    def __init__(self) -> None:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="troskel-simulation-", dir=memory))
        self._site = Site(self._folder)
        self.phones = Phones()

    def company(self) -> Company:
        """A company as each run begins with."""
        return self._site.company()

    def run(self, seed: int, steps: Sequence[Step] | None = None) -> Outcome:
        """Run `steps`, or those that `seed` makes."""
        with repeated_randomness(seed):
            return self._run(seed, steps)

    def _run(self, seed: int, steps: Sequence[Step] | None) -> Outcome:
        world = World(self.company(), self.phones)
        try:
            world.run(schedule(seed) if steps is None else steps)
            settle(world)
            check(world)
        except Exception as error:  # a run that breaks off proves nothing, so it fails
            world.wrong.append(("hidden", f"the run broke off: {type(error).__name__}: {error}"))
            self.phones.close()
            self.phones = Phones()
        wrong = list(dict.fromkeys(world.wrong))
        return Outcome(seed, len(world.saved), dict(world.faults), wrong, world.digest)

    def close(self) -> None:
        self.phones.close()
        self._site.close()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass
class Sum:
    """Figures of many runs, and the outcomes that failed."""

    schedules: int = 0
    operations: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    _trace: Any = field(default_factory=hashlib.sha256)

    def add(self, outcome: Outcome) -> None:
        self.schedules += 1
        self.operations += outcome.operations
        self.faults.update(outcome.faults)
        self.wrong.update(what for what, _ in outcome.wrong)
        self._trace.update(outcome.trace.encode())
        if outcome.wrong:
            self.failed.append(outcome)

    @property
    def trace(self) -> str:
        return str(self._trace.hexdigest())


def outcomes(seeds: Sequence[int], workers: int = 0) -> Iterator[Outcome]:
    """One outcome for each seed, in order; on as many processes as there are cores (or `workers`)."""
    workers = workers or min(os.cpu_count() or 1, 8)
    chunks = [list(seeds[at : at + CHUNK]) for at in range(0, len(seeds), CHUNK)]
    if workers == 1 or len(chunks) == 1:
        runner = Runner()
        try:
            yield from (runner.run(seed) for seed in seeds)
        finally:
            runner.close()
        return
    # spawn: a forked child would share the parent's locks and connections.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin) as pool:
        waiting = [pool.submit(_run_chunk, chunk) for chunk in chunks]
        try:
            for one in waiting:
                yield from one.result()
        finally:
            for one in waiting:
                one.cancel()
            list(pool.map(_end, range(workers)))


_runner: Runner | None = None


def _begin() -> None:
    global _runner
    _runner = Runner()


def _run_chunk(seeds: list[int]) -> list[Outcome]:
    assert _runner
    return [_runner.run(seed) for seed in seeds]


def _end(_: int) -> None:
    if _runner:
        _runner.close()


def sort_of(wrong: tuple[str, str]) -> str:
    """What went wrong, without ids and numbers: two findings with the same text are the same."""
    return f"{wrong[0]} {re.sub(r'[0-9a-f-]{36}|[0-9]+', '#', wrong[1])}"


def shrink(runner: Runner, outcome: Outcome, steps: list[Step], tries: int = 200) -> list[Step]:
    """The fewest of `steps` (as far as `tries` runs find out) after which the same finding remains:
    leave out halves, then quarters, down to single steps. The phones stay."""
    wanted = {sort_of(outcome.wrong[0])}
    fixed = [step for step in steps if step[0] == "start"]
    steps = steps[len(fixed) :]
    size = max(1, len(steps) // 2)
    while tries > 0:
        at, shorter = 0, False
        while at < len(steps) and tries > 0:
            rest = steps[:at] + steps[at + size :]
            tries -= 1
            if {sort_of(one) for one in runner.run(outcome.seed, fixed + rest).wrong} & wanted:
                steps, shorter = rest, True
            else:
                at += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return fixed + steps
