"""Identifiers: their versions, their order, and that all differ."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from pwa.ids import operation_id, uuid4, uuid7


def test_a_uuid7_carries_its_millisecond_and_version() -> None:
    id = uuid.UUID(uuid7(1_700_000_000_123))
    assert (id.version, id.variant) == (7, uuid.RFC_4122)
    assert id.int >> 80 == 1_700_000_000_123


def test_a_uuid7_of_a_moment_carries_its_millisecond() -> None:
    moment = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)
    assert uuid.UUID(operation_id(moment)).int >> 80 == round(moment.timestamp() * 1000)


def test_a_uuid7_is_fixed_by_its_time_and_random_bits() -> None:
    # The example of RFC 9562, appendix A.6.
    bits = iter([0xCC3, 0x18C4DC0C0C07398F])
    assert uuid7(0x017F22E279B0, lambda k: next(bits)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_later_uuid7s_sort_after_earlier_ones_and_all_differ() -> None:
    ids = [uuid7(1_700_000_000_000 + n // 10) for n in range(1000)]
    assert len(set(ids)) == 1000
    assert [id[:13] for id in ids] == sorted(id[:13] for id in ids)


def test_a_time_that_does_not_fit_is_refused() -> None:
    for bad in (-1, 1 << 48):
        with pytest.raises(ValueError, match="48 bits"):
            uuid7(bad)


def test_a_uuid4_is_random() -> None:
    assert uuid.UUID(uuid4()).version == 4
    assert uuid4() != uuid4()
