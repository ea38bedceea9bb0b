"""Rows of the desk's lists, as pwa/desk/parts/tables.py reads them, and the days they are read for.

Invariant: a row holds nothing a person wrote and no name: areas, addresses, codes, dates, ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pwa.desk.parts.filters import UNASSIGNED_STATES
from pwa.services import Services


@dataclass(frozen=True, slots=True)
class Calendar:
    """The two days that decide what is overdue; ISO dates, so that text compares as time."""

    today: str
    window_from: str  # who moved in before this day should have had the welcome visit

    @classmethod
    def of(cls, today: date, visit_within_days: int) -> Calendar:
        return cls(today.isoformat(), (today - timedelta(days=visit_within_days)).isoformat())

    @classmethod
    def now(cls, services: Services) -> Calendar:
        """Today's, by the server's clock and settings."""
        return cls.of(services.today(), services.settings.visit_within_days)


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit as lists show it."""

    id: str
    kind: str
    state: str
    area: str
    street: str
    apartment: str
    city: str
    date: str
    time: str
    visitor: str
    visitor2: str
    language: str
    move_in: str
    seq: int
    closed_at: str
    conflicts: int
    late: int
    follow_ups_open: int
    overdue: bool

    @property
    def unassigned(self) -> bool:
        return self.state in UNASSIGNED_STATES and not self.visitor


@dataclass(frozen=True, slots=True)
class Cell:
    """How many welcome visits of one area and month are in one state; `overdue` of them."""

    area: str
    month: str
    state: str
    total: int
    overdue: int


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """One follow-up as lists show it; its words are in the visit's record."""

    id: str
    visit: str
    queue: str
    urgency: str
    done: bool
    at: str
    street: str
    apartment: str
    city: str
    area: str


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """The decision that counts for one purpose at one visit."""

    visit: str
    purpose: str
    decision: str
    expires: str
    language: str
    text_state: str
    at: str
    seq: int
    street: str
    apartment: str
    city: str
    area: str
