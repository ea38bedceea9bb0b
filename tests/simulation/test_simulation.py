"""Two thousand runs in which nothing is lost, doubled or hidden, and the proof that they repeat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

import pytest

from tests.simulation.describe import describe
from tests.simulation.runner import Outcome, Runner, Sum, outcomes, shrink
from tests.simulation.schedule import Step, schedule

SCHEDULES = 2000


class Regression(TypedDict):
    """A schedule that once failed: what went wrong then, its seed and its steps."""

    what: str
    seed: int
    steps: list[Step]


REGRESSIONS: list[Regression] = json.loads(
    Path(__file__).with_name("regressions.json").read_text("utf-8")
)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.close()


def test_nothing_is_lost_doubled_or_hidden_in_two_thousand_schedules() -> None:
    total = Sum()
    for outcome in outcomes(range(1, SCHEDULES + 1)):
        total.add(outcome)
    assert total.schedules == SCHEDULES
    assert [(one.seed, one.wrong) for one in total.failed] == []
    # A fault class that never came about would prove nothing.
    assert set(total.faults) == {"F1", "F2", "F4", "F8", "F9", "F11", "F12"}
    assert total.operations > 5 * SCHEDULES


def test_the_same_seed_gives_the_same_trace(runner: Runner) -> None:
    first = [runner.run(seed).trace for seed in range(5001, 5006)]
    assert [runner.run(seed).trace for seed in range(5001, 5006)] == first
    assert len(set(first)) == 5
    # Whatever ran before it, and in whichever process.
    assert next(outcomes([5003], workers=1)).trace == first[2]


def test_the_servers_random_ids_repeat_too(runner: Runner) -> None:
    # Here the desk assigns held work: the server makes the operation's id, and the log's digest has it.
    assert runner.run(7312669).trace == next(outcomes([7312669], workers=1)).trace


@pytest.mark.parametrize("case", REGRESSIONS, ids=[one["what"] for one in REGRESSIONS])
def test_a_schedule_that_once_failed_passes(case: Regression, runner: Runner) -> None:
    assert runner.run(case["seed"], case["steps"]).wrong == []


def test_a_failing_seed_is_reduced_and_described(
    monkeypatch: pytest.MonkeyPatch, runner: Runner
) -> None:
    real = runner.run

    def pretend(seed: int, steps: Sequence[Step] | None = None) -> Outcome:
        outcome = real(seed, steps)
        has_desk_step = any(step[0] == "desk" for step in steps or [])
        outcome.wrong = [("lost", "a desk step")] if has_desk_step else []
        return outcome

    steps = next(
        made for made in map(schedule, range(1, 99)) if sum(s[0] == "desk" for s in made) == 2
    )
    monkeypatch.setattr(runner, "run", pretend)
    small = shrink(runner, Outcome(1, 0, {}, [("lost", "a desk step")], ""), steps)
    small = [step for step in small if step[0] != "start"]
    assert [step[0] for step in small] == ["desk"]
    assert "Desk" in describe(small)[0]
    assert all(len(line) > 5 for line in describe(steps))
