"""Which consents somebody had been shown when recording another.

Invariant: derived from the responses that reached a phone and from what was saved on it, as ids; never
from the protocol's numbers (`base`, `device_seq`), so the oracle finds out where those claim too
much. It may take more for shown than was (a response that a phone did not store), which makes the
oracle less strict, never wrong.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DECISIONS = ("visit.consent", "visit.withdraw")


@dataclass
class ShownConsents:
    """`before` is, for each decision, the ids of those that its author had been shown."""

    before: dict[str, frozenset[str]] = field(default_factory=dict)
    _shown: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def response(self, device: str, person: str, body: bytes) -> None:
        """A response reached `device` for `person`; only one to a pull shows anything."""
        try:
            visits = json.loads(body).get("snapshots", [])
        except (ValueError, AttributeError):
            return
        for visit in visits:
            self._shown[device, person] |= ids_of(visit)

    def decided(self, device: str, person: str, ids: Sequence[str]) -> None:
        """`person` recorded these at once on `device`, in any order; from now on they are shown."""
        shown = self._shown[device, person]
        shown.update(ids)
        for id in ids:
            self.before[id] = frozenset(shown - {id})

    def decided_at_the_desk(
        self, record: Mapping[str, Any], before: Iterable[str], base: int
    ) -> None:
        """A desk recorded what is in `record` and not in `before`, on a page rendered at `base`."""
        shown = frozenset(one["id"] for one in record["consents"] if one["seq"] <= base)
        for id in ids_of(record) - set(before):
            self.before[id] = shown

    def superseded(self, ids: Iterable[str]) -> set[str]:
        """Of these decisions for one purpose, those that the author of another had been shown."""
        made = set(ids)
        return {
            one for one in made if any(one in self.before.get(other, ()) for other in made - {one})
        }


def ids_of(record: Mapping[str, Any]) -> set[str]:
    """The decisions in a visit's record."""
    return {one["id"] for one in record["consents"]}
