"""Backups: a copy of everything in one file, and restoring it.

Invariant: a backup holds one moment of the database (SQLite's backup API) and every picture and
signature that the database refers to at that moment. The backup mark moves only when the file is
on disk and has been read back whole; phones then delete what they sent before it (PROTOCOL.md 4).
Where another tool makes the backups, the mark moves to where the log stood before that tool began.
A restore checks the whole file before it replaces anything, and moves what it replaces aside
instead of deleting it. The folder of a running server is refused.

The secret that signs cookies is not in the file, and a restore ends every session: a session that
was ended after the backup must not become valid again.
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

from sqlite_utils import Database

from pwa.database import DatabaseError, tables
from pwa.database.connections import DATABASE, Databases
from pwa.database.disk import open_private, sync_folder
from pwa.database.locks import FileLock, hold_server_lock
from pwa.database.marks import move_backup_mark
from pwa.database.migrations import migrate
from pwa.settings import BackupMode
from sync.restored import begin_anew
from sync.sqlite import SqliteStorage
from sync.storage import Head

BLOBS = "blobs"
# The last hash is that of the content: a picture's name is the hash it was uploaded under, then its own.
_BLOB = re.compile(r"blobs/([0-9a-f]{2})/(?=\1)(?:[0-9a-f]{64}\.)?(?P<sha256>[0-9a-f]{64})")
_PLACE = re.compile(r"([0-9]{1,15})\.[0-9a-f]*")


def write_backup(databases: Databases, target: Path, mode: BackupMode) -> int:
    """Write the backup to `target` (a .tar.gz; an older file of that name is replaced).

    Returns the log number the copy was made at, which is also the new backup mark unless `mode`
    (TROSKEL_BACKUP) is `external`. Raises DatabaseError when the file cannot be written or does
    not read back as it was written: the older file is then still there. Works beside a running
    server.
    """
    data = databases.path.parent
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    copy = data / f".backup-{os.getpid()}.db"
    try:
        seq = _copy_database(data / DATABASE, copy)
        with open(unfinished, "xb", opener=open_private) as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                tar.add(copy, DATABASE)
                # After the database: a blob is on disk before any row refers to it, so in this
                # order none can be missing.
                for blob in sorted((data / BLOBS).glob("??/*")):
                    name = blob.relative_to(data).as_posix()
                    # A picture may be deleted while the backup is made.
                    with suppress(FileNotFoundError):
                        if _BLOB.fullmatch(name):
                            tar.add(blob, name)
            file.flush()
            os.fsync(file.fileno())
        _verify(unfinished, _sha256(copy))
        os.replace(unfinished, target)
        sync_folder(target.parent)
    except OSError as error:
        raise DatabaseError(f"The backup could not be written to {target}: {error}.") from None
    finally:
        for left in (unfinished, copy):
            left.unlink(missing_ok=True)
    if mode == "own":
        with databases.writing() as db:
            move_backup_mark(db, seq)
    return seq


def begin_external(db: Database) -> str:
    """Where the log stands, as `<number>.<digest>`: ask before another tool begins its backup."""
    head = _head(db)
    return f"{head.seq}.{head.digest}"


def end_external(db: Database, place: str, mode: BackupMode) -> int:
    """Move the backup mark to `place`, which `begin_external` returned, once that backup is safe.

    Returns the log number of `place`. Raises DatabaseError when `mode` (TROSKEL_BACKUP) is not
    `external`, or when `place` is not in this log because it was restored in between.
    """
    if mode != "external":
        raise DatabaseError("Set TROSKEL_BACKUP=external first: this server makes its own backups.")
    number = _PLACE.fullmatch(place)
    found = SqliteStorage(db).head(int(number[1])) if number else None
    if found is None or place.partition(".")[2] != found.digest:
        raise DatabaseError(f"{place} is not a place in this log. Begin the backup again.")
    move_backup_mark(db, found.seq)
    return found.seq


def _head(db: Database) -> Head:
    head = SqliteStorage(db).head()
    assert head is not None  # only a question about one number can have no answer
    return head


def restore_backup(data: Path, source: Path, now: datetime, *, force: bool = False) -> Path | None:
    """Put the backup `source` into the folder `data`.

    Returns the folder that what was there before has been moved to, None where nothing was there.
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
        _prepare_database(fresh / DATABASE, now)
        return _put_in_place(data, fresh, now)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        server.release()


def restored_externally(data: Path, now: datetime) -> None:
    """Do the rest of a restore after another tool has put the files back.

    Raises DatabaseError: a server runs there, or the database is damaged or missing.
    """
    server = hold_server_lock(data)
    try:
        if not (data / DATABASE).exists():
            raise DatabaseError(f"{data} holds no database. Put the files back first.")
        _prepare_database(data / DATABASE, now)
    finally:
        server.release()


def _copy_database(source: Path, copy: Path) -> int:
    """Copy the live database into the new file `copy`; the log's number at that moment."""
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(copy)) as target,
    ):
        # All pages in one step: in smaller ones, each write of a busy server would start it over.
        live.backup(target)
        db = Database(target, execute_plugins=False)
        tables.leave_wal(db)
        if not tables.is_sound(db):
            raise DatabaseError(f"{source} is damaged: no backup was made. Restore the newest one.")
        return _head(db).seq


def _verify(source: Path, database_sha256: str) -> None:
    """Read the whole archive back; each member must have the content that a restore will expect."""
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
    """Extract names that a backup has and no others; check each blob against its hash."""
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
                with file, open(target, "xb", opener=open_private) as out:
                    shutil.copyfileobj(file, out)
                    out.flush()
                    os.fsync(out.fileno())
                if blob and _sha256(target) != blob["sha256"]:
                    raise DatabaseError(f"{source} is damaged: {member.name} is not what it says.")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DatabaseError(f"{source} cannot be read: {error}.") from None
    if not (folder / DATABASE).exists():
        raise DatabaseError(f"{source} is not a backup of Tröskel: it holds no database.")


def _prepare_database(path: Path, now: datetime) -> None:
    """Check a restored database, migrate it, end its sessions and mark the restore in the log."""
    databases = Databases(path)
    try:
        if not tables.is_sound(databases.writer):
            raise DatabaseError("The database in the backup is damaged.")
        if not tables.has_tables(databases.writer, {"log", "migrations"}):
            # An empty file is a sound database: migrating it would make an empty company.
            raise DatabaseError("What was put back is no database of Tröskel.")
        migrate(databases, now)
        with databases.writing() as db:
            tables.end_all_sessions(db, now, "restored")
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
            sync_folder(data)
    finally:
        lock.close()
    return aside if old else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
