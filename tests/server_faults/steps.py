"""Every moment at which the server's process can die: one numbered step each.

A step is just before each SQL statement of any connection (BEGIN and COMMIT too), each opening of a
file for writing, rename, deletion and new folder, just before and just after each fsync, and just before
each response is sent. Numbers are the same in every run of the same work. Audit hooks cannot be
removed, so this is for a child process only.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

At = Callable[[int, str], None]
_FILE_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.truncate"}


class Steps:
    """Counts steps from 1 and calls `at(number, what)` just before each."""

    def __init__(self, data: Path, at: At) -> None:
        self.count = 0
        self._data, self._at = str(data), at
        self._watching = False
        self._inside = False
        sys.addaudithook(self._event)
        self._fsync, self._connect = os.fsync, sqlite3.connect
        os.fsync = self._watched_fsync
        sqlite3.connect = self._watched_connect  # type: ignore[assignment]  # it has overloads

    def watch(self, on: bool) -> None:
        """Start or stop counting."""
        self._watching = on

    def step(self, what: str) -> None:
        """One step. What `at` itself does is not counted."""
        if self._inside or not self._watching:
            return
        self._inside = True
        self.count += 1
        self._at(self.count, what)
        self._inside = False

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FILE_EVENTS and str(arguments[0]).startswith(self._data):
            self.step(f"{event} {self._short(arguments[0])}")
        elif event == "open" and isinstance(arguments[0], str | Path):
            writes = arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if writes and str(arguments[0]).startswith(self._data):
                self.step(f"open {self._short(arguments[0])}")

    def _watched_connect(self, *arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._connect(*arguments, **named)
        connection.set_trace_callback(self._statement)
        return connection

    def _statement(self, sql: str) -> None:
        self.step(f"sql {' '.join(sql.split())[:60]}")

    def _watched_fsync(self, fd: FileDescriptorLike) -> None:
        handle = fd if isinstance(fd, int) else fd.fileno()
        name = self._short(os.readlink(f"/proc/self/fd/{handle}"))
        self.step(f"before fsync {name}")
        self._fsync(handle)
        self.step(f"after fsync {name}")

    def _short(self, path: object) -> str:
        return str(path).removeprefix(self._data)[:24]
