"""I5 for consents: every order in which up to four decisions about one purpose can be made and arrive.

Two devices; each decision yes, no or withdrawn; each made having seen any part of what the server
had by then; each device's decisions arriving in any order. The model knows no numbers of the
protocol: it keeps, for each decision, which others stood on the screen when it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import pytest

from sync.apply import apply, consents_of
from sync.operations import parse
from tests.sync.world import ALICE, BOB, CONSENT, Device

DECISIONS = ("yes", "no", "withdrawn")


@dataclass(frozen=True)
class Decision:
    """`made` counts a device's own decisions from 1; `seen` is how much of the log it knew of."""

    device: str
    made: int
    seen: int
    says: str


def orders(count: int) -> Iterator[tuple[Decision, ...]]:
    """Every history of so many decisions, in the order of their arrival."""
    for devices in product("ab", repeat=count):
        for numbers in _numbers(devices):
            for seen in product(*(range(at + 1) for at in range(count))):
                if not _is_possible(devices, numbers, seen):
                    continue
                for says in product(DECISIONS, repeat=count):
                    yield tuple(
                        Decision(*one) for one in zip(devices, numbers, seen, says, strict=True)
                    )


def _numbers(devices: tuple[str, ...]) -> Iterator[tuple[int, ...]]:
    """Every way in which each device's own order may differ from the order of arrival."""
    places = {name: [at for at, one in enumerate(devices) if one == name] for name in set(devices)}
    names = sorted(places)
    for orders_of in product(*(permutations(range(1, len(places[name]) + 1)) for name in names)):
        numbers = [0] * len(devices)
        for name, order in zip(names, orders_of, strict=True):
            for at, number in zip(places[name], order, strict=True):
                numbers[at] = number
        yield tuple(numbers)


def _is_possible(devices: tuple[str, ...], numbers: tuple[int, ...], seen: tuple[int, ...]) -> bool:
    """What a device knows of the log never shrinks, and nobody knows of a decision of their own
    that is yet to be made."""
    for at, device in enumerate(devices):
        for other, name in enumerate(devices):
            if name != device:
                continue
            if numbers[other] < numbers[at] and seen[other] > seen[at]:
                return False
            if numbers[other] > numbers[at] and seen[at] > other:
                return False
    return True


def counts(history: tuple[Decision, ...]) -> str:
    """The model: a decision is over once somebody who had it on the screen decided anew; of those
    that are not over, one withdrawal is enough, else one no."""
    over = set()
    for at, one in enumerate(history):
        for other, before in enumerate(history):
            own = before.device == one.device and before.made < one.made
            foreign = before.device != one.device and other < one.seen
            if other != at and (own or foreign):
                over.add(other)
    left = {one.says for at, one in enumerate(history) if at not in over}
    return next(says for says in ("withdrawn", "no", "yes") if says in left)


def entry(seq: int, one: Decision) -> dict[str, Any]:
    return {
        "purpose": "K1", "decision": one.says, "seq": seq, "device": one.device,
        "device_seq": one.made, "base": one.seen,
    }  # fmt: skip


def by_operations(history: tuple[Decision, ...]) -> str:
    """The same history as operations that two devices send."""
    devices = {"a": Device("a", BOB), "b": Device("b", ALICE)}
    record = None
    for seq, one in enumerate(history, 1):
        over = {"base": one.seen, "device_seq": one.made}
        if one.says == "withdrawn":
            text = devices[one.device].make("visit.withdraw", {"purpose": "K1", "channel": "desk"}, **over)  # fmt: skip
        else:
            text = devices[one.device].make("visit.consent", CONSENT | {"decision": one.says}, **over)  # fmt: skip
        record = apply(record, parse(text), seq)
    assert record is not None
    return str(consents_of(record)["K1"]["decision"])


@pytest.mark.parametrize("count", [1, 2])
def test_i5_operations_in_every_order_give_what_the_model_says(count: int) -> None:
    histories = list(orders(count))
    assert len(histories) == {1: 6, 2: 90}[count]
    for history in histories:
        assert by_operations(history) == counts(history), history


@pytest.mark.parametrize("count", [3, 4])
def test_i5_decisions_in_every_order_give_what_the_model_says(count: int) -> None:
    tried = 0
    for history in orders(count):
        record = {"consents": [entry(seq, one) for seq, one in enumerate(history, 1)]}
        assert consents_of(record)["K1"]["decision"] == counts(history), history
        tried += 1
    assert tried == {3: 2_160, 4: 71_280}[count]


@pytest.mark.parametrize("count", [2, 3])
def test_i5_a_yes_never_counts_beside_a_no_or_a_withdrawal_it_had_not_seen(count: int) -> None:
    """Said without the model: whoever said no, and was not asked again, is not taken for a yes."""
    for history in orders(count):
        record = {"consents": [entry(seq, one) for seq, one in enumerate(history, 1)]}
        if consents_of(record)["K1"]["decision"] != "yes":
            continue
        for at, one in enumerate(history):
            if one.says == "yes":
                continue
            assert any(
                (later.device == one.device and later.made > one.made)
                or (later.device != one.device and later.seen > at)
                for later in history
            ), history
