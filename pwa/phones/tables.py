"""SQL of this room: devices and their reports, what a phone is told of its held work, the log's end.

Times are ISO 8601 UTC as text, which compares as time.
"""

from __future__ import annotations

from typing import Any, TypedDict, cast

from sqlite_utils import Database


class DeviceReport(TypedDict):
    """A row of `devices`: the newest report of one, and what it has lost."""

    id: str
    user: str
    seen_at: str
    unsent: int
    oldest_unsent_at: str
    persisted: int
    installed: int
    version: str
    health: str
    lost_at: str
    lost_reason: str
    lost_device: str
    lost_unsent: int
    recovered: int


# --- devices -------------------------------------------------------------------------


def find_device(db: Database, id: str) -> DeviceReport | None:
    """The newest report of a device."""
    rows = db.query("SELECT * FROM devices WHERE id = :id", {"id": id})
    return cast("DeviceReport | None", next(iter(rows), None))


def save_device(db: Database, row: DeviceReport) -> None:
    """Keep a report in the place of the one before."""
    columns = list(row)
    names = ", ".join(columns)
    values = ", ".join(f":{one}" for one in columns)
    changes = ", ".join(f"{one} = excluded.{one}" for one in columns if one != "id")
    db.execute(
        f"INSERT INTO devices ({names}) VALUES ({values})"  # noqa: S608
        f" ON CONFLICT (id) DO UPDATE SET {changes}",
        dict(row),
    )


def add_device_user(db: Database, device: str, user: str, now: str) -> None:
    """Who has used a device, and since when."""
    db.execute(
        "INSERT INTO device_people (device, user, first_at) VALUES (:device, :user, :now)"
        " ON CONFLICT (device, user) DO NOTHING",
        {"device": device, "user": user, "now": now},
    )


def clear_loss(db: Database, device: str) -> None:
    """No loss is open any more."""
    db.execute(
        "UPDATE devices SET lost_at = '', lost_unsent = 0, recovered = 0 WHERE id = :device",
        {"device": device},
    )


def list_devices(db: Database) -> list[DeviceReport]:
    """Every device in use, the one longest without contact first."""
    rows = db.query(
        "SELECT * FROM devices WHERE id IN (SELECT id FROM present_devices) ORDER BY seen_at"
    )
    return cast(list[DeviceReport], list(rows))


# --- visits that phones have deleted -------------------------------------------------


def add_deletion(db: Database, device: str, visit: str, now: str) -> None:
    """A device has deleted a visit; kept only of one that was protected."""
    db.execute(
        "INSERT INTO deleted_visits (device, visit, at) SELECT :device, :visit, :now WHERE EXISTS"
        " (SELECT 1 FROM visibility WHERE id = :visit AND reason = 'protected')"
        " ON CONFLICT (device, visit) DO NOTHING",
        {"device": device, "visit": visit, "now": now},
    )


def list_deletions(db: Database) -> list[tuple[str, str, str, int, int]]:
    """(device, user, seen_at, deleted, open) of each device of somebody who had a visit when its
    tenancy was protected, unless its first contact was later; most open ones first."""
    rows: list[Any] = db.execute(
        "SELECT devices.id, devices.user, devices.seen_at, count(DISTINCT deleted_visits.visit),"
        " count(DISTINCT visibility.id) - count(DISTINCT deleted_visits.visit) AS open"
        " FROM visibility JOIN device_people ON device_people.user = visibility.viewer"
        " JOIN devices ON devices.id = device_people.device"
        " LEFT JOIN log ON log.seq = visibility.seq"
        " LEFT JOIN deleted_visits ON deleted_visits.device = devices.id"
        " AND deleted_visits.visit = visibility.id"
        " WHERE visibility.reason = 'protected' AND visibility.visible = 0"
        " AND devices.id IN (SELECT id FROM present_devices)"
        " AND device_people.first_at <= coalesce(log.received_at, '9')"
        " GROUP BY devices.id ORDER BY open DESC, devices.seen_at"
    ).fetchall()
    return rows


# --- for the sync API ----------------------------------------------------------------


def comments_for(db: Database, user: str) -> dict[str, str]:
    """operation id → what a supervisor asked, of this author's open held operations."""
    rows = db.execute(
        "SELECT id, comment FROM held WHERE state = 'open' AND by = :user", {"user": user}
    )
    return dict(rows.fetchall())


def log_head(db: Database) -> int:
    """The number of the log's last operation, 0 for none."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()[0])
