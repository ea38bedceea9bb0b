"""F7: the disk fails under the server: an n-th call with EIO, no room from the n-th on, no power.

For every call that changes a file or makes a change durable, counted over the whole story: the client
must get an error in JSON or the truth, the same request must work when the disk does again, nothing
that was answered may be missing after a new start, and doing everything again leaves the state of a day
without faults. Checkpoints come every few acts here, so that the story holds many of them.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from pwa import create_app
from pwa.database.backup import write_backup
from pwa.database.connections import DATABASE, Databases
from pwa.services import EXTENSION, Services
from pwa.settings import Settings
from tests.server_faults.disk import Disk, Fault
from tests.server_faults.oracle import State, Verdict, look
from tests.server_faults.process import Tell, die, in_child
from tests.server_faults.statements import act, fresh, judge
from tests.server_faults.story import Answer, Story, frozen

CHECKPOINT_PAGES = 60
WRITES = ("error", "killed", "power cut", "power cut, some of the rest")
DISK = ("full",)


@dataclass(slots=True)
class Calls:
    """A run without faults: each call as (kind, path), and what came out."""

    what: list[str]
    final: State


def reference(base: Path, story: Story, scratch: Path) -> Calls:
    """Do the work once, whole, noting each call."""

    def note(tell: Tell) -> Fault:
        def fault(number: int, kind: str, path: str, grows: bool) -> int:
            tell(f"{kind} {path[:24]}")
            return 0

        return fault

    def work(tell: Tell) -> None:
        disk = Disk(scratch, note(tell))
        _do(scratch, story, disk, lambda answer: None, lambda: None)
        tell(look(scratch))

    fresh(base, scratch)
    told, killed = in_child(work)
    assert not killed
    return Calls(told[:-1], told[-1])


def unlocked_calls(base: Path, story: Story, scratch: Path) -> list[str]:
    """Do the work once, with a backup, a command's worth of opening and closing beside it; the calls
    that changed or synced the database while the lock of all writers was free. There must be none:
    every write and every checkpoint, of whatever connection, is one at a time (pwa/database/connections.py).
    """

    def work(tell: Tell) -> None:
        def fault(number: int, kind: str, path: str, grows: bool) -> int:
            if path in (DATABASE, f"{DATABASE}-wal"):
                tell([_is_free(scratch / "write.lock"), f"{kind} {path}"])
            return 0

        disk = Disk(scratch, fault)
        frozen()
        disk.watch(True)
        app = create_app(Settings(data=scratch))
        services: Services = app.extensions[EXTENSION]
        services.databases.writer.execute(
            f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}"
        ).fetchall()
        for number in range(len(story.acts)):
            act(number, story, app)
        write_backup(services.databases, scratch.with_name("backup.tar.gz"), "own")
        beside = Databases(services.databases.path)
        with beside.reading() as db:
            db.execute("SELECT count(*) FROM log").fetchone()
        beside.close()
        services.close()

    fresh(base, scratch)
    told, killed = in_child(work)
    assert not killed
    assert len(told) > 100
    return [call for free, call in told if free]


def _is_free(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def fail_at(
    point: int, how: str, base: Path, story: Story, scratch: Path, wanted: Calls
) -> Verdict:
    """Let call `point` (from 1) go wrong as `how` says, start anew, and judge."""
    after = scratch.with_name("after")
    shutil.rmtree(after, ignore_errors=True)

    def work(tell: Tell) -> None:
        full = [False]

        def fault(number: int, kind: str, path: str, grows: bool) -> int:
            if how == "full":
                full[0] |= number == point
                return errno.ENOSPC if full[0] and grows else 0
            if number != point:
                return 0
            if how == "error":
                return errno.EIO
            if how != "killed":
                disk.cut_power(after, point if "some" in how else None)
            die()
            return 0

        disk = Disk(scratch, fault)

        def room() -> None:
            full[0] = False

        _do(scratch, story, disk, tell, room)

    fresh(base, scratch)
    answers, killed = in_child(work)
    found = Verdict()
    if killed and how in ("error", "full"):
        raise AssertionError(f"call {point}: nobody was to be killed")
    found.hidden += [
        f"an error that is no JSON: {one['status']}"
        for one in answers
        if one["status"] != 200 and not (one["json"] or {}).get("problem")
    ]
    found.hidden += [
        f"refused though the disk works again: {again['json']}"
        for again in answers
        if again.get("again") and again["status"] != 200
    ]
    found.add(judge(after if how.startswith("power") else scratch, story, answers, wanted.final))
    return found


def _do(
    data: Path, story: Story, disk: Disk, tell: Callable[[Answer], None], room: Callable[[], None]
) -> None:
    frozen()
    logging.disable()  # the server writes each failure down; here they are meant
    app = create_app(Settings(data=data))
    services: Services = app.extensions[EXTENSION]
    services.databases.writer.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}").fetchall()
    for number in range(len(story.acts)):
        disk.watch(True)
        answer = _careful(number, story, app)
        disk.watch(False)
        room()
        tell(answer)
        if answer["status"] != 200:
            tell(_careful(number, story, app) | {"again": True})
    disk.watch(True)
    # The last close checkpoints too. What it cannot do, the next start does.
    try:
        services.close()
    except (sqlite3.Error, OSError):
        disk.watch(False)
    disk.watch(False)


def _careful(number: int, story: Story, app: Flask) -> Answer:
    try:
        return act(number, story, app)
    except (sqlite3.Error, OSError) as error:
        # An act of the desk called without the wire, which would have answered with "internal".
        return {"status": 500, "json": {"problem": type(error).__name__}}


def ways(part: str) -> Sequence[str]:
    """How calls go wrong in `writes` and in `disk`."""
    return DISK if part == "disk" else WRITES
