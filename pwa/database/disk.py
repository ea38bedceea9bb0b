"""Files only their owner may read, and folder entries that survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def open_private(path: str, flags: int) -> int:
    """An `opener` for `open()`: a file that is created gets mode 0600."""
    return os.open(path, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` on disk: fsync of a file alone does not make its name durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
