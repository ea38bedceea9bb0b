"""The connections to the company's database: one that writes, and a read-only one per thread.

Invariant: in one process exactly one connection writes and checkpoints; processes take turns
through `write.lock`; and what `writing()` committed is on disk (WAL, synchronous=FULL, both
checked when the file is opened). The lock is there because SQLite 3.7.0 to 3.51.2 can corrupt a
WAL when two connections write and checkpoint at the same moment (sqlite.org/wal.html#walresetbug),
and Debian 12 has 3.40. Writing is refused on a disk without WAL, and into a file that a restore
has moved aside.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from pwa.database import DatabaseError, tables
from pwa.database.locks import FileLock
from sync.sqlite import write_transaction

DATABASE = "troskel.db"


class Databases:
    """The writer, its lock, and the readers of one database file.

    `path` is the file, created with mode 0600 if it does not exist. Raises DatabaseError when the
    disk does not offer WAL and full synchronisation. Open it after a fork, never before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise DatabaseError(f"Cannot open {path}: {error.strerror}.") from None
        self._identity: tuple[int, int] | None = None
        self.lock = FileLock(path.parent / "write.lock", self._refuse_replaced)
        self._threads = threading.local()
        self._readers: weakref.WeakSet[Database] = weakref.WeakSet()
        try:
            with self.lock:
                self.writer = self._open_writer()
                self._identity = _identity(path)
        except BaseException:
            self.lock.close()
            raise

    def _refuse_replaced(self) -> None:
        # A restore beside a running command takes this lock too, and afterwards the path is
        # another file: a write into the old one would be lost without any error.
        if self._identity is not None and _identity(self.path) != self._identity:
            raise DatabaseError(
                f"{self.path} was replaced while this was running. Nothing was written; start it again."
            )

    def _open_writer(self) -> Database:
        # Threads share this connection, one at a time under `lock`; isolation_level None
        # because the driver's own implicit BEGIN is deferred, and a deferred transaction that
        # turns into a writer fails with SQLITE_BUSY at once, whatever busy_timeout says.
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        db = Database(connection, execute_plugins=False)
        try:
            reported = tables.set_up_writer(db)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise DatabaseError(f"Cannot open {self.path}: {error}.") from None
        if reported != tables.DURABLE:
            connection.close()
            raise DatabaseError(
                f"{self.path} is on a disk that does not give what saved work needs:"
                f" {reported} instead of {tables.DURABLE}."
            )
        return db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One write transaction: durable when the block ends, rolled back if it raises.

        Nested use joins the outer transaction. Nothing slow belongs inside: all writers wait.
        """
        with write_transaction(self.writer, self.lock):
            yield self.writer

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """This thread's read-only connection, with one unchanging view of the data in the block.

        It does not see what a surrounding `writing()` has not committed yet. Nested use joins.
        """
        db: Database | None = getattr(self._threads, "reader", None)
        if db is None:
            db = self._threads.reader = self._open_reader()
        with tables.read_transaction(db):
            yield db

    def _open_reader(self) -> Database:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        db = Database(connection, execute_plugins=False)
        tables.set_up_reader(db)
        self._readers.add(db)
        return db

    def close(self) -> None:
        """Close every connection. Call it when no request is running."""
        for reader in list(self._readers):
            reader.close()
        self._threads = threading.local()
        self._identity = None  # close also where a restore has moved the file aside
        with self.lock:
            self.writer.close()
        self.lock.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
