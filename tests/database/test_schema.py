"""The steps: frozen text, in order, packed into a wheel."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from sqlite_utils import Database

from pwa.database.schema import FOLDER, Step, steps

ROOT = Path(__file__).parents[2]


def test_a_released_step_never_changes() -> None:
    """To add one: `sha256sum *.sql > SHA256SUMS` in its folder; git shows that a line came only."""
    lines = (FOLDER / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.sql")
    }
    assert found == listed


def test_steps_are_numbered_without_gaps() -> None:
    numbers = [path.name[:5] for path in sorted(FOLDER.glob("*.sql"))]
    assert numbers == [f"{number:04}_" for number in range(1, len(numbers) + 1)]


def test_no_step_ends_the_transaction() -> None:
    for step in steps():
        assert not re.search(
            r"(?im)^\s*(begin\b(?! select)|commit|end\b|rollback|pragma|attach)", step.sql
        )


def test_a_statement_over_several_lines_is_one_and_one_that_is_cut_off_is_an_error() -> None:
    trigger = """-- a; comment
CREATE TABLE t (n INTEGER);
CREATE TRIGGER t_fixed BEFORE UPDATE ON t
  BEGIN SELECT RAISE(ABORT, 'x;');
  END;
-- nothing after it
"""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        db = Database(connection)
        Step("whole", trigger).apply(db)
        assert list(db.triggers_dict) == ["t_fixed"]
        with pytest.raises(sqlite3.OperationalError, match="incomplete"):
            Step("cut off", "CREATE TABLE half (n\n").apply(db)


def test_a_wheel_has_every_step() -> None:
    packed = {
        Path(file.distribution_path) for file in WheelBuilder(str(ROOT)).recurse_included_files()
    }
    assert {path.relative_to(ROOT) for path in FOLDER.glob("*.sql")} <= packed


def test_a_wheel_has_no_test_code() -> None:
    files = WheelBuilder(str(ROOT)).recurse_included_files()
    packed = {Path(file.distribution_path).parts[0] for file in files}
    assert packed <= {"pwa", "sync"}
