"""Flat rows for lists and counts, derived from a visit record.

Invariant: each row is a pure function of the record, its tenancy and the tenancy's visits, so that
the indexes can be dropped and derived again (VERSION). No row carries names, phone numbers, notes or
any other text that a person wrote: a list needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.apply import (
    conflicts_of,
    consents_of,
    effective_decisions,
    state_of,
    strictest,
    value_of,
    winner,
)
from sync.shapes import (
    BlobRow,
    Consent,
    ConsentRow,
    FollowUp,
    FollowUpRow,
    TenancyFields,
    TenancyRecord,
    VisitRecord,
    VisitRow,
)

TABLES = ("visit_index", "follow_up_index", "consent_index", "blob_index")
VERSION = "2"
"""Raise it when a row is derived otherwise: all rows are then derived again at the next start."""


def visit_row(record: VisitRecord, tenancy: TenancyRecord | None) -> VisitRow:
    """The row of `visit_index`: what coverage and the desk's lists show."""
    file = _fields_of(tenancy)
    visitors = value_of(record, "visitors", [])
    closed = winner(record, "closed")
    return {
        "id": record["id"],
        "tenancy": record["tenancy"],
        "kind": record["kind"],
        "state": state_of(record),
        "area": file.get("area", ""),
        "street": file.get("street", ""),
        "apartment": file.get("apartment", ""),
        "city": file.get("city", ""),
        "date": value_of(record, "date"),
        "time": value_of(record, "time"),
        "visitor": visitors[0] if visitors else "",
        "visitor2": visitors[1] if len(visitors) > 1 else "",
        "language": value_of(record, "language") or file.get("language", ""),
        "move_in": file.get("move_in", ""),
        "seq": record["seq"],
        "closed_at": closed["at"] if closed and closed["value"] == "yes" else "",
        "conflicts": len(conflicts_of(record)),
        "late": len(record["late"]),
        "follow_ups_open": sum(1 for one in record["follow_ups"] if _is_open(one)),
        "protected": 1 if tenancy and tenancy["protected"] else 0,
    }


def follow_up_rows(record: VisitRecord, tenancy: TenancyRecord | None) -> list[FollowUpRow]:
    """The rows of `follow_up_index`; a struck follow-up has none."""
    file = _fields_of(tenancy)
    return [
        {
            "id": one["id"],
            "visit": record["id"],
            "queue": one["queue"],
            "urgency": one["urgency"],
            "done": 0 if _is_open(one) else 1,
            "area": file.get("area", ""),
            "at": one["at"],
            "seq": one["seq"],
        }
        for one in record["follow_ups"]
        if not one["retracted"]
    ]


def consent_rows(record: VisitRecord, household: Sequence[VisitRecord] = ()) -> list[ConsentRow]:
    """The rows of `consent_index`: the decision that counts for each purpose asked at this visit.

    `household`: all visits of its tenancy. A withdrawal or refusal at another visit counts here too
    (PROTOCOL.md section 2): a tenant who is asked twice has one answer.
    """
    everything = effective_decisions(one for visit in household for one in visit["consents"])
    rows: list[ConsentRow] = []
    for purpose, one in consents_of(record).items():
        shown = _asked(record, purpose, one)
        counts = strictest([one, everything.get(purpose, one)])
        rows.append(
            {
                "visit": record["id"],
                "purpose": purpose,
                "decision": counts["decision"],
                "expires": shown.get("expires", ""),
                "language": shown.get("language", ""),
                "text_state": shown.get("text_state", ""),
                "at": counts["at"],
            }
        )
    return rows


def _asked(record: VisitRecord, purpose: str, decision: Consent) -> Consent:
    """Where the text shown for `purpose` is described: in `decision`, or for a withdrawal in the
    first consent that was asked for, if any was."""
    if "language" in decision:
        return decision
    asked = (one for one in record["consents"] if one["purpose"] == purpose and "language" in one)
    return next(asked, decision)


def blob_rows(record: VisitRecord) -> list[BlobRow]:
    """The rows of `blob_index`: each operation that names a blob, `struck` for a struck photo."""
    named = [(one["id"], one.get("signature", ""), 0) for one in record["consents"]]
    named += [(one["id"], one["photo"], int(one["retracted"])) for one in record.get("photos", [])]
    return [
        {"operation": id, "visit": record["id"], "sha256": sha256, "struck": struck}
        for id, sha256, struck in named
        if sha256
    ]


def _fields_of(tenancy: TenancyRecord | None) -> TenancyFields:
    return tenancy["fields"] if tenancy else {}


def _is_open(follow_up: FollowUp) -> bool:
    if follow_up["retracted"]:
        return False
    answers = follow_up["answers"]
    return not (answers and answers[-1]["done"])
