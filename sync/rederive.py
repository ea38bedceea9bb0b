"""Rebuilds visit records that were made under an earlier conflict rule (RULE, sync/apply.py).

Under rule 1 a phone's numbers ordered everything written on it, whoever wrote it, and an ambassador
counted as having seen what is never shown to them: a second person's write could replace one that
was never on their screen (PROTOCOL.md 2, I5). Invariant: of a record only `cells` and the mark
`alone` change, and doing it twice changes nothing. A visit stays as it is where the log has blanked
an operation that counts, or holds one that cannot be read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sync.apply import rewrite_cells
from sync.operations import Operation, Refusal, parse
from sync.shapes import Record, RecordKey
from sync.sqlite import SqliteStorage
from sync.storage import Batch, read_visits

_TOGETHER = 200  # records in memory at once
_BLANKED_WHEN_STRUCK = ("visit.note", "visit.photo", "visit.follow_up")  # they write no cell


def derive_again(storage: SqliteStorage, ambassadors: Collection[str]) -> int:
    """Rebuild, in the open transaction; how many records changed. `ambassadors`: user ids."""
    shared = _column(
        storage,
        "SELECT DISTINCT subject FROM (SELECT subject FROM log WHERE type = 'visit'"
        " GROUP BY subject, device HAVING count(DISTINCT by) > 1)",
    )
    authors = (
        "SELECT DISTINCT subject, by FROM log WHERE kind IN ('visit.consent', 'visit.withdraw')"
    )
    guests = {visit for visit, by in storage.db.execute(authors) if by in ambassadors}
    changed = 0
    ids = sorted(shared | guests)
    for start in range(0, len(ids), _TOGETHER):
        written: dict[RecordKey, Record] = {}
        some = ids[start : start + _TOGETHER]
        for id, record in read_visits(storage, some).items():
            before = (record["cells"], [entry.get("alone") for entry in record["consents"]])
            operations = _operations(storage, record["id"]) if record["id"] in shared else None
            if operations is not None:
                rewrite_cells(record, operations)
            for entry in record["consents"]:
                if entry["by"] in ambassadors:
                    entry["alone"] = True
            after = (record["cells"], [entry.get("alone") for entry in record["consents"]])
            if before != after:
                written["visit", id] = record
        storage.write(Batch(records=written))
        changed += len(written)
    return changed


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
            found.append((parse(bytes(octets or b"").decode("utf-8", "surrogatepass")), seq))
        except Refusal:
            return None
    return found


def _column(storage: SqliteStorage, sql: str) -> set[Any]:
    return {row[0] for row in storage.db.execute(sql)}
