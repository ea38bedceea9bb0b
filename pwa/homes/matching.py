"""Rows of a file against the register: new, changed, unchanged or protected, and what follows.

Invariant: the tenancy reference decides which tenancy a row is. A protected row goes into the
protected room and nowhere else; a file may raise the flag, never lower it (docs/design.md 7.3). Everything
is collected in `Changes` before anything is written, so a dry run counts what a real import does.
Nothing is deleted: a tenancy that is missing from a file may simply not have been exported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlite_utils import Database

from pwa.homes import tables
from pwa.homes.files import TenancyRow
from pwa.homes.register import fingerprint, register_data
from pwa.homes.report import Report
from pwa.homes.tables import Reference
from pwa.ids import uuid4
from pwa.visits.submitting import Draft
from pwa.visits.tables import has_visit
from sync.sqlite import SqliteStorage
from sync.storage import read_tenancies


@dataclass(frozen=True, slots=True)
class ToLock:
    """A tenancy for the protected room; `cells` as JSON. `known`: its reference was in the register
    until now."""

    id: str
    ref: str
    cells: str
    known: bool


@dataclass(slots=True)
class Changes:
    """What one import is going to write."""

    drafts: list[Draft] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    locked: list[ToLock] = field(default_factory=list)


@dataclass(slots=True)
class Matcher:
    """Takes row after row, counts in `report`, and fills `changes`.

    A tenancy is due a visit when its move-in lies at most `new_tenancy_days` before `today`.
    `new_id` makes the id of an operation.
    """

    db: Database
    report: Report
    today: date
    new_tenancy_days: int
    new_id: Callable[[], str]
    changes: Changes = field(default_factory=Changes)
    _customers: set[str] = field(default_factory=set)  # of the rows so far

    def take(self, row: TenancyRow) -> None:
        """One row that was read."""
        known = tables.find_reference(self.db, row.tenancy_ref)
        locked = tables.find_locked_id(self.db, row.tenancy_ref)
        if row.protected or locked:
            self._lock(row, known.tenancy if known else "", locked)
            return
        data = register_data(row)
        cells = fingerprint(data)
        if known and known.cells == cells:
            self.report.unchanged += 1
            return
        tenancy = known.tenancy if known else uuid4()
        self._draft("tenancy.register", tenancy, data, type="tenancy")
        self.changes.references.append(Reference(row.tenancy_ref, tenancy, cells, row.customer_ref))
        planned = known and has_visit(self.db, tenancy)
        due = not planned and self._is_due(row)
        if due:
            kind = "short" if self._has_lived_here(row, tenancy) else "welcome"
            self._draft("visit.plan", uuid4(), {"tenancy": tenancy, "kind": kind})
        if known:
            self.report.updated += 1
        elif due:
            self.report.created += 1
        else:
            self.report.registered += 1
        if row.customer_ref:
            self._customers.add(row.customer_ref)

    def protect_known(self, ref: str) -> None:
        """A row that was not read raised the flag of a tenancy that is already here."""
        known = tables.find_reference(self.db, ref)
        if known:
            self._protect(known.tenancy, ref, self._registered_data(known.tenancy))

    def _is_due(self, row: TenancyRow) -> bool:
        return not row.ended and row.move_in >= self.today - timedelta(days=self.new_tenancy_days)

    def _has_lived_here(self, row: TenancyRow, tenancy: str) -> bool:
        """True when the customer already had a home with the company: a move gets the short visit."""
        if not row.customer_ref:
            return False
        return row.customer_ref in self._customers or tables.has_other_home(
            self.db, row.customer_ref, tenancy
        )

    def _lock(self, row: TenancyRow, tenancy: str, locked: str) -> None:
        self.report.protected += 1
        data = register_data(row)
        if tenancy:
            self._protect(tenancy, row.tenancy_ref, data)
        else:
            self.changes.locked.append(
                ToLock(locked or uuid4(), row.tenancy_ref, json.dumps(data), known=False)
            )

    def _protect(self, tenancy: str, ref: str, data: Mapping[str, Any]) -> None:
        self._draft("tenancy.protect", tenancy, {"reason": "import"}, type="tenancy")
        # Not tied to the old tenancy any more: once cleared, the reference begins a new one.
        self.changes.locked.append(ToLock(uuid4(), ref, json.dumps(data), known=True))

    def _registered_data(self, tenancy: str) -> Mapping[str, Any]:
        record = read_tenancies(SqliteStorage(self.db), [tenancy]).get(tenancy)
        return record["fields"] if record else {}

    def _draft(self, kind: str, subject: str, data: Mapping[str, Any], type: str = "visit") -> None:
        self.changes.drafts.append(Draft(self.new_id(), kind, subject, data, type=type))
