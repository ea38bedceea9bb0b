"""Who is signed in where: rows that can be ended one by one.

Invariant: a token is 256 random bits, stored only as its SHA-256, and works until its row is
ended, expires, or its person is deactivated. It refuses to be renewed: signing in makes a new
row (session fixation), and the life of a row is fixed when it is made.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from pwa.ids import uuid4

SEEN_EVERY = timedelta(minutes=5)
DEVICE_CHARACTERS_MAX = 60


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in, as its owner sees it. Times are ISO 8601 UTC."""

    id: str
    user: str
    device: str
    created_at: str
    last_seen: str
    current: bool


def start_session(db: Database, user: str, device: str, now: datetime, life: timedelta) -> str:
    """A new session of `user`; its token, which is not stored and cannot be had again."""
    token = secrets.token_urlsafe(32)
    db.table("sessions").insert(
        {
            "id": uuid4(),
            "sha256": _digest(token),
            "user": user,
            "device": device[:DEVICE_CHARACTERS_MAX],
            "created_at": now.isoformat(),
            "last_seen": now.isoformat(),
            "expires_at": (now + life).isoformat(),
        }
    )
    return token


def find_session(db: Database, token: str, now: datetime) -> tuple[str, bool] | None:
    """(user id, whether `last_seen` is due) of a session that still works."""
    sql = "SELECT user, last_seen, expires_at FROM sessions WHERE sha256 = ? AND ended_at IS NULL"
    row = db.execute(sql, [_digest(token)]).fetchone()
    if row is None or datetime.fromisoformat(row[2]) <= now:
        return None
    return str(row[0]), now - datetime.fromisoformat(row[1]) >= SEEN_EVERY


def touch_session(db: Database, token: str, now: datetime) -> None:
    """Remember that the session was used just now."""
    db.execute(
        "UPDATE sessions SET last_seen = ? WHERE sha256 = ?", [now.isoformat(), _digest(token)]
    )


def list_sessions(db: Database, user: str, now: datetime, token: str = "") -> list[Session]:
    """The working sessions of `user`, newest first; `current` marks the one of `token`."""
    sql = "user = ? AND ended_at IS NULL AND expires_at > ?"
    rows = db.table("sessions").rows_where(sql, [user, now.isoformat()], order_by="last_seen DESC")
    digest = _digest(token)
    return [
        Session(
            id=row["id"],
            user=row["user"],
            device=row["device"],
            created_at=row["created_at"],
            last_seen=row["last_seen"],
            current=row["sha256"] == digest,
        )
        for row in rows
    ]


def end_session(db: Database, token: str, now: datetime, how: str) -> None:
    """End the session of this token, if it still runs."""
    _end(db, "sha256 = ?", [_digest(token)], now, how)


def end_session_by_id(db: Database, user: str, id: str, now: datetime, how: str) -> None:
    """End one session of `user`; somebody else's id does nothing."""
    _end(db, "user = ? AND id = ?", [user, id], now, how)


def end_sessions_of(db: Database, user: str, now: datetime, how: str) -> None:
    """End every session of `user`."""
    _end(db, "user = ?", [user], now, how)


def _end(db: Database, where: str, values: list[str], now: datetime, how: str) -> None:
    sql = f"UPDATE sessions SET ended_at = ?, ended_how = ? WHERE ended_at IS NULL AND {where}"  # noqa: S608
    db.execute(sql, [now.isoformat(), how, *values])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
