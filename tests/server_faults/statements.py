"""F6: the server is killed at every step of its work, and started again.

One run without a fault tells what is committed at each step; then, for each step, a child process does
the same work and is killed there with SIGKILL. What a fresh process then finds must be exactly what was
committed at that step (nothing half applied), with everything that had been answered in it; and after
the phones and the desk have done all of it again, the state is that of a day without faults.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from pwa import create_app
from pwa.settings import Settings
from tests.server_faults import oracle
from tests.server_faults.oracle import State, Verdict
from tests.server_faults.process import Tell, die, in_child
from tests.server_faults.steps import Steps
from tests.server_faults.story import Answer, Story, frozen, repeat_randomness


@dataclass(slots=True)
class Reference:
    """A run without faults: what each step is, what was committed before it, what came out."""

    what: list[str]
    committed: list[str]
    final: State


def reference(base: Path, story: Story, scratch: Path) -> Reference:
    """Do the work once, whole, looking at every step."""

    def work(tell: Tell) -> None:
        steps = Steps(scratch, lambda n, what: tell([what, oracle.digest(oracle.look(scratch))]))
        _do(scratch, story, steps, lambda answer: None)
        tell(oracle.look(scratch))

    fresh(base, scratch)
    told, killed = in_child(work)
    assert not killed
    *steps, final = told
    return Reference([what for what, _ in steps], [state for _, state in steps], final)


def kill_at(point: int, base: Path, story: Story, scratch: Path, wanted: Reference) -> Verdict:
    """Kill the server at step `point` (from 1), start it again, and judge."""

    def work(tell: Tell) -> None:
        steps = Steps(scratch, lambda n, what: die() if n == point else None)
        _do(scratch, story, steps, tell)

    fresh(base, scratch)
    answers, killed = in_child(work)
    assert killed, f"step {point} was never reached"
    verdict = Verdict()
    if oracle.digest(oracle.look(scratch)) != wanted.committed[point - 1]:
        verdict.doubled.append("half applied: not what was committed at this step")
    verdict.add(judge(scratch, story, answers, wanted.final))
    return verdict


def judge(data: Path, story: Story, answers: list[Answer], final: State) -> Verdict:
    """Start a fresh process on `data` after a fault; check, do everything again, check."""

    def work(tell: Tell) -> None:
        frozen()
        app = create_app(Settings(data=data))
        found = oracle.check_whole(data)
        found.add(oracle.check_answered(data, answers))
        again = [act(number, story, app) for number in range(len(story.acts))]
        found.add(oracle.check_whole(data))
        found.add(oracle.check_answered(data, again))
        found.lost += [f"act refused: {one}" for one in again if one["status"] != 200]
        found.add(oracle.check_retried(data, story, final, app))
        tell([found.lost, found.doubled, found.hidden])

    told, killed = in_child(work)
    assert not killed
    return Verdict(*told[0])


def _do(data: Path, story: Story, steps: Steps, tell: Tell) -> None:
    frozen()
    app = create_app(Settings(data=data))
    for number in range(len(story.acts)):
        steps.watch(True)
        answer = act(number, story, app)
        steps.step(f"answer {number}")
        steps.watch(False)
        tell(answer)


def act(number: int, story: Story, app: Flask) -> Answer:
    """Do one act, with the randomness it always has, so that doing it again can be compared."""
    repeat_randomness(number)
    return story.acts[number](app)


def fresh(base: Path, scratch: Path) -> None:
    """Make `scratch` what everything starts from."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(base, scratch)
