"""Tenancies from a file into the log: every dwelling becomes a planned visit, once.

Invariant: one transaction, all of the file's good rows or none, with the report and the file's
hash. The file itself is never stored (docs/design.md 7.4). What a row means for the register is decided in
matching.py.
"""

from __future__ import annotations

import hashlib

from sqlite_utils import Database

from pwa.homes import protected, tables
from pwa.homes.files import FileRefused, read_tenancies
from pwa.homes.matching import Changes, Matcher
from pwa.homes.report import Report
from pwa.homes.tables import LockedRow
from pwa.ids import operation_id
from pwa.people.accounts import User
from pwa.services import Services
from pwa.visits.submitting import submit

FILENAME_CHARACTERS_MAX = 200
SYSTEM = User(
    id="system",
    name="system",
    display_name="Tröskel",
    role="administrator",
    queue="",
    languages=[],
    interface_language="sv",
    may_see_protected=True,
    active=True,
)


def import_file(
    services: Services,
    user: User | None,
    data: bytes,
    filename: str,
    *,
    dry_run: bool = False,
    protected_checked_by: str | None = None,
    blank_means_unprotected: str | None = None,
) -> Report:
    """Read `data` and do, or with `dry_run` only count, what its rows ask for.

    `user` is None on the command line. The two names are of the person who answers for a file
    without a column for protected identities, or with blanks in it.
    """
    today = services.today()
    try:
        reading = read_tenancies(
            data,
            filename,
            today=today,
            protected_checked_by=protected_checked_by or None,
            blank_means_unprotected=blank_means_unprotected or None,
        )
    except FileRefused as refused:
        return Report(
            dry_run=dry_run,
            refused_whole=(refused.code, refused.detail),
            sha256=hashlib.sha256(data).hexdigest(),
        )
    report = Report(
        read=reading.read,
        skipped=reading.skipped,
        refused=reading.refused,
        warnings=reading.warnings,
        dropped_columns=reading.dropped_columns,
        dry_run=dry_run,
        sha256=reading.sha256,
    )
    answered = {
        "protected_checked_by": protected_checked_by or "",
        "blank_means_unprotected": blank_means_unprotected or "",
    }
    with services.databases.writing() as db:
        matcher = Matcher(
            db,
            report,
            today,
            services.settings.new_tenancy_days,
            new_id=lambda: operation_id(services.now()),
        )
        for row in reading.rows:
            matcher.take(row)
        for ref in reading.protect_also:
            matcher.protect_known(ref)
        if not dry_run:
            now = services.now().isoformat(timespec="seconds")
            _write(services, db, user or SYSTEM, matcher.changes, now)
            tables.add_import(
                db,
                at=now,
                by=(user or SYSTEM).id,
                filename=filename[:FILENAME_CHARACTERS_MAX],
                sha256=report.sha256,
                report=report.as_stored() | answered,
            )
    return report


def _write(services: Services, db: Database, user: User, changes: Changes, now: str) -> None:
    held = [one for one in submit(services, user, changes.drafts) if one.problem]
    if held:
        raise AssertionError(f"an import's own operation was held: {held[0].problem}")
    tables.write_references(db, changes.references)
    for row in changes.locked:
        protected.lock(db, LockedRow(row.id, row.ref, row.cells, now), user, known=row.known)
