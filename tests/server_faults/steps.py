"""Every moment at which the server's process can die: one numbered step each.

A step is just before each SQL statement of any connection (BEGIN and COMMIT too), each opening of a
file for writing, rename, deletion and new folder, just before and just after each fsync, and just before
each answer leaves. Numbers are the same in every run of the same work. It refuses to be taken off
again: audit hooks stay, so this belongs in a child process.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

At = Callable[[int, str], None]
_FILE_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.truncate"}


class Steps:
    """Counts steps from 1 and calls `at(number, what)` at each, before it is taken."""

    def __init__(self, data: Path, at: At) -> None:
        self.taken = 0
        self._data, self._at = str(data), at
        self._watching = False
        self._inside = False
        sys.addaudithook(self._event)
        self._fsync, os.fsync = os.fsync, self._watched_fsync
        self._connect, sqlite3.connect = sqlite3.connect, self._watched_connect  # type: ignore[misc]

    def watch(self, on: bool) -> None:
        """From now on, count (or do not)."""
        self._watching = on

    def step(self, what: str) -> None:
        """One step. Looking at the data inside `at` counts nothing."""
        if self._inside or not self._watching:
            return
        self._inside = True
        self.taken += 1
        self._at(self.taken, what)
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

    def _watched_fsync(self, handle: int) -> None:
        name = self._short(os.readlink(f"/proc/self/fd/{handle}"))
        self.step(f"before fsync {name}")
        self._fsync(handle)
        self.step(f"after fsync {name}")

    def _short(self, path: object) -> str:
        return str(path).removeprefix(self._data)[:24]
