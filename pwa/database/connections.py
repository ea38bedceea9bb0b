"""The company's database: one writing connection, one reader for each thread, two lock files.

Invariant: in one process exactly one connection writes and checkpoints; processes take turns
through `write.lock`; and what `writing()` committed is on disk (WAL, synchronous=FULL, both
read back at opening). SQLite 3.7.0 to 3.51.2 can corrupt a WAL when two connections write and
checkpoint at the same moment (sqlite.org/wal.html#walresetbug), and Debian 12 has 3.40: hence
the locks. It refuses a second server on the same folder, disks without WAL, and to write into a
file that a restore has put aside.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from sqlite_utils import Database

from sync.sqlite import write_transaction

DATABASE = "troskel.db"
BUSY_MILLISECONDS = 5000


class DatabaseError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class FileLock:
    """A lock that one thread of one process holds at a time; the same thread may nest it.

    `flock` is tied to the open file: it is gone when the process is, however it died, so a
    crash never leaves a lock behind. Not for use across fork: open it in the child. `check` is
    called each time the lock has been taken; what it raises gives the lock back.
    """

    def __init__(self, path: Path, check: Callable[[], None] = lambda: None) -> None:
        self._check = check
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._threads = threading.RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._threads.acquire()
        if self._depth == 0:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
                self._check()
            except BaseException:
                fcntl.flock(self._file, fcntl.LOCK_UN)
                self._threads.release()
                raise
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def close(self) -> None:
        """Give the file back. The lock cannot be taken afterwards."""
        os.close(self._file)


class ServerLock:
    """Held for as long as a server (or a restore) owns the folder; see `hold_server_lock`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def release(self) -> None:
        """Let the next server in."""
        os.close(self._handle)


def hold_server_lock(data: Path, wait_seconds: float = 0.0) -> ServerLock:
    """Become the one server of `data`, or raise DatabaseError when there is one already.

    `wait_seconds`: a server that was just killed leaves a worker behind for about a second.
    """
    try:
        handle = os.open(data / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseError(f"Cannot use {data}: {error.strerror}.") from None
    until = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return ServerLock(handle)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            os.close(handle)
            raise DatabaseError(
                f"Another Tröskel server is running on {data}. Stop it first: two servers on one "
                "database could damage it."
            ) from None


class Databases:
    """The writer, its lock, and the readers of one database file.

    `path` is the file; it is made (mode 0600) if it is not there. Raises DatabaseError when
    the disk cannot give WAL and full synchronisation. Open it after forking, never before.
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
        # A restore beside a running command takes this lock too, and then the path is another
        # file: what would be written into the old one would be lost without a word.
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
            db.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            got = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in PROMISED}
        except sqlite3.DatabaseError as error:
            connection.close()
            raise DatabaseError(f"Cannot open {self.path}: {error}.") from None
        if got != PROMISED:
            connection.close()
            raise DatabaseError(
                f"{self.path} is on a disk that does not give what saved work needs: {got} instead of {PROMISED}."
            )
        return db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One write transaction: durable when the block ends, gone if it raises.

        Nested use joins the outer transaction. Never wait for anything slow inside.
        """
        with write_transaction(self.writer, self.lock):
            yield self.writer

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """This thread's read-only connection, with one unchanging view of the data in the block.

        It never sees what a `writing()` around it has not committed yet. Nested use joins.
        """
        db: Database | None = getattr(self._threads, "reader", None)
        if db is None:
            db = self._threads.reader = self._open_reader()
        if db.conn.in_transaction:
            yield db
            return
        db.conn.execute("BEGIN")
        try:
            yield db
        finally:
            db.rollback()

    def _open_reader(self) -> Database:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        db = Database(connection, execute_plugins=False)
        # query_only stands against mode=ro being dropped by a later hand; a reader must not
        # checkpoint either (only the writer does).
        for pragma in ("query_only=1", "wal_autocheckpoint=0", f"busy_timeout={BUSY_MILLISECONDS}"):
            db.execute(f"PRAGMA {pragma}")
        self._readers.add(db)
        return db

    def close(self) -> None:
        """Close every connection. Call it when no request is running."""
        for reader in list(self._readers):
            reader.close()
        self._threads = threading.local()
        self._identity = None  # closing is fine wherever the file is now
        with self.lock:
            self.writer.close()
        self.lock.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


PROMISED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
