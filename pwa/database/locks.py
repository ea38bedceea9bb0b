"""The two lock files of a data folder: `write.lock` around each write, `server.lock` for its server.

Invariant: both are `flock` locks, which the kernel ties to the open file: they end with the
process, however it ends, so a crash never leaves a stale lock behind.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pwa.database import DatabaseError


class FileLock:
    """A lock that one thread of one process holds at a time; that thread may take it again.

    `check` runs each time the lock has been acquired; if it raises, the lock is released. Open the
    lock after a fork: parent and child would share the open file and with it the lock.
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
        """Close the file. The lock cannot be taken afterwards."""
        os.close(self._file)


class ServerLock:
    """Held for as long as a server or a restore owns the folder; see `hold_server_lock`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def release(self) -> None:
        """Let another server start."""
        os.close(self._handle)


def hold_server_lock(data: Path, wait_seconds: float = 0.0) -> ServerLock:
    """Become the one server of the folder `data`; DatabaseError when another process is.

    `wait_seconds`: how long to retry. The worker of a server that was just killed holds the lock
    for about a second more.
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
