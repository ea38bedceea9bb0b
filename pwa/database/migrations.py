"""Brings an older database up to date: the schema steps it lacks, then what is derived.

Invariant: a database is either wholly brought up to date or left as it was, and each step is applied
once, known by its name. A database that a newer version has written to is refused: this version
would write rows it does not understand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pwa.database import DatabaseError, indexes, tables
from pwa.database.connections import Databases
from pwa.database.schema import Step, steps


def migrate(databases: Databases, now: datetime, wanted: Sequence[Step] | None = None) -> list[str]:
    """Apply the missing ones of `wanted` (default: all steps); the names of those, in order.

    One transaction: DDL is transactional in SQLite. Raises DatabaseError for a newer database.
    """
    with databases.writing() as db:
        applied = apply_steps(databases, now, steps() if wanted is None else wanted)
        indexes.renew(db)
        return applied


def apply_steps(databases: Databases, now: datetime, wanted: Sequence[Step]) -> list[str]:
    """As `migrate`, but what is derived is left as it is: `wanted` may end before its tables."""
    with databases.writing() as db:
        known = tables.applied_steps(db)
        newer = sorted(known - {step.name for step in wanted})
        if newer:
            raise DatabaseError(
                f"{databases.path} was made by a newer version of Tröskel ({', '.join(newer)}). "
                "Start that version, or restore a backup from before it."
            )
        missing = [step for step in wanted if step.name not in known]
        for step in missing:
            step.apply(db)
            tables.insert_applied_step(db, step.name, now)
        return [step.name for step in missing]
