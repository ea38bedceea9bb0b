"""Blobs: whole or absent, stored under both hashes; uploads continue where they were interrupted."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pwa.blobs import files as module
from pwa.blobs.files import PARTS_MAX, BlobRefused, Blobs, sniff
from pwa.blobs.signatures import Signatures
from pwa.database.connections import Databases
from pwa.database.migrations import migrate
from sync.limits import BLOB_BYTES_MAX
from tests.cast.pictures import SECRETS, bomb, drawn, photo

SIGNATURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0L9 9"/></svg>'


def hash_of(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


@pytest.fixture
def signatures(tmp_path: Path) -> Iterator[Signatures]:
    databases = Databases(tmp_path / "troskel.db")
    migrate(databases, datetime.now(UTC))
    yield Signatures(databases)
    databases.close()


@pytest.fixture
def blobs(tmp_path: Path, signatures: Signatures) -> Blobs:
    return Blobs(tmp_path / "blobs", signatures)


def send(blobs: Blobs, octets: bytes, start: int, end: int) -> int:
    return blobs.append(hash_of(octets), start, octets[start:end], len(octets))


def code_of(blobs: Blobs, octets: bytes) -> str:
    with pytest.raises(BlobRefused) as refused:
        blobs.put(hash_of(octets), octets)
    assert not blobs.has(hash_of(octets))
    return refused.value.code


def files(blobs: Blobs) -> list[Path]:
    return sorted(path for path in blobs.folder.rglob("*") if path.is_file())


# --- what is stored ----------------------------------------------------------------------


def test_a_signature_is_never_changed(blobs: Blobs) -> None:
    blobs.put(hash_of(SIGNATURE), SIGNATURE)
    assert blobs.read(hash_of(SIGNATURE)) == SIGNATURE
    assert [path.name for path in files(blobs)] == [hash_of(SIGNATURE)]


def test_a_picture_is_stored_redrawn_under_both_hashes(blobs: Blobs) -> None:
    octets = photo()
    blobs.put(hash_of(octets), octets)
    kept = blobs.read(hash_of(octets))
    assert kept is not None
    assert [one for one in SECRETS if one in kept] == []
    assert [path.name for path in files(blobs)] == [f"{hash_of(octets)}.{hash_of(kept)}"]
    blobs.put(hash_of(octets), octets)
    assert len(files(blobs)) == 1


def test_an_erased_blob_is_gone_and_may_be_sent_again(blobs: Blobs) -> None:
    octets = photo()
    send(blobs, octets, 0, 100)
    blobs.erase(hash_of(octets))
    blobs.put(hash_of(octets), octets)
    blobs.erase(hash_of(octets))
    blobs.erase(hash_of(octets))
    assert (files(blobs), blobs.read(hash_of(octets))) == ([], None)
    blobs.put(hash_of(octets), octets)
    assert blobs.has(hash_of(octets))


# --- what is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        b"<svg><script>x</script></svg>",
        b'<svg onload="x"></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="https://example.org/x"/></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0" style="fill:url(//x)"/></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0" fill="url(#x)"/></svg>',
        b'<svg xmlns="http://www.w3.org/1999/xhtml"><path d="M0 0"/></svg>',
        b'<svg xmlns:x="http://www.w3.org/2000/svg"></svg>',
        b'<!DOCTYPE svg [<!ENTITY x "y">]>' + SIGNATURE,
        b'<?xml-stylesheet href="x"?>' + SIGNATURE,
        SIGNATURE + b"<script>x</script>",
        SIGNATURE + b"\n",
        SIGNATURE.replace(b"M0", b"M\x00"),
        b"<html>" + SIGNATURE,
        b"%PDF-1.7\n" + photo(),
        b"GIF89a",
        b"PK\x03\x04",
        b"",
    ],
)
def test_what_is_neither_a_signature_nor_a_picture_is_never_stored(
    blobs: Blobs, octets: bytes
) -> None:
    assert code_of(blobs, octets) == "blob_type"


def test_a_picture_that_cannot_be_decoded_is_never_stored(blobs: Blobs) -> None:
    assert code_of(blobs, photo()[:-900]) == "picture_broken"
    assert code_of(blobs, bomb(60_000, 60_000)) == "picture_too_large"
    assert code_of(blobs, b"\xff\xd8\xff<script>alert(1)</script>") == "picture_broken"
    assert files(blobs) == []


def test_content_with_another_hash_is_never_stored(blobs: Blobs) -> None:
    for sha in ("0" * 64, hash_of(SIGNATURE).upper(), f"../{'0' * 61}", ""):
        with pytest.raises(BlobRefused, match="blob_mismatch"):
            blobs.put(sha, SIGNATURE)
        assert (blobs.has(sha), blobs.read(sha)) == (False, None)


def test_a_blob_past_the_limit_is_refused(blobs: Blobs) -> None:
    large = bytes(BLOB_BYTES_MAX + 1)
    with pytest.raises(BlobRefused, match="too_large"):
        blobs.put(hash_of(large), large)
    for start, octets, total in ((0, b"x", BLOB_BYTES_MAX + 1), (5, b"xx", 6), (0, b"", 0)):
        with pytest.raises(BlobRefused, match="too_large"):
            blobs.append("0" * 64, start, octets, total)
    assert not blobs.folder.exists()


def test_the_type_is_read_from_the_bytes() -> None:
    types = [sniff(one) for one in (photo(), drawn("PNG"), drawn("WEBP"), SIGNATURE)]
    assert types == ["image/jpeg", "image/png", "image/webp", "image/svg+xml"]


# --- several at once ---------------------------------------------------------------------


def drawing(n: int) -> bytes:
    return SIGNATURE.replace(b"M0", b"M%d" % n)


def named(*several: bytes) -> dict[str, bytes]:
    return {hash_of(octets): octets for octets in several}


def test_a_broken_signature_does_not_stop_the_others(blobs: Blobs) -> None:
    good = named(*(drawing(n) for n in range(3)))
    broken = named(b"<html>", photo()[:-900]) | {"0" * 64: SIGNATURE, "x": SIGNATURE}
    mixed = dict(pair for both in zip(good.items(), broken.items(), strict=False) for pair in both)
    refused = blobs.put_all(mixed | broken)
    assert {sha: problem.code for sha, problem in refused.items()} == dict(
        zip(broken, ("blob_type", "picture_broken", "blob_mismatch", "blob_mismatch"), strict=True)
    )
    assert all(blobs.read(sha) == octets for sha, octets in good.items())
    assert len(files(blobs)) == 3


def test_several_are_all_written_before_the_first_is_synced_and_counted_after_the_last(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    several, real, seen = named(*(drawing(n) for n in range(9))), os.fsync, []
    blobs.put_all(several)
    for sha in several:
        blobs.erase(sha)  # the folders stay

    def looking(handle: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{handle}"))
        unfinished = [blobs.folder / sha[:2] / f".{sha}.new" for sha in several]
        whole = sum(one.exists() and one.stat().st_size > 0 for one in unfinished)
        seen.append((name.is_dir(), whole, sum(blobs.has(sha) for sha in several)))
        real(handle)

    monkeypatch.setattr(os, "fsync", looking)
    assert blobs.put_all(several) == {}
    folders = len({sha[:2] for sha in several})
    assert seen == [(False, 9, 0)] * 9 + [(True, 0, 9)] * folders


def test_on_a_full_disk_each_of_several_is_whole_or_absent(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    several, real = named(*(drawing(n) for n in range(5))), os.fsync
    for nth in range(20):
        calls: list[int] = []

        def failing(handle: int, calls: list[int] = calls, nth: int = nth) -> None:
            calls.append(handle)
            if len(calls) == nth + 1:
                raise OSError(errno.ENOSPC, "full")
            real(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing)
            try:
                blobs.put_all(several)
                break
            except OSError:
                assert all(blobs.read(sha) in (None, octets) for sha, octets in several.items())
    assert nth > 5
    assert all(blobs.read(sha) == octets for sha, octets in several.items())


def test_pushes_with_the_same_blobs_in_another_order_never_deadlock(
    blobs: Blobs,
) -> None:
    several = named(*(drawing(n) for n in range(40)))
    start = threading.Barrier(4)

    def phone(turned: bool) -> None:
        start.wait()
        for _ in range(5):
            blobs.put_all(dict(reversed(several.items())) if turned else several)

    threads = [threading.Thread(target=phone, args=(n % 2 == 0,), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(files(blobs)) == 40


# --- signatures attached to a push -------------------------------------------------------


def test_a_signature_attached_to_a_push_is_a_row_and_no_file(blobs: Blobs) -> None:
    riding = named(drawing(1), drawing(2), photo(), b"<html>") | {"0" * 64: SIGNATURE, "x": b""}
    drawings = blobs.put_attached(riding)
    assert drawings == named(drawing(1), drawing(2))
    assert len(files(blobs)) == 1  # the picture
    assert not any(blobs.has(sha) for sha in drawings)  # nobody has said that they are kept
    blobs.signatures.keep(drawings)
    blobs.signatures.keep(drawings)
    assert all(blobs.read(sha) == octets for sha, octets in drawings.items())
    assert all(blobs.offset(sha) == BLOB_BYTES_MAX for sha in drawings)
    blobs.put_all(drawings)  # as when a phone sends it by itself
    assert len(files(blobs)) == 1


def test_a_signature_is_never_counted_before_its_push_is_durable(blobs: Blobs) -> None:
    drawings = named(drawing(1))
    (sha,) = drawings
    databases = blobs.signatures._databases
    with pytest.raises(KeyboardInterrupt), databases.writing():
        blobs.signatures.keep(drawings)
        assert not blobs.has(sha)
        raise KeyboardInterrupt
    assert not blobs.has(sha)
    with databases.writing():
        blobs.signatures.keep(drawings)
    assert blobs.has(sha)


def test_an_erased_signature_is_in_no_row_and_no_file(blobs: Blobs) -> None:
    drawings = named(drawing(1))
    (sha,) = drawings
    blobs.put_all(drawings)
    blobs.signatures.keep(drawings)
    blobs.erase(sha)
    assert (blobs.has(sha), blobs.read(sha), files(blobs)) == (False, None, [])


# --- in pieces ---------------------------------------------------------------------------


@pytest.mark.parametrize("again", [True, False])
def test_an_upload_continues_after_an_interruption_at_any_byte(
    tmp_path: Path, signatures: Signatures, again: bool
) -> None:
    octets = drawn("PNG", 9, 9)
    for at in range(1, len(octets)):
        folder = tmp_path / f"{at}"
        assert send(Blobs(folder, signatures), octets, 0, at) == at
        blobs = Blobs(folder, signatures)  # another process
        assert blobs.offset(hash_of(octets)) == at
        assert send(blobs, octets, 0 if again else min(at + 1, len(octets) - 1), at) == at
        assert send(blobs, octets, at, len(octets)) == len(octets)
        assert blobs.has(hash_of(octets))
        assert blobs.offset(hash_of(octets)) >= len(octets)
        assert len(files(blobs)) == 1


def test_the_original_is_deleted_only_when_the_new_picture_is_on_disk(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = photo()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    send(blobs, octets, 0, len(octets) - 1)
    written = []

    def once(handle: int) -> None:
        written.append(handle)
        if len(written) > 1:  # the last piece is down, the new picture is not
            full(handle)

    monkeypatch.setattr(os, "fsync", once)
    with pytest.raises(OSError, match="full"):
        send(blobs, octets, len(octets) - 1, len(octets))
    monkeypatch.undo()
    assert not blobs.has(hash_of(octets))
    # All bytes are there: the next request completes the upload.
    assert blobs.offset(hash_of(octets)) == len(octets)
    assert send(blobs, octets, len(octets) - 1, len(octets)) == len(octets)
    assert blobs.has(hash_of(octets))
    assert len(files(blobs)) == 1


def test_a_piece_cut_short_by_a_full_disk_counts_as_far_as_it_was_written(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = photo()
    send(blobs, octets, 0, 100)
    part = blobs.folder / ".parts" / hash_of(octets)
    part.write_bytes(octets[:150])
    assert blobs.offset(hash_of(octets)) == 150
    assert send(blobs, octets, 150, len(octets)) == len(octets)


def test_bytes_garbled_by_a_power_cut_are_never_stored(blobs: Blobs) -> None:
    octets = photo()
    send(blobs, octets, 0, 1000)
    (blobs.folder / ".parts" / hash_of(octets)).write_bytes(octets[:500] + bytes(500))
    with pytest.raises(BlobRefused, match="blob_mismatch"):
        send(blobs, octets, 1000, len(octets))
    assert blobs.offset(hash_of(octets)) == 0
    assert send(blobs, octets, 0, len(octets)) == len(octets)


def test_a_wrong_total_starts_the_upload_again(blobs: Blobs) -> None:
    octets = photo()
    send(blobs, octets, 0, 1000)
    with pytest.raises(BlobRefused, match="blob_mismatch"):
        blobs.append(hash_of(octets), 0, octets[:10], 500)
    assert send(blobs, octets, 0, len(octets)) == len(octets)


def test_two_phones_sending_the_same_picture_at_once_give_one_whole_picture(blobs: Blobs) -> None:
    octets = photo(900, 700)
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def phone() -> None:
        try:
            start.wait()
            at = 0
            while at < len(octets):
                at = send(blobs, octets, at, min(at + 777, len(octets)))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=phone) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert blobs.has(hash_of(octets))
    assert len(files(blobs)) == 1


def test_unfinished_uploads_never_fill_the_disk(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PARTS_MAX", 3)
    assert PARTS_MAX * BLOB_BYTES_MAX < 3 * 1024**3
    pictures = [photo(100 + n) for n in range(5)]
    for n, octets in enumerate(pictures):
        send(blobs, octets, 0, 500)
        os.utime(blobs.folder / ".parts" / hash_of(octets), ns=(n, n))
    assert [blobs.offset(hash_of(octets)) for octets in pictures] == [0, 0, 500, 500, 500]
    assert send(blobs, pictures[0], 0, len(pictures[0])) == len(pictures[0])


def test_a_blob_is_never_counted_before_it_is_on_disk(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets, real, counted = photo(), os.fsync, []

    def looking(handle: int) -> None:
        counted.append(blobs.has(hash_of(octets)))
        real(handle)

    monkeypatch.setattr(os, "fsync", looking)
    blobs.put(hash_of(octets), octets)
    # Synced: the folder above, the blob folder, the bytes; only then the rename, and the inner folder.
    assert counted == [False, False, False, True]


def synced_by(blobs: Blobs, octets: bytes, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were synced while `octets` were put."""
    seen, real = [], os.fsync

    def looking(handle: int) -> None:
        seen.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", looking)
        blobs.put(hash_of(octets), octets)
    return [path for path in seen if path.is_dir()]


def test_a_power_cut_does_not_lose_the_folders_of_the_first_blob(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is on disk when its folder was synced, for each folder down to the blob."""
    octets = photo()
    inner = blobs.folder / hash_of(octets)[:2]
    chain = [blobs.folder.parent.resolve(), blobs.folder.resolve(), inner.resolve()]
    assert synced_by(blobs, octets, monkeypatch) == chain
    # The process that stored it may have died before the last sync: another one syncs again.
    assert synced_by(Blobs(blobs.folder, blobs.signatures), octets, monkeypatch) == chain[2:]


def test_pieces_left_by_a_crash_are_deleted_by_the_next_request(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the picture as it was sent, with all its metadata."""
    octets, real = photo(), Path.unlink

    def died(path: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    send(blobs, octets, 0, 100)
    monkeypatch.setattr(Path, "unlink", died)
    with pytest.raises(KeyboardInterrupt):
        send(blobs, octets, 100, len(octets))
    monkeypatch.setattr(Path, "unlink", real)
    part = blobs.folder / ".parts" / hash_of(octets)
    assert part.exists()
    assert blobs.has(hash_of(octets))
    assert blobs.offset(hash_of(octets)) >= len(octets)
    assert not part.exists()


def test_a_crash_while_writing_leaves_no_blob(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = photo()

    def died(path: Path, target: Any) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", died)
    with pytest.raises(KeyboardInterrupt):
        blobs.put(hash_of(octets), octets)
    monkeypatch.undo()
    assert not blobs.has(hash_of(octets))
    blobs.put(hash_of(octets), octets)
    assert len(files(blobs)) == 1
