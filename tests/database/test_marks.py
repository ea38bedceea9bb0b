"""Marks: single facts about a database that outlive restarts and restores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from pwa.database import marks
from pwa.database.connections import DATABASE, Databases
from pwa.database.migrations import migrate


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    databases = Databases(tmp_path / DATABASE)
    migrate(databases, datetime(2026, 11, 22, tzinfo=UTC))
    with databases.writing() as db:
        yield db
    databases.close()


def test_the_backup_mark_starts_at_nothing_and_never_moves_back(db: Database) -> None:
    assert marks.backup_mark(db) == 0
    for seq, mark in ((9, 9), (10, 10), (2, 10)):
        marks.move_backup_mark(db, seq)
        assert marks.backup_mark(db) == mark


def test_the_server_id_is_made_once(db: Database) -> None:
    with pytest.raises(LookupError):
        marks.server_id(db)
    marks.make_server_id(db)
    first = marks.server_id(db)
    marks.make_server_id(db)
    assert marks.server_id(db) == first
    assert len(first) == 32


def test_demo_data_is_marked(db: Database) -> None:
    assert not marks.is_demo(db)
    marks.mark_as_demo(db)
    marks.mark_as_demo(db)
    assert marks.is_demo(db)


def test_the_versions_that_rows_were_derived_by_are_kept(db: Database) -> None:
    marks.set_derived_by(db, "7", "8")
    assert marks.derived_by(db) == ("7", "8")
