"""Device health: what each phone last said of itself (docs/browsers.md 1.1, the canary).

Invariant: only facts about the device (storage, versions, counts, ids of visits it has deleted); no
content, no place. A report of lost storage stays until a supervisor has seen it; a later good
report does not wipe it out, and neither does a new name that the phone got after the loss.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from sync.kinds import is_uuid

HEALTH_BYTES_MAX = 4096
COUNT_MAX = 2**53  # past this a phone cannot count, and SQLite soon cannot keep
DELETED_MAX = 100  # visits one report may name as deleted


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device: its last health report and when it was heard of (ISO 8601 UTC).

    `quota` and `usage` in bytes, 0 where the browser does not say. `lost_reason` is `emptied`,
    `rolled_back`, `other` or `unopenable`; of `lost_unsent` things `recovered` have come after all.
    """

    id: str
    user: str
    seen_at: str
    unsent: int
    oldest_unsent_at: str
    persisted: bool
    installed: bool
    version: str
    worker: str
    quota: int
    usage: int
    tight: bool
    lost_at: str
    lost_reason: str
    lost_unsent: int
    recovered: int


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """A phone that has held visits of protected tenancies, and how many of them it says are gone."""

    device: str
    user: str
    seen_at: str
    confirmed: int
    open: int


def report(db: Database, device: str, user: str, health: Mapping[str, Any], now: str) -> None:
    """Keep the newest report of `device`. Anything of the wrong shape counts as unknown: what a
    phone says of itself never keeps its work out."""
    # Half a surrogate pair becomes a question mark: no database takes it.
    text = json.dumps(health, ensure_ascii=False).encode("utf-8", "replace").decode()
    health = json.loads(text)
    before = db.execute(
        "SELECT lost_at, lost_reason, lost_device, lost_unsent, recovered, unsent"
        " FROM devices WHERE id = ?",
        [device],
    ).fetchone()
    lost_at, reason, lost_device, lost_unsent, recovered, unsent = before or ("", "", "", 0, 0, 0)
    if health.get("lost") and not lost_at:
        lost_at, reason = now, _text(health, "lost")
        lost_device = _text(health, "lost_device")
        known = db.execute("SELECT unsent FROM devices WHERE id = ?", [lost_device]).fetchone()
        # What the phone itself remembers may be gone with its storage: our last count stands in.
        lost_unsent = _count(health, "lost_unsent") or (known[0] if known else unsent)
        recovered = 0
    db.table("devices").upsert(
        {
            "id": device,
            "user": user,
            "seen_at": now,
            "unsent": _count(health, "unsent"),
            "oldest_unsent_at": _instant(health, "oldest_unsent_at"),
            "persisted": int(health.get("persisted") is True),
            "installed": int(health.get("installed") is True),
            "version": _text(health, "version"),
            "health": text if len(text) <= HEALTH_BYTES_MAX else "{}",
            "lost_at": lost_at,
            "lost_reason": reason,
            "lost_device": lost_device,
            "lost_unsent": lost_unsent,
            "recovered": max(recovered, _count(health, "recovered")),
        },
        pk="id",
    )
    db.execute("INSERT OR IGNORE INTO device_people VALUES (?, ?, ?)", [device, user, now])
    _keep_deletions(db, device, health.get("deleted"), now)


def _keep_deletions(db: Database, device: str, deleted: Any, now: str) -> None:
    named = deleted[:DELETED_MAX] if isinstance(deleted, list) else []
    for visit in named:
        if isinstance(visit, str) and is_uuid(visit):
            db.execute(
                "INSERT OR IGNORE INTO deleted_visits SELECT ?, ?, ? WHERE EXISTS"
                " (SELECT 1 FROM visibility WHERE id = ? AND reason = 'protected')",
                [device, visit, now, visit],
            )


def see_loss(db: Database, device: str) -> None:
    """A supervisor has seen that the storage was lost, and has seen to it."""
    db.execute(
        "UPDATE devices SET lost_at = '', lost_unsent = 0, recovered = 0 WHERE id = ?", [device]
    )


def _count(health: Mapping[str, Any], name: str) -> int:
    value = health.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 <= value <= COUNT_MAX else 0


def _text(health: Mapping[str, Any], name: str) -> str:
    value = health.get(name)
    return value[:80] if isinstance(value, str) else ""


def _instant(health: Mapping[str, Any], name: str) -> str:
    value = _text(health, name)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return ""
    # Years that a page can show in any zone.
    return value if moment.tzinfo and 1970 <= moment.year < 9999 else ""


def list_devices(db: Database) -> list[DeviceRow]:
    """Every device in use, the longest silent first."""
    rows = db.execute(
        "SELECT id, user, seen_at, unsent, oldest_unsent_at, persisted, installed, version, health,"
        " lost_at, lost_reason, lost_unsent, recovered FROM devices WHERE id IN present_devices"
        " ORDER BY seen_at"
    )
    return [
        _row(
            json.loads(health), id, user, seen, unsent, oldest, persisted, installed, version, lost
        )
        for id, user, seen, unsent, oldest, persisted, installed, version, health, *lost in rows
    ]


def _row(
    health: Mapping[str, Any], id: str, user: str, seen_at: str, unsent: int, oldest: str,
    persisted: int, installed: int, version: str, lost: list[Any],
) -> DeviceRow:  # fmt: skip
    return DeviceRow(
        id, user, seen_at, unsent, oldest, bool(persisted), bool(installed), version,
        _text(health, "worker"), _count(health, "quota"), _count(health, "usage"),
        health.get("tight") is True, *lost,
    )  # fmt: skip


def list_deletions(db: Database) -> list[DeletionRow]:
    """Phones of whoever had a visit when its tenancy was protected; those that have not confirmed first.

    A phone first heard of after that never held it.
    """
    rows = db.execute(
        "SELECT devices.id, devices.user, devices.seen_at, count(DISTINCT deleted_visits.visit),"
        " count(DISTINCT visibility.id) - count(DISTINCT deleted_visits.visit) AS open"
        " FROM visibility JOIN device_people ON device_people.user = visibility.viewer"
        " JOIN devices ON devices.id = device_people.device"
        " LEFT JOIN log ON log.seq = visibility.seq"
        " LEFT JOIN deleted_visits ON deleted_visits.device = devices.id"
        " AND deleted_visits.visit = visibility.id"
        " WHERE visibility.reason = 'protected' AND visibility.visible = 0"
        " AND devices.id IN present_devices AND device_people.first_at <= coalesce(log.received_at, '9')"
        " GROUP BY devices.id ORDER BY open DESC, devices.seen_at"
    )
    return [DeletionRow(*row) for row in rows]
