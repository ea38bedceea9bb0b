"""Sessions: who is signed in where, as rows that can be ended one by one.

Invariant: a token is 256 random bits, stored only as its SHA-256, and valid until its row is ended,
expires, or its person is deactivated. A session is never renewed: signing in makes a new row
(against session fixation), and when a row expires is fixed when it is made.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from pwa.ids import uuid4
from pwa.people import tables

LAST_SEEN_STEP = timedelta(minutes=5)
DEVICE_CHARACTERS_MAX = 60

# How a session ended. A restore ends all of them as "restored" (pwa/database/backup.py).
Ending = Literal[
    "signed_out",
    "signed_in_again",
    "ended_by_self",
    "ended_by_administrator",
    "deactivated",
    "role_changed",
    "password_changed",
]


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
    """A new session of `user` for `life`; returns its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    tables.insert_session(
        db,
        {
            "id": uuid4(),
            "sha256": _digest(token),
            "user": user,
            "device": device[:DEVICE_CHARACTERS_MAX],
            "created_at": now.isoformat(),
            "last_seen": now.isoformat(),
            "expires_at": (now + life).isoformat(),
        },
    )
    return token


def find_session(db: Database, token: str, now: datetime) -> tuple[str, bool] | None:
    """(user id, whether `last_seen` is old enough to be renewed) of a valid session, else None."""
    row = tables.find_session(db, _digest(token))
    if row is None or datetime.fromisoformat(row["expires_at"]) <= now:
        return None
    return row["user"], now - datetime.fromisoformat(row["last_seen"]) >= LAST_SEEN_STEP


def touch_session(db: Database, token: str, now: datetime) -> None:
    """Note that the session is used now."""
    tables.set_last_seen(db, _digest(token), now)


def list_sessions(db: Database, user: str, now: datetime, token: str = "") -> list[Session]:
    """The valid sessions of `user`, the last used first; `current` marks the one of `token`."""
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
        for row in tables.list_sessions(db, user, now)
    ]


def end_session(db: Database, token: str, now: datetime, how: Ending) -> None:
    """End the session of this token if it has not ended."""
    tables.end_session(db, _digest(token), now, how)


def end_session_by_id(db: Database, user: str, id: str, now: datetime, how: Ending) -> None:
    """End one session of `user`; the id of somebody else's session does nothing."""
    tables.end_session_by_id(db, user, id, now, how)


def end_sessions_of(db: Database, user: str, now: datetime, how: Ending) -> None:
    """End every session of `user`."""
    tables.end_sessions_of(db, user, now, how)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
