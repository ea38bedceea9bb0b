"""Every protocol test runs on both storage engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.memory import MemoryStorage
from sync.sqlite import SqliteStorage
from sync.storage import Storage
from tests.contract.test_storages import open_sqlite


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "memory":
        yield MemoryStorage()
        return
    db = open_sqlite(tmp_path / "troskel.db")
    yield SqliteStorage(db)
    db.close()
