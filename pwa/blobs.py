"""Blobs by content: signatures and photos as files named by their SHA-256.

Invariant: a file under its hash is whole and was on disk before anybody counted it
(temporary file, fsync, rename, fsync of the folder). It refuses content that does not hash
to its name, and types a browser could run.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from pathlib import Path

from sync.operations import BLOB_BYTES_MAX

_SHA = re.compile(r"[0-9a-f]{64}\Z")
# What a signature may contain: drawn lines, nothing that runs or loads (a script in an
# SVG would run in our origin if somebody opened the file itself).
_SVG = re.compile(rb"\A\s*(<\?xml[^>]*\?>\s*)?<svg\b", re.I)
_ACTIVE = re.compile(
    rb"<\s*(script|foreignobject|iframe|image|use|a|style|animate|set)\b|\bon\w+\s*=|javascript:|<!",
    re.I,
)
_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}


class BlobRefused(ValueError):
    """`code`: blob_mismatch, too_large or blob_type."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sniff(octets: bytes) -> str:
    """The media type the bytes themselves show; raises BlobRefused("blob_type") for any other."""
    for type, magic in _MAGIC.items():
        if octets.startswith(magic):
            return type
    if _SVG.match(octets) and not _ACTIVE.search(octets):
        return "image/svg+xml"
    raise BlobRefused("blob_type")


class Blobs:
    """The folder of blobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pieces = threading.Lock()  # two requests must not append to one upload at once

    def path(self, sha256: str) -> Path:
        """Where the blob is, or would be. Raises BlobRefused for anything but a hash."""
        if not _SHA.match(sha256):
            raise BlobRefused("blob_mismatch")
        return self.folder / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        return bool(_SHA.match(sha256)) and self.path(sha256).exists()

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or None where the blob has not come yet."""
        path = self.path(sha256)
        return path.read_bytes() if path.exists() else None

    def put(self, sha256: str, octets: bytes) -> str:
        """Keep `octets` under their hash, durably; gives the media type. Twice is harmless."""
        if len(octets) > BLOB_BYTES_MAX:
            raise BlobRefused("too_large")
        if hashlib.sha256(octets).hexdigest() != sha256:
            raise BlobRefused("blob_mismatch")
        type = sniff(octets)
        path = self.path(sha256)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = path.with_name(f".{sha256}.{secrets.token_hex(4)}")
            with part.open("wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync_folder(path.parent)
        return type

    # --- in pieces: a photo over a bad line ------------------------------------------

    def offset(self, sha256: str) -> int:
        """How many bytes of an unfinished upload are here (the whole size once it is done)."""
        path = self.path(sha256)
        if path.exists():
            return path.stat().st_size
        part = self._part(sha256)
        return part.stat().st_size if part.exists() else 0

    def append(self, sha256: str, start: int, octets: bytes, total: int) -> int:
        """Add a piece that starts at `start`; gives the new offset.

        A piece that does not begin where the upload stands changes nothing: the answer tells
        where to go on. The last piece turns the upload into a blob, or throws it away when it
        does not hash to its name (BlobRefused("blob_mismatch"): begin again from 0).
        """
        with self._pieces:
            return self._append(sha256, start, octets, total)

    def _append(self, sha256: str, start: int, octets: bytes, total: int) -> int:
        if total > BLOB_BYTES_MAX or start + len(octets) > total:
            raise BlobRefused("too_large")
        offset = self.offset(sha256)
        if start != offset or self.has(sha256):
            return offset
        part = self._part(sha256)
        part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with part.open("ab") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        if start + len(octets) < total:
            return start + len(octets)
        whole = part.read_bytes()
        try:
            self.put(sha256, whole)
        finally:
            part.unlink()
        return total

    def _part(self, sha256: str) -> Path:
        path = self.path(sha256)
        return path.with_name(f".{sha256}.part")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
