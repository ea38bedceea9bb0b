"""Which consents stood on somebody's screen when a consent was recorded.

Invariant: kept from what was answered to a phone and what was saved on it, in ids, never from the
protocol's numbers (`base`, `device_seq`), so that the judge can tell where those say too much. It may
believe that more was seen than was (an answer that a phone did not store): then it asks for less.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DECISIONS = ("visit.consent", "visit.withdraw")


@dataclass
class Sight:
    """`seen` is, for each decision, the ids of those that its author had been shown."""

    seen: dict[str, frozenset[str]] = field(default_factory=dict)
    _shown: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def heard(self, device: str, person: str, body: bytes) -> None:
        """An answer that reached `device` for `person`; anything but news tells nothing."""
        try:
            visits = json.loads(body).get("snapshots", [])
        except (ValueError, AttributeError):
            return
        for visit in visits:
            self._shown[device, person] |= ids_of(visit)

    def decided(self, device: str, person: str, ids: Sequence[str]) -> None:
        """`person` recorded these at once on `device`, in any order; from now on they stand there."""
        shown = self._shown[device, person]
        shown.update(ids)
        for id in ids:
            self.seen[id] = frozenset(shown - {id})

    def decided_at_the_desk(
        self, record: Mapping[str, Any], before: Iterable[str], base: int
    ) -> None:
        """A desk recorded what is in `record` and not in `before`, on a page as it was at `base`."""
        shown = frozenset(one["id"] for one in record["consents"] if one["seq"] <= base)
        for id in ids_of(record) - set(before):
            self.seen[id] = shown

    def over(self, ids: Iterable[str]) -> set[str]:
        """Those of these decisions of one purpose that somebody made anew who had been shown them."""
        made = set(ids)
        return {
            one for one in made if any(one in self.seen.get(other, ()) for other in made - {one})
        }


def ids_of(record: Mapping[str, Any]) -> set[str]:
    """The decisions in a visit's record."""
    return {one["id"] for one in record["consents"]}
