"""Blobs: signatures and pictures, stored under the SHA-256 they were sent with.

Invariant: a file under its hash is whole, and was on disk before anything counted it (temporary
file, fsync, rename, fsync of the folder). A signature that is attached to a push is a row instead
(pwa/blobs/signatures.py). A signature is kept to the byte. A picture is kept as pwa/blobs/pictures.py
draws it anew, under both hashes (`<hash it was sent with>.<hash of what is kept>`), and what was sent
is deleted only when the new file is on disk. Content that does not hash to its name is refused, and
everything that is neither a picture nor lines drawn by our own pad: it stays on the phone, which
tells its user.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from pwa.blobs.pictures import PictureRefused, clean
from pwa.blobs.signatures import Signatures
from pwa.database.disk import sync_folder
from sync.limits import BLOB_BYTES_MAX

PARTS_MAX = 200
"""Unfinished uploads at once; one more replaces the one that has waited longest for its next piece."""

OPEN_FILES_MAX = 64
"""Files that are open at once while several blobs are put on disk."""

_SHA = re.compile(r"[0-9a-f]{64}\Z")
_KEPT = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{64}\Z")
# A signature is paths and nothing else (static/field/views/signature.js). A list of what is allowed,
# because no list of what is dangerous in SVG has ever been complete. No value can name a resource.
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
    """The media type that the bytes show; raises BlobRefused("blob_type") for any other."""
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
    """The folder of blobs, and the signatures that are rows instead."""

    def __init__(self, folder: Path, signatures: Signatures) -> None:
        self.folder = folder
        self.signatures = signatures
        # Two requests must not write one blob at once; others need not wait.
        self._locks = tuple(threading.Lock() for _ in range(16))
        self._synced: set[Path] = set()  # folders whose own names this process has put on disk

    def path(self, sha256: str) -> Path | None:
        """The file of the blob that was sent as `sha256`, or None where there is none."""
        if not _SHA.match(sha256):
            return None
        exact = self.folder / sha256[:2] / sha256
        if exact.exists():
            return exact
        # Not glob, which compiles a pattern for each name: that took a sixth of a push with sixty
        # signatures.
        pictures = [one for one in _names(exact.parent) if one.startswith(f"{sha256}.")]
        return next((exact.parent / one for one in sorted(pictures) if _KEPT.match(one)), None)

    def has(self, sha256: str) -> bool:
        """Whether it has arrived and is stored durably."""
        return self.signatures.has(sha256) or self.path(sha256) is not None

    def read(self, sha256: str) -> bytes | None:
        """The stored bytes, or None where the blob has not arrived or has been erased."""
        if row := self.signatures.read(sha256):
            return row
        path = self.path(sha256)
        try:
            return path.read_bytes() if path else None
        except FileNotFoundError:  # erased in between
            return None

    def put(self, sha256: str, octets: bytes) -> None:
        """Store what was sent as `sha256`, durably. Twice does no harm.

        Raises BlobRefused; an OSError (a full disk) leaves everything as it was.
        """
        refused = self.put_all({sha256: octets})
        if sha256 in refused:
            raise refused[sha256]

    def put_attached(self, blobs: Mapping[str, bytes]) -> dict[str, bytes]:
        """Store the pictures among the blobs attached to a push; returns its signatures, checked, for
        `signatures.keep` in the push's own transaction. What is refused is left out."""
        drawings: dict[str, bytes] = {}
        pictures: dict[str, bytes] = {}
        for sha256, octets in blobs.items():
            try:
                drawing = self._is_drawing(sha256, octets)
            except BlobRefused:
                continue
            (drawings if drawing else pictures)[sha256] = octets
        self.put_all(pictures)
        return drawings

    def put_all(self, blobs: Mapping[str, bytes]) -> dict[str, BlobRefused]:
        """Store these (hash → bytes), durably; returns what was refused, and why.

        An OSError may leave some of them stored, each of them whole; a retry stores the rest.
        """
        with self._locked(blobs):
            return self._put_all(blobs)

    def erase(self, sha256: str) -> None:
        """Delete the bytes, those of an unfinished upload too. Twice does no harm."""
        self.signatures.erase(_checked(sha256))
        with self._locked([sha256]):
            self._part(sha256).unlink(missing_ok=True)
            path = self.path(sha256)
            if path:
                path.unlink()
                sync_folder(path.parent)

    @contextmanager
    def _locked(self, names: Iterable[str]) -> Iterator[None]:
        # Always in the same order, or two requests could each hold what the other waits for.
        with ExitStack() as held:
            for first in sorted({name[0] for name in names if _SHA.match(name)}):
                held.enter_context(self._locks[int(first, 16)])
            yield

    def _put_all(self, blobs: Mapping[str, bytes]) -> dict[str, BlobRefused]:
        refused: dict[str, BlobRefused] = {}
        rest = iter(blobs.items())
        while some := dict(islice(rest, OPEN_FILES_MAX)):
            fresh: dict[Path, bytes] = {}
            for sha256, octets in some.items():
                try:
                    drawing = self._is_drawing(sha256, octets)
                    if not self._has_durably(sha256):
                        path, kept = self._file_of(sha256, octets, drawing)
                        fresh[path] = kept
                except BlobRefused as problem:
                    refused[sha256] = problem
            self._keep(fresh)
        return refused

    def _is_drawing(self, sha256: str, octets: bytes) -> bool:
        """Whether it is a signature, not a picture; raises BlobRefused for anything else."""
        if len(octets) > BLOB_BYTES_MAX:
            raise BlobRefused("too_large")
        if hashlib.sha256(octets).hexdigest() != _checked(sha256):
            raise BlobRefused("blob_mismatch")
        return sniff(octets) == "image/svg+xml"

    def _file_of(self, sha256: str, octets: bytes, drawing: bool) -> tuple[Path, bytes]:
        """The file to write, and its content."""
        folder = self.folder / sha256[:2]
        if drawing:
            return folder / sha256, octets
        try:
            kept = clean(octets)
        except PictureRefused as refused:
            raise BlobRefused(refused.code) from refused
        return folder / f"{sha256}.{hashlib.sha256(kept).hexdigest()}", kept

    def _keep(self, fresh: Mapping[Path, bytes]) -> None:
        folders = {path.parent for path in fresh}
        self._make_folders(folders - self._synced)
        # All are written before the first is synced, so that the disk can work on many at once. The
        # temporary name depends on the hash alone, so what a crash left is overwritten.
        with ExitStack() as files:
            open_files = []
            for path, kept in fresh.items():
                file = files.enter_context(_unfinished(path).open("wb"))
                file.write(kept)
                file.flush()
                open_files.append(file)
            for file in open_files:
                os.fsync(file.fileno())
        for path in fresh:
            _unfinished(path).replace(path)
        for folder in folders:
            sync_folder(folder)

    def _make_folders(self, folders: set[Path]) -> None:
        # Also where they exist: the process that made them may have died before they were on disk.
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folders:
            sync_folder(self.folder.parent)
            sync_folder(self.folder)
            self._synced |= folders

    def _has_durably(self, sha256: str) -> bool:
        # An earlier put may have died, or its fsync failed, between the rename and the sync of the folder.
        path = self.path(sha256)
        if path:
            sync_folder(path.parent)
        found = path is not None or self.signatures.has(sha256)
        if found:
            self._part(sha256).unlink(missing_ok=True)
        return found

    # --- in pieces: a picture over a bad connection ----------------------------------

    def offset(self, sha256: str) -> int:
        """How many bytes need not be sent: those of an unfinished upload, or BLOB_BYTES_MAX when
        it is complete (the length of what was sent is not stored)."""
        with self._locked([_checked(sha256)]):
            return BLOB_BYTES_MAX if self._has_durably(sha256) else _size(self._part(sha256))

    def append(self, sha256: str, start: int, octets: bytes, total: int) -> int:
        """Add a piece that starts at `start`; returns the new offset, `total` once all is stored.

        A piece that does not start at the current offset changes nothing: the caller continues at
        the offset returned. The last piece turns the upload into a blob, or deletes it when it is
        refused (BlobRefused("blob_mismatch"): start again from 0). After an OSError, or a crash at
        any point, what is on disk is a beginning of the blob and the offset says how much; bytes
        that a power cut garbled fail the hash.
        """
        if not 0 < total <= BLOB_BYTES_MAX or start + len(octets) > total:
            raise BlobRefused("too_large")
        with self._locked([_checked(sha256)]):
            return self._append(sha256, start, octets, total)

    def _append(self, sha256: str, start: int, octets: bytes, total: int) -> int:
        if self._has_durably(sha256):
            return total
        part = self._part(sha256)
        offset = _size(part)
        if start == offset:
            self._write_piece(part, octets)
            offset += len(octets)
        if offset < total:
            return offset
        # Also after a crash between the last piece and this: the upload is completed now.
        refused = self._put_all({sha256: part.read_bytes()})
        part.unlink(missing_ok=True)
        if refused:
            raise refused[sha256]
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
        # Nothing is lost: the phone that sent the oldest still has all of it, and starts again from 0.
        found = sorted(folder.iterdir(), key=_touched)
        for oldest in found[: max(0, len(found) - PARTS_MAX + 1)]:
            oldest.unlink(missing_ok=True)

    def _part(self, sha256: str) -> Path:
        return self.folder / ".parts" / sha256


def _checked(sha256: str) -> str:
    """`sha256`, which becomes the name of a file; raises BlobRefused if it is no hash."""
    if not _SHA.match(sha256):
        raise BlobRefused("blob_mismatch")
    return sha256


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name[:64]}.new")


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


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
