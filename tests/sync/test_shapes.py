"""The types of sync/shapes.py against the code and PROTOCOL.md: types are not checked at run time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from sync.apply import new_visit
from sync.device import new_device
from sync.kinds import KINDS
from sync.shapes import (
    Answer,
    Attempt,
    Consent,
    DeviceRecord,
    FollowUp,
    HeldReason,
    Note,
    Photo,
    Review,
    TenancyFields,
    VisitRecord,
    VisitState,
)

PROTOCOL = (Path(__file__).parents[2] / "sync" / "PROTOCOL.md").read_text("utf-8")
ENTRIES: dict[str, Any] = {
    "visit.note": Note, "visit.photo": Photo, "visit.follow_up": FollowUp, "follow_up.answer": Answer,
    "visit.attempt": Attempt, "visit.consent": Consent, "visit.withdraw": Consent,
    "visit.approve": Review, "visit.return": Review,
}  # fmt: skip


def keys_of(shape: Any) -> set[str]:
    return set(shape.__required_keys__ | shape.__optional_keys__)


def first_column(heading: str) -> set[str]:
    """The codes in the first column of the table that begins with `heading`."""
    table = PROTOCOL[PROTOCOL.index(heading) :].split("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.M))


def test_new_records_have_the_keys_of_their_types() -> None:
    assert set(new_visit("v", "", "contact")) == keys_of(VisitRecord)
    assert set(new_device("d")) == keys_of(DeviceRecord)
    assert set(KINDS["tenancy.register"].fields) == keys_of(TenancyFields)


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_has_all_data_of_its_kind(kind: str) -> None:
    assert set(KINDS[kind].fields) <= keys_of(ENTRIES[kind])


def test_the_codes_are_those_of_the_protocol() -> None:
    assert first_column("| state |") == set(get_args(VisitState))
    assert first_column("| reason |") == set(get_args(HeldReason))
