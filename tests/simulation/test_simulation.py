"""Two thousand runs in which nothing is lost, doubled or hidden, and the proof that they repeat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.runner import Outcome, Runner, Sum, outcomes, shrink
from tests.simulation.schedule import schedule
from tests.simulation.story import tell

SCHEDULES = 2000
REGRESSIONS = json.loads(Path(__file__).with_name("regressions.json").read_text("utf-8"))


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


def test_what_the_server_makes_at_random_repeats_too(runner: Runner) -> None:
    # In this one the desk assigns held work: the operation's id is the server's, and with it the log's digest.
    assert runner.run(7312669).trace == next(outcomes([7312669], workers=1)).trace


@pytest.mark.parametrize("case", REGRESSIONS, ids=[one["what"] for one in REGRESSIONS])
def test_what_once_went_wrong_does_not_any_more(case: dict[str, object], runner: Runner) -> None:
    assert runner.run(int(str(case["seed"])), case["steps"]).wrong == []  # type: ignore[arg-type]


def test_a_failing_seed_is_made_smaller_and_told_in_words(
    monkeypatch: pytest.MonkeyPatch, runner: Runner
) -> None:
    real = runner.run

    def pretend(seed: int, steps: object = None) -> object:
        outcome = real(seed, steps)  # type: ignore[arg-type]
        cut = [step for step in (steps or []) if step[0] == "desk"]  # type: ignore[attr-defined]
        outcome.wrong = [("lost", "a desk step")] if cut else []
        return outcome

    steps = next(
        made for made in map(schedule, range(1, 99)) if sum(s[0] == "desk" for s in made) == 2
    )
    monkeypatch.setattr(runner, "run", pretend)
    small = shrink(runner, Outcome(1, 0, {}, [("lost", "a desk step")], ""), steps)
    small = [step for step in small if step[0] != "start"]
    assert [step[0] for step in small] == ["desk"]
    assert "Desk" in tell(small)[0]
    assert all(len(line) > 5 for line in tell(steps))
