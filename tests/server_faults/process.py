"""A child process for one piece of work: forked, so that starting costs nothing, and really killed.

Invariant: the child ends without running anything of its parent's (no exit handlers, no pytest), and
what it told before it died is read whole. It refuses to be used while a database is open here.
"""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

Tell = Callable[[Any], None]


class ChildFailed(Exception):
    """The child ended by itself, and not well; it has printed why."""


def in_child(work: Callable[[Tell], None]) -> tuple[list[Any], bool]:
    """Run `work` in a child; what it told (JSON values), and whether it was killed.

    Raises ChildFailed when it was not killed and did not end well either.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as out:

                def tell(value: Any) -> None:
                    out.write(json.dumps(value) + "\n")
                    out.flush()

                work(tell)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        told = [json.loads(line) for line in file if line.endswith("\n")]
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and status:
        raise ChildFailed(f"status {status}")
    return told, killed


def die() -> None:
    """What a power switch does to a process."""
    os.kill(os.getpid(), signal.SIGKILL)
