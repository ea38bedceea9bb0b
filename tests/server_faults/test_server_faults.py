"""A sample of the server's faults in every run; `make soak` tries all of them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server_faults import oracle
from tests.server_faults.__main__ import points
from tests.server_faults.disk import compiler
from tests.server_faults.mutations import MUTATIONS
from tests.server_faults.story import build

needs_compiler = pytest.mark.skipif(
    compiler() is None, reason="no C compiler (cc): the server's failing disk is not tested here"
)


def prove(part: str, slice: str, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code and figures of one part."""
    command = [sys.executable, "-m", "tests.server_faults", part, "--slice", slice, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert bool(done.returncode) == any(figures[key] for key in ("lost", "doubled", "hidden")), done
    if not more:
        assert not done.returncode, done.stderr
    return done.returncode, figures


def locks(*more: str) -> list[str]:
    """The calls made while the lock was free."""
    command = [sys.executable, "-m", "tests.server_faults", "locks", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])["unlocked"]
    return found


def test_a_server_killed_at_any_statement_loses_and_doubles_nothing() -> None:
    _, figures = prove("statements", "5/50")
    assert figures["tried"] >= 10


@needs_compiler
def test_a_failing_write_and_a_power_cut_lose_and_double_nothing() -> None:
    _, figures = prove("writes", "7/105")
    assert figures["tried"] >= 16


@needs_compiler
def test_a_full_disk_loses_and_doubles_nothing_and_work_continues_when_there_is_room() -> None:
    _, figures = prove("disk", "11/80")
    assert figures["tried"] >= 6


@needs_compiler
def test_only_the_holder_of_the_lock_writes_and_checkpoints() -> None:
    """The requests, a backup, a second connection that opens and closes, the last close: no write to
    the database or its WAL, no sync and no truncation, while the writers' lock is free."""
    assert locks() == []


@needs_compiler
@pytest.mark.parametrize("name", ["closed without lock", "written without lock"])
def test_a_write_or_checkpoint_without_the_lock_is_found(name: str) -> None:
    assert any("troskel.db" in call for call in locks("--mutation", name))


@needs_compiler
@pytest.mark.parametrize("name", ["relaxed durability", "error as a page", "counted again"])
def test_the_proof_can_fail(name: str) -> None:
    mutation = MUTATIONS[name]
    code, figures = prove(mutation.part, mutation.slice, "--mutation", name, "--stop")
    assert code == 1
    assert figures["lost"] + figures["doubled"] + figures["hidden"] > 0


def test_slices_cover_every_point_once() -> None:
    found = [point for n in range(1, 8) for point in points(f"{n}/7", 100)]
    assert sorted(found) == list(range(1, 101))


def test_the_oracle_finds_a_record_that_is_not_what_its_log_gives(tmp_path: Path) -> None:
    build(tmp_path / "data")
    assert not oracle.check_consistent(tmp_path / "data")
    with sqlite3.connect(tmp_path / "data/troskel.db") as db:
        db.execute("UPDATE records SET body = replace(body, '09:00', '10:00') WHERE type = 'visit'")
    db.close()
    assert oracle.check_consistent(tmp_path / "data").doubled
