"""Who can be assigned a visit, best first: who speaks the language, then who has fewest visits that day.

Invariant: only active people whose role makes visits, and all of them: it suggests and never
decides, because the only free evening may be somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext
from sqlite_utils import Database

from pwa.desk.parts import tables
from pwa.desk.parts.language_names import language_names
from pwa.people.accounts import User, list_users
from pwa.services import get_services

ROLES = ("visitor", "ambassador", "supervisor")


@dataclass(frozen=True, slots=True)
class Assignee:
    """One person as an option: `note` says why they fit; `speaks` all languages asked for."""

    id: str
    name: str
    note: str
    speaks: bool


def names(db: Database) -> dict[str, str]:
    """user id → display name, of everyone who ever worked here."""
    with get_services().databases.reading() as db:
        return {user.id: user.display_name for user in list_users(db, active_only=False)}


def field_people(db: Database) -> list[User]:
    """Active people who make visits, by name; visitors and ambassadors before supervisors."""
    with get_services().databases.reading() as db:
        people = [user for user in list_users(db) if user.role in ROLES]
    return sorted(people, key=lambda user: (user.role == "supervisor", user.display_name))


def assignees(db: Database, languages: Iterable[str], day: str) -> list[Assignee]:
    """Everyone who could make visits in `languages` on `day` ("" while no day is chosen)."""
    asked = [tag for tag in dict.fromkeys(languages) if tag]
    load = tables.workload(db, day) if day else {}
    people = field_people(db)
    return sorted(
        (_assignee(user, asked, load) for user in people),
        key=lambda one: (not one.speaks, load.get(one.id, 0)),
    )


def _assignee(user: User, asked: Sequence[str], load: Mapping[str, int]) -> Assignee:
    spoken = [tag for tag in asked if tag in user.languages]
    notes = []
    if spoken:
        notes.append(gettext("speaks %(languages)s", languages=language_names(spoken)))
    if user.id in load:
        notes.append(gettext("%(count)s that day", count=load[user.id]))
    speaks = bool(asked) and len(spoken) == len(asked)
    return Assignee(user.id, user.display_name, " · ".join(notes), speaks)
