"""A browser of another engine, as little of it as the story needs.

Invariant: the profile is on disk and outlives a kill; a kill is SIGKILL for every process that was
started. `wait` repeats a question until it is true; nothing waits for a fixed time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

WAIT_SECONDS = 30


class Engine(Protocol):
    """One browser with one page. `start` may be called again after `kill`."""

    name: str

    def start(self) -> None: ...
    def go(self, url: str) -> None: ...
    def run(self, script: str) -> Any:
        """The value (JSON) of an expression in the page; a promise is awaited."""
        ...

    def kill(self) -> None: ...
    def close(self) -> None: ...


class EngineError(Exception):
    """The browser did not carry out a command."""


def wait(engine: Engine, expression: str) -> Any:
    """The value of `expression` once it is true; while a page is changing it is asked again."""
    until = time.monotonic() + WAIT_SECONDS
    last: object = None
    while time.monotonic() < until:
        try:
            value = engine.run(expression)
            if value:
                return value
        except EngineError as error:
            last = error
        time.sleep(0.05)
    with suppress(EngineError):
        last = engine.run(
            "location.pathname + ' ' + (document.querySelector('main') ?? document.body).innerText"
        )
    raise AssertionError(f"{engine.name}: never became true: {expression}; {last or ''}")


def kill_tree(process: subprocess.Popen[Any]) -> None:
    """SIGKILL for a process and all it has started; collected first, because orphans lose their parent."""
    for pid in [process.pid, *_children(process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(timeout=30)


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                pid = int(path.parent.name)
                found += [pid, *_children(pid)]
    return found


def call_of(script: str) -> str:
    """A function body that gives the value of `script` as JSON text."""
    return f"return JSON.stringify((await ({script})) ?? null)"


def value_of(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else None
