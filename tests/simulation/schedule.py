"""What happens in a run: a list of steps, made from a seed before anything runs.

Invariant: a step contains everything that chance decides about it (its numbers are taken
modulo what is there when it runs), so a list with some steps left out still runs, and a failing
one can be made smaller.
"""

from __future__ import annotations

import random
from typing import Any, TypeAlias

Step: TypeAlias = list[Any]

# How a request can go wrong (F1); "ok" is how it does not.
NETWORK = (
    "drop_request", "drop_answer", "timeout", "twice", "html_200", "html_200_after", "502", "503", "429",
    "413", "401", "403", "500", "cut_off", "late",
)  # fmt: skip
IDB = ("QuotaExceededError", "AbortError", "UnknownError", "InvalidStateError", "close")
CLOCKS = (3_600_000, -3_600_000, 3 * 365 * 86_400_000, -3 * 365 * 86_400_000, 660_000)
ACCOUNT = ("end_sessions", "deactivate", "activate", "password", "officer", "ambassador", "visitor")
DESK = (
    "assign",
    "reassign",
    "date",
    "approve",
    "return",
    "cancel",
    "choose",
    "protect",
    "resolve",
    "resolve",
    "resolve",
    "refile",
    "language",
    "withdraw",
    "follow_up",
    "plan",
    "reopen",
    "register",
)
DEVICES_MAX = 6
OPERATIONS_MAX = 200


def schedule(seed: int) -> list[Step]:
    """The steps of run `seed`: most are short; one in a hundred is as long as they get, and finds most bugs."""
    chance = random.Random(seed)
    devices = chance.choice((1, 2, 2, 3, 3, 4, 5, DEVICES_MAX))
    size = chance.random()
    length = (
        chance.choice((3, 4, 6, 8, 12, 16)) if size < 0.98
        else chance.choice((40, 80)) if size < 0.99
        else OPERATIONS_MAX
    )  # fmt: skip
    if length == OPERATIONS_MAX:
        devices = DEVICES_MAX
    # Each run has its own rates: some have no fault of a kind at all, some little else.
    rates = {
        "network": chance.choice((0.0, 0.1, 0.3, 0.6)),
        "crash": chance.choice((0.0, 0.05, 0.2)),
        "idb": chance.choice((0.0, 0.0, 0.05, 0.2)),
        "rare": chance.choice((0.0, 0.05, 0.15, 0.4)),
        "desk": chance.choice((0.1, 0.3)),
    }
    steps: list[Step] = [
        ["start", device, device % 3, chance.randrange(1 << 30)] for device in range(devices)
    ]
    steps += [["net", chance.randrange(64), "ok"] for _ in range(devices * 3)]
    for _ in range(length):
        steps += _round(chance, devices, rates)
    return steps


def _round(chance: random.Random, devices: int, rates: dict[str, float]) -> list[Step]:
    """One tap and what happens around it."""
    device = chance.randrange(devices)
    steps: list[Step] = [
        [
            "tap",
            device,
            chance.randrange(1 << 30),
            chance.random() < 0.25,
            *_faults(chance, rates),
        ]
    ]
    for _ in range(chance.choice((0, 1, 2, 3, 4))):
        what = chance.random()
        if what < 0.62:
            how = chance.choice(NETWORK) if chance.random() < rates["network"] else "ok"
            steps.append(["net", chance.randrange(64), how, *_faults(chance, rates)])
        elif what < 0.92:
            steps.append(["timer", chance.randrange(devices), *_faults(chance, rates)])
        else:
            steps.append(["wake", chance.randrange(devices)])
    if chance.random() < rates["desk"]:
        steps.append(["desk", chance.randrange(2), chance.choice(DESK), chance.randrange(1 << 30)])
    if chance.random() < rates["rare"]:
        steps.append(_rare(chance, devices))
    if chance.random() < 0.2:
        steps.append(["late", chance.randrange(64)])
    if chance.random() < 0.3:
        steps.append(["look", chance.randrange(devices)])
    return steps


def _faults(chance: random.Random, rates: dict[str, float]) -> list[Any]:
    """[crash at this point or 0, IndexedDB fault or "", at this transaction]"""
    crash = chance.randrange(1, 60) if chance.random() < rates["crash"] else 0
    idb = chance.choice(IDB) if chance.random() < rates["idb"] else ""
    return [crash, idb, chance.randrange(1, 5) if idb else 0]


def _rare(chance: random.Random, devices: int) -> Step:
    device = chance.randrange(devices)
    kind = chance.choice(
        (
            "clock",
            "server_clock",
            "account",
            "account",
            "person",
            "person",
            "hand",
            "out",
            "tab",
            "tab",
            "tab",
            "cut",
            "backup",
            "restore",
            "restart",
            "keep",
            "empty",
            "older",
        )
    )
    if kind == "clock":
        return ["clock", device, chance.choice(CLOCKS), chance.choice((-60, 0, 480))]
    if kind == "server_clock":
        return ["server_clock", chance.choice(CLOCKS[:2])]
    if kind == "account":
        return ["account", chance.choice(ACCOUNT), chance.randrange(3)]
    if kind == "person":
        return ["person", device, chance.randrange(3)]
    if kind in ("out", "tab", "cut", "hand"):
        return [kind, device]
    if kind in ("keep", "empty", "older"):
        return ["storage", device, kind]
    return [kind, chance.randrange(8)]
