"""People who sign in: their names, roles and passwords, and how these change.

Invariant: a user row is valid as a whole (known role; an officer has a queue, nobody else has one);
a password is stored only as an Argon2id hash; whatever takes a right away (deactivation, another
role or queue, a new password) ends the person's sessions in the same transaction. People are never
deleted: the log refers to them.

Functions that hash a password take `databases` and open their transaction themselves: a hash takes
a tenth of a second, and no other writer should wait for it. The others take an open `db`.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlite_utils import Database

from pwa.bundle import catalogues
from pwa.database.connections import Databases
from pwa.ids import uuid4
from pwa.people import tables
from pwa.people.sessions import end_sessions_of
from pwa.problems import Problem
from pwa.settings import GUIDE_LANGUAGES
from sync.shapes import QUEUES

Role = Literal["visitor", "ambassador", "supervisor", "officer", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
INTERFACE_LANGUAGES = catalogues.LANGUAGES
PASSWORD_CHARACTERS_MIN = 8  # OWASP ASVS 5.0, 6.2.1; 15 advised
PASSWORD_CHARACTERS_MAX = 256
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")

# Argon2id, 64 MiB, 3 passes (RFC 9106, second recommended option). Two at a time, so that sign-ins
# leave memory for other requests.
HASHER = PasswordHasher()
_hashing = threading.Semaphore(2)
_decoys: dict[str, str] = {}


class Person(TypedDict):
    """What a phone gets to know of its own user."""

    id: str
    name: str
    role: Role
    languages: list[str]
    interface_language: str


@dataclass(frozen=True, slots=True)
class User:
    """One person. `queue` is "" unless an officer; `session` is the token that this request
    came with, "" where the person was not found by a session. `ambassador_until`: the log's last
    number when they ceased to be an ambassador, -1 for never."""

    id: str
    name: str
    display_name: str
    role: Role
    queue: str
    languages: list[str]
    interface_language: str
    may_see_protected: bool
    active: bool
    ambassador_until: int = -1
    session: str = ""

    # What Flask-Login expects of a user.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        """Flask-Login's id is the session, so that a session can be ended by itself."""
        return self.session

    def as_json(self) -> Person:
        """This user, as their phone gets it."""
        return {
            "id": self.id,
            "name": self.display_name,
            "role": self.role,
            "languages": self.languages,
            "interface_language": self.interface_language,
        }


def _user_from(row: tables.UserRow) -> User:
    return User(
        id=row["id"],
        name=row["name"],
        display_name=row["display_name"],
        role=_role(row["role"]),
        queue=row["queue"],
        languages=json.loads(row["languages"]),
        interface_language=row["interface_language"],
        may_see_protected=bool(row["may_see_protected"]),
        active=bool(row["active"]),
        ambassador_until=row["ambassador_until"],
    )


def _role(role: str) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise Problem("role_unknown", role=role, roles=", ".join(ROLES))


# --- looking up ----------------------------------------------------------------------


def find_user(db: Database, id: str) -> User | None:
    """The person with this id, active or not."""
    row = tables.find_user(db, id)
    return _user_from(row) if row else None


def find_user_by_name(db: Database, name: str) -> User | None:
    """The person who signs in with this name, active or not."""
    row = tables.find_user_by_name(db, _sign_in_name(name))
    return _user_from(row) if row else None


def list_users(
    db: Database, *, role: str = "", language: str = "", active_only: bool = True
) -> list[User]:
    """People by display name; of one role, speaking one language, where given."""
    return [
        user
        for user in map(_user_from, tables.list_users(db))
        if (user.active or not active_only)
        and role in ("", user.role)
        and (not language or language in user.languages)
    ]


def _sign_in_name(text: str) -> str:
    return text.strip().lower()


# --- changing ------------------------------------------------------------------------


def add_user(
    databases: Databases,
    name: str,
    role: str,
    password: str,
    now: datetime,
    *,
    display_name: str = "",
    languages: Sequence[str] = (),
    queue: str = "",
    interface_language: str = "",
    may_see_protected: bool = False,
    password_characters_min: int = PASSWORD_CHARACTERS_MIN,
) -> User:
    """A new person. Raises Problem when a value is not allowed or the name is taken.

    `password_characters_min` is lowered only by the demo data (pwa/commands/demo.py).
    """
    name = _sign_in_name(name)
    if not NAME.fullmatch(name):
        raise Problem("name_invalid", name=name)
    row: tables.UserRow = {
        "id": uuid4(),
        "name": name,
        **_facts(role, queue, languages, display_name.strip() or name, may_see_protected),
        "interface_language": _interface_language(interface_language),
        "ambassador_until": -1,
        "active": 1,
        "created_at": now.isoformat(),
        "password": _hash(password, password_characters_min),
    }
    with databases.writing() as db:
        if tables.find_user_by_name(db, name):
            raise Problem("name_taken", name=name)
        tables.insert_user(db, row)
    return _user_from(row)


def change_user(
    db: Database,
    id: str,
    now: datetime,
    *,
    role: str,
    queue: str,
    languages: Sequence[str],
    display_name: str,
    may_see_protected: bool,
) -> User:
    """Change a person's facts. Another role, queue or right to protected tenancies ends their
    sessions. Raises Problem as `add_user` does, and `last_administrator`."""
    before = _get(db, id)
    name = display_name.strip() or before.name
    facts = _facts(role, queue, languages, name, may_see_protected)
    _keep_an_administrator(db, before, role == "administrator")
    tables.update_user(db, id, facts)
    if before.role == "ambassador" and role != before.role:
        # Up to here they may have pulled visits without what colleagues had decided (sync/seen.py).
        tables.end_ambassador(db, id)
    after = _get(db, id)
    if _rights(after) != _rights(before):
        end_sessions_of(db, id, now, "role_changed")
    return after


def set_active(db: Database, id: str, active: bool, now: datetime) -> None:
    """Whether this person may sign in; deactivating ends all sessions.

    Raises Problem("last_administrator").
    """
    user = _get(db, id)
    _keep_an_administrator(db, user, active)
    tables.set_active(db, id, active)
    if not active:
        end_sessions_of(db, id, now, "deactivated")


def set_password(databases: Databases, id: str, password: str, now: datetime) -> None:
    """A new password; every session of the person ends. Raises Problem("password_short")."""
    hashed = _hash(password, PASSWORD_CHARACTERS_MIN)
    with databases.writing() as db:
        _get(db, id)
        tables.set_password(db, id, hashed)
        end_sessions_of(db, id, now, "password_changed")


def set_interface_language(db: Database, id: str, language: str) -> None:
    """The language this person reads the interface in. Raises Problem("language_unknown")."""
    _get(db, id)
    tables.set_interface_language(db, id, _interface_language(language))


def _get(db: Database, id: str) -> User:
    user = find_user(db, id)
    if user is None:
        raise Problem("not_found")
    return user


def _rights(user: User) -> tuple[Role, str, bool]:
    return user.role, user.queue, user.may_see_protected


def _keep_an_administrator(db: Database, user: User, stays: bool) -> None:
    # Without this the last administrator could lock everyone out, and only a developer could
    # let them in again (I9).
    if user.role != "administrator" or not user.active or stays:
        return
    if not tables.has_another_administrator(db, user.id):
        raise Problem("last_administrator")


def _facts(
    role: str, queue: str, languages: Sequence[str], display_name: str, may_see_protected: bool
) -> tables.UserFacts:
    role = _role(role)
    queue = queue if role == "officer" else ""
    if role == "officer" and queue not in QUEUES:
        raise Problem("queue_unknown", queue=queue, queues=", ".join(QUEUES))
    for language in languages:
        if language not in GUIDE_LANGUAGES:
            raise Problem(
                "language_unknown", language=language, languages=", ".join(GUIDE_LANGUAGES)
            )
    return {
        "role": role,
        "queue": queue,
        "languages": json.dumps(list(dict.fromkeys(languages))),
        "display_name": display_name,
        "may_see_protected": int(may_see_protected),
    }


def _interface_language(language: str) -> str:
    if language not in ("", *INTERFACE_LANGUAGES):
        raise Problem(
            "language_unknown", language=language, languages=", ".join(INTERFACE_LANGUAGES)
        )
    return language


# --- passwords -----------------------------------------------------------------------


def check_password(databases: Databases, name: str, password: str) -> User | None:
    """The active person with this name and password, or None.

    An unknown name costs one hash too, so that the time of the answer does not reveal who works
    here.
    """
    with databases.reading() as db:
        row = tables.find_user_by_name(db, _sign_in_name(name))
    if row and not row["active"]:
        row = None
    stored = row["password"] if row else _decoy()
    if len(password) > PASSWORD_CHARACTERS_MAX or not _verify(stored, password) or not row:
        return None
    if HASHER.check_needs_rehash(stored):
        fresh = _hash(password, 1)
        with databases.writing() as db:
            # Only over the hash that was verified: a password set in the meantime stays.
            tables.replace_password(db, row["id"], stored, fresh)
    return _user_from(row)


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
    # One phone sends å as one code point, another as two (NIST SP 800-63B-4, 3.1.1.2).
    return unicodedata.normalize("NFC", password)


def _decoy() -> str:
    key = repr(HASHER)
    if key not in _decoys:
        _decoys[key] = HASHER.hash("nobody has this password")
    return _decoys[key]
