"""Rebuilds visit records that were made under an earlier rule (RULE, sync/apply.py).

Under rule 1 a phone's numbers ordered everything written on it, whoever wrote it, and an ambassador
counted as having seen what is never shown to them. Under rule 2 opening a visit that was there gave
it another tenancy, kind and visitor, and a decision that a supervisor had accepted for its author
counted as having seen every other (PROTOCOL.md 2, I5). Invariant: of a record only `cells`,
`assignments`, `tenancy`, `kind` and the mark `alone` change, and doing it twice changes nothing. A
visit stays as it is where the log has blanked an operation that counts, or holds one that cannot be
read.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

from sync.apply import rewrite_cells, value_of
from sync.operations import Operation, Refusal, parse, text_of
from sync.shapes import GoneReason, VisitRecord
from sync.sqlite import SqliteStorage
from sync.storage import ALL, Batch, Visibility, read_tenancies, read_visits

_TOGETHER = 200  # records in memory at once
_BLANKED_WHEN_STRUCK = ("visit.note", "visit.photo", "visit.follow_up")  # they write no cell
_SHARED = (  # written on one phone by several people
    "SELECT DISTINCT subject FROM (SELECT subject FROM log WHERE type = 'visit'"
    " GROUP BY subject, device HAVING count(DISTINCT by) > 1)"
)
_OPENED_AGAIN = (
    "SELECT subject FROM log WHERE kind IN ('visit.plan', 'visit.open')"
    " GROUP BY subject HAVING count(*) > 1"
)
_ACCEPTED = (
    "SELECT visit, id FROM held WHERE resolved_how = 'accept'"
    " AND kind IN ('visit.consent', 'visit.withdraw')"
)
_DECIDED = "SELECT DISTINCT subject, by FROM log WHERE kind IN ('visit.consent', 'visit.withdraw')"


def derive_again(storage: SqliteStorage, ambassadors: Collection[str]) -> int:
    """Rebuild, in the open transaction; how many records changed. `ambassadors`: user ids."""
    rewritten = _column(storage, _SHARED) | _column(storage, _OPENED_AGAIN)
    accepted = {id: visit for visit, id in storage.db.execute(_ACCEPTED)}
    by_guests = {visit for visit, by in storage.db.execute(_DECIDED) if by in ambassadors}
    changed = 0
    ids = sorted(rewritten | by_guests | set(accepted.values()))
    for start in range(0, len(ids), _TOGETHER):
        batch = Batch()
        for id, record in read_visits(storage, ids[start : start + _TOGETHER]).items():
            before = copy.deepcopy(record)
            operations = _operations(storage, id) if id in rewritten else None
            if operations:
                rewrite_cells(record, operations)
            for entry in record["consents"]:
                if entry["by"] in ambassadors or entry["id"] in accepted:
                    entry["alone"] = True
            if record != before:
                batch.records["visit", id] = record
                _move(storage, batch, before, record)
                changed += 1
        storage.write(batch)
    return changed


def _move(storage: SqliteStorage, batch: Batch, before: VisitRecord, record: VisitRecord) -> None:
    """Put a visit back to its tenancy, and show it to who has it now and to nobody else."""
    tenancies = read_tenancies(storage, {before["tenancy"], record["tenancy"]} - {""})
    if before["tenancy"] != record["tenancy"]:
        for id, file in tenancies.items():
            kept = [one for one in file["visits"] if one != record["id"]]
            visits = [*kept, record["id"]] if id == record["tenancy"] else kept
            batch.records["tenancy", id] = file | {"visits": visits}
    old, new = (_viewers(one, tenancies) for one in (before, record))
    home = tenancies.get(record["tenancy"])
    reason: GoneReason = "protected" if home and home["protected"] else "reassigned"
    for viewer in sorted(old ^ new):
        is_shown = viewer in new
        batch.visibility.append(
            Visibility(viewer, record["id"], record["seq"], is_shown, "" if is_shown else reason)
        )


def _viewers(record: VisitRecord, tenancies: Any) -> frozenset[str]:
    home = tenancies.get(record["tenancy"])
    if home and home["protected"]:
        return frozenset()
    if value_of(record, "cancelled") == "yes":
        return frozenset({ALL})
    return frozenset({ALL, *value_of(record, "visitors", [])})


def _operations(storage: SqliteStorage, visit: str) -> list[tuple[Operation, int]] | None:
    """What the log has of a visit, with its numbers; None where words that count are gone."""
    found: list[tuple[Operation, int]] = []
    for kind, octets, seq in storage.db.execute(
        "SELECT kind, bytes, seq FROM log WHERE subject = ? AND type = 'visit' ORDER BY seq",
        [visit],
    ):
        if octets is None and kind in _BLANKED_WHEN_STRUCK:
            continue
        try:
            found.append((parse(text_of(octets or b"")), seq))
        except Refusal:
            return None
    return found


def _column(storage: SqliteStorage, sql: str) -> set[Any]:
    return {row[0] for row in storage.db.execute(sql)}
