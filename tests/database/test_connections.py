"""The database: one writer, real files, real second processes."""

from __future__ import annotations

import fcntl
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pwa.database import DatabaseError
from pwa.database.connections import DATABASE, Databases
from pwa.database.locks import hold_server_lock
from pwa.database.migrations import apply_steps, migrate
from pwa.database.schema import Step, steps

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    databases = Databases(tmp_path / DATABASE)
    databases.writer.execute("CREATE TABLE t (n INTEGER)")
    yield databases
    databases.close()


def count(databases: Databases) -> int:
    with databases.reading() as db:
        return int(db.execute("SELECT count(*) FROM t").fetchone()[0])


def other_process(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_pragmas_that_saved_work_needs_are_on(databases: Databases) -> None:
    got = {
        name: databases.writer.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert got == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_nobody_else_on_the_machine_may_read_the_file(databases: Databases) -> None:
    for name in (DATABASE, f"{DATABASE}-wal", "write.lock"):
        assert stat.S_IMODE((databases.path.parent / name).stat().st_mode) == 0o600


def test_what_writing_committed_is_seen_by_a_reader(databases: Databases) -> None:
    with databases.writing() as db:
        db.execute("INSERT INTO t VALUES (1)")
        assert count(databases) == 0
    assert count(databases) == 1


def test_an_exception_in_writing_leaves_no_trace(databases: Databases) -> None:
    with pytest.raises(RuntimeError), databases.writing() as db:
        db.execute("INSERT INTO t VALUES (1)")
        raise RuntimeError
    assert count(databases) == 0


def test_nested_writing_is_one_transaction(databases: Databases) -> None:
    with pytest.raises(RuntimeError), databases.writing():
        with databases.writing() as db:
            db.execute("INSERT INTO t VALUES (1)")
        raise RuntimeError
    assert count(databases) == 0


def test_a_reader_cannot_write(databases: Databases) -> None:
    with databases.reading() as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("INSERT INTO t VALUES (1)")


def test_a_reader_sees_one_moment_throughout(databases: Databases) -> None:
    with databases.reading() as db:
        before = db.execute("SELECT count(*) FROM t").fetchone()
        with databases.writing() as writer:
            writer.execute("INSERT INTO t VALUES (1)")
        assert db.execute("SELECT count(*) FROM t").fetchone() == before
    assert count(databases) == 1


def test_only_the_writer_checkpoints(databases: Databases) -> None:
    with databases.reading() as db:
        assert db.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 0


def test_threads_write_one_after_the_other(databases: Databases) -> None:
    def add() -> None:
        for _ in range(25):
            with databases.writing() as db:
                (n,) = db.execute("SELECT count(*) FROM t").fetchone()
                db.execute("INSERT INTO t VALUES (?)", [n])

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with databases.reading() as db:
        assert [n for (n,) in db.execute("SELECT n FROM t ORDER BY n")] == list(range(200))


WRITES = """
import sys
from pathlib import Path
from pwa.database.connections import Databases
databases = Databases(Path(sys.argv[1]))
for _ in range(50):
    with databases.writing() as db:
        (n,) = db.execute("SELECT count(*) FROM t").fetchone()
        db.execute("INSERT INTO t VALUES (?)", [n])
databases.close()
"""


def test_processes_write_one_after_the_other(databases: Databases) -> None:
    others = [other_process(WRITES, databases.path) for _ in range(3)]
    assert [other.communicate()[0] for other in others] == ["", "", ""]
    assert [other.returncode for other in others] == [0, 0, 0]
    with databases.reading() as db:
        assert [n for (n,) in db.execute("SELECT n FROM t ORDER BY n")] == list(range(150))
    assert databases.writer.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


HOLDS = """
import sys
from pathlib import Path
from pwa.database.connections import Databases
databases = Databases(Path(sys.argv[1]))
with databases.writing():
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_while_one_process_writes_the_other_waits_at_the_lock_file(databases: Databases) -> None:
    # SQLite's own lock would do for the rows; this one keeps checkpoints apart (pwa/database/connections.py).
    other = other_process(HOLDS, databases.path)
    assert other.stdout is not None
    assert other.stdout.readline() == "writing\n"
    with (databases.path.parent / "write.lock").open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.communicate()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_writing_takes_the_database_before_its_first_statement(databases: Databases) -> None:
    # Against tools that know nothing of the lock file: a deferred BEGIN would read an old
    # state and then fail at the first write.
    with closing(sqlite3.connect(databases.path, timeout=0)) as stranger:
        with databases.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            stranger.execute("BEGIN IMMEDIATE")
        stranger.execute("BEGIN IMMEDIATE")


SERVES = """
import sys
from pathlib import Path
from pwa.database.locks import hold_server_lock
lock = hold_server_lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    other = other_process(SERVES, tmp_path)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(DatabaseError, match="Another Tröskel server is running"):
        hold_server_lock(tmp_path)
    other.kill()
    other.communicate()
    # Killed, not closed: the lock is gone with its process.
    hold_server_lock(tmp_path, 5.0).release()


def test_a_command_never_writes_into_a_database_that_a_restore_has_put_aside(
    databases: Databases,
) -> None:
    aside = databases.path.with_name("aside.db")
    databases.path.rename(aside)
    Databases(databases.path).close()
    with pytest.raises(DatabaseError, match="was replaced"), databases.writing() as db:
        db.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(DatabaseError, match="was replaced"), databases.lock:
        pass
    assert databases.writer.execute("SELECT count(*) FROM t").fetchone() == (0,)
    # The lock was given back each time.
    with (databases.path.parent / "write.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database" * 200)
    with pytest.raises(DatabaseError, match="not a database"):
        Databases(tmp_path / DATABASE)


# --- migrations ----------------------------------------------------------------------


def test_a_new_database_takes_every_step_in_order_and_an_old_one_only_the_rest(
    databases: Databases,
) -> None:
    names = [step.name for step in steps()]
    assert apply_steps(databases, NOW, steps()[:2]) == names[:2]
    assert migrate(databases, NOW) == names[2:]
    assert migrate(databases, NOW) == []


def test_a_migration_that_fails_leaves_the_database_as_it_was(databases: Databases) -> None:
    fails = Step("fails", "CREATE TABLE half (n INTEGER);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(databases, NOW, [*steps(), fails])
    assert databases.writer.table_names() == ["t"]


def test_a_newer_database_is_refused(databases: Databases) -> None:
    migrate(databases, NOW, [*steps(), Step("from the future", "-- nothing\n")])
    with pytest.raises(DatabaseError, match="newer version of Tröskel \\(from the future\\)"):
        migrate(databases, NOW)


def test_migrations_only_add(databases: Databases) -> None:
    def columns() -> set[tuple[str, str, str]]:
        return {
            (table.name, column.name, column.type)
            for table in databases.writer.tables
            for column in table.columns
        }

    for end in range(1, len(steps()) + 1):
        before = columns()
        apply_steps(databases, NOW, steps()[:end])
        assert before <= columns(), steps()[end - 1].name


def test_every_migration_has_a_name_of_its_own() -> None:
    names = [step.name for step in steps()]
    assert len(set(names)) == len(names)
