"""SQL of this room: the tables `users` and `sessions`.

Times are ISO 8601 UTC as text, which compares as time. A session that still runs has no `ended_at`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, cast

from sqlite_utils import Database


class UserFacts(TypedDict):
    """What an administrator changes of a person. `languages` is a JSON array of tags."""

    role: str
    queue: str
    languages: str
    display_name: str
    may_see_protected: int


class UserRow(UserFacts):
    """A row of `users`; `password` is the Argon2id hash."""

    id: str
    name: str
    password: str
    ambassador_until: int
    interface_language: str
    active: int
    created_at: str


class SessionRow(TypedDict):
    """A row of `sessions`; `sha256` is the hash of its token, which is not stored."""

    id: str
    sha256: str
    user: str
    device: str
    created_at: str
    last_seen: str
    expires_at: str


# --- users ---------------------------------------------------------------------------


def find_user(db: Database, id: str) -> UserRow | None:
    """The person with this id."""
    rows = db.query("SELECT * FROM users WHERE id = :id", {"id": id})
    return cast("UserRow | None", next(iter(rows), None))


def find_user_by_name(db: Database, name: str) -> UserRow | None:
    """The person who signs in with exactly this name."""
    rows = db.query("SELECT * FROM users WHERE name = :name", {"name": name})
    return cast("UserRow | None", next(iter(rows), None))


def list_users(db: Database) -> list[UserRow]:
    """Everyone, by display name."""
    rows = db.query("SELECT * FROM users ORDER BY display_name, name")
    return cast(list[UserRow], list(rows))


def has_another_administrator(db: Database, id: str) -> bool:
    """Whether somebody else than `id` is an active administrator."""
    row = db.execute(
        "SELECT 1 FROM users WHERE role = 'administrator' AND active = 1 AND id <> :id LIMIT 1",
        {"id": id},
    ).fetchone()
    return row is not None


def insert_user(db: Database, row: UserRow) -> None:
    """A new person."""
    db.execute(
        "INSERT INTO users (id, name, display_name, password, role, queue, languages,"
        " interface_language, may_see_protected, ambassador_until, active, created_at)"
        " VALUES (:id, :name, :display_name, :password, :role, :queue, :languages,"
        " :interface_language, :may_see_protected, :ambassador_until, :active, :created_at)",
        dict(row),
    )


def update_user(db: Database, id: str, facts: UserFacts) -> None:
    """Replace what an administrator changes of a person."""
    db.execute(
        "UPDATE users SET role = :role, queue = :queue, languages = :languages,"
        " display_name = :display_name, may_see_protected = :may_see_protected WHERE id = :id",
        {**facts, "id": id},
    )


def end_ambassador(db: Database, id: str) -> None:
    """Keep the log's last number as the one up to which this person has been an ambassador."""
    db.execute(
        "UPDATE users SET ambassador_until = (SELECT coalesce(max(seq), 0) FROM log)"
        " WHERE id = :id",
        {"id": id},
    )


def set_active(db: Database, id: str, active: bool) -> None:
    """Whether this person may sign in."""
    db.execute(
        "UPDATE users SET active = :active WHERE id = :id", {"active": int(active), "id": id}
    )


def set_password(db: Database, id: str, password: str) -> None:
    """A new hash."""
    db.execute(
        "UPDATE users SET password = :password WHERE id = :id", {"password": password, "id": id}
    )


def replace_password(db: Database, id: str, old: str, new: str) -> None:
    """A new hash, only if `old` is still the one that is stored."""
    db.execute(
        "UPDATE users SET password = :new WHERE id = :id AND password = :old",
        {"new": new, "id": id, "old": old},
    )


def set_interface_language(db: Database, id: str, language: str) -> None:
    """The language this person reads the interface in."""
    db.execute(
        "UPDATE users SET interface_language = :language WHERE id = :id",
        {"language": language, "id": id},
    )


# --- sessions ------------------------------------------------------------------------


def insert_session(db: Database, row: SessionRow) -> None:
    """A new session."""
    db.execute(
        "INSERT INTO sessions (id, sha256, user, device, created_at, last_seen, expires_at)"
        " VALUES (:id, :sha256, :user, :device, :created_at, :last_seen, :expires_at)",
        dict(row),
    )


def find_session(db: Database, sha256: str) -> SessionRow | None:
    """The session of this token that has not been ended; it may have expired."""
    rows = db.query(
        "SELECT id, sha256, user, device, created_at, last_seen, expires_at FROM sessions"
        " WHERE sha256 = :sha256 AND ended_at IS NULL",
        {"sha256": sha256},
    )
    return cast("SessionRow | None", next(iter(rows), None))


def list_sessions(db: Database, user: str, now: datetime) -> list[SessionRow]:
    """The running sessions of `user`, the last used first."""
    rows = db.query(
        "SELECT id, sha256, user, device, created_at, last_seen, expires_at FROM sessions"
        " WHERE user = :user AND ended_at IS NULL AND expires_at > :now ORDER BY last_seen DESC",
        {"user": user, "now": now.isoformat()},
    )
    return cast(list[SessionRow], list(rows))


def set_last_seen(db: Database, sha256: str, now: datetime) -> None:
    """When the session was last used."""
    db.execute(
        "UPDATE sessions SET last_seen = :now WHERE sha256 = :sha256",
        {"now": now.isoformat(), "sha256": sha256},
    )


def end_session(db: Database, sha256: str, now: datetime, how: str) -> None:
    """End the session of this token."""
    db.execute(
        "UPDATE sessions SET ended_at = :now, ended_how = :how"
        " WHERE ended_at IS NULL AND sha256 = :sha256",
        {"now": now.isoformat(), "how": how, "sha256": sha256},
    )


def end_session_by_id(db: Database, user: str, id: str, now: datetime, how: str) -> None:
    """End the session `id` if it is one of `user`."""
    db.execute(
        "UPDATE sessions SET ended_at = :now, ended_how = :how"
        " WHERE ended_at IS NULL AND user = :user AND id = :id",
        {"now": now.isoformat(), "how": how, "user": user, "id": id},
    )


def end_sessions_of(db: Database, user: str, now: datetime, how: str) -> None:
    """End every session of `user`."""
    db.execute(
        "UPDATE sessions SET ended_at = :now, ended_how = :how"
        " WHERE ended_at IS NULL AND user = :user",
        {"now": now.isoformat(), "how": how, "user": user},
    )
