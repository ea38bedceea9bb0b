"""Where companies are simulated: one folder, one application, and a template that each run copies."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from pwa.services import Services
from tests.cast.company import make_app, services_of
from tests.cast.drafts import planned_visit
from tests.cast.people import add_people, quick_hashing
from tests.cast.samples import FIELDS
from tests.simulation.company import CAST, FIELD_STAFF, VISITS, Clock, Company, uuid, visit_id


class Site:
    """`company()` gives a fresh company and closes the one before."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.template = folder / "template"
        self._clock = Clock()
        # Undone in `close`: other tests share this process.
        self._patches = ExitStack()
        self._patches.enter_context(quick_hashing())
        self._patches.enter_context(patch.object(Services, "now", lambda _: self._clock.now()))
        self.app = make_app(self.data)
        self._create_people()
        services_of(self.app).close()
        self._company = Company(self.app, self.data, self._clock)
        for number in range(VISITS):
            _plan(self._company, number)
        self._company.close()
        shutil.copytree(self.data, self.template)

    def close(self) -> None:
        self._company.close()
        self._patches.close()

    def company(self) -> Company:
        """The company as the template has it."""
        self._company.close()
        shutil.rmtree(self.data)
        for backup in self.data.parent.glob("backup-*"):
            backup.unlink()
        shutil.copytree(self.template, self.data)
        self._clock = Clock()
        self._company = Company(self.app, self.data, self._clock)
        return self._company

    def _create_people(self) -> None:
        users = add_people(self.app, CAST, CAST)
        with services_of(self.app).databases.writing() as db:
            for number, user in enumerate(users.values()):  # ids that are the same in every run
                db.execute("UPDATE users SET id = ? WHERE id = ?", [uuid(9, number), user.id])
            db.execute("UPDATE marks SET value = 'simulated' WHERE name = 'server'")


def _plan(company: Company, number: int) -> None:
    """A visit to a tenancy of its own: every fourth has two visitors, the last two have none."""
    visitors = []
    if number < VISITS - 2:
        turns = (number, number + 1) if number % 4 == 0 else (number,)
        visitors = [company.users[FIELD_STAFF[turn % 3]].id for turn in turns]
    for draft in planned_visit(
        uuid(3, number),
        visit_id(number),
        visitors,
        fields=FIELDS | {"ref": f"{number}/1", "street": f"Testgatan {number}"},
        assignment={"date": "2026-11-24"} if visitors else None,
    ):
        company.desk("alice", draft.kind, draft.subject, draft.data, company.seq(), draft.type)
