"""I5 for consents: every order in which up to four decisions about one purpose can be made and arrive.

Two phones and up to three people: two of them share one, and neither sees what the other has saved
and not sent. Each decision is yes, no or withdrawn, made after seeing any part of what the server
had by then, and each phone's decisions arrive in any order. The model uses no numbers of the
protocol: it keeps, for each decision, which others were on the screen when it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import pytest

from sync.apply import apply, consents_of, effective_decisions
from sync.operations import parse
from tests.sync.world import BOB, CONSENT, Device

DECISIONS = ("yes", "no", "withdrawn")
PHONES = {"amira": "p", "bob": "q", "charlie": "p"}
TWO, THREE = tuple(PHONES)[:2], tuple(PHONES)


@dataclass(frozen=True)
class Decision:
    """`made` counts a phone's decisions from 1; `seen` is how much of the log its author had received."""

    by: str
    made: int
    seen: int
    says: str

    @property
    def device(self) -> str:
        return PHONES[self.by]


def orders(people: tuple[str, ...], count: int) -> Iterator[tuple[Decision, ...]]:
    """Every history of so many decisions, in the order of their arrival."""
    for authors in product(people, repeat=count):
        for numbers in _numbers(tuple(PHONES[one] for one in authors)):
            for seen in product(*(range(at + 1) for at in range(count))):
                if not _is_possible(authors, numbers, seen):
                    continue
                for says in product(DECISIONS, repeat=count):
                    yield tuple(
                        Decision(*one) for one in zip(authors, numbers, seen, says, strict=True)
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


def _is_possible(authors: tuple[str, ...], numbers: tuple[int, ...], seen: tuple[int, ...]) -> bool:
    """What somebody has seen of the log never shrinks, and nobody has seen a decision that is yet to
    be made on the same phone."""
    for at, author in enumerate(authors):
        for other, name in enumerate(authors):
            if PHONES[name] != PHONES[author]:
                continue
            if name == author and numbers[other] < numbers[at] and seen[other] > seen[at]:
                return False
            if numbers[other] > numbers[at] and seen[at] > other:
                return False
    return True


def counts(history: tuple[Decision, ...]) -> str:
    """The model: a decision is superseded once somebody who had it on the screen decided again; of
    those that are not, one withdrawal is enough, else one no."""
    superseded = set()
    for at, one in enumerate(history):
        for other, before in enumerate(history):
            own = before.by == one.by and before.made < one.made
            foreign = before.by != one.by and other < one.seen
            if other != at and (own or foreign):
                superseded.add(other)
    left = {one.says for at, one in enumerate(history) if at not in superseded}
    return next(says for says in ("withdrawn", "no", "yes") if says in left)


def entry(seq: int, one: Decision) -> Any:
    return {
        "purpose": "K1", "decision": one.says, "seq": seq, "device": one.device,
        "device_seq": one.made, "base": one.seen, "by": one.by,
    }  # fmt: skip


def by_entries(history: tuple[Decision, ...]) -> str:
    """The decision that counts when these are a visit's consents."""
    found = effective_decisions(entry(seq, one) for seq, one in enumerate(history, 1))
    return found["K1"]["decision"]


def by_operations(history: tuple[Decision, ...]) -> str:
    """The decision that counts when the phones send this history as operations."""
    record = None
    for seq, one in enumerate(history, 1):
        over = {"base": one.seen, "device_seq": one.made, "by": one.by}
        phone = Device(one.device, BOB)
        if one.says == "withdrawn":
            text = phone.make("visit.withdraw", {"purpose": "K1", "channel": "desk"}, **over)
        else:
            text = phone.make("visit.consent", CONSENT | {"decision": one.says}, **over)
        record = apply(record, parse(text), seq)
    assert record is not None
    return str(consents_of(record)["K1"]["decision"])


@pytest.mark.parametrize("count", [1, 2])
def test_i5_operations_in_every_order_give_what_the_model_says(count: int) -> None:
    histories = list(orders(THREE, count))
    assert len(histories) == {1: 9, 2: 207}[count]
    for history in histories:
        assert by_operations(history) == counts(history), history


@pytest.mark.parametrize(("people", "count"), [(THREE, 3), (TWO, 4)])
def test_i5_decisions_in_every_order_give_what_the_model_says(
    people: tuple[str, ...], count: int
) -> None:
    tried = 0
    for history in orders(people, count):
        assert by_entries(history) == counts(history), history
        tried += 1
    assert tried == {3: 8_019, 4: 71_280}[count]


@pytest.mark.parametrize("count", [2, 3])
def test_i5_a_yes_never_counts_beside_a_no_or_a_withdrawal_it_had_not_seen(count: int) -> None:
    """The same without the model: a no that nobody asked about again never becomes a yes."""
    for history in orders(THREE, count):
        if by_entries(history) != "yes":
            continue
        for at, one in enumerate(history):
            if one.says == "yes":
                continue
            assert any(
                (later.by == one.by and later.made > one.made)
                or (later.by != one.by and later.seen > at)
                for later in history
            ), history
