"""One run: phones, company, network, and the list of what was shown as saved.

Invariant: the list of saved operations is the world's own, made from what the phones showed
("Saved"), never from what they store; the oracle compares the two. Every chance is in the step.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tests.simulation import network, phone_steps, server_steps
from tests.simulation.company import Company, Response
from tests.simulation.forms import Forms
from tests.simulation.phones import Device, PhoneContent, Phones, Saved
from tests.simulation.schedule import Step
from tests.simulation.shown import ShownConsents

STEP_MS = 1_000
STEPS = phone_steps.STEPS | network.STEPS | server_steps.STEPS


@dataclass
class World:
    """The state of a run; each collection says what the oracle must take into account."""

    company: Company
    phones: Phones
    devices: dict[str, Device] = field(default_factory=dict)
    pending: list[dict[str, Any]] = field(default_factory=list)  # requests without a response yet
    late: list[tuple[dict[str, Any], Response]] = field(default_factory=list)
    saved: dict[str, Saved] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)  # lost with a storage that the browser emptied
    wiped: set[str] = field(
        default_factory=set
    )  # likewise, but the server has a copy: the only one
    reopened: set[str] = field(default_factory=set)  # was filed; phones learn it at their next pull
    unreported_losses: set[str] = field(default_factory=set)  # phones that must report one
    unsent_blobs: set[str] = field(default_factory=set)  # went with a storage, if not sent before
    role_changed: set[str] = field(default_factory=set)  # people who had another role for a while
    restored_phones: set[str] = field(default_factory=set)  # with an older copy of their storage
    wrong: list[tuple[str, str]] = field(default_factory=list)  # (lost|doubled|hidden, what)
    faults: Counter[str] = field(default_factory=Counter)
    shown: ShownConsents = field(default_factory=ShownConsents)
    forms: Forms = field(init=False)
    requested_by: dict[Any, str] = field(default_factory=dict)  # request id → who was signed in
    _armed: dict[str, dict[str, Any]] = field(default_factory=dict)
    _trace: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self.forms = Forms(self.saved)

    def run(self, steps: Sequence[Step]) -> None:
        self.phones.do({"do": "reset"})
        for step in steps:
            self.step(step)

    def step(self, step: Step) -> None:
        self.company.clock.ms += STEP_MS
        self.trace("step", step)
        STEPS[step[0]](self, *step[1:])

    def trace(self, *what: Any) -> None:
        """Add to the digest that two equal runs share."""
        self._trace.update(json.dumps(what, sort_keys=True).encode())

    @property
    def digest(self) -> str:
        return str(self._trace.hexdigest())

    def arm(self, name: str, crash: int, fault: str, at: int) -> None:
        """During the next command this phone is killed at point `crash`, or its storage fails."""
        self._armed[name] = {"crash": crash, "fault": {"kind": fault, "at": at} if fault else None}

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """A command to a phone; its result, after the events it reported have been noted."""
        command["now"] = self.company.clock.ms
        command["arm"] = self._armed.pop(command["phone"], {"crash": 0, "fault": None})
        (result,) = self.phones.do(command)
        for event in result["events"]:
            self._note(event)
        if "now" in result:
            self.company.clock.ms = max(self.company.clock.ms, int(result["now"]))
        events = [
            {key: value for key, value in one.items() if key not in ("body", "what")}
            for one in result["events"]
        ]
        self.trace(command["do"], events, result.get("saved"))
        return result

    def _note(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "request":
                self.pending.append(event)
                self.requested_by[event["id"]] = self.devices[event["phone"]].person
            case "cut":
                self.faults["F2"] += 1
                self._is_off(event["phone"])
            case "fault":
                self.faults["F4"] += 1
            case "relaxed":
                self.wrong.append(("lost", "a write without strict durability"))
            case "unread" | "unopened" as kind:
                self.wrong.append(("hidden", f"{kind}: {event['what']}"))

    def _is_off(self, name: str) -> None:
        self.devices[name].on = False
        self.devices[name].tabs = 1
        self.pending = [one for one in self.pending if one["phone"] != name]
        self.late = [one for one in self.late if one[0]["phone"] != name]

    # --- what several steps need

    def device(self, number: int) -> Device:
        names = list(self.devices)
        return self.devices[names[number % len(names)]]

    def boot(self, device: Device) -> None:
        """Open the app's page, if the phone is off."""
        if device.on:
            return
        device.on = True
        result = self.do({"do": "boot", "phone": device.name, "tab": 0})
        device.enrolled = result["enrolled"]
        if result["lost"]:
            self.unreported_losses.discard(device.name)

    def switch_off(self, device: Device) -> None:
        if device.on:
            self.do({"do": "cut", "phone": device.name})

    def sign_in(self, device: Device, person: str) -> bool:
        """Whether the server accepted the sign-in."""
        self.boot(device)
        who = self.company.sign_in(device.name, person)
        if who is None:
            return False
        device.person = person
        self.do({"do": "sign_in", "phone": device.name, "tab": 0, "person": who})
        device.enrolled = device.on
        return True

    def look(self, device: Device) -> PhoneContent:
        """What the phone stores and shows."""
        return cast(PhoneContent, self.do({"do": "look", "phone": device.name}))
