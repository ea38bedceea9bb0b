"""People who sign in: their names, roles and passwords, and how these change.

Invariant: a user row is possible as a whole (known role, an officer has a queue, nobody else
does); a password is stored only as an Argon2id hash; whatever lessens a right (deactivation,
another role or queue, a new password) ends the person's sessions in the same transaction. It
refuses to delete people: the log names them.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlite_utils import Database

from pwa.bundle import catalogues
from pwa.ids import uuid4
from pwa.people.sessions import end_sessions_of
from pwa.problems import Problem
from pwa.services import get_services
from pwa.settings import GUIDE_LANGUAGES
from sync.shapes import QUEUES

ROLES = ("visitor", "ambassador", "supervisor", "officer", "administrator")
INTERFACE_LANGUAGES = catalogues.LANGUAGES
PASSWORD_CHARACTERS_MIN = 8  # OWASP ASVS 5.0, 6.2.1; 15 advised
PASSWORD_CHARACTERS_MAX = 256
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")

# Argon2id, 64 MiB, 3 passes (RFC 9106, second recommendation). Two at a time: sign-ins must
# not take the memory of the work that goes on beside them.
HASHER = PasswordHasher()
_hashing = threading.Semaphore(2)
_decoys: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class User:
    """One person. `queue` is "" unless an officer; `session` is the token that this request
    came with, "" when the person was looked up otherwise. `ambassador_until`: the log's last number when they
    ceased to be an ambassador, -1 for never."""

    id: str
    name: str
    display_name: str
    role: str
    queue: str
    languages: list[str]
    interface_language: str
    may_see_protected: bool
    active: bool
    ambassador_until: int = -1
    session: str = ""

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        """Flask-Login's id is the session, so that a session can be ended by itself."""
        return self.session

    def as_json(self) -> dict[str, Any]:
        """What a phone is told about its own person."""
        return {
            "id": self.id,
            "name": self.display_name,
            "role": self.role,
            "languages": self.languages,
            "interface_language": self.interface_language,
        }


def user_from(row: Mapping[str, Any], session: str = "") -> User:
    """A user out of its row."""
    return User(
        id=row["id"],
        name=row["name"],
        display_name=row["display_name"],
        role=row["role"],
        queue=row["queue"],
        languages=json.loads(row["languages"]),
        interface_language=row["interface_language"],
        may_see_protected=bool(row["may_see_protected"]),
        active=bool(row["active"]),
        ambassador_until=row["ambassador_until"],
        session=session,
    )


# --- looking up ----------------------------------------------------------------------


def find_user(id: str) -> User | None:
    """The person with this id, active or not."""
    return _find("id", id)


def find_user_by_name(name: str) -> User | None:
    """The person who signs in with this name, active or not."""
    return _find("name", name.strip().lower())


def list_users(*, role: str = "", language: str = "", active_only: bool = True) -> list[User]:
    """People by display name; of one role, speaking one language, where given."""
    with get_services().databases.reading() as db:
        users = [
            user_from(row) for row in db.table("users").rows_where(order_by="display_name, name")
        ]
    return [
        user
        for user in users
        if (user.active or not active_only)
        and role in ("", user.role)
        and (not language or language in user.languages)
    ]


def _find(column: str, value: str) -> User | None:
    with get_services().databases.reading() as db:
        for row in db.table("users").rows_where(f"{column} = ?", [value]):
            return user_from(row)
    return None


# --- changing ------------------------------------------------------------------------


def add_user(
    name: str,
    role: str,
    password: str,
    *,
    display_name: str = "",
    languages: Sequence[str] = (),
    queue: str = "",
    interface_language: str = "",
    may_see_protected: bool = False,
    password_characters_min: int = PASSWORD_CHARACTERS_MIN,
) -> User:
    """A new person. Raises Problem when a value is impossible or the name is taken.

    `password_characters_min` is lowered only by the demo data (pwa/commands/demo.py).
    """
    name = name.strip().lower()
    if not NAME.fullmatch(name):
        raise Problem("name_invalid", name=name)
    row = {
        "id": uuid4(),
        "name": name,
        "display_name": display_name.strip() or name,
        **_checked(role, queue, languages),
        "interface_language": _checked_interface(interface_language),
        "may_see_protected": int(may_see_protected),
        "ambassador_until": -1,
        "active": 1,
        "created_at": get_services().now().isoformat(),
        "password": _hash(password, password_characters_min),
    }
    with get_services().databases.writing() as db:
        if db.table("users").count_where("name = ?", [name]):
            raise Problem("name_taken", name=name)
        db.table("users").insert(row)
    return user_from(row)


def change_user(
    id: str,
    *,
    role: str,
    queue: str,
    languages: Sequence[str],
    display_name: str,
    may_see_protected: bool,
) -> User:
    """Change what a person is. Another role, queue or right to the protected ends their sessions."""
    checked = _checked(role, queue, languages)
    with get_services().databases.writing() as db:
        before = _get(db, id)
        _keep_an_administrator(db, before, role == "administrator")
        row = {
            **checked,
            "display_name": display_name.strip() or before.name,
            "may_see_protected": int(may_see_protected),
        }
        if before.role == "ambassador" and role != before.role:
            # Up to here they may have pulled visits without what colleagues had decided (sync/seen.py).
            row["ambassador_until"] = _log_head(db)
        db.table("users").update(id, row)
        if (role, checked["queue"], may_see_protected) != (
            before.role,
            before.queue,
            before.may_see_protected,
        ):
            end_sessions_of(db, id, get_services().now(), "role_changed")
        return _get(db, id)


def _log_head(db: Database) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()[0])


def set_active(id: str, active: bool) -> None:
    """Let a person in, or out: deactivating ends all sessions. Refuses the last administrator."""
    with get_services().databases.writing() as db:
        user = _get(db, id)
        _keep_an_administrator(db, user, active)
        db.table("users").update(id, {"active": int(active)})
        if not active:
            end_sessions_of(db, id, get_services().now(), "deactivated")


def set_password(id: str, password: str) -> None:
    """A new password; every session of the person ends."""
    hashed = _hash(password, PASSWORD_CHARACTERS_MIN)
    with get_services().databases.writing() as db:
        _get(db, id)
        db.table("users").update(id, {"password": hashed})
        end_sessions_of(db, id, get_services().now(), "password_changed")


def set_interface_language(id: str, language: str) -> None:
    """The language this person reads the interface in."""
    with get_services().databases.writing() as db:
        _get(db, id)
        db.table("users").update(id, {"interface_language": _checked_interface(language)})


def _get(db: Database, id: str) -> User:
    for row in db.table("users").rows_where("id = ?", [id]):
        return user_from(row)
    raise Problem("not_found")


def _keep_an_administrator(db: Database, user: User, stays: bool) -> None:
    # Without this the last administrator could shut everyone out, and only a developer could
    # get them in again (I9).
    if user.role != "administrator" or not user.active or stays:
        return
    if (
        db.table("users").count_where("role = 'administrator' AND active AND id != ?", [user.id])
        == 0
    ):
        raise Problem("last_administrator")


def _checked(role: str, queue: str, languages: Sequence[str]) -> dict[str, str]:
    if role not in ROLES:
        raise Problem("role_unknown", role=role, roles=", ".join(ROLES))
    queue = queue if role == "officer" else ""
    if role == "officer" and queue not in QUEUES:
        raise Problem("queue_unknown", queue=queue, queues=", ".join(QUEUES))
    for language in languages:
        if language not in GUIDE_LANGUAGES:
            raise Problem(
                "language_unknown", language=language, languages=", ".join(GUIDE_LANGUAGES)
            )
    return {"role": role, "queue": queue, "languages": json.dumps(list(dict.fromkeys(languages)))}


def _checked_interface(language: str) -> str:
    if language not in ("", *INTERFACE_LANGUAGES):
        raise Problem(
            "language_unknown", language=language, languages=", ".join(INTERFACE_LANGUAGES)
        )
    return language


# --- passwords -----------------------------------------------------------------------


def check_password(name: str, password: str) -> User | None:
    """The active person with this name and password, or None.

    An unknown name costs one hash too: the time of the answer does not tell who works here.
    """
    name = name.strip().lower()
    with get_services().databases.reading() as db:
        rows = list(db.table("users").rows_where("name = ? AND active", [name]))
    stored = rows[0]["password"] if rows else _decoy()
    if len(password) > PASSWORD_CHARACTERS_MAX or not _verify(stored, password) or not rows:
        return None
    if HASHER.check_needs_rehash(stored):
        # Only if it is still the one we verified: a password set meanwhile must stand.
        fresh = _hash(password, 1)
        with get_services().databases.writing() as db:
            db.execute(
                "UPDATE users SET password = ? WHERE id = ? AND password = ?",
                [fresh, rows[0]["id"], stored],
            )
    return user_from(rows[0])


def _hash(password: str, characters_min: int) -> str:
    if not characters_min <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise Problem("password_short", count=characters_min, most=PASSWORD_CHARACTERS_MAX)
    with _hashing:
        return HASHER.hash(_normal(password))


def _verify(stored: str, password: str) -> bool:
    try:
        with _hashing:
            return HASHER.verify(stored, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    # One phone types å as one character, another as two (NIST SP 800-63B-4, 3.1.1.2).
    return unicodedata.normalize("NFC", password)


def _decoy() -> str:
    key = repr(HASHER)
    if key not in _decoys:
        _decoys[key] = HASHER.hash("nobody has this password")
    return _decoys[key]
