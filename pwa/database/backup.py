"""A copy of everything in one file, and the way back.

Invariant: a backup holds one moment of the database (SQLite's backup API) and every picture
and signature that moment names; only when the file is on disk and has been read back whole does
the backup mark move, and phones then let go of what they sent before it (PROTOCOL.md 4). Where
another tool backs up, the mark moves to where the log stood before that tool began. A restore is
checked whole before anything is replaced, and what it replaces is put aside, never deleted. It
refuses to touch the folder of a running server.

The secret that signs cookies is not in the file, and a restore ends every session: one that
was ended after the backup must not come alive again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import tarfile
import zlib
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from pwa.database.connections import DATABASE, DatabaseError, Databases, FileLock, hold_server_lock
from pwa.database.migrations import migrate
from pwa.services import Services
from sync.restored import begin_anew
from sync.sqlite import SqliteStorage

BLOBS = "blobs"
MARK = "backup"
# The last hash is the content's: a picture is kept under the one it came with and its own.
_BLOB = re.compile(r"blobs/([0-9a-f]{2})/(?=\1)(?:[0-9a-f]{64}\.)?(?P<sha256>[0-9a-f]{64})")


def write_backup(services: Services, target: Path) -> int:
    """Write the backup to `target` (a .tar.gz; replaced if it is there). The log's number at its
    moment, which is also the new mark unless TROSKEL_BACKUP is `external`.

    Raises DatabaseError when the file cannot be written or does not read back as it was written:
    then an older file of that name is still there. Works beside a running server.
    """
    data = services.settings.data
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    copy = data / f".backup-{os.getpid()}.db"
    try:
        seq = _copy_database(data / DATABASE, copy)
        with open(unfinished, "xb", opener=_private) as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                tar.add(copy, DATABASE)
                # After the database: a blob is on disk before any row names it, never the
                # other way round, so this order cannot miss one.
                for blob in sorted((data / BLOBS).glob("??/*")):
                    name = blob.relative_to(data).as_posix()
                    # A picture may be struck out while the backup is made.
                    with suppress(FileNotFoundError):
                        if _BLOB.fullmatch(name):
                            tar.add(blob, name)
            file.flush()
            os.fsync(file.fileno())
        _verify(unfinished, _sha256(copy))
        os.replace(unfinished, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise DatabaseError(f"The backup could not be written to {target}: {error}.") from None
    finally:
        for left in (unfinished, copy):
            left.unlink(missing_ok=True)
    if services.settings.backup == "own":
        _move_mark(services, seq)
    return seq


def begin_external(services: Services) -> str:
    """Where the log stands, as `<number>.<digest>`: ask before another tool begins its backup."""
    with services.databases.reading() as db:
        row = db.execute("SELECT seq, digest FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    return "{}.{}".format(*(row or (0, "")))


def end_external(services: Services, place: str) -> int:
    """Move the mark to `place`, which `begin_external` gave, once that backup is safe; its number.

    Raises DatabaseError: TROSKEL_BACKUP is not `external`, or `place` is not in this log (a
    restore came between).
    """
    if services.settings.backup != "external":
        raise DatabaseError("Set TROSKEL_BACKUP=external first: this server makes its own backups.")
    number, _, digest = place.partition(".")
    with services.databases.reading() as db:
        row = db.execute("SELECT seq FROM log WHERE seq = ? AND digest = ?", [number, digest])
        known = row.fetchone()
    if not known and place != "0.":
        raise DatabaseError(f"{place} is not a place in this log. Begin the backup again.")
    seq = known[0] if known else 0
    _move_mark(services, seq)
    return int(seq)


def _move_mark(services: Services, seq: int) -> None:
    with services.databases.writing() as db:
        row = db.execute("SELECT value FROM marks WHERE name = ?", [MARK]).fetchone()
        # Two backups may end in another order than they began.
        newest = max(seq, int(row[0]) if row else 0)
        db.table("marks").upsert({"name": MARK, "value": str(newest)}, pk="name")


def restore_backup(data: Path, source: Path, now: datetime, *, force: bool = False) -> Path | None:
    """Put the backup `source` into `data`; where what was there before has been put, if anything.

    Raises DatabaseError: a server runs there, something is there and `force` is not given, the
    file is damaged, or a newer version of Tröskel made it.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = hold_server_lock(data)
    fresh = data / f".restore-{os.getpid()}"
    try:
        occupied = [data / name for name in (DATABASE, BLOBS) if (data / name).exists()]
        if occupied and not force:
            raise DatabaseError(
                f"{data} already holds data. Choose an empty folder, or use --force: what is there is put aside, not deleted."
            )
        fresh.mkdir(mode=0o700)
        _unpack(source, fresh)
        _check_database(fresh / DATABASE, now)
        return _put_in_place(data, fresh, now)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        server.release()


def restored_externally(data: Path, now: datetime) -> None:
    """Do what a restore does besides copying, after another tool has put the files back.

    Raises DatabaseError: a server runs there, or the database is damaged or missing.
    """
    server = hold_server_lock(data)
    try:
        if not (data / DATABASE).exists():
            raise DatabaseError(f"{data} holds no database. Put the files back first.")
        _check_database(data / DATABASE, now)
    finally:
        server.release()


def _copy_database(source: Path, copy: Path) -> int:
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(copy)) as target,
    ):
        # All pages in one step: with smaller ones a busy server would start it over and over.
        live.backup(target)
        # One file without a -wal beside it: that is what goes into the archive.
        target.execute("PRAGMA journal_mode=DELETE")
        if target.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise DatabaseError(f"{source} is damaged: no backup was made. Restore the newest one.")
        (seq,) = target.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()
    return int(seq)


def _verify(source: Path, database_sha256: str) -> None:
    """Read the whole archive back; each member must be what a restore will ask for."""
    try:
        with tarfile.open(source, "r:gz") as tar:
            for member in tar:
                blob, file = _BLOB.fullmatch(member.name), tar.extractfile(member)
                assert file is not None, member.name
                with file:
                    sha = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
                if sha != (blob["sha256"] if blob else database_sha256):
                    raise DatabaseError(
                        f"The backup was not made: {member.name} is not what it says. Its disk may fail."
                    )
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DatabaseError(f"The backup does not read back: {error}. Its disk may fail.") from None


def _unpack(source: Path, folder: Path) -> None:
    """Only the names that a backup has, each blob under its own hash."""
    try:
        with tarfile.open(source, "r:gz") as tar:
            for member in tar:
                blob = _BLOB.fullmatch(member.name)
                file = tar.extractfile(member) if member.isreg() else None
                if file is None or not (blob or member.name == DATABASE):
                    raise DatabaseError(
                        f"{source} is not a backup of Tröskel: it holds {member.name!r}."
                    )
                target = folder / member.name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with file, open(target, "xb", opener=_private) as out:
                    shutil.copyfileobj(file, out)
                    out.flush()
                    os.fsync(out.fileno())
                if blob and _sha256(target) != blob["sha256"]:
                    raise DatabaseError(f"{source} is damaged: {member.name} is not what it says.")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DatabaseError(f"{source} cannot be read: {error}.") from None
    if not (folder / DATABASE).exists():
        raise DatabaseError(f"{source} is not a backup of Tröskel: it holds no database.")


def _check_database(path: Path, now: datetime) -> None:
    databases = Databases(path)
    try:
        if databases.writer.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise DatabaseError("The database in the backup is damaged.")
        if not {"log", "migrations"} <= set(databases.writer.table_names()):
            # A file cut off to nothing is a sound database: migrated, it would be an empty company.
            raise DatabaseError("What was put back is no database of Tröskel.")
        migrate(databases, now)
        with databases.writing() as db:
            ended = [now.isoformat(), "restored"]
            db.execute(
                "UPDATE sessions SET ended_at = ?, ended_how = ? WHERE ended_at IS NULL", ended
            )
        begin_anew(SqliteStorage(databases.writer, lock=databases.lock), now.isoformat())
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"The database in the backup is damaged: {error}.") from None
    finally:
        databases.close()


def _put_in_place(data: Path, fresh: Path, now: datetime) -> Path | None:
    lock = FileLock(data / "write.lock")
    aside = data / f"replaced-{now:%Y%m%dT%H%M%S%f}"
    names = [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", BLOBS]
    old = [data / name for name in names if (data / name).exists()]
    try:
        with lock:
            if old:
                aside.mkdir(mode=0o700)
            for path in old:
                path.rename(aside / path.name)
            for name in (BLOBS, DATABASE):
                if (fresh / name).exists():
                    (fresh / name).rename(data / name)
            _sync_folder(data)
    finally:
        lock.close()
    return aside if old else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
