"""Flat rows that lists and counts read, derived from a visit record.

Invariant: each row is a pure function of the record, its tenancy and the tenancy's visits, so that indexes can
be thrown away and made again (VERSION). It refuses to carry names, phones, notes or any text a person
wrote: a list needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync.apply import Record, conflicts_of, consents_of, state_of, strictest, value_of, winner

Row = dict[str, Any]

TABLES = ("visit_index", "follow_up_index", "consent_index", "blob_index")
VERSION = "1"
"""Raised when a row comes to be made otherwise: all rows are then made anew at the next start."""


def visit_row(record: Record, tenancy: Record | None) -> Row:
    """The row of `visit_index`: what coverage and the lists of the desk show."""
    file = tenancy["fields"] if tenancy else {}
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


def follow_up_rows(record: Record, tenancy: Record | None) -> list[Row]:
    """The rows of `follow_up_index`; a struck follow-up has none."""
    file = tenancy["fields"] if tenancy else {}
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


def consent_rows(record: Record, household: Sequence[Record] = ()) -> list[Row]:
    """The rows of `consent_index`: the decision that counts for each purpose asked at this visit.

    `household`: all visits of its tenancy. What a tenant has taken back, or refused, at another visit
    counts here too: nobody who asks one household twice may go on with the first answer.
    """
    everything = consents_of(
        {"consents": [one for visit in household for one in visit["consents"]]}
    )
    rows = []
    for purpose, one in consents_of(record).items():
        asked = [each for each in record["consents"] if each["purpose"] == purpose]
        shown = one if "language" in one else next((e for e in asked if "language" in e), {})
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


def blob_rows(record: Record) -> list[Row]:
    """The rows of `blob_index`: each operation that names a blob, `struck` for a struck photo."""
    named = [(one, one.get("signature", ""), 0) for one in record["consents"]]
    named += [(one, one["photo"], int(one["retracted"])) for one in record.get("photos", [])]
    return [
        {"operation": one["id"], "visit": record["id"], "sha256": sha256, "struck": struck}
        for one, sha256, struck in named
        if sha256
    ]


def _is_open(follow_up: Record) -> bool:
    if follow_up["retracted"]:
        return False
    answers = follow_up["answers"]
    return not (answers and answers[-1]["done"])
