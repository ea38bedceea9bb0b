"""Every version ever released stays readable: its bytes still give the records they gave then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.kinds import KINDS
from sync.operations import UPCASTS, Refusal, newest, parse
from sync.storage import Storage, read_visits
from tests.sync.release import DIRECTORY, records_after
from tests.sync.world import BOB, VISIT, Device, settle

RELEASED = sorted(DIRECTORY.glob("*/operations.json"))


def contains(now: Any, then: Any) -> bool:
    """True when `now` has all that `then` had; later releases may know more."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(
            key in now and contains(now[key], value) for key, value in then.items()
        )
    if isinstance(then, list):
        return len(now) == len(then) and all(
            contains(one, other) for one, other in zip(now, then, strict=True)
        )
    return bool(now == then)


def test_there_is_a_recording_of_every_release() -> None:
    assert [path.parent.name for path in RELEASED] == ["v1"]


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.parent.name)
def test_operations_of_every_release_still_give_the_same_records(path: Path) -> None:
    released = json.loads(path.read_text("utf-8"))
    for cut, then in released["records"].items():
        now = records_after(released["operations"], int(cut))
        for key, record in then.items():
            assert contains(now[key], record), key


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.parent.name)
def test_no_kind_and_no_version_that_was_released_is_forgotten(path: Path) -> None:
    released = json.loads(path.read_text("utf-8"))
    assert {parse(one["bytes"]).kind for one in released["operations"]} == set(released["versions"])
    assert set(released["versions"]) <= set(KINDS)
    for kind, version in released["versions"].items():
        assert newest(kind) >= version


def test_old_data_is_converted_one_version_at_a_time_and_its_bytes_stay(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 1 has `word`, version 2 `words`; today's is version 3."""
    monkeypatch.setitem(UPCASTS, ("visit.note", 1), lambda data: {"words": [data["word"]], "item": ""})  # fmt: skip
    monkeypatch.setitem(UPCASTS, ("visit.note", 2), lambda data: {"text": " ".join(data["words"]), "item": data["item"]})  # fmt: skip
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    texts = [
        phone.make("visit.note", {"word": "ett"}, v=1, base=3),
        phone.make("visit.note", {"words": ["två", "ord"], "item": "i1"}, v=2, base=3),
        phone.make("visit.note", {"text": "tre", "item": ""}, v=3, base=3),
        phone.make("visit.note", {"text": "fyra", "item": ""}, v=4, base=3),
        phone.make("visit.note", {"text": "ett"}, v=1, base=3),
    ]
    results = phone.send(storage, *texts).results
    assert [one.problem for one in results] == ["", "", "", "version_newer", "invalid"]
    with storage.transaction():
        notes = read_visits(storage, [VISIT])[VISIT]["notes"]
        held = {one.octets.decode() for one in storage.held(visit=VISIT)}
    assert [one["text"] for one in notes] == ["ett", "två ord", "tre"]
    assert held == set(texts[3:])
    assert newest("visit.note") == 3
    assert newest("visit.answer") == 1


@pytest.mark.parametrize(
    ("over", "problem"),
    [
        ({"kind": "house.paint", "subject": {"type": "house", "id": "h"}}, "unknown_kind"),
        ({"kind": "house.paint", "v": 7}, "unknown_kind"),
        ({"v": 2, "subject": "6f1c", "device": {"id": "d"}, "data": []}, "version_newer"),
        ({"v": 0}, "invalid"),
        ({"v": True}, "invalid"),
        ({"kind": "__proto__"}, "invalid"),
    ],
)
def test_what_a_later_release_wrote_is_not_held_as_invalid(
    over: dict[str, Any], problem: str
) -> None:
    raw = json.loads(Device("phone", BOB).make("visit.note", {"item": "", "text": "x"}))
    with pytest.raises(Refusal) as refusal:
        parse(json.dumps(raw | over))
    assert refusal.value.code == problem
