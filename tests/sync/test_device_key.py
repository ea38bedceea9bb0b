"""A device's id is no secret; the first key it sends authenticates it from then on (I7)."""

from __future__ import annotations

from typing import Any

import pytest

from sync.device import new_device, with_key
from sync.push import Phone, Pushed, push
from sync.rights import Principal
from sync.shapes import DeviceRecord
from sync.storage import Storage
from tests.cast.samples import answer
from tests.sync.world import (
    BOB,
    CHARLIE,
    NOW,
    Device,
    device_of,
    find_principal,
    fresh_id,
    settle,
    visit_of,
)

KEY, OTHER = "a1" * 32, "b2" * 32


def push_from(
    storage: Storage, texts: list[str], key: str = "", device: str = "phone", who: Principal = BOB
) -> Pushed:
    return push(storage, texts, who, NOW, people=find_principal, phone=Phone(device, key))


def problems(pushed: Pushed) -> list[str]:
    return [one.problem for one in pushed.results]


def answered(device: Device, value: str, **over: Any) -> str:
    return device.make("visit.answer", answer("i23", value), base=3, **over)


@pytest.mark.parametrize("key", [OTHER, "", "A1" * 32, "x"])
def test_i7_nobody_writes_under_a_device_whose_key_they_do_not_have(
    storage: Storage, key: str
) -> None:
    settle(storage, ["bob", "charlie"])
    phone = Device("phone", BOB)
    assert problems(push_from(storage, [answered(phone, "sounds")], KEY)) == [""]
    thief = Device("phone", CHARLIE, taken=2**51)
    stolen = push_from(storage, [answered(thief, "silent")], key, who=CHARLIE)
    assert (problems(stolen), stolen.proven) == (["device_mismatch"], False)
    writes = visit_of(storage)["cells"]["answer.i23"]
    assert [one["value"] for one in writes] == ["sounds"]
    assert device_of(storage, "phone")["received"] == [[1, 1]]
    assert problems(push_from(storage, [answered(phone, "silent")], KEY)) == [""]


def test_i7_an_operation_is_applied_only_from_its_own_device(storage: Storage) -> None:
    settle(storage, ["bob"])
    pushed = push_from(storage, [answered(Device("elsewhere", BOB), "sounds")], KEY)
    assert (problems(pushed), pushed.proven) == (["device_mismatch"], True)


def test_an_empty_push_registers_the_key(storage: Storage) -> None:
    settle(storage, ["bob"])
    push_from(storage, [], KEY)
    assert problems(push_from(storage, [answered(Device("phone", BOB), "ok")], OTHER)) == [
        "device_mismatch"
    ]


def test_a_phone_without_a_key_goes_on_working_until_its_device_has_one(storage: Storage) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    for _ in range(2):
        assert problems(push_from(storage, [answered(phone, "ok")])) == [""]
    assert problems(push_from(storage, [answered(phone, "ok")], KEY)) == [""]
    assert problems(push_from(storage, [answered(phone, "ok")])) == ["device_mismatch"]


def test_the_key_itself_is_never_stored(storage: Storage) -> None:
    settle(storage, ["bob"])
    push_from(storage, [], KEY)
    kept = device_of(storage, "phone")["key"]
    assert len(kept) == 64
    assert kept != KEY


def test_i7_a_phone_cannot_push_as_a_desk(storage: Storage) -> None:
    settle(storage, ["bob"])
    desk = Device("desk-bob", BOB)
    pushed = push_from(storage, [answered(desk, "ok")], KEY, device="desk-bob")
    assert (problems(pushed), pushed.proven) == (["device_mismatch"], False)


def test_i9_what_was_sent_without_the_key_is_applied_when_its_phone_sends_it(
    storage: Storage,
) -> None:
    settle(storage, ["bob"])
    phone = Device("phone", BOB)
    push_from(storage, [], KEY)
    text = answered(phone, "ok")
    assert problems(push_from(storage, [text])) == ["device_mismatch"]
    assert [one.result for one in push_from(storage, [text], KEY).results] == ["applied"]
    assert [one.result for one in push_from(storage, [text], KEY).results] == ["duplicate"]


def test_i9_a_supervisor_can_accept_what_another_phone_sent_but_never_for_a_desk(
    storage: Storage,
) -> None:
    settle(storage, ["bob"])
    mine = answered(Device("phone", BOB), "ok")
    desks = answered(Device("desk-alice", BOB, taken=2**51), "ok", id=fresh_id())
    push_from(storage, [], KEY)
    assert problems(push_from(storage, [mine, desks], OTHER)) == ["device_mismatch"] * 2
    for text, expected in ((mine, "applied"), (desks, "held")):
        pushed = push(
            storage, [text], BOB, NOW, people=find_principal, resolve="accept", resolver="alice"
        )
        assert pushed.results[0].result == expected
    assert device_of(storage, "desk-alice")["received"] == [[1, 3]]


def test_a_second_key_never_replaces_the_first() -> None:
    known = with_key(new_device("phone"), KEY)
    assert with_key(known, OTHER) is known


def test_a_device_record_from_before_there_were_keys_takes_its_first_one() -> None:
    old: DeviceRecord = {"type": "device", "id": "old", "seq": 0, "received": [], "reused": []}
    assert with_key(old, KEY)["key"] == with_key(new_device("phone"), KEY)["key"]
