"""A child process for one piece of work: forked, so that starting costs nothing, and really killed.

Invariant: the child ends without running anything of its parent's (no exit handlers, no pytest), and
what it reported before it died is read whole. Not while a database is open in the parent: a
forked SQLite connection must not be used.
"""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

Report = Callable[[Any], None]
"""Sends one JSON value to the parent."""


class ChildFailed(Exception):
    """The child ended by itself, with an error, which it has printed."""


def in_child(work: Callable[[Report], None]) -> tuple[list[Any], bool]:
    """Run `work` in a child; what it reported (JSON values), and whether it was killed.

    Raises ChildFailed when it was not killed and did not end well either.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as out:

                def report(value: Any) -> None:
                    out.write(json.dumps(value) + "\n")
                    out.flush()

                work(report)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        reported = [json.loads(line) for line in file if line.endswith("\n")]
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and status:
        raise ChildFailed(f"status {status}")
    return reported, killed


def die() -> None:
    """End this process as a power switch does: no handlers, nothing flushed."""
    os.kill(os.getpid(), signal.SIGKILL)
