"""Three people decide about the same consents, two on one phone, and none is shown all the decisions.

Random schedules seldom bring two people to one visit; these do nothing else. The oracle finds each
of the two mistakes that the protocol's own numbers cannot show.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

import sync.effects
import sync.seen
from tests.simulation.company import FIELD_STAFF, visit_id
from tests.simulation.forms import Forms
from tests.simulation.phones import Device
from tests.simulation.runner import Runner
from tests.simulation.schedule import Step
from tests.simulation.shown import DECISIONS

# (person, phone, visit); who is assigned where: tests/simulation/site.py.
ACTORS = ((0, 0, 0), (1, 0, 0), (2, 1, 8), (2, 1, 8), (0, 0, 8))
RUNS = range(12)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.close()


def decisions(person: int, visit: int, chance: random.Random) -> int:
    """The seed of a tap in which this person records or withdraws a consent at this visit."""
    device = Device("any", FIELD_STAFF[person])
    for seed in count(chance.randrange(1 << 20)):
        tap = Forms({}).fill(device, seed, random.Random(seed), 0)["drafts"][0]
        if tap["kind"] in DECISIONS and tap["subject"]["id"] == visit_id(visit):
            return seed
    raise AssertionError


def steps(seed: int) -> list[Step]:
    chance = random.Random(seed)
    made: list[Step] = [["start", 0, 0, 7], ["start", 1, 2, 8], *[["net", 0, "ok"]] * 6]
    for _ in range(8):
        person, phone, visit = chance.choice(ACTORS)
        made.append(["person", phone, person])
        made += [["net", chance.randrange(9), "ok"]] * chance.randrange(4)
        if chance.random() < 0.5:  # pulls what the others have sent
            made += [["wake", phone], *[["net", chance.randrange(9), "ok"]] * 4]
        made.append(["tap", phone, decisions(person, visit, chance), False, 0, "", 0])
        made += [["net", chance.randrange(9), "ok"]] * chance.randrange(4)
    return made


def wrong(runner: Runner) -> list[Any]:
    return [one for seed in RUNS for one in runner.run(seed, steps(seed)).wrong]


def test_i5_no_decision_ever_counts_over_one_that_its_author_was_not_shown(runner: Runner) -> None:
    assert wrong(runner) == []


def test_the_oracle_finds_a_colleagues_unsent_decision_taken_as_seen(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync.seen, "author_of", lambda write: write["device"])
    assert any(what.endswith("unseen") for _, what in wrong(runner))


def test_the_oracle_finds_an_ambassador_taken_to_have_seen_what_is_not_shown(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync.effects, "decided_alone", lambda *_, **__: False)
    assert any(what.endswith("unseen") for _, what in wrong(runner))
