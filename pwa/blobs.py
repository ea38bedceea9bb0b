"""Blobs by content: signatures and pictures as files named by their SHA-256.

Invariant: a file under its hash is whole and was on disk before anybody counted it (temporary
file, fsync, rename, fsync of the folder). A signature is kept to the byte; a picture is kept as
pwa/pictures.py draws it anew, under both hashes (`<hash it came with>.<hash of what is kept>`), and
the bytes that came go only when the new ones are on disk. It refuses content that does not hash
to its name, and everything that is neither a picture nor lines drawn by our own pad: that stays
with the phone, which shows it as in need of someone.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path

from pwa.pictures import PictureRefused, clean
from sync.operations import BLOB_BYTES_MAX

PARTS_MAX = 200
"""Unfinished uploads at once; one more takes the place of the one untouched for longest."""

_SHA = re.compile(r"[0-9a-f]{64}\Z")
_KEPT = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{64}\Z")
# A signature is paths and nothing else (static/field/signature.js). A list of what is allowed: a
# list of what is dangerous in SVG has never been complete. No value here can name a resource.
_ATTRIBUTE = (
    rb'(?: xmlns="http://www\.w3\.org/2000/svg"'
    rb'| (?:viewBox|width|height|d|fill|stroke|stroke-width|stroke-linecap|stroke-linejoin)="[#\w .,-]*")*'
)
_SVG = re.compile(rb"<svg%b>(?:<path%b/>)*</svg>\Z" % (_ATTRIBUTE, _ATTRIBUTE))
_PICTURE = "image/jpeg"


class BlobRefused(ValueError):
    """`code`: blob_mismatch, too_large, blob_type, picture_broken or picture_too_large."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sniff(octets: bytes) -> str:
    """The media type the bytes themselves show; raises BlobRefused("blob_type") for any other."""
    if octets.startswith(b"\xff\xd8\xff"):
        return _PICTURE
    if octets.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if octets.startswith(b"RIFF") and octets[8:12] == b"WEBP":
        return "image/webp"
    if _SVG.match(octets):
        return "image/svg+xml"
    raise BlobRefused("blob_type")


class Blobs:
    """The folder of blobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Two requests must not write one blob at once; different ones need not wait.
        self._locks = tuple(threading.Lock() for _ in range(16))
        self._synced: set[Path] = set()  # folders whose names this process has put on disk

    def path(self, sha256: str) -> Path | None:
        """The file kept for the blob that came as `sha256`, or None where it has not come yet."""
        if not _SHA.match(sha256):
            return None
        exact = self.folder / sha256[:2] / sha256
        if exact.exists():
            return exact
        drawn = sorted(exact.parent.glob(f"{sha256}.*"))
        return next((one for one in drawn if _KEPT.match(one.name)), None)

    def has(self, sha256: str) -> bool:
        return self.path(sha256) is not None

    def read(self, sha256: str) -> bytes | None:
        """The bytes kept, or None where the blob has not come yet or has been erased."""
        path = self.path(sha256)
        try:
            return path.read_bytes() if path else None
        except FileNotFoundError:  # erased in between
            return None

    def put(self, sha256: str, octets: bytes) -> None:
        """Keep what came as `sha256`, durably. Twice is harmless.

        Raises BlobRefused; an OSError (a full disk) leaves everything as it was.
        """
        if len(octets) > BLOB_BYTES_MAX:
            raise BlobRefused("too_large")
        with self._lock(sha256):
            self._put(sha256, octets)

    def erase(self, sha256: str) -> None:
        """Delete the bytes for good, those of an unfinished upload too. Twice is harmless."""
        with self._lock(sha256):
            self._part(sha256).unlink(missing_ok=True)
            path = self.path(sha256)
            if path:
                path.unlink()
                _sync_folder(path.parent)

    def _lock(self, sha256: str) -> threading.Lock:
        if not _SHA.match(sha256):
            raise BlobRefused("blob_mismatch")
        return self._locks[int(sha256[0], 16)]

    def _put(self, sha256: str, octets: bytes) -> None:
        if hashlib.sha256(octets).hexdigest() != sha256:
            raise BlobRefused("blob_mismatch")
        is_drawing = sniff(octets) == "image/svg+xml"
        if self._has_for_good(sha256):
            return
        name, kept = sha256, octets
        if not is_drawing:
            try:
                kept = clean(octets)
            except PictureRefused as refused:
                raise BlobRefused(refused.code) from refused
            name = f"{sha256}.{hashlib.sha256(kept).hexdigest()}"
        folder = self.folder / sha256[:2]
        # Not "if it is new": whoever made it may have died before it was on disk.
        if folder not in self._synced:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync_folder(self.folder.parent)
            _sync_folder(self.folder)
            self._synced.add(folder)
        # One name for each hash: what a crash left is written over.
        unfinished = folder / f".{sha256}.new"
        with unfinished.open("wb") as file:
            file.write(kept)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / name)
        _sync_folder(folder)

    def _has_for_good(self, sha256: str) -> bool:
        # An earlier put may have died, or met a failing disk, between the name and its sync.
        path = self.path(sha256)
        if path:
            _sync_folder(path.parent)
            self._part(sha256).unlink(missing_ok=True)
        return path is not None

    # --- in pieces: a picture over a bad line ----------------------------------------

    def offset(self, sha256: str) -> int:
        """How many bytes need not be sent: those of an unfinished upload, or BLOB_BYTES_MAX when
        it is done (how long the bytes were that came is not kept)."""
        with self._lock(sha256):
            return BLOB_BYTES_MAX if self._has_for_good(sha256) else _size(self._part(sha256))

    def append(self, sha256: str, start: int, octets: bytes, total: int) -> int:
        """Add a piece that starts at `start`; gives the new offset, `total` once all is kept.

        A piece that does not begin where the upload stands changes nothing: the answer tells
        where to go on. The last piece turns the upload into a blob, or throws it away when it
        is refused (BlobRefused("blob_mismatch"): begin again from 0). After an OSError, or a
        crash at any point, what is on disk is a beginning of the blob and the offset says so;
        bytes that a power cut garbled fail the hash.
        """
        if not 0 < total <= BLOB_BYTES_MAX or start + len(octets) > total:
            raise BlobRefused("too_large")
        with self._lock(sha256):
            return self._append(sha256, start, octets, total)

    def _append(self, sha256: str, start: int, octets: bytes, total: int) -> int:
        if self._has_for_good(sha256):
            return total
        part = self._part(sha256)
        offset = _size(part)
        if start == offset:
            self._write_piece(part, octets)
            offset += len(octets)
        if offset < total:
            return offset
        # Also where a crash came between the last piece and the blob: it is finished now.
        try:
            self._put(sha256, part.read_bytes())
        except BlobRefused:
            part.unlink()
            raise
        part.unlink(missing_ok=True)
        return total

    def _write_piece(self, part: Path, octets: bytes) -> None:
        if not part.exists():
            part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(part.parent)
        with part.open("ab") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())

    def _make_room(self, folder: Path) -> None:
        # Nothing is lost: whoever sent the oldest still has it all, and begins again from 0.
        found = sorted(folder.iterdir(), key=_touched)
        for oldest in found[: max(0, len(found) - PARTS_MAX + 1)]:
            oldest.unlink(missing_ok=True)

    def _part(self, sha256: str) -> Path:
        return self.folder / ".parts" / sha256


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _touched(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # another upload has just been finished
        return 0


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
