"""What the long proof consists of: commands, cut into chunks.

A part is a command whose last line on standard output is JSON: `{"part", "fault", "tried", "lost",
"doubled", "hidden"}`, or `{"rows": [...]}` of such objects. `tried` counts injected faults; *lost* is a
saved operation that is in no outbox, log or held list; *doubled* took effect twice; *hidden* is held,
refused or unsent work that nobody is shown. The exit code is 0 only when the three are 0. Nothing else
about a harness is known here.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

PLANTED = "planted bugs"
FAULTS = {
    "F1": "network: requests and answers dropped, late, twice, cut short, pages of a stranger",
    "F2": "phone stopped at every step of save, send and acknowledge",
    "F3": "browser killed (SIGKILL) while saving and while sending",
    "F4": "errors of the phone's database",
    "F6": "server killed (SIGKILL) at every statement, file step and answer of a push",
    "F7": "failing writes and syncs, full disk, power cut",
    "F8": "server restored from an older backup",
    "F9": "clocks that are wrong or run backwards",
    "F11": "sign-ins ended, people moved or deactivated",
    "F12": "two tabs, two phones, two people on one phone",
    "F15": "hostile requests: garbage, spoilt forms, operations, cursors and files, by anybody",
    "F16": "other browser engines: saved, killed, opened again, sent",
    PLANTED: "mistakes planted in the code, to see the proof fail; hidden are those not caught",
}

# What every part's outcome depends on, besides its own harness.
ENGINE = ("sync", "pwa", "static/field", "static/sw.js", "templates/field", "templates/shared")
CAST = "tests/cast"  # people and sample data of every harness


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the proof.

    `command`: arguments after `python -m`, with `{chunk}` (from 1), `{chunks}`, `{seed}` (the first
    of this chunk's `each` seeds) and, where the rows go to a file instead of standard output,
    `{tally}`. `needs`: programs, any one of each group. `harness`: folders whose change makes a
    new run necessary.
    """

    name: str
    command: str
    chunks: int = 1
    harness: Sequence[str] = ()
    needs: Sequence[Sequence[str]] = ()
    each: int = 1

    def arguments(self, chunk: int, tally: str) -> list[str]:
        """The command of one chunk."""
        seed = (chunk - 1) * self.each + 1
        filled = self.command.format(chunk=chunk, chunks=self.chunks, seed=seed, tally=tally)
        return filled.split()

    def absent(self) -> str:
        """The programs this machine lacks; "" when the part can run."""
        return ", ".join(
            " or ".join(group) for group in self.needs if not any(map(shutil.which, group))
        )


def _simulated(name: str, command: str, chunks: int, each: int = 1) -> Part:
    command = f"tests.simulation{command}"
    return Part(name, command, chunks, ("tests/simulation", CAST), (("node",),), each)


def _kills(backend: str) -> Part:
    command = f"tests.browser.kills --kills 10 --backend {backend} --seed {{seed}}"
    return Part(f"kills-{backend}", command, 10, ("tests/browser", CAST), each=10)


def _engine(name: str, *needs: Sequence[str]) -> Part:
    return Part(
        name, f"tests.engines --engine {name} --times 10", 1, ("tests/engines", CAST), needs
    )


def _server(name: str, chunks: int, *needs: Sequence[str]) -> Part:
    command = f"tests.server_faults {name} --slice {{chunk}}/{{chunks}}"
    return Part(f"server-{name}", command, chunks, ("tests/server_faults", CAST), needs)


PARTS: Sequence[Part] = (
    _simulated("schedules", " --schedules 500 --seed {seed} --tally {tally}", 20, 500),
    _simulated("crash-points", ".crash_points", 1),
    _simulated("crash-pairs", ".crash_points --pairs --slice {chunk}/{chunks}", 20),
    _simulated("planted", ".mutations --slice {chunk}/{chunks}", 6),
    _kills("leveldb"),
    _kills("sqlite"),
    _engine("webkit", ("WebKitWebDriver",)),
    _engine("firefox", ("firefox-esr", "firefox")),
    _server("statements", 8),
    _server("writes", 8, ("gcc", "cc")),
    _server("disk", 4, ("gcc", "cc")),
    Part(
        "hostile",
        "tests.web.hostile --requests 1000 --seed {seed}",
        20,
        ("tests/web", "tests/server_faults", CAST),
    ),
    Part(
        "server-planted",
        "tests.server_faults planted",
        1,
        ("tests/server_faults", CAST),
        (("gcc", "cc"),),
    ),
)
