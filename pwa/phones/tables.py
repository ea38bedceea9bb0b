"""SQL of this room: devices and who used them, what they deleted, questions about held operations.

Times are ISO 8601 UTC as text, which compares as time. A device's row is its newest report; what it
lost (`lost_*`) stays until a supervisor has dealt with it, and `recovered` of the `lost_unsent`
operations have arrived after all.
"""

from __future__ import annotations

from typing import NamedTuple, TypedDict, cast

from sqlite_utils import Database


class Loss(TypedDict):
    """The columns of a device about its last loss; `lost_at` is "" where none is open."""

    lost_at: str
    lost_reason: str
    lost_device: str
    lost_unsent: int
    recovered: int


class DeviceReport(Loss):
    """A row of `devices`. `health` is the report as it was sent, as JSON."""

    id: str
    user: str
    seen_at: str
    unsent: int
    oldest_unsent_at: str
    persisted: int
    installed: int
    version: str
    health: str


class Deletions(NamedTuple):
    """Of the visits that are protected now, a device has deleted `confirmed`; `open` are left."""

    device: str
    user: str
    seen_at: str
    confirmed: int
    open: int


# --- devices -------------------------------------------------------------------------


def find_device(db: Database, id: str) -> DeviceReport | None:
    """The device with this id."""
    rows = db.query("SELECT * FROM devices WHERE id = :id", {"id": id})
    return cast("DeviceReport | None", next(iter(rows), None))


def save_device(db: Database, row: DeviceReport) -> None:
    """Insert the device, or replace its row."""
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
    """`user` has used the device, since `now` unless it is known for longer."""
    db.execute(
        "INSERT INTO device_people (device, user, first_at) VALUES (:device, :user, :now)"
        " ON CONFLICT (device, user) DO NOTHING",
        {"device": device, "user": user, "now": now},
    )


def clear_loss(db: Database, device: str) -> None:
    """Nothing is lost on this device any more."""
    db.execute(
        "UPDATE devices SET lost_at = '', lost_unsent = 0, recovered = 0 WHERE id = :device",
        {"device": device},
    )


def list_devices(db: Database) -> list[DeviceReport]:
    """Every device in use, the longest silent first."""
    rows = db.query(
        "SELECT * FROM devices WHERE id IN (SELECT id FROM present_devices) ORDER BY seen_at"
    )
    return cast(list[DeviceReport], list(rows))


# --- visits that phones have deleted -------------------------------------------------


def add_deletion(db: Database, device: str, visit: str, now: str) -> None:
    """The device has deleted `visit`; stored only if that visit is a protected one."""
    db.execute(
        "INSERT INTO deleted_visits (device, visit, at) SELECT :device, :visit, :now WHERE EXISTS"
        " (SELECT 1 FROM visibility WHERE id = :visit AND reason = 'protected')"
        " ON CONFLICT (device, visit) DO NOTHING",
        {"device": device, "visit": visit, "now": now},
    )


def list_deletions(db: Database) -> list[Deletions]:
    """Devices of everyone who had a visit when its tenancy was protected; most left to delete first.

    A device that its user is first seen on after that never held the visit.
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
        " AND devices.id IN (SELECT id FROM present_devices)"
        " AND device_people.first_at <= coalesce(log.received_at, '9')"
        " GROUP BY devices.id ORDER BY open DESC, devices.seen_at"
    )
    return [Deletions(*row) for row in rows]


# --- for the sync API ----------------------------------------------------------------


def comments_for(db: Database, user: str) -> dict[str, str]:
    """Operation id → what a supervisor asks about it, for the operations of `user` still held."""
    rows = db.execute(
        "SELECT id, comment FROM held WHERE state = 'open' AND by = :user", {"user": user}
    )
    return dict(rows.fetchall())


def log_head(db: Database) -> int:
    """The number of the log's last operation, 0 for none."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()[0])
