"""Rows: one line of a file becomes one tenancy, is left out, or is refused with a reason.

Invariant: a row whose flag is not a clear no is protected; a file can raise the flag and
never lower it, and what one row of a tenancy raises, no other row of it takes away. A bad
cell that a visit can do without costs the cell and never the visit; a bad cell that it
cannot do without refuses the row. No message holds a cell's value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from pwa.homes.files import cells, dates, headers
from pwa.homes.files.decode import read_table
from pwa.homes.files.phones import read_phones
from pwa.homes.files.shapes import (
    CellProblem,
    FileRefused,
    Message,
    Phone,
    Reading,
    Skip,
    TenancyRow,
)
from sync.limits import PHONES_MAX


@dataclass(frozen=True)
class _Rules:
    today: date
    no_column_is_protected: bool
    blank_is_protected: bool
    month_first: frozenset[str]


def read_tenancies(
    data: bytes,
    filename: str,
    *,
    today: date,
    protected_checked_by: str | None,
    blank_means_unprotected: str | None,
) -> Reading:
    """Read a file of tenancies.

    `protected_checked_by` names who has checked that a file WITHOUT any column for protected
    identities holds none; `blank_means_unprotected` names who answers for an empty cell
    meaning no. A blank name counts as none. Raises FileRefused.
    """
    table = read_table(data, filename)
    columns = headers.recognise(table.header)
    _require_columns(columns)
    date_columns = [name for name in ("move_in", "lease_end") if name in columns.by_field]
    rules = _Rules(
        today=today,
        no_column_is_protected=not _is_named(protected_checked_by),
        blank_is_protected=not _is_named(blank_means_unprotected),
        month_first=frozenset(
            name
            for name in date_columns
            if dates.has_month_first(
                row[columns.by_field[name][0]]
                for _, row in table.rows
                if len(row) > columns.by_field[name][0]
            )
        ),
    )
    reading = Reading(
        sha256=hashlib.sha256(data).hexdigest(),
        read=len(table.rows),
        dropped_columns=columns.dropped,
    )
    collector = _Collector(reading)
    for number, row in table.rows:
        collector.add(_RowReader(number, row, columns, rules))
    collector.finish()
    return reading


def _is_named(name: str | None) -> bool:
    return name is not None and bool(name.strip())


def _require_columns(columns: headers.Columns) -> None:
    missing = [name for name in headers.REQUIRED if name not in columns.by_field]
    if not missing:
        return
    if len(columns.by_field) < 2:
        # Without a header row the "names" would be the first tenant's data.
        raise FileRefused("file.no_header", {"missing": missing})
    raise FileRefused("file.columns_missing", {"missing": missing, "found": list(columns.names)})


class _Refused(Exception):
    def __init__(self, field: str, problem: str, params: dict[str, object]) -> None:
        super().__init__(problem)
        self.field, self.problem, self.params = field, problem, params


class _Skipped(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Collector:
    """Sorts rows into `rows`, `skipped` and `refused`, and remembers the references it has seen."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._first: dict[str, TenancyRow] = {}
        self._raised: dict[str, None] = {}  # a dict for its order: equal files give equal readings

    def add(self, reader: _RowReader) -> None:
        try:
            tenancy = reader.read()
            earlier = self._first.setdefault(tenancy.tenancy_ref, tenancy)
            if earlier is tenancy:
                self._reading.warnings.extend(reader.warnings)
                return
            if tenancy.protected:
                self._raised[tenancy.tenancy_ref] = None
            if replace(tenancy, row=earlier.row) == earlier:
                raise _Skipped("duplicate_row")
            raise _Refused("tenancy_ref", "duplicate_reference", {"first_row": earlier.row})
        except _Skipped as skip:
            self._reading.skipped.append(Skip(row=reader.number, reason=skip.reason))
        except _Refused as refused:
            self._reading.refused.append(
                reader.message(refused.field, refused.problem, refused.params)
            )
        if (reference := reader.raised_reference()) is not None:
            self._raised[reference] = None

    def finish(self) -> None:
        for reference, tenancy in self._first.items():
            raised = reference in self._raised
            self._reading.rows.append(replace(tenancy, protected=True) if raised else tenancy)
        self._reading.protect_also.extend(r for r in self._raised if r not in self._first)


class _RowReader:
    """One row under the file's columns and rules; collects its warnings while it reads."""

    def __init__(
        self, number: int, row: list[str], columns: headers.Columns, rules: _Rules
    ) -> None:
        self.number = number
        self.warnings: list[Message] = []
        self._row = row
        self._columns = columns
        self._rules = rules

    def message(self, field: str, problem: str, params: dict[str, object]) -> Message:
        """A report entry under the column's own name, or under none for the row as a whole."""
        name = self._columns.name_of(field) if field in self._columns.by_field else ""
        return self._message(name, problem, params)

    def _message(self, name: str, problem: str, params: dict[str, object]) -> Message:
        return Message(
            row=self.number,
            field=name,
            problem=problem,
            params={"row": self.number, "field": name, **params},
        )

    def read(self) -> TenancyRow:
        self._check_width()
        self._check_dwelling()
        references = {name: self._required(name) for name in headers.REQUIRED}
        move_in = self._date("move_in", references.pop("move_in"))
        lease_end = self._lease_end()
        assert move_in is not None  # only a lease_end may be open
        ended = lease_end is not None and (lease_end < self._rules.today or lease_end < move_in)
        if lease_end is not None and lease_end < move_in:
            self._warn("lease_end", "lease_ends_before_it_starts")
        return TenancyRow(
            row=self.number,
            **references,
            apartment_number=self._optional("apartment_number", cells.read_apartment_number),
            postcode=self._optional("postcode", cells.read_postcode),
            city=self._optional("city"),
            property=self._optional("property"),
            building=self._optional("building"),
            area=self._optional("area"),
            move_in=move_in,
            lease_end=lease_end,
            ended=ended,
            tenants=self._tenants(),
            customer_ref=self._optional("customer_ref"),
            phones=self._phones(),
            email=self._optional("email", cells.read_email),
            language=self._optional("language", cells.read_language),
            trustee=self._optional("trustee"),
            protected=self._is_protected(),
        )

    def raised_reference(self) -> str | None:
        """The reference of a row whose flag says something other than no, if both can be read.

        A blank flag does not count here: it protects a row that is read, but must not undo what
        a supervisor has cleared. Nor does a row whose cells have shifted.
        """
        if len(self._row) > len(self._columns.names):
            return None
        flags = [flag for flag in self._flags() if flag is not None]
        if all(cells.is_blank_flag(flag) or cells.is_clear_no(flag) for flag in flags):
            return None
        try:
            return cells.read_text(self._cell("tenancy_ref")) or None
        except CellProblem:
            return None

    def _cell(self, field: str) -> str:
        return self._cell_at(self._columns.by_field[field][0]) or ""

    def _cell_at(self, index: int) -> str | None:
        return self._row[index] if index < len(self._row) else None

    def _flags(self) -> list[str | None]:
        return [self._cell_at(index) for index in self._columns.by_field.get("protected", ())]

    def _warn(self, field: str, problem: str, **params: object) -> None:
        self.warnings.append(self.message(field, problem, params))

    def _warn_at(self, index: int, problem: str) -> None:
        self.warnings.append(self._message(self._columns.names[index], problem, {}))

    def _check_width(self) -> None:
        expected, found = len(self._columns.names), len(self._row)
        if found > expected:
            raise _Refused("", "too_many_cells", {"expected": expected, "found": found})
        if found < expected:
            self._warn("", "short_row", expected=expected, found=found)

    def _check_dwelling(self) -> None:
        if "object_type" not in self._columns.by_field:
            return
        kind = cells.clean(self._cell("object_type"))
        if kind in cells.EMPTY_CELLS:
            self._warn("object_type", "object_type_missing")
        elif not cells.is_dwelling(kind):
            raise _Skipped("not_a_dwelling")

    def _required(self, field: str) -> str:
        try:
            value = cells.read_text(self._cell(field))
        except CellProblem as problem:
            raise _Refused(field, problem.code, problem.params) from None
        if not value:
            raise _Refused(field, "cell_missing", {})
        return value

    def _date(self, field: str, text: str) -> date | None:
        try:
            return dates.read_date(
                text,
                today=self._rules.today,
                month_first=field in self._rules.month_first,
                open_end=field == "lease_end",
            )
        except CellProblem as problem:
            raise _Refused(field, problem.code, problem.params) from None

    def _lease_end(self) -> date | None:
        if "lease_end" not in self._columns.by_field:
            return None
        text = cells.clean(self._cell("lease_end"))
        return None if text in cells.EMPTY_CELLS else self._date("lease_end", text)

    def _optional(self, field: str, read: Callable[[str], str] = cells.read_text) -> str:
        if field not in self._columns.by_field:
            return ""
        try:
            return read(self._cell(field))
        except CellProblem as problem:
            self._warn(field, problem.code, **problem.params)
            return ""

    def _tenants(self) -> list[str]:
        names = [self._tenant(number) for number in "12"]
        if not any(names):
            for field in ("tenant1", "surname1", "forename1"):
                if field in self._columns.by_field:
                    self._warn(field, "tenant_missing")
                    break
        # The same person in both columns is one tenant.
        return list(dict.fromkeys(name for name in names if name))

    def _tenant(self, number: str) -> str:
        whole = self._optional(f"tenant{number}")
        # Surname first, as the systems that write the name in one column do.
        halves = [self._optional(f"surname{number}"), self._optional(f"forename{number}")]
        return whole or " ".join(half for half in halves if half)

    def _phones(self) -> list[Phone]:
        found: dict[str, Phone] = {}
        for index in self._columns.by_field.get("phone", ()):
            phones, problems = read_phones(self._cell_at(index) or "")
            for phone in phones:
                name = phone["e164"] or phone["original"]
                if name not in found and len(found) == PHONES_MAX:
                    problems = [*problems, "phone_too_many"]
                    break
                found.setdefault(name, phone)
            for problem in problems:
                self._warn_at(index, problem)
        return list(found.values())

    def _is_protected(self) -> bool:
        flags = self._flags()
        if not flags:
            return self._rules.no_column_is_protected
        return any(self._raises(flag) for flag in flags)

    def _raises(self, flag: str | None) -> bool:
        # A line that ends before the flag is not a blank cell: whoever answers for blanks does not
        # answer for it.
        if flag is None:
            return True
        if cells.is_blank_flag(flag):
            return self._rules.blank_is_protected
        return not cells.is_clear_no(flag)
