"""The process with all phones (phones.mjs), and what the simulation knows about each."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

ROOT = Path(__file__).parents[2]


class OutboxRow(TypedDict):
    """An operation on a phone; `where`: phone, waits, sent or filed (record/replay.js)."""

    id: str
    by: str
    visit: str
    sha256: str
    where: str
    whole: bool


class UnsentRow(TypedDict):
    """A row of the phone's list of unsent work."""

    id: str
    state: str
    problem: str


class ShownVisit(TypedDict):
    """A visit as the phone shows it, with what is pending replayed on it."""

    id: str
    record: dict[str, Any]
    state: str


class PhoneContent(TypedDict):
    """What a phone stores and shows; `device` and `person` only when `enrolled`."""

    enrolled: bool
    device: str
    person: str
    outbox: list[OutboxRow]
    unsent: list[UnsentRow]
    counts: dict[str, int]
    visits: list[ShownVisit]


class Phones:
    """The process with all phones; `do` gives one result for each command."""

    def __init__(self, field_folder: Path = ROOT / "static" / "field") -> None:
        self._process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("phones.mjs"))], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | {"TZ": "UTC", "SIMULATED_FIELD": str(field_folder)},
        )  # fmt: skip

    def do(self, *commands: dict[str, Any]) -> list[dict[str, Any]]:
        """Raises RuntimeError when a command failed in the harness itself."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(commands) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the phones' process is gone")
        results: list[dict[str, Any]] = json.loads(line)
        for one in results:
            if "failed" in one:
                raise RuntimeError(one["failed"])
        return results

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()


@dataclass
class Device:
    """A phone as the world knows it: in the hands of `person`, with `tabs` pages when it is `on`."""

    name: str
    person: str
    on: bool = False
    tabs: int = 1
    enrolled: bool = False
    copy_of: set[str] | None = None
    """Ids that were in the outbox when its storage was copied; None without a copy."""


@dataclass
class Saved:
    """An operation that a phone showed as saved."""

    device: str
    person: str
    kind: str
    visit: str
    blobs: tuple[str, ...] = ()
    target: str = ""
    """Of a retraction: the operation it strikes."""
