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

from pwa.phones import tables
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
    before = tables.find_device(db, device)
    lost_at, reason, lost_device, lost_unsent, recovered, unsent = "", "", "", 0, 0, 0
    if before:
        lost_at, reason, lost_device = (
            before["lost_at"],
            before["lost_reason"],
            before["lost_device"],
        )
        lost_unsent, recovered, unsent = (
            before["lost_unsent"],
            before["recovered"],
            before["unsent"],
        )
    if health.get("lost") and not lost_at:
        lost_at, reason = now, _text(health, "lost")
        lost_device = _text(health, "lost_device")
        known = tables.find_device(db, lost_device)
        # What the phone itself remembers may be gone with its storage: our last count stands in.
        lost_unsent = _count(health, "lost_unsent") or (known["unsent"] if known else unsent)
        recovered = 0
    tables.save_device(
        db,
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
    )
    tables.add_device_user(db, device, user, now)
    _keep_deletions(db, device, health.get("deleted"), now)


def _keep_deletions(db: Database, device: str, deleted: Any, now: str) -> None:
    named = deleted[:DELETED_MAX] if isinstance(deleted, list) else []
    for visit in named:
        if isinstance(visit, str) and is_uuid(visit):
            tables.add_deletion(db, device, visit, now)


def see_loss(db: Database, device: str) -> None:
    """A supervisor has seen that the storage was lost, and has seen to it."""
    tables.clear_loss(db, device)


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
    return [_row(one) for one in tables.list_devices(db)]


def _row(report: tables.DeviceReport) -> DeviceRow:
    health: Mapping[str, Any] = json.loads(report["health"])
    return DeviceRow(
        id=report["id"],
        user=report["user"],
        seen_at=report["seen_at"],
        unsent=report["unsent"],
        oldest_unsent_at=report["oldest_unsent_at"],
        persisted=bool(report["persisted"]),
        installed=bool(report["installed"]),
        version=report["version"],
        worker=_text(health, "worker"),
        quota=_count(health, "quota"),
        usage=_count(health, "usage"),
        tight=health.get("tight") is True,
        lost_at=report["lost_at"],
        lost_reason=report["lost_reason"],
        lost_unsent=report["lost_unsent"],
        recovered=report["recovered"],
    )


def list_deletions(db: Database) -> list[DeletionRow]:
    """Phones of whoever had a visit when its tenancy was protected; those that have not confirmed first.

    A phone first heard of after that never held it.
    """
    return [DeletionRow(*row) for row in tables.list_deletions(db)]
