"""A disk that can fail, fill up, or lose power: everything below one folder, call by call.

Invariant: what survives a power cut is what POSIX promises and no more: the content of a file as it
was when fsync was last called on it, under the names its folder had when fsync was last called on
*that*; of everything since, a seeded part may have reached the disk, torn at sectors. It needs
shim.c loaded (LD_PRELOAD); shared memory (`-shm`) is not on disk and is left out.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

SECTOR = 512
SHIM = "TROSKEL_FAULT_SHIM"
KINDS = ("write", "fsync", "truncate", "rename", "mkdir", "unlink", "short")
_HOOK = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_longlong,
    ctypes.c_longlong,
    ctypes.c_char_p,
)

Fault = Callable[[int, str, str, bool], int]
"""(number, kind, path, whether it makes the file larger) → 0, an errno, or -1 - bytes to write."""


def compiler() -> str | None:
    """A C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def environment(folder: Path) -> dict[str, str]:
    """Compile the shim into `folder`; the environment of a process under it."""
    cc = compiler()
    assert cc is not None
    shim = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([cc, "-shared", "-fPIC", "-O2", "-o", shim, source, "-ldl"], check=True)
    return os.environ | {"LD_PRELOAD": str(shim), SHIM: "1"}


class Disk:
    """Watches `root`; calls `fault` before each change while `watch(True)`."""

    def __init__(self, root: Path, fault: Fault) -> None:
        self.root, self.count, self._gone = root, 0, 0
        self._fault, self._watching = fault, False
        self._content: dict[int, bytes] = {}
        self._pending: dict[int, list[tuple[int, bytes | None]]] = {}
        self._folders: dict[str, dict[str, int]] = {}
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            self._sync_folder(str(folder))
            for path in folder.iterdir():
                if path.is_file():
                    self._content[path.stat().st_ino] = path.read_bytes()
        self._hook = _HOOK(self._called)  # a reference, because ctypes keeps none
        ctypes.CDLL(None).fault_hook(self._hook)

    def watch(self, on: bool) -> None:
        """Start or stop numbering the calls and letting them fail."""
        self._watching = on

    def cut_power(self, target: Path, seed: int | None) -> None:
        """Write to `target` what the next start finds: what was synced, and with a `seed` a part of
        the rest."""
        chance = random.Random(seed) if seed is not None else None
        self._restore(str(self.root), target, chance)

    # --- calls -------------------------------------------------------------------------

    def _called(
        self, kind: int, handle: int, bytes_at: int, size: int, offset: int, named: bytes
    ) -> int:
        path = os.fsdecode(named) if named else os.readlink(f"/proc/self/fd/{handle}")
        if not path.startswith(f"{self.root}/") and path != str(self.root):
            return 0
        what = KINDS[kind]
        old = os.fstat(handle).st_size if handle >= 0 else 0
        if what == "write" and offset < 0:
            appends = os.O_APPEND & int(_flags(handle), 8)
            offset = old if appends else os.lseek(handle, 0, os.SEEK_CUR)
        answer = 0
        if self._watching:
            self.count += what != "short"
            grows = what in ("rename", "mkdir") or (what == "write" and offset + size > old)
            answer = self._fault(self.count, what, path.removeprefix(f"{self.root}/"), grows)
        if answer == 0 and what in ("rename", "unlink"):
            self._keep_removed(path)
        elif answer == 0:
            self._remember(what, handle, path, bytes_at, size, offset)
        return answer

    def _keep_removed(self, path: str) -> None:
        # The name is about to lose its file, whose inode number a new file may get: move what is known
        # of it to a number that no file has.
        try:
            inode = os.stat(path).st_ino
        except FileNotFoundError:
            return
        self._gone -= 1
        for names in self._folders.values():
            for name in [name for name, one in names.items() if one == inode]:
                names[name] = self._gone
        if inode in self._content:
            self._content[self._gone] = self._content.pop(inode)
        if inode in self._pending:
            self._pending[self._gone] = self._pending.pop(inode)

    def _remember(
        self, what: str, handle: int, path: str, bytes_at: int, size: int, offset: int
    ) -> None:
        if path.endswith("-shm") or handle < 0:
            return
        inode = os.fstat(handle).st_ino
        if what == "write":
            self._pending.setdefault(inode, []).append((offset, ctypes.string_at(bytes_at, size)))
        elif what == "truncate":
            self._pending.setdefault(inode, []).append((size, None))
        elif os.path.isdir(path):
            self._sync_folder(path)
        else:
            with open(f"/proc/self/fd/{handle}", "rb") as file:
                self._content[inode] = file.read()
            self._pending.pop(inode, None)

    def _sync_folder(self, path: str) -> None:
        self._folders[path] = _names(path)

    # --- after the power cut -----------------------------------------------------------

    def _restore(self, folder: str, target: Path, chance: random.Random | None) -> None:
        target.mkdir(mode=0o700)
        names = self._folders.get(folder, {})
        if chance and chance.random() < 0.5:
            names = _names(folder)
        for name, inode in names.items():
            inside = f"{folder}/{name}"
            if os.path.isdir(inside):
                self._restore(inside, target / name, chance)
            else:
                (target / name).write_bytes(self._survives(inode, chance))

    def _survives(self, inode: int, chance: random.Random | None) -> bytes:
        kept = bytearray(self._content.get(inode, b""))
        for offset, octets in self._pending.get(inode, []) if chance else []:
            assert chance is not None
            if chance.random() < 0.5:
                continue
            if octets is None:
                del kept[offset:]
                kept.extend(bytes(offset - len(kept)))
                continue
            if chance.random() < 0.3:
                octets = octets[: chance.randrange(len(octets) // SECTOR + 1) * SECTOR]
            kept.extend(bytes(max(0, offset + len(octets) - len(kept))))
            kept[offset : offset + len(octets)] = octets
        return bytes(kept)


def _names(folder: str) -> dict[str, int]:
    with os.scandir(folder) as entries:
        return {one.name: one.inode() for one in entries if not one.name.endswith("-shm")}


def _flags(handle: int) -> str:
    with open(f"/proc/self/fdinfo/{handle}") as file:
        return next(line.split()[1] for line in file if line.startswith("flags:"))
