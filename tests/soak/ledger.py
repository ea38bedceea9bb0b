"""What has been run: one JSON line for each finished chunk, in `soak.jsonl`.

Invariant: a line is written only after its chunk has finished, and counts only for the files it was
measured on (a hash of the engine and of the part's harness). A failure stays counted: a chunk that
passes the second time does not cancel what it lost the first time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_SOURCES = {".py", ".js", ".mjs", ".html", ".c", ".json"}


@dataclass(frozen=True, slots=True)
class Line:
    """A finished chunk: its rows, the files' hash, when and at which commit; seconds it took."""

    part: str
    chunk: int
    tree: str
    commit: str
    date: str
    seconds: float
    passed: bool
    rows: list[dict[str, Any]] = field(default_factory=list)


class Ledger:
    """The lines of one file, oldest first."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[Line]:
        """Everything in the file but a last line that a crash cut short."""
        found = []
        for text in self.path.read_text("utf-8").splitlines() if self.path.exists() else []:
            try:
                found.append(Line(**json.loads(text)))
            except json.JSONDecodeError:
                continue
        return found

    def add(self, line: Line) -> None:
        """Append one line."""
        cut = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * cut + json.dumps(asdict(line), ensure_ascii=False) + "\n")

    def passed(self, part: str, tree: str) -> dict[int, Line]:
        """The newest good line of each chunk of `part` that was measured on `tree`."""
        lines = [one for one in self.lines() if (one.part, one.tree) == (part, tree)]
        return {one.chunk: one for one in lines if one.passed}

    def failed(self, part: str, tree: str) -> list[Line]:
        """Every bad line of `part` on `tree`, also where the same chunk has passed another time."""
        return [
            one for one in self.lines() if (one.part, one.tree, one.passed) == (part, tree, False)
        ]


def tree_hash(root: Path, places: Iterable[str]) -> str:
    """A hash of the sources in `places` (files or folders below `root`), names included."""
    found = hashlib.sha256()
    for place in sorted(places):
        top = root / place
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and path.suffix in _SOURCES:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                found.update(f"{path.relative_to(root)} {content}\n".encode())
    return found.hexdigest()
