"""F6: the server is killed at every step of its work, and started again.

One run without a fault records what is committed at each step; then, for each step, a child process
does the same work and is killed there with SIGKILL. What a fresh process then finds must be exactly
what was committed at that step (nothing half applied), with everything that had been acknowledged; and
after the phones and the desk have retried all of it, the state is that of a run without faults.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from pwa import create_app
from pwa.settings import Settings
from tests.cast.randomness import repeat_randomness
from tests.server_faults import oracle
from tests.server_faults.oracle import Findings, State
from tests.server_faults.process import Report, die, in_child
from tests.server_faults.steps import Steps
from tests.server_faults.story import Response, Story, freeze


@dataclass(slots=True)
class Reference:
    """A run without faults: what each step is, what was committed before it, what came out."""

    what: list[str]
    committed: list[str]
    final: State


def reference(base: Path, story: Story, scratch: Path) -> Reference:
    """Do all of the work once, reading the state at every step."""

    def work(report: Report) -> None:
        def note(number: int, what: str) -> None:
            report([what, oracle.digest(oracle.read_state(scratch))])

        _do(scratch, story, Steps(scratch, note), lambda response: None)
        report(oracle.read_state(scratch))

    fresh(base, scratch)
    reported, killed = in_child(work)
    assert not killed
    *steps, final = reported
    return Reference([what for what, _ in steps], [state for _, state in steps], final)


def kill_at(point: int, base: Path, story: Story, scratch: Path, wanted: Reference) -> Findings:
    """Kill the server at step `point` (from 1), start it again, and check."""

    def work(report: Report) -> None:
        steps = Steps(scratch, lambda n, what: die() if n == point else None)
        _do(scratch, story, steps, report)

    fresh(base, scratch)
    responses, killed = in_child(work)
    assert killed, f"step {point} was never reached"
    found = Findings()
    if oracle.digest(oracle.read_state(scratch)) != wanted.committed[point - 1]:
        found.doubled.append("half applied: not what was committed at this step")
    found.add(check_after(scratch, story, responses, wanted.final))
    return found


def check_after(data: Path, story: Story, responses: list[Response], final: State) -> Findings:
    """Start a fresh process on `data` after a fault; check, retry everything, check."""

    def work(report: Report) -> None:
        freeze()
        app = create_app(Settings(data=data))
        found = oracle.check_consistent(data)
        found.add(oracle.check_acknowledged(data, responses))
        again = [act(number, story, app) for number in range(len(story.acts))]
        found.add(oracle.check_consistent(data))
        found.add(oracle.check_acknowledged(data, again))
        found.lost += [f"act refused: {one}" for one in again if one["status"] != 200]
        found.add(oracle.check_retried(data, story, final, app))
        report([found.lost, found.doubled, found.hidden])

    reported, killed = in_child(work)
    assert not killed
    return Findings(*reported[0])


def _do(data: Path, story: Story, steps: Steps, report: Report) -> None:
    freeze()
    app = create_app(Settings(data=data))
    for number in range(len(story.acts)):
        steps.watch(True)
        response = act(number, story, app)
        steps.step(f"response {number}")
        steps.watch(False)
        report(response)


def act(number: int, story: Story, app: Flask) -> Response:
    """Do one act, with the same randomness each time, so that a retry can be compared."""
    repeat_randomness(number)
    return story.acts[number](app)


def fresh(base: Path, scratch: Path) -> None:
    """Make `scratch` what everything starts from."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(base, scratch)
