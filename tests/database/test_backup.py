"""Backup, mark and restore: phones let go only of what is safe, and offer again what a restore lost."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from pwa import create_app, initialise
from pwa.database import DatabaseError
from pwa.database.backup import (
    begin_external,
    end_external,
    restore_backup,
    restored_externally,
    write_backup,
)
from pwa.database.connections import DATABASE
from pwa.database.locks import hold_server_lock
from pwa.database.marks import backup_mark
from pwa.services import Services
from pwa.settings import Settings
from sync.kinds import is_uuid
from sync.operations import digest_of
from sync.restored import LEAP
from tests.cast.wire_phone import WirePhone
from tests.cast.world import NOW, World
from tests.conftest import PASSWORD, SAME_ORIGIN

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def bob(client_for: Callable[[str], FlaskClient], world: World) -> WirePhone:
    return WirePhone(client_for("bob"), world.user_of("bob").id)


def work(world: World, bob: WirePhone) -> str:
    """A visit in which Bob has written one note; the note's bytes."""
    visit = world.visit(visitors=["bob"])
    text = bob.note(visit, base=world.log_length())
    assert bob.told(text) == [("applied", "")]
    return text


def mark_of(services: Services) -> int:
    with services.databases.reading() as db:
        return backup_mark(db)


def place_in(services: Services) -> str:
    with services.databases.reading() as db:
        return begin_external(db)


def finish(services: Services, place: str) -> int:
    with services.databases.writing() as db:
        return end_external(db, place, services.settings.backup)


@pytest.mark.parametrize("fault", ["cut", "turned", "full"])
def test_the_mark_never_moves_for_a_backup_that_does_not_read_back(
    fault: str, services: Services, world: World, bob: WirePhone, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    work(world, bob)
    target = tmp_path / "b.tar.gz"
    assert (
        write_backup(services.databases, target, "own") == mark_of(services) == world.log_length()
    )
    good = target.read_bytes()
    mark = mark_of(services)
    work(world, bob)
    real = os.fsync

    def fsync(handle: int) -> None:
        size = os.fstat(handle).st_size
        if fault == "full":
            raise OSError(28, "No space left on device")
        if fault == "cut":
            os.ftruncate(handle, size // 2)
        else:
            os.pwrite(handle, bytes([good[size // 2] ^ 0xFF] * 8), size // 2)
        real(handle)

    with monkeypatch.context() as patch, pytest.raises(DatabaseError):
        patch.setattr(os, "fsync", fsync)
        write_backup(services.databases, target, "own")
    assert mark_of(services) == mark
    assert target.read_bytes() == good
    assert list(tmp_path.glob(".b*")) == []
    assert (
        write_backup(services.databases, target, "own") == mark_of(services) == world.log_length()
    )


def test_a_backup_of_a_picture_that_has_rotted_is_refused_and_names_it(
    services: Services, world: World, bob: WirePhone, tmp_path: Path
) -> None:
    sha = world.signed(world.phone("bob"), world.visit(visitors=["bob"]))
    (path,) = services.settings.data.glob(f"blobs/??/{sha}")
    path.chmod(0o600)
    path.write_bytes(b"rotten")
    with pytest.raises(DatabaseError, match=sha):
        write_backup(services.databases, tmp_path / "b.tar.gz", "own")
    assert mark_of(services) == 0


@pytest.fixture
def external(app: Any, settings: Settings) -> Services:
    services: Services = app.extensions["troskel"]
    object.__setattr__(services, "settings", replace(settings, backup="external"))
    return services


def test_with_another_tool_the_mark_moves_to_where_the_log_stood_before_it_began(
    external: Services, world: World, bob: WirePhone
) -> None:
    work(world, bob)
    before, place = world.log_length(), place_in(external)
    work(world, bob)
    assert mark_of(external) == 0
    assert finish(external, place) == mark_of(external) == before
    assert bob.news()["backup"] == before
    # An older one that ends later takes nothing back.
    later = place_in(external)
    finish(external, later)
    finish(external, place)
    assert mark_of(external) == world.log_length()


@pytest.mark.parametrize("place", ["", "0.abc", "1", "1.0000000000000000", "x.y", "999."])
def test_a_place_that_is_not_in_this_log_moves_no_mark(
    external: Services, world: World, bob: WirePhone, place: str
) -> None:
    work(world, bob)
    with pytest.raises(DatabaseError):
        finish(external, place)
    assert mark_of(external) == 0


def test_the_server_that_makes_its_own_backups_takes_no_word_of_others(
    services: Services, world: World, bob: WirePhone
) -> None:
    work(world, bob)
    with pytest.raises(DatabaseError, match="TROSKEL_BACKUP=external"):
        finish(services, place_in(services))


def test_i1_after_a_restore_phones_offer_again_and_each_operation_counts_once(
    services: Services, world: World, bob: WirePhone, settings: Settings, tmp_path: Path
) -> None:
    saved = work(world, bob)
    cursor = bob.news()["cursor"]
    write_backup(services.databases, tmp_path / "b.tar.gz", "own")
    visit = world.visit(visitors=["bob"])  # planned after the backup: the restore forgets it
    lost = [bob.note(next(iter(world.tenancies)), "After the backup"), bob.note(visit, "Elsewhere")]
    assert bob.told(*lost) == [("applied", "")] * 2
    later = bob.news()["cursor"]
    again = replace(settings, data=tmp_path / "again")
    assert restore_backup(again.data, tmp_path / "b.tar.gz", NOW) is None
    initialise(again)
    app = create_app(again)
    services: Services = app.extensions["troskel"]
    bob.client = app.test_client()
    bob.client.environ_base.update(SAME_ORIGIN)
    bob.client.post("/sign-in", data={"name": "bob", "password": PASSWORD})
    news = bob.client.get("/sync/pull", query_string={"cursor": later}).get_json(force=True)
    assert news["reset"] is True
    assert bob.client.get("/sync/pull", query_string={"cursor": cursor}).get_json(force=True)["reset"] is False  # fmt: skip
    # The phone offers everything it still holds: what the backup has is known, the rest goes in.
    assert bob.told(saved, *lost) == [
        ("duplicate", ""), ("applied", ""), ("held", "unknown_subject"),
    ]  # fmt: skip
    assert bob.told(saved, *lost)[:2] == [("duplicate", "")] * 2
    record = services.storage.records({("visit", next(iter(world.tenancies)))})
    (notes,) = [one["notes"] for one in record.values()]
    assert [one["text"] for one in notes] == ["Kranen droppar", "After the backup"]
    services.close()


def chain(data: Path) -> list[tuple[int, str]]:
    """(number, kind) of each entry of the log, after looking at ids, hashes and digests."""
    found, digest = [], ""
    with closing(sqlite3.connect(data / "troskel.db")) as db:
        for seq, id, sha, own, octets, kind in db.execute(
            "SELECT seq, id, sha256, digest, bytes, kind FROM log ORDER BY seq"
        ):
            digest = hashlib.sha256((digest + sha).encode()).hexdigest()[:16]
            assert (own, is_uuid(id), digest_of(octets)) == (digest, True, sha)
            found.append((seq, kind))
    return found


def test_no_number_is_given_twice_after_a_restore(
    services: Services, world: World, bob: WirePhone, settings: Settings, tmp_path: Path
) -> None:
    work(world, bob)
    write_backup(services.databases, tmp_path / "b.tar.gz", "own")
    again = replace(settings, data=tmp_path / "again")
    restore_backup(again.data, tmp_path / "b.tar.gz", NOW)
    *before, last = chain(again.data)
    assert before == chain(settings.data)
    assert last == (before[-1][0] + LEAP, "log.restored")


def test_files_put_back_by_another_tool_go_on_the_same_way(
    services: Services, world: World, bob: WirePhone, settings: Settings, tmp_path: Path
) -> None:
    work(world, bob)
    before = chain(settings.data)
    with services.databases.lock:  # as a snapshot of the disk does: all files at one moment
        again = Path(shutil.copytree(settings.data, tmp_path / "again"))
    server = hold_server_lock(again)
    with pytest.raises(DatabaseError, match="is running"):
        restored_externally(again, NOW)
    server.release()
    restored_externally(again, NOW)
    assert chain(again) == [*before, (before[-1][0] + LEAP, "log.restored")]
    with closing(sqlite3.connect(again / "troskel.db")) as db:
        assert db.execute("SELECT count(*) FROM sessions WHERE ended_at IS NULL").fetchone() == (0,)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatabaseError, match="no database"):
        restored_externally(tmp_path / "empty", NOW)


def test_a_restore_is_refused_while_a_server_runs(
    services: Services, world: World, bob: WirePhone, settings: Settings, tmp_path: Path
) -> None:
    work(world, bob)
    write_backup(services.databases, tmp_path / "b.tar.gz", "own")
    server = hold_server_lock(settings.data)
    try:
        with pytest.raises(DatabaseError, match="running"):
            restore_backup(settings.data, tmp_path / "b.tar.gz", NOW, force=True)
    finally:
        server.release()
    assert world.log_length() > 0
    assert list(settings.data.glob("replaced-*")) == []


@pytest.mark.parametrize("made", ["", "CREATE TABLE stuff (x)"])
def test_a_file_that_is_no_database_of_ours_never_becomes_an_empty_company(
    tmp_path: Path, made: str
) -> None:
    data, source = tmp_path / "data", tmp_path / "b.tar.gz"
    data.mkdir()
    with closing(sqlite3.connect(data / DATABASE)) as db:
        db.executescript(made)
    (data / DATABASE).touch()
    with tarfile.open(source, "w:gz") as tar:
        tar.add(data / DATABASE, DATABASE)
    with pytest.raises(DatabaseError, match="no database of"):
        restored_externally(data, NOW)
    (data / DATABASE).unlink()
    with pytest.raises(DatabaseError, match="no database of"):
        restore_backup(data, source, NOW)
    assert not (data / DATABASE).exists()


def test_a_restore_that_was_cut_short_never_becomes_an_empty_company(
    services: Services, world: World, bob: WirePhone, settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    work(world, bob)
    length = world.log_length()
    write_backup(services.databases, tmp_path / "b.tar.gz", "own")
    again = replace(settings, data=tmp_path / "again")
    restore_backup(again.data, tmp_path / "b.tar.gz", NOW)
    initialise(again)
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.parent.name.startswith(".restore-"):
            raise KeyboardInterrupt
        return real(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", rename)
        restore_backup(again.data, tmp_path / "b.tar.gz", NOW, force=True)
    for start in (lambda: initialise(again), lambda: create_app(again)):
        with pytest.raises(DatabaseError, match="cut short"):
            start()
    (aside,) = again.data.glob("replaced-*")
    assert (aside / "troskel.db").stat().st_size > 0
    restore_backup(again.data, tmp_path / "b.tar.gz", NOW, force=True)
    services: Services = create_app(again).extensions["troskel"]
    head = services.storage.head()
    assert head is not None
    assert head.seq == length + LEAP
    services.close()
