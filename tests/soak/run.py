"""Running the parts: one chunk after the other, resumable at any moment.

Invariant: a chunk that has passed on these very files is not run again; one that was interrupted or
failed is. A part is not good when its command died, printed nothing countable, or counted something
lost, doubled or hidden.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.soak import proof, unseen
from tests.soak.ledger import Ledger, Line, tree_hash
from tests.soak.parts import ENGINE, Part

BAD = ("lost", "doubled", "hidden")
SHOWN_LINES = 40


@dataclass(frozen=True, slots=True)
class Soak:
    """Where things are. `report` gets the progress, a line at a time."""

    root: Path
    ledger: Ledger
    proof: Path
    readme: Path
    report: Callable[[str], None] = print

    @property
    def unseen(self) -> Path:
        """The tally of seeds never used before, beside the figures of the parts."""
        return self.proof.with_name("unseen.json")

    def run(
        self, parts: Sequence[Part], order: Sequence[str], *, fresh: bool = False, commit: str = ""
    ) -> bool:
        """Run what has not passed yet of `parts`, then publish; whether all is good.

        `order`: the names of all parts there are. `fresh` runs chunks again that have passed.
        """
        good, rows = True, []
        for part in parts:
            absent = part.absent()
            if absent:
                self.report(f"{part.name}: not run and not counted, {absent} is not installed here")
                continue
            tree = tree_hash(self.root, [*ENGINE, *part.harness])
            good &= self._run_part(part, tree, fresh, commit)
            passed = self.ledger.passed(part.name, tree)
            lines = [*passed.values(), *self.ledger.failed(part.name, tree)]
            if lines:
                rows += proof.tally(part.name, lines, part.chunks)
        proof.publish(self.readme, proof.merge(self.proof, rows, order), unseen.load(self.unseen))
        return good

    def _run_part(self, part: Part, tree: str, fresh: bool, commit: str) -> bool:
        done = {} if fresh else self.ledger.passed(part.name, tree)
        todo = [n for n in range(1, part.chunks + 1) if n not in done]
        if len(todo) < part.chunks:
            self.report(
                f"{part.name}: {part.chunks - len(todo)} of {part.chunks} chunks done before"
            )
        good, spent = True, 0.0
        for position, chunk in enumerate(todo):
            left = _left(spent, position, len(todo))
            self.report(
                f"{part.name}: chunk {chunk} of {part.chunks} ({_span(spent)} so far{left})"
            )
            started = time.monotonic()
            rows, passed, why = run_chunk(self.root, part, chunk, self.report)
            seconds = time.monotonic() - started
            spent += seconds
            if rows:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                self.ledger.add(
                    Line(part.name, chunk, tree, commit, now, round(seconds, 1), passed, rows)
                )
            if not passed:
                good = False
                self.report(f"{part.name}: chunk {chunk} FAILED: {why}")
        return good


def run_chunk(
    root: Path, part: Part, chunk: int, report: Callable[[str], None] = print
) -> tuple[list[dict[str, Any]], bool, str]:
    """Run one chunk; its rows (none when it counted nothing), whether it is good, and why not.

    What it prints before its last line (which schedule caught which mistake) is reported.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tally.json"
        command = part.arguments(chunk, str(file))
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate()
        except BaseException:
            # Its own children (servers, browsers) too: they share a process group with nobody else.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        for line in out.splitlines()[:-1]:
            report(f"  {line}")
        text = file.read_text("utf-8") if file.exists() else (out.splitlines() or [""])[-1]
    tail = "\n".join((out + err).splitlines()[-SHOWN_LINES:])
    try:
        found = json.loads(text)
        rows = found.get("rows", [found])
        bad = [row for row in rows if any(row[key] for key in BAD)]
        counted = sum(int(row["tried"]) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError):
        return [], False, f"it printed nothing countable (exit {process.returncode})\n{tail}"
    if bad:
        return rows, False, f"{json.dumps(bad)}\n{tail}"
    if process.returncode or not counted:
        return [], False, f"exit {process.returncode}, {counted} tried\n{tail}"
    return rows, True, ""


def commit_of(root: Path) -> str:
    """The short commit of `root`, with a + where the engine's files differ from it."""
    head = _git(root, "rev-parse", "--short", "HEAD").strip()
    return head + "+" * bool(_git(root, "status", "--porcelain", "--", *ENGINE).strip())


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout


def _left(spent: float, done: int, all: int) -> str:
    return f", about {_span(spent / done * (all - done))} left" if done else ""


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
