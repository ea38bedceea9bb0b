"""F7: the disk fails under the server: an n-th call with EIO, no room from the n-th on, no power.

For every call that changes a file or makes a change durable, counted over the whole story: the client
must get an error in JSON or a true response, the same request must work when the disk does again,
nothing acknowledged may be missing after a restart, and retrying everything leaves the state of a run
without faults. Checkpoints come every few acts here, so that the story contains many of them.
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
from pwa.settings import Settings
from tests.cast.company import services_of
from tests.server_faults.disk import Disk, Fault
from tests.server_faults.oracle import Findings, State, read_state
from tests.server_faults.process import Report, die, in_child
from tests.server_faults.statements import act, check_after, fresh
from tests.server_faults.story import Response, Story, freeze

CHECKPOINT_PAGES = 60
WRITES = ("error", "killed", "power cut", "power cut, some of the rest")
DISK = ("full",)


@dataclass(slots=True)
class Calls:
    """A run without faults: each call as (kind, path), and what came out."""

    what: list[str]
    final: State


def reference(base: Path, story: Story, scratch: Path) -> Calls:
    """Do all of the work once, recording each call."""

    def note(report: Report) -> Fault:
        def fault(number: int, kind: str, path: str, grows: bool) -> int:
            report(f"{kind} {path[:24]}")
            return 0

        return fault

    def work(report: Report) -> None:
        disk = Disk(scratch, note(report))
        _do(scratch, story, disk, lambda response: None, lambda: None)
        report(read_state(scratch))

    fresh(base, scratch)
    reported, killed = in_child(work)
    assert not killed
    return Calls(reported[:-1], reported[-1])


def unlocked_calls(base: Path, story: Story, scratch: Path) -> list[str]:
    """Do the work once, with a backup, and a second connection opened and closed as a command does;
    the calls that changed or synced the database while the writers' lock was free.

    There must be none: writes and checkpoints of all connections exclude each other
    (pwa/database/connections.py).
    """

    def work(report: Report) -> None:
        def fault(number: int, kind: str, path: str, grows: bool) -> int:
            if path in (DATABASE, f"{DATABASE}-wal"):
                report([_is_free(scratch / "write.lock"), f"{kind} {path}"])
            return 0

        disk = Disk(scratch, fault)
        freeze()
        disk.watch(True)
        app = create_app(Settings(data=scratch))
        services = services_of(app)
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
    reported, killed = in_child(work)
    assert not killed
    assert len(reported) > 100
    return [call for free, call in reported if free]


def _is_free(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def fail_at(
    point: int, how: str, base: Path, story: Story, scratch: Path, wanted: Calls
) -> Findings:
    """Let call `point` (from 1) fail in the way `how`, start again, and check."""
    after = scratch.with_name("after")
    shutil.rmtree(after, ignore_errors=True)

    def work(report: Report) -> None:
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

        _do(scratch, story, disk, report, room)

    fresh(base, scratch)
    responses, killed = in_child(work)
    found = Findings()
    if killed and how in ("error", "full"):
        raise AssertionError(f"call {point}: the process should not have died")
    found.hidden += [
        f"an error that is no JSON: {one['status']}"
        for one in responses
        if one["status"] != 200 and not (one["json"] or {}).get("problem")
    ]
    found.hidden += [
        f"refused though the disk works again: {again['json']}"
        for again in responses
        if again.get("again") and again["status"] != 200
    ]
    found.add(
        check_after(after if how.startswith("power") else scratch, story, responses, wanted.final)
    )
    return found


def _do(
    data: Path,
    story: Story,
    disk: Disk,
    report: Callable[[Response], None],
    room: Callable[[], None],
) -> None:
    freeze()
    logging.disable()  # the server logs each failure; here they are intended
    app = create_app(Settings(data=data))
    services = services_of(app)
    services.databases.writer.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}").fetchall()
    for number in range(len(story.acts)):
        disk.watch(True)
        response = _act_or_error(number, story, app)
        disk.watch(False)
        room()
        report(response)
        if response["status"] != 200:
            report(_act_or_error(number, story, app) | {"again": True})
    disk.watch(True)
    # The last close checkpoints too. Where that fails, the next start does it.
    try:
        services.close()
    except (sqlite3.Error, OSError):
        disk.watch(False)
    disk.watch(False)


def _act_or_error(number: int, story: Story, app: Flask) -> Response:
    try:
        return act(number, story, app)
    except (sqlite3.Error, OSError) as error:
        # An act of the desk is called without HTTP, which would have responded with "internal".
        return {"status": 500, "json": {"problem": type(error).__name__}}


def ways(part: str) -> Sequence[str]:
    """How calls fail in the parts `writes` and `disk`."""
    return DISK if part == "disk" else WRITES
