"""Demo data: an invented company with people, homes and visits, so that every page shows something.

Invariant: it is all made as real work is: tenancies by importing a file, visits by operations
(demo_story.py). Nobody in it looks like a real person: names are words such as Test, Exempel and
Påhitt.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pwa.commands.demo_story import AREAS, SIGNATURE, Story, hob
from pwa.homes import company
from pwa.homes.importing import import_file
from pwa.people import accounts
from pwa.people.accounts import User
from pwa.phones import devices
from pwa.services import Services
from pwa.visits.tables import list_by_move_in

PASSWORD = "demo"
PEOPLE: Sequence[Mapping[str, Any]] = (
    {"name": "alice", "role": "supervisor", "display_name": "Alice Testsson",
     "languages": ["sv", "en"], "may_see_protected": True},
    {"name": "bob", "role": "visitor", "display_name": "Bob Testsson",
     "languages": ["sv", "ar", "en"]},
    {"name": "amira", "role": "ambassador", "display_name": "Amira Testsson",
     "languages": ["ar", "so"]},
    {"name": "hugo", "role": "officer", "display_name": "Hugo Testsson", "queue": "KT"},
    {"name": "root", "role": "administrator", "display_name": "Root Testsson"},
)  # fmt: skip
TENANCIES = 40
IMPORTED_DAYS_AGO = 170
STREETS = ("Testgränd", "Övningsbacken", "Gatvägen", "Provgatan", "Exempelstigen")
FAMILY_NAMES = ("Exempelsson", "Provberg", "Mallström", "Utkastgren", "Skisslund", "Övningsson")
FIRST_NAMES = ("Test", "Demo", "Påhitt", "Modell", "Utkast", "Prov", "Skiss")
LANGUAGES = ("ar", "so", "sv", "ar", "ti", "en", "ar", "uk", "sv", "fa")


def fill(services: Services) -> None:
    """Fill an empty database: five sign-ins, 40 tenancies, visits in every state.

    Needs an application context. One transaction: a start that is stopped half-way leaves
    nothing behind.
    """
    with services.databases.writing() as db:
        people = {one["name"]: _person(services, one) for one in PEOPLE}
        values = {key: one.default for key, one in services.guide.settings.items() if one.default}
        company.store_settings(db, values)
        rows = _tenancies(services.today())
        half_a_year_ago = _Then(
            **{one.name: getattr(services, one.name) for one in fields(services)}
        )
        import_file(half_a_year_ago, people["alice"], _file(rows), "demo.csv")
        for octets in (SIGNATURE, hob()):
            services.blobs.put(hashlib.sha256(octets).hexdigest(), octets)
        story = Story(services, people, list_by_move_in(db))
        story.run()
        for name, unsent in (("bob", 2), ("amira", 0)):
            reported_at = (services.now() - timedelta(hours=1 + unsent)).isoformat(
                timespec="seconds"
            )
            health = {
                "unsent": unsent,
                "oldest_unsent_at": reported_at if unsent else "",
                "persisted": True,
                "installed": True,
            }
            devices.report(db, story.phones[name].device, people[name].id, health, reported_at)


class _Then(Services):
    """The same services at the time of the import, half a year ago."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=IMPORTED_DAYS_AGO)


def _person(services: Services, facts: Mapping[str, Any]) -> User:
    return accounts.add_user(
        services.databases,
        password=PASSWORD,
        now=services.now(),
        password_characters_min=len(PASSWORD),
        **facts,
    )


def _tenancies(today: date) -> list[list[str]]:
    """The rows of the file: half a year back, three weeks ahead; three of them protected."""
    rows = []
    for number in range(TENANCIES):
        # Many around today, few further back: 165, 150 … days ago, then every second day.
        days = -165 + 15 * number if number < 9 else -44 + 2 * (number - 9)
        moved_in = today + timedelta(days=days)
        object = f"705-{number % 7 + 20:03}-{number % 5 + 1:02}-{number:04}"
        rows.append(
            [
                f"{object}/01", object,
                f"{STREETS[number % 5]} {number * 7 % 60 + 1} {'ABC'[number % 3]}",
                f"1{number % 4}0{number % 6 + 1}", f"72{number * 37 % 600:03}", "Västerås",
                AREAS[number * 5 % 3], moved_in.isoformat(),
                f"{FAMILY_NAMES[number % 6]} {FIRST_NAMES[number % 7]}",
                "" if number % 9 == 4 else f"070-123 45 {number:02}",
                LANGUAGES[number % 10], "J" if number in (14, 25, 33) else "N",
            ]
        )  # fmt: skip
    return rows


def _file(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(
        ["Kontraktsnr", "Objektsnr", "Adress", "Lägenhetsnr", "Postnr", "Ort", "Område",
         "Inflyttningsdatum", "Namn", "Telefon", "Språk", "Skyddad"]
    )  # fmt: skip
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
