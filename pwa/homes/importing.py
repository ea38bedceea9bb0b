"""Tenancies from a file into the log: every dwelling becomes a planned visit, once.

Invariant: the tenancy reference decides what is new, so a file imported twice changes
nothing; one transaction, all of the file's good rows or none. A protected row goes into
the locked room and nowhere else; a file may raise the flag, never lower it (DESIGN 7.3). The
file itself is never stored (7.4). It refuses to delete: a row that is missing from a
file says nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext
from sqlite_utils import Database

from pwa.homes.files import FileRefused, Message, TenancyRow, explain, read_tenancies
from pwa.ids import uuid4, uuid7
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.services import Services
from pwa.visits.submitting import Draft, submit

SYSTEM = User(
    id="system",
    name="system",
    display_name="Tröskel",
    role="administrator",
    queue="",
    languages=[],
    interface_language="sv",
    may_see_protected=True,
    active=True,
)
REASON_CHARACTERS_MAX = 280


@dataclass(slots=True)
class Report:
    """What an import did, or would do. Counts are of rows; `created` counts planned visits."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    protected: int = 0
    registered: int = 0
    skipped: Sequence[Mapping[str, Any]] = ()
    refused: Sequence[Message] = ()
    warnings: Sequence[Message] = ()
    dropped_columns: Sequence[str] = ()
    dry_run: bool = False
    refused_whole: tuple[str, Mapping[str, Any]] | None = None
    sha256: str = ""

    @property
    def exit_code(self) -> int:
        """0 when something went in or nothing needed to, 2 when the file was refused (DESIGN 9)."""
        return 2 if self.refused_whole else 0

    def as_json(self) -> dict[str, Any]:
        """The stable JSON of DESIGN 9, with `warnings` beside it; messages in the language in force."""
        return {
            "read": self.read,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "protected": self.protected,
            "registered": self.registered,
            "skipped": [dict(one) for one in self.skipped],
            "refused": [_with_message(one) for one in self.refused],
            "warnings": [_with_message(one) for one in self.warnings],
            "dropped_columns": list(self.dropped_columns),
            **(
                {"problem": self.refused_whole[0], "message": self.whole_message()}
                if self.refused_whole
                else {}
            ),
        }

    def whole_message(self) -> str:
        """Why the file was refused as a whole, and what to do; "" when it was not."""
        return message(*self.refused_whole) if self.refused_whole else ""

    def as_text(self) -> str:
        """The report for a terminal, in the language in force."""
        if self.refused_whole:
            return str(gettext("Nothing was imported.")) + "\n" + self.whole_message()
        lines = [
            gettext("Dry run: nothing was stored.") if self.dry_run else gettext("Imported."),
            gettext("Rows read: %(n)s", n=self.read),
            gettext("Visits planned: %(n)s", n=self.created),
            gettext("Tenancies updated: %(n)s", n=self.updated),
            gettext("Unchanged: %(n)s", n=self.unchanged),
            gettext("Handled by the supervisor: %(n)s", n=self.protected),
            gettext("Registered without a visit: %(n)s", n=self.registered),
            gettext("Left out: %(n)s", n=len(self.skipped)),
            gettext("Refused: %(n)s", n=len(self.refused)),
        ]
        if self.dropped_columns:
            lines.append(
                gettext("Columns not stored: %(names)s", names=", ".join(self.dropped_columns))
            )
        lines += ["  " + message(one["problem"], one["params"]) for one in self.refused]
        if self.warnings:
            lines.append(gettext("Look at these rows:"))
            lines += ["  " + message(one["problem"], one["params"]) for one in self.warnings]
        return "\n".join(lines)


def message(problem: str, params: Mapping[str, Any]) -> str:
    """One problem in words, in the language in force."""
    msgid, shown = explain(problem, params)
    return str(gettext(msgid, **shown))


def _with_message(one: Message) -> dict[str, Any]:
    return {
        "row": one["row"],
        "field": one["field"],
        "problem": one["problem"],
        "message": message(one["problem"], one["params"]),
    }


def import_file(
    services: Services,
    user: User | None,
    data: bytes,
    filename: str,
    *,
    dry_run: bool = False,
    protected_checked_by: str | None = None,
    blank_means_unprotected: str | None = None,
) -> Report:
    """Read `data` and do, or with `dry_run` only count, what its rows ask for.

    `user` is None on the command line. The two names are of the person who answers for a file
    without a column for protected identities, or with blanks in it.
    """
    who = user or SYSTEM
    today = services.today()
    try:
        reading = read_tenancies(
            data,
            filename,
            today=today,
            protected_checked_by=protected_checked_by or None,
            blank_means_unprotected=blank_means_unprotected or None,
        )
    except FileRefused as refused:
        return Report(
            dry_run=dry_run,
            refused_whole=(refused.code, refused.detail),
            sha256=hashlib.sha256(data).hexdigest(),
        )
    report = Report(
        read=reading.read,
        skipped=[dict(one) for one in reading.skipped],
        refused=reading.refused,
        warnings=reading.warnings,
        dropped_columns=reading.dropped_columns,
        dry_run=dry_run,
        sha256=reading.sha256,
    )
    with services.databases.writing() as db:
        changes = _Changes(services, db, who, report)
        for row in reading.rows:
            changes.take(row, today)
        for ref in reading.protect_also:
            changes.protect_known(ref)
        if not dry_run:
            changes.store(filename, protected_checked_by, blank_means_unprotected)
    return report


@dataclass(slots=True)
class _Changes:
    """What one import is going to write, collected first so that a dry run counts the same."""

    services: Services
    db: Database
    who: User
    report: Report
    drafts: list[Draft] = field(default_factory=list)
    refs: list[dict[str, str]] = field(default_factory=list)
    room: list[dict[str, str]] = field(default_factory=list)
    customers: set[str] = field(default_factory=set)

    def take(self, row: TenancyRow, today: date) -> None:
        known = self.db.execute(
            "SELECT tenancy, cells FROM tenancy_refs WHERE ref = ?", [row.tenancy_ref]
        ).fetchone()
        locked = self.db.execute(
            "SELECT id FROM protected_room WHERE ref = ? AND cleared_at = ''", [row.tenancy_ref]
        ).fetchone()
        if row.protected or locked:
            self._lock(row, known[0] if known else "", locked[0] if locked else "")
            return
        data = _register_data(row)
        cells = _fingerprint(data)
        if known and known[1] == cells:
            self.report.unchanged += 1
            return
        tenancy = known[0] if known else uuid4()
        self._draft("tenancy.register", tenancy, data, type="tenancy")
        self.refs.append(
            {
                "ref": row.tenancy_ref,
                "tenancy": tenancy,
                "cells": cells,
                "customer": row.customer_ref,
            }
        )
        planned = known and self._has_visit(tenancy)
        due = not planned and self._is_due(row, today)
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
            self.customers.add(row.customer_ref)

    def _is_due(self, row: TenancyRow, today: date) -> bool:
        oldest = today - timedelta(days=self.services.settings.new_tenancy_days)
        return not row.ended and row.move_in >= oldest

    def _has_visit(self, tenancy: str) -> bool:
        return (
            self.db.execute("SELECT 1 FROM visit_index WHERE tenancy = ?", [tenancy]).fetchone()
            is not None
        )

    def _has_lived_here(self, row: TenancyRow, tenancy: str) -> bool:
        """True when the customer already had a home with the company: a move gets the short visit."""
        if not row.customer_ref:
            return False
        if row.customer_ref in self.customers:
            return True
        found = self.db.execute(
            "SELECT 1 FROM tenancy_refs WHERE customer = ? AND tenancy <> ?",
            [row.customer_ref, tenancy],
        ).fetchone()
        return found is not None

    def protect_known(self, ref: str) -> None:
        """A refused row raised the flag of a tenancy that is already here."""
        known = self.db.execute("SELECT tenancy FROM tenancy_refs WHERE ref = ?", [ref]).fetchone()
        if known:
            self._protect(known[0], ref, {})

    def _lock(self, row: TenancyRow, tenancy: str, room: str) -> None:
        self.report.protected += 1
        cells = _register_data(row)
        if tenancy:
            self._protect(tenancy, row.tenancy_ref, cells)
        else:
            self.room.append(
                {"id": room or uuid4(), "ref": row.tenancy_ref, "cells": json.dumps(cells)}
            )

    def _protect(self, tenancy: str, ref: str, cells: Mapping[str, Any]) -> None:
        if not cells:
            body = self.db.execute(
                "SELECT body FROM records WHERE type = 'tenancy' AND id = ?", [tenancy]
            ).fetchone()
            cells = json.loads(body[0])["fields"] if body else {}
        self._draft("tenancy.protect", tenancy, {"reason": "import"}, type="tenancy")
        # Tied to the old tenancy no more: once cleared, the reference begins a new one.
        self.room.append({"id": uuid4(), "ref": ref, "cells": json.dumps(cells), "gone": tenancy})

    def _draft(self, kind: str, subject: str, data: Mapping[str, Any], type: str = "visit") -> None:
        self.drafts.append(Draft(_operation_id(self.services), kind, subject, data, type=type))

    def store(
        self, filename: str, protected_checked_by: str | None, blank_means_unprotected: str | None
    ) -> None:
        now = self.services.now().isoformat(timespec="seconds")
        held = [one for one in submit(self.services, self.who, self.drafts) if one.problem]
        if held:
            raise AssertionError(f"an import's own operation was held: {held[0].problem}")
        self.db.table("tenancy_refs").insert_all(self.refs, pk="ref", replace=True)
        for row in self.room:
            if row.pop("gone", ""):
                self.db.execute("DELETE FROM tenancy_refs WHERE ref = ?", [row["ref"]])
            self._keep_in_room(row, now)
        counts = {
            key: value
            for key, value in asdict(self.report).items()
            if key not in ("refused_whole", "sha256", "dry_run")
        }
        answered = {
            "protected_checked_by": protected_checked_by or "",
            "blank_means_unprotected": blank_means_unprotected or "",
        }
        self.db.table("imports").insert(
            {
                "at": now,
                "by": self.who.id,
                "filename": filename[:200],
                "sha256": self.report.sha256,
                "report": json.dumps(counts | answered, ensure_ascii=False),
            }
        )

    def _keep_in_room(self, row: Mapping[str, str], now: str) -> None:
        self.db.execute(
            "INSERT INTO protected_room (id, ref, cells, added_at, added_by, cleared_at, cleared_by,"
            " cleared_reason) VALUES (?, ?, ?, ?, ?, '', '', '')"
            " ON CONFLICT (id) DO UPDATE SET cells = excluded.cells",
            [row["id"], row["ref"], row["cells"], now, self.who.id],
        )


def _operation_id(services: Services) -> str:
    return uuid7(int(services.now().timestamp() * 1000))


def _register_data(row: TenancyRow) -> dict[str, Any]:
    """The row as `tenancy.register` says it: what a visit needs, and no more."""
    return {
        "ref": row.tenancy_ref,
        "object": row.object_ref,
        "apartment": row.apartment_number,
        "street": row.street,
        "postcode": row.postcode,
        "city": row.city,
        "property": row.property,
        "building": row.building,
        "area": row.area,
        "move_in": row.move_in.isoformat(),
        "lease_end": row.lease_end.isoformat() if row.lease_end else "",
        "tenants": list(row.tenants),
        "phones": [{"original": one["original"], "e164": one["e164"] or ""} for one in row.phones],
        "email": row.email,
        "language": row.language,
        "customer": row.customer_ref,
    }


def _fingerprint(data: Mapping[str, Any]) -> str:
    """What tells whether a row says anything new: the hash of its accepted cells."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


# --- the protected room -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProtectedRow:
    """One tenancy in the locked room. Handled on paper, by named people."""

    id: str
    ref: str
    fields: Mapping[str, Any]
    added_at: str


def list_protected(services: Services, user: User) -> list[ProtectedRow]:
    """Everyone in the room; the reading is logged. Raises Problem("not_found") without the right."""
    if not user.may_see_protected or user.role != "supervisor":
        raise Problem("not_found")
    with services.databases.writing() as db:
        _log_read(db, services, user, "list")
        rows = db.execute(
            "SELECT id, ref, cells, added_at FROM protected_room WHERE cleared_at = '' ORDER BY added_at"
        ).fetchall()
    return [ProtectedRow(id, ref, json.loads(cells), at) for id, ref, cells, at in rows]


def clear_protected(services: Services, user: User, id: str, reason: str) -> None:
    """Let one tenancy out of the room: it is registered and its visit planned.

    Raises Problem: `not_found` without the right, `invalid_form` without a reason.
    """
    if not user.may_see_protected or user.role != "supervisor":
        raise Problem("not_found")
    reason = reason.strip()
    if not reason or len(reason) > REASON_CHARACTERS_MAX:
        raise Problem("invalid_form")
    with services.databases.writing() as db:
        row = db.execute(
            "SELECT ref, cells FROM protected_room WHERE id = ? AND cleared_at = ''", [id]
        ).fetchone()
        if row is None:
            raise Problem("not_found")
        ref, fields = row[0], json.loads(row[1])
        tenancy = uuid4()
        submit(
            services,
            user,
            [
                Draft(_operation_id(services), "tenancy.register", tenancy, fields, type="tenancy"),
                Draft(
                    _operation_id(services),
                    "visit.plan",
                    uuid4(),
                    {"tenancy": tenancy, "kind": "welcome"},
                ),
            ],
        )
        cells = _fingerprint(fields)
        db.table("tenancy_refs").insert(
            {
                "ref": ref,
                "tenancy": tenancy,
                "cells": cells,
                "customer": fields.get("customer", ""),
            },
            pk="ref",
            replace=True,
        )
        db.execute(
            "UPDATE protected_room SET cleared_at = ?, cleared_by = ?, cleared_reason = ?, cells = '{}'"
            " WHERE id = ?",
            [services.now().isoformat(timespec="seconds"), user.id, reason, id],
        )
        _log_read(db, services, user, f"clear {id}")


def _log_read(db: Database, services: Services, user: User, what: str) -> None:
    db.table("protected_reads").insert(
        {"user": user.id, "at": services.now().isoformat(timespec="seconds"), "what": what}
    )
