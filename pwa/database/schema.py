"""The schema as frozen steps: one SQL file each, in the order of their numbers.

Invariant: a released step never changes (steps/SHA256SUMS, which a test compares) and calls no
code. A step that called today's code would fail on an old database as soon as that code expects a
later step's column; what today's code derives is therefore made after all steps (indexes.py).
A step's name is its file's without the number; `migrations` lists those a database has taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlite_utils import Database

from pwa.database import tables

FOLDER = Path(__file__).parent / "steps"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name and its SQL, statements that each end with a line."""

    name: str
    sql: str

    def apply(self, db: Database) -> None:
        """Run its statements in the open transaction."""
        tables.run_script(db, self.sql)


@cache
def steps() -> tuple[Step, ...]:
    """Every step there is, in order."""
    return tuple(
        Step(path.stem.partition("_")[2], path.read_text("utf-8"))
        for path in sorted(FOLDER.glob("*.sql"))
    )
