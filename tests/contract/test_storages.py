"""Memory and SQLite pass all tests of sync/contract.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from pwa.database.schema import steps
from sync.contract import StorageContract
from sync.memory import MemoryStorage
from sync.sqlite import SqliteStorage


def open_sqlite(path: Path) -> Database:
    db = Database(sqlite3.connect(path, isolation_level=None))
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    for step in steps():
        step.apply(db)
    return db


class TestMemory(StorageContract):
    @pytest.fixture(autouse=True)
    def _new(self) -> None:
        self.storage = MemoryStorage()


class TestSqlite(StorageContract):
    @pytest.fixture(autouse=True)
    def _new(self, tmp_path: Path) -> Iterator[None]:
        self.db = open_sqlite(tmp_path / "troskel.db")
        self.storage = SqliteStorage(self.db)
        yield
        self.db.close()

    def test_what_was_written_is_there_for_another_connection(self, tmp_path: Path) -> None:
        from sync.contract import entry

        self.store(log=[entry(1)])
        other = sqlite3.connect(tmp_path / "troskel.db")
        assert other.execute("SELECT count(*) FROM log").fetchone() == (1,)
        other.close()

    def test_bytes_are_blanked_in_the_file(self) -> None:
        from sync.contract import entry

        self.store(log=[entry(1)])
        self.store(blank=["op-1"])
        assert self.db.execute("SELECT bytes FROM log").fetchone() == (None,)


@pytest.mark.parametrize("engine", [TestMemory, TestSqlite])
def test_no_engine_overrides_a_contract_test(engine: type) -> None:
    tests = {name for name in vars(StorageContract) if name.startswith("test_")}
    assert tests
    assert not tests & set(vars(engine))
