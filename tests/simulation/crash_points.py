"""A phone killed at every point of saving, sending and acknowledging; and at every pair of points
of a shorter story (one signed consent).

A point is each task that the phone's database runs and each response that reaches it: between two
of them nothing can change. The story is short and has everything: three taps, a signature sent with
the push and one sent by itself, push, blob, pull, a backup after which the outbox is purged.

    python -m tests.simulation.crash_points [--pairs] [--slice I/N]

Invariant: every point is tried, counted from 1 until the story ends without a kill; the number of
points is found by running, never written down. It ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulation.oracle import check
from tests.simulation.phones import Device
from tests.simulation.runner import WRONG, Runner
from tests.simulation.settling import settle
from tests.simulation.world import World

START = ["start", 0, 0, 7]
# Taps by their seed: a note, a consent whose signature is sent with the push, one whose is not.
NOTE, CONSENT, LARGE = 1, 7, 186


@dataclass
class Cut:
    """Kills a phone at the points `at`: the second is counted from where the first one left off."""

    at: list[int]
    done: int = 0
    passed: int = 0

    def arm(self) -> int:
        """The point of the coming command at which to kill, or 0."""
        return self.at[self.done] - self.passed if self.done < len(self.at) else 0

    def count(self, points: int, cut: bool) -> None:
        self.passed += points
        if cut:
            self.done, self.passed = self.done + 1, 0


class Story(World):
    """A world in which the one phone can be killed in every command."""

    cut: Cut
    kills: Cut

    @property
    def cut_count(self) -> int:
        """How many of the requested kills happened; switching the phone off is none."""
        return self.kills.done

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        if self.cut.arm() <= 0 or "phone" not in command:
            return super().do(command)
        self.arm(str(command["phone"]), self.cut.arm(), "", 0)
        found = super().do(command)
        self.cut.count(int(str(found["points"])), not self.devices[str(command["phone"])].on)
        return found


def run_story(runner: Runner, cut: Cut, *, short: bool = False) -> Story:
    """The story with these kills, and check. `short`: one signed consent, saved and sent."""
    world = Story(runner.company(), runner.phones)
    world.cut, world.kills = Cut([]), cut
    world.run([START])
    _send(world)
    world.cut = cut
    for number in (CONSENT,) if short else (NOTE, CONSENT, LARGE):
        world.step(["tap", 0, number, False, 0, "", 0])
    _send(world)
    if not short:
        world.company.backup()
        _send(world)
    world.cut = Cut([])
    settle(world)
    check(world)
    return world


def _send(world: Story) -> None:
    device: Device = world.devices["phone0"]
    for _ in range(8):
        world.step(["wake", 0])
        while device.on and world.pending:
            world.step(["net", 0, "ok", 0, "", 0])
        if device.on:
            return


def singles(runner: Runner) -> Iterator[tuple[list[int], Story]]:
    """Each single point, until the story has no such point."""
    at = 1
    while True:
        world = run_story(runner, Cut([at]))
        if world.cut_count == 0:
            return
        yield [at], world
        at += 1


def pairs(runner: Runner, first: int, step: int) -> Iterator[tuple[list[int], Story]]:
    """Every pair of points, for each `step`-th first point from `first` on."""
    one = first
    while True:
        two = 1
        while True:
            world = run_story(runner, Cut([one, two]), short=True)
            if world.cut_count == 0:
                return
            if world.cut_count == 1:
                break
            yield [one, two], world
            two += 1
        one += step


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation.crash_points", description=__doc__)
    parser.add_argument("--pairs", action="store_true")
    parser.add_argument("--slice", default="1/1", help="I/N: first points I, I+N, I+2N …")
    given = parser.parse_args()
    first, step = (int(part) for part in given.slice.split("/"))
    runner, tried, wrong = Runner(), 0, dict.fromkeys(WRONG, 0)
    try:
        for at, world in pairs(runner, first, step) if given.pairs else singles(runner):
            tried += 1
            for what, why in dict.fromkeys(world.wrong):
                wrong[what] += 1
                print(f"killed at {at}: {what}: {why}", file=sys.stderr)
            print(f"\r{tried} ", end="", file=sys.stderr, flush=True)
    finally:
        runner.close()
    part = "crash_pairs" if given.pairs else "crash_points"
    print(json.dumps({"part": part, "fault": "F2", "tried": tried, **wrong}))
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
