"""Device health: what each phone last reported about itself (docs/browsers.md 1.1, the canary).

Invariant: only facts about the device are kept (storage, versions, counts, ids of visits it has
deleted), nothing of a visit's content and no place. A reported loss of storage stays until a
supervisor has dealt with it: neither a later good report nor the new device id that a phone gets
after a loss removes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from pwa.phones import tables
from pwa.phones.shapes import Health
from sync.kinds import is_uuid

HEALTH_BYTES_MAX = 4096
COUNT_MAX = 2**53  # JavaScript cannot count further, and SQLite's integers end soon after
DELETED_MAX = 100  # visits that one report may name as deleted
TEXT_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device: its last health report and when that arrived (ISO 8601 UTC).

    `quota` and `usage` in bytes, 0 where the browser does not say. `lost_reason` is `emptied`,
    `rolled_back`, `other` or `unopenable`; `recovered` of the `lost_unsent` operations have arrived
    after all.
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


def report(db: Database, device: str, user: str, health: Mapping[str, Any], now: str) -> None:
    """Store the newest report of `device`, which `user` is signed in on.

    Values of a wrong shape count as missing: a faulty report never keeps a phone's work out.
    """
    # Half a surrogate pair becomes a question mark: no database accepts it.
    text = json.dumps(health, ensure_ascii=False).encode("utf-8", "replace").decode()
    parsed = parse_health(json.loads(text))
    tables.save_device(
        db,
        {
            "id": device,
            "user": user,
            "seen_at": now,
            "unsent": parsed["unsent"],
            "oldest_unsent_at": parsed["oldest_unsent_at"],
            "persisted": int(parsed["persisted"]),
            "installed": int(parsed["installed"]),
            "version": parsed["version"],
            "health": text if len(text) <= HEALTH_BYTES_MAX else "{}",
            **_loss(db, device, parsed, now),
        },
    )
    tables.add_device_user(db, device, user, now)
    for visit in parsed["deleted"]:
        tables.add_deletion(db, device, visit, now)


def _loss(db: Database, device: str, health: Health, now: str) -> tables.Loss:
    before = tables.find_device(db, device)
    recovered = max(health["recovered"], before["recovered"] if before else 0)
    if health["lost"] and not (before and before["lost_at"]):
        # The phone's own count may be lost with its storage: the server's last one stands in.
        former = tables.find_device(db, health["lost_device"]) or before
        return {
            "lost_at": now,
            "lost_reason": health["lost_reason"],
            "lost_device": health["lost_device"],
            "lost_unsent": health["lost_unsent"] or (former["unsent"] if former else 0),
            "recovered": health["recovered"],
        }
    if before is None:
        return {
            "lost_at": "", "lost_reason": "", "lost_device": "", "lost_unsent": 0,
            "recovered": recovered,
        }  # fmt: skip
    return {
        "lost_at": before["lost_at"],
        "lost_reason": before["lost_reason"],
        "lost_device": before["lost_device"],
        "lost_unsent": before["lost_unsent"],
        "recovered": recovered,
    }


def acknowledge_loss(db: Database, device: str) -> None:
    """A supervisor has dealt with the loss."""
    tables.clear_loss(db, device)


def list_deletions(db: Database) -> list[tables.Deletions]:
    """How far the phones of protected tenancies' former visitors are with deleting their visits."""
    return tables.list_deletions(db)


def list_devices(db: Database) -> list[DeviceRow]:
    """Every device in use, the longest silent first."""
    return [_row(stored) for stored in tables.list_devices(db)]


def _row(stored: tables.DeviceReport) -> DeviceRow:
    health = parse_health(json.loads(stored["health"]))
    return DeviceRow(
        id=stored["id"],
        user=stored["user"],
        seen_at=stored["seen_at"],
        unsent=stored["unsent"],
        oldest_unsent_at=stored["oldest_unsent_at"],
        persisted=bool(stored["persisted"]),
        installed=bool(stored["installed"]),
        version=stored["version"],
        worker=health["worker"],
        quota=health["quota"],
        usage=health["usage"],
        tight=health["tight"],
        lost_at=stored["lost_at"],
        lost_reason=stored["lost_reason"],
        lost_unsent=stored["lost_unsent"],
        recovered=stored["recovered"],
    )


# --- reading a report ----------------------------------------------------------------


def parse_health(health: Mapping[str, Any]) -> Health:
    """A phone's report with every value in its shape; what is missing or wrong becomes empty."""
    return {
        "unsent": _count(health, "unsent"),
        "oldest_unsent_at": _instant(health, "oldest_unsent_at"),
        "persisted": health.get("persisted") is True,
        "installed": health.get("installed") is True,
        "version": _text(health, "version"),
        "worker": _text(health, "worker"),
        "quota": _count(health, "quota"),
        "usage": _count(health, "usage"),
        "tight": health.get("tight") is True,
        # A loss counts whatever shape its reason has.
        "lost": bool(health.get("lost")),
        "lost_reason": _text(health, "lost"),
        "lost_device": _text(health, "lost_device"),
        "lost_unsent": _count(health, "lost_unsent"),
        "recovered": _count(health, "recovered"),
        "deleted": _visits(health.get("deleted")),
    }


def _count(health: Mapping[str, Any], name: str) -> int:
    value = health.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 <= value <= COUNT_MAX else 0


def _text(health: Mapping[str, Any], name: str) -> str:
    value = health.get(name)
    return value[:TEXT_CHARACTERS_MAX] if isinstance(value, str) else ""


def _instant(health: Mapping[str, Any], name: str) -> str:
    value = _text(health, name)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return ""
    # Years that a page can show in any time zone.
    return value if moment.tzinfo and 1970 <= moment.year < 9999 else ""


def _visits(value: Any) -> list[str]:
    named = value[:DELETED_MAX] if isinstance(value, list) else []
    return [visit for visit in named if isinstance(visit, str) and is_uuid(visit)]
