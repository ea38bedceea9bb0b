"""Device health: what each phone last said of itself (platform.md 1.1, the canary).

Invariant: only facts about the device (storage, versions, counts); no content, no place. A
report of lost storage stays until a supervisor has seen it; a later good report does not
wipe it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

HEALTH_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device: its last health report and when it was heard of (ISO 8601 UTC)."""

    id: str
    user: str
    seen_at: str
    unsent: int
    oldest_unsent_at: str
    persisted: bool
    installed: bool
    version: str
    lost_at: str
    lost_unsent: int


def create_tables(db: Database) -> None:
    db.table("devices").create(
        {
            "id": str, "user": str, "seen_at": str, "unsent": int, "oldest_unsent_at": str,
            "persisted": int, "installed": int, "version": str, "health": str,
            "lost_at": str, "lost_unsent": int,
        },
        pk="id",
        not_null={"user", "seen_at", "unsent", "oldest_unsent_at", "persisted", "installed",
                  "version", "health", "lost_at", "lost_unsent"},
        strict=True,
    )  # fmt: skip


def report(db: Database, device: str, user: str, health: Mapping[str, Any], now: str) -> None:
    """Keep the newest report of `device`. Anything of the wrong shape counts as unknown."""
    text = json.dumps(health, ensure_ascii=False)
    before = db.execute(
        "SELECT lost_at, lost_unsent, unsent FROM devices WHERE id = ?", [device]
    ).fetchone()
    lost_at, lost_unsent, last_unsent = before or ("", 0, 0)
    if health.get("lost") and not lost_at:
        # What the phone itself remembers may be gone with its storage: our last count stands in.
        lost_at, lost_unsent = now, _count(health, "lost_unsent") or last_unsent
    db.table("devices").upsert(
        {
            "id": device,
            "user": user,
            "seen_at": now,
            "unsent": _count(health, "unsent"),
            "oldest_unsent_at": _text(health, "oldest_unsent_at"),
            "persisted": int(health.get("persisted") is True),
            "installed": int(health.get("installed") is True),
            "version": _text(health, "version"),
            "health": text if len(text) <= HEALTH_BYTES_MAX else "{}",
            "lost_at": lost_at,
            "lost_unsent": lost_unsent,
        },
        pk="id",
    )


def _count(health: Mapping[str, Any], name: str) -> int:
    value = health.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _text(health: Mapping[str, Any], name: str) -> str:
    value = health.get(name)
    return value[:80] if isinstance(value, str) else ""


def list_devices(db: Database) -> list[DeviceRow]:
    """Every device, the longest silent first."""
    rows = db.execute(
        "SELECT id, user, seen_at, unsent, oldest_unsent_at, persisted, installed, version,"
        " lost_at, lost_unsent FROM devices ORDER BY seen_at"
    )
    return [
        DeviceRow(
            id, user, seen, unsent, oldest, bool(persisted), bool(installed), version, lost, n
        )
        for id, user, seen, unsent, oldest, persisted, installed, version, lost, n in rows
    ]
