"""What reading a file passes on: a table, a row of a tenancy, the result, and the two refusals.

Invariant: nothing here shows a cell by accident. The `repr` of a table or a row leaves cells out,
because it ends up in tracebacks and logs; refusals and messages hold codes, row numbers, column
names and counts, never a cell's value, whether or not the row is protected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypedDict

Params = dict[str, Any]
NumberedCells = tuple[int, list[str]]
"""A row that is not blank, with the line or sheet row a person sees it on."""


class FileRefused(Exception):
    """The file as a whole cannot be read. `code` is stable, `detail` holds facts, not cells."""

    def __init__(self, code: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail: Params = dict(detail or {})


class CellProblem(Exception):
    """A cell that cannot be used. Holds a problem code and facts, never the cell."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Table:
    """A file's cells as text. `repr` shows no cell: the table still holds what will be dropped.

    Rows keep their own length, because a short row means something; surplus blank cells after
    the last named column are gone. `encoding` and `delimiter` say how it was read
    ("xlsx" and "" for a workbook).
    """

    header: list[str]
    rows: list[NumberedCells] = field(repr=False)
    encoding: str
    delimiter: str


class Phone(TypedDict):
    """`original` as the file had it, trimmed; `e164` such as +46701234567, or None."""

    original: str
    e164: str | None


@dataclass(frozen=True, repr=False)
class TenancyRow:
    """One tenancy as the file has it. Text that is not there is "".

    `tenants` holds no, one or two names; `ended` means that the lease is over (or was
    cancelled before it began), so it is registered without a visit. `protected` rows carry
    everything read: the caller locks them away.
    """

    row: int
    tenancy_ref: str
    object_ref: str
    apartment_number: str
    street: str
    postcode: str
    city: str
    property: str
    building: str
    area: str
    move_in: date
    lease_end: date | None
    ended: bool
    tenants: list[str]
    customer_ref: str
    phones: list[Phone]
    email: str
    language: str
    trustee: str
    protected: bool

    def __repr__(self) -> str:
        # A dataclass repr would carry names and addresses into tracebacks and logs.
        return f"TenancyRow(row={self.row})"


class Skip(TypedDict):
    """A row left out on purpose; `reason` is a code that `explain` knows."""

    row: int
    reason: str


class Message(TypedDict):
    """One refusal or warning. `params` holds row and field again, ready for `explain`."""

    row: int
    field: str
    problem: str
    params: Params


@dataclass(frozen=True)
class Reading:
    """The result of reading one file.

    `read` counts data rows and equals `len(rows) + len(skipped) + len(refused)`.
    `protect_also` holds tenancy references of rows that were skipped or refused although their flag
    is raised: whoever applies the reading protects a tenancy it already has by that reference,
    or a date typed wrong would keep a protected identity on somebody's phone.
    """

    sha256: str
    read: int
    rows: list[TenancyRow] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    refused: list[Message] = field(default_factory=list)
    warnings: list[Message] = field(default_factory=list)
    dropped_columns: list[str] = field(default_factory=list)
    protect_also: list[str] = field(default_factory=list, repr=False)
