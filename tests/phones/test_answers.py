"""The answers to a push and a pull, apart from HTTP."""

from __future__ import annotations

import pytest

from pwa.homes import company
from pwa.phones import answers
from pwa.phones.shapes import PushAnswer
from pwa.publishing import recordings
from pwa.services import LastAnswer, Services
from sync.operations import digest_of
from sync.push import Pushed, Result
from sync.shapes import Outcome


def result(id: str, outcome: Outcome, seq: int) -> Result:
    return Result(id, digest_of(id), outcome, seq, "invalid" if outcome == "held" else "")


def answer(services: Services, *results: Result, short: bool = True) -> PushAnswer:
    pushed = Pushed(seq=9, results=list(results))
    with services.databases.reading() as db:
        return answers.push_answer(db, services.blobs, pushed, [], short=short)


def test_a_short_answer_acknowledges_what_was_applied_in_runs_of_numbers(
    services: Services,
) -> None:
    found = answer(
        services, *(result(f"{seq}", "applied", seq) for seq in (4, 5, 6, 8)),
        result("h", "held", 0), result("9", "applied", 9),
    )  # fmt: skip
    assert found["taken"]["seqs"] == [(4, 3), (8, 2)]
    assert found["taken"]["sha256"] == digest_of("".join(map(digest_of, "45689")))
    assert [one["id"] for one in found["results"]] == ["h"]


def test_an_operation_sent_twice_in_one_push_is_listed_and_not_taken(services: Services) -> None:
    found = answer(services, result("a", "applied", 1), result("a", "duplicate", 1))
    assert "taken" not in found
    assert [one["result"] for one in found["results"]] == ["applied", "duplicate"]


def test_a_long_answer_lists_everything(services: Services) -> None:
    found = answer(services, result("a", "applied", 1), result("h", "held", 0), short=False)
    assert "taken" not in found
    assert [one["problem"] for one in found["results"]] == ["", "invalid"]


def test_an_answer_is_computed_again_only_when_its_state_has_changed() -> None:
    last, computed = LastAnswer[int](), []

    def compute() -> int:
        computed.append(1)
        return len(computed)

    assert [last.get(state, compute) for state in "aabba"] == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("change", ["recording", "fact"])
def test_the_digests_of_recordings_depend_on_their_state_alone(
    services: Services, change: str
) -> None:
    sound = b"OggS" + bytes(24) + b"OpusHead" + bytes(40)
    with services.databases.writing() as db:
        before = recordings.state(db, services.guide), recordings.digests(db, services.guide)
        assert recordings.state(db, services.guide) == before[0]
        assert before[1] == {}
        if change == "fact":
            company.store_settings(db, {"company.name": "Testbolaget"})
        else:
            key = next(iter(recordings.words_of(db, services.guide, "sv")))
            recordings.add_recording(db, services.guide, "sv", key, sound, "alice", services.now())
            assert set(recordings.digests(db, services.guide)) == {"sv"}
        assert recordings.state(db, services.guide) != before[0]
