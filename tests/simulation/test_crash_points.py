"""Every point of saving, sending and acknowledging, killed once; and what the story consists of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.crash_points import Cut, pairs, run_story, singles
from tests.simulation.runner import Runner


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.close()


def test_the_story_saves_sends_and_purges(runner: Runner) -> None:
    world = run_story(runner, Cut([]))
    assert world.wrong == []
    assert sorted(one.kind for one in world.saved.values()) == [
        "visit.consent", "visit.consent", "visit.note",
    ]  # fmt: skip
    ((size,),) = world.company.query("SELECT length(bytes) FROM signatures")
    assert size < 1000  # sent with the push
    (file,) = (world.company.data / "blobs").glob("??/*")
    assert file.stat().st_size > 16 * 1024  # sent by itself
    # The backup has passed all but the large signature, which arrived after the last operation.
    assert len(world.look(world.devices["phone0"])["outbox"]) == 1


def test_nothing_is_lost_doubled_or_hidden_by_a_kill_at_any_point(runner: Runner) -> None:
    tried = 0
    for at, world in singles(runner):
        assert world.wrong == [], f"killed at {at}"
        assert world.cut_count == 1
        tried += 1
    assert tried > 80  # far fewer points would mean that the story does not run


def test_a_second_kill_is_counted_from_the_first(runner: Runner) -> None:
    found = pairs(runner, 20, 1)
    for expected in ([20, 1], [20, 2], [20, 3]):
        at, world = next(found)
        assert at == expected
        assert world.cut_count == 2
        assert world.wrong == []
