"""A device's id is known to many; what speaks for it is the key it was first heard with (I7)."""

from __future__ import annotations

from typing import Any

import pytest

from sync.device import new_device, with_key
from sync.push import Phone, Pushed, push
from sync.rights import Principal
from sync.storage import Storage
from tests.sync.world import (
    BOB,
    CHARLIE,
    NOW,
    VISIT,
    Device,
    answer,
    find_principal,
    fresh_id,
    settle,
)

KEY, OTHER = "a1" * 32, "b2" * 32


def speak(
    storage: Storage, texts: list[str], key: str = "", device: str = "phone", who: Principal = BOB
) -> Pushed:
    return push(storage, texts, who, NOW, people=find_principal, phone=Phone(device, key))


def problems(pushed: Pushed) -> list[str]:
    return [one.problem for one in pushed.results]


def record_of(storage: Storage, type: str, id: str) -> dict[str, Any]:
    with storage.transaction():
        return storage.records([(type, id)])[type, id]


def answered(device: Device, value: str, **over: Any) -> str:
    return device.make("visit.answer", answer("i23", value), base=3, **over)


@pytest.mark.parametrize("key", [OTHER, "", "A1" * 32, "x"])
def test_i7_nobody_writes_under_a_device_whose_key_they_do_not_have(
    storage: Storage, key: str
) -> None:
    settle(storage, ["bob", "charlie"])
    phone = Device("phone", BOB)
    assert problems(speak(storage, [answered(phone, "sounds")], KEY)) == [""]
    thief = Device("phone", CHARLIE, taken=2**51)
    stolen = speak(storage, [answered(thief, "silent")], key, who=CHARLIE)
    assert (problems(stolen), stolen.proven) == (["device_mismatch"], False)
    writes = record_of(storage, "visit", VISIT)["cells"]["answer.i23"]
    assert [one["value"] for one in writes] == ["sounds"]
    assert record_of(storage, "device", "phone")["received"] == [[1, 1]]
    assert problems(speak(storage, [answered(phone, "silent")], KEY)) == [""]


def test_i7_an_operation_goes_in_only_from_its_own_device(storage: Storage) -> None:
    settle(storage, ["bob"])
    pushed = speak(storage, [answered(Device("elsewhere", BOB), "sounds")], KEY)
    assert (problems(pushed), pushed.proven) == (["device_mismatch"], True)


def test_a_greeting_with_nothing_to_send_is_enough_to_be_known(storage: Storage) -> None:
    settle(storage, ["bob"])
    speak(storage, [], KEY)
    assert problems(speak(storage, [answered(Device("phone", BOB), "ok")], OTHER)) == [
        "device_mismatch"
    ]


def test_a_phone_without_a_key_goes_on_working_until_its_device_has_one(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    for _ in range(2):
        assert problems(speak(storage, [answered(phone, "ok")])) == [""]
    assert problems(speak(storage, [answered(phone, "ok")], KEY)) == [""]
    assert problems(speak(storage, [answered(phone, "ok")])) == ["device_mismatch"]


def test_the_key_itself_is_never_kept(storage: Storage) -> None:
    settle(storage, ["bob"])
    speak(storage, [], KEY)
    kept = record_of(storage, "device", "phone")["key"]
    assert len(kept) == 64
    assert kept != KEY


def test_i7_a_desk_does_not_speak_over_the_wire(storage: Storage) -> None:
    settle(storage, ["bob"])
    desk = Device("desk-bob", BOB)
    pushed = speak(storage, [answered(desk, "ok")], KEY, device="desk-bob")
    assert (problems(pushed), pushed.proven) == (["device_mismatch"], False)


def test_i9_what_came_without_its_key_goes_in_when_its_phone_offers_it(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    speak(storage, [], KEY)
    text = answered(phone, "ok")
    assert problems(speak(storage, [text])) == ["device_mismatch"]
    assert [one.result for one in speak(storage, [text], KEY).results] == ["applied"]
    assert [one.result for one in speak(storage, [text], KEY).results] == ["duplicate"]


def test_i9_a_supervisor_takes_in_what_another_phone_sent_but_never_for_a_desk(
    storage: Storage,
) -> None:
    settle(storage, ["bob"])
    mine = answered(Device("phone", BOB), "ok")
    desks = answered(Device("desk-alice", BOB, taken=2**51), "ok", id=fresh_id())
    speak(storage, [], KEY)
    assert problems(speak(storage, [mine, desks], OTHER)) == ["device_mismatch"] * 2
    for text, expected in ((mine, "applied"), (desks, "held")):
        pushed = push(
            storage, [text], BOB, NOW, people=find_principal, resolve="accept", resolver="alice"
        )
        assert pushed.results[0].result == expected
    assert record_of(storage, "device", "desk-alice")["received"] == [[1, 3]]


def test_a_second_key_never_replaces_the_first() -> None:
    heard = with_key(new_device("phone"), KEY)
    assert with_key(heard, OTHER) is heard
    assert with_key({"type": "device", "id": "old", "seq": 0, "received": [], "reused": []}, KEY)["key"] == heard["key"]  # fmt: skip
