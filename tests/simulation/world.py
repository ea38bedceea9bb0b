"""One run: phones, company, network, and the list of what was promised.

Invariant: the list of saved operations is the world's own, made from what the phones said
("Saved"), never from what they store; the oracle compares the two. Every chance is in the step.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sync.apply import conflicts_of
from tests.simulation.company import FIELD, VISITS, Answer, Company, visit_id
from tests.simulation.forms import PURPOSES, Forms
from tests.simulation.promises import check_phone
from tests.simulation.schedule import Step
from tests.simulation.sight import DECISIONS, Sight, ids_of

ROOT = Path(__file__).parents[2]
STEP_MS = 1_000
PAGE = Answer(200, {"Content-Type": "text/html"}, b"<html>Welcome to the hotel's network</html>")


class Phones:
    """The process with all phones; `do` gives one result for each command."""

    def __init__(self, field_folder: Path = ROOT / "static" / "field") -> None:
        self._process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("phones.mjs"))], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | {"TZ": "UTC", "SIMULATED_FIELD": str(field_folder)},
        )  # fmt: skip

    def do(self, *commands: dict[str, Any]) -> list[dict[str, Any]]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(commands) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the phones' process is gone")
        found: list[dict[str, Any]] = json.loads(line)
        for one in found:
            if "failed" in one:
                raise RuntimeError(one["failed"])
        return found

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()


@dataclass
class Device:
    """A phone as the world knows it."""

    name: str
    person: str
    on: bool = False
    tabs: int = 1
    enrolled: bool = False
    copy_of: set[str] | None = None  # ids that were in the outbox when it was copied


@dataclass
class Saved:
    """An operation of which a phone said "Saved"."""

    device: str
    person: str
    kind: str
    visit: str
    blobs: tuple[str, ...] = ()
    target: str = ""  # of a retraction: what it strikes out


@dataclass
class World:
    company: Company
    phones: Phones
    devices: dict[str, Device] = field(default_factory=dict)
    pending: list[dict[str, Any]] = field(default_factory=list)
    late: list[tuple[dict[str, Any], Answer]] = field(default_factory=list)
    saved: dict[str, Saved] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)  # in a storage that the browser emptied
    wiped: set[str] = field(default_factory=set)  # there and arrived: the server has the only copy
    reopened: set[str] = field(default_factory=set)  # was filed, and phones have not heard yet
    untold: set[str] = field(default_factory=set)  # phones whose loss has to be told
    unsent_blobs: set[str] = field(default_factory=set)  # went with a storage, if not sent before
    moved: set[str] = field(default_factory=set)  # people whose role was another for a while
    put_back: set[str] = field(default_factory=set)  # phones with an older copy of their storage
    wrong: list[tuple[str, str]] = field(default_factory=list)  # (lost|doubled|hidden, what)
    faults: Counter[str] = field(default_factory=Counter)
    sight: Sight = field(default_factory=Sight)
    forms: Forms = field(init=False)
    _asked_by: dict[Any, str] = field(default_factory=dict)
    _armed: dict[str, dict[str, Any]] = field(default_factory=dict)
    _trace: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self.forms = Forms(self.saved)

    # --- running

    def run(self, steps: Sequence[Step]) -> None:
        self.phones.do({"do": "reset"})
        for step in steps:
            self.step(step)

    def step(self, step: Step) -> None:
        self.company.clock.ms += STEP_MS
        self.trace("step", step)
        getattr(self, f"_{step[0]}")(*step[1:])

    def trace(self, *what: Any) -> None:
        self._trace.update(json.dumps(what, sort_keys=True).encode())

    @property
    def digest(self) -> str:
        return str(self._trace.hexdigest())

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        command["now"] = self.company.clock.ms
        command["arm"] = self._armed.pop(command["phone"], {"crash": 0, "fault": None})
        (result,) = self.phones.do(command)
        for event in result["events"]:
            kind = event["event"]
            if kind == "request":
                self.pending.append(event)
                self._asked_by[event["id"]] = self.devices[event["phone"]].person
            elif kind == "cut":
                self.faults["F2"] += 1
                self._is_off(event["phone"])
            elif kind == "fault":
                self.faults["F4"] += 1
            elif kind == "relaxed":
                self.wrong.append(("lost", "a write without strict durability"))
            elif kind in ("unread", "unopened"):
                self.wrong.append(("hidden", f"{kind}: {event['what']}"))
        if "now" in result:
            self.company.clock.ms = max(self.company.clock.ms, int(result["now"]))
        told = [
            {k: v for k, v in one.items() if k not in ("body", "what")} for one in result["events"]
        ]
        self.trace(command["do"], told, result.get("saved"))
        return result

    def _is_off(self, name: str) -> None:
        self.devices[name].on = False
        self.devices[name].tabs = 1
        self.pending = [one for one in self.pending if one["phone"] != name]
        self.late = [one for one in self.late if one[0]["phone"] != name]

    def _device(self, number: int) -> Device:
        names = list(self.devices)
        return self.devices[names[number % len(names)]]

    def _arm(self, device: Device, crash: int, idb: str, at: int) -> None:
        """The next command on this phone is cut off at point `crash`, or its storage fails."""
        self._armed[device.name] = {
            "crash": crash,
            "fault": {"kind": idb, "at": at} if idb else None,
        }

    # --- phones

    def _start(self, number: int, person: int, seed: int) -> None:
        device = Device(f"phone{number}", FIELD[person])
        self.devices[device.name] = device
        self.phones.do({"do": "phone", "phone": device.name, "seed": seed})
        self.boot(device)
        self.sign_in(device, device.person)

    def boot(self, device: Device) -> None:
        if device.on:
            return
        device.on = True
        result = self.do({"do": "boot", "phone": device.name, "tab": 0})
        device.enrolled = result["enrolled"]
        if result["lost"] and device.name in self.untold:
            self.untold.discard(device.name)
        if not device.enrolled:
            return

    def sign_in(self, device: Device, person: str) -> bool:
        self.boot(device)
        who = self.company.sign_in(device.name, person)
        if who is None:
            return False
        device.person = person
        self.do({"do": "sign_in", "phone": device.name, "tab": 0, "person": who})
        device.enrolled = device.on
        return True

    def _tap(self, number: int, seed: int, double: bool, crash: int, idb: str, at: int) -> None:
        device = self._device(number)
        self.boot(device)
        if not device.enrolled:
            self.sign_in(device, device.person)
            return
        chance = random.Random(seed)
        taps = [self.forms.fill(device, seed, chance, tab) for tab in range(device.tabs)]
        taps = taps if double else taps[chance.randrange(len(taps)) :][:1]
        if double and device.tabs == 1:
            taps.append({**taps[0]})  # a double tap on Save: the same form twice
            self.faults["F12"] += 1
        elif device.tabs > 1:
            self.faults["F12"] += 1
        self._arm(device, crash, idb, at)
        result = self.do({"do": "tap", "phone": device.name, "taps": taps})
        drafts = {one["id"]: one for tap in taps for one in tap["drafts"]}
        # Whether or not "Saved" was said: a phone that dies may have saved.
        decided = [id for id, one in drafts.items() if one["kind"] in DECISIONS]
        self.sight.decided(device.name, device.person, decided)
        blobs = {
            one["id"]: tuple(blob["sha256"] for blob in tap["blobs"])
            for tap in taps
            for one in tap["drafts"]
        }
        for id in result["saved"]:
            if id not in drafts:
                self.wrong.append(("doubled", "a form sent twice is saved under two ids"))
                continue
            draft = drafts[id]
            self.saved[id] = Saved(
                device.name, device.person, draft["kind"], draft["subject"]["id"], blobs[id],
                draft["data"].get("operation", ""),
            )  # fmt: skip

    def _hand(self, number: int) -> None:
        """Who is signed in hands over what waits for the others on this phone."""
        device = self._device(number)
        self.boot(device)
        if not device.enrolled:
            return
        authors = {row["by"] for row in self.look(device)["outbox"] if row["where"] == "waits"}
        for by in sorted(authors):
            if device.on:
                self.faults["F12"] += 1
                self.do({"do": "hand_over", "phone": device.name, "by": by})

    def _timer(self, number: int, crash: int, idb: str, at: int) -> None:
        device = self._device(number)
        if device.on:
            self._arm(device, crash, idb, at)
            self.do({"do": "timer", "phone": device.name})

    def _wake(self, number: int) -> None:
        device = self._device(number)
        self.boot(device)
        self.do({"do": "wake", "phone": device.name, "tab": 0})

    def _cut(self, number: int) -> None:
        self.off(self._device(number))

    def off(self, device: Device) -> None:
        if device.on:
            self.do({"do": "cut", "phone": device.name})

    def _tab(self, number: int) -> None:
        device = self._device(number)
        self.boot(device)
        if device.enrolled and device.tabs == 1:
            device.tabs = 2
            self.faults["F12"] += 1
            self.do({"do": "boot", "phone": device.name, "tab": 1})

    def _person(self, number: int, person: int) -> None:
        device = self._device(number)
        if FIELD[person] != device.person:
            self.faults["F12"] += 1
        self.sign_in(device, FIELD[person])

    def _out(self, number: int) -> None:
        device = self._device(number)
        if device.on and device.enrolled:
            self.do({"do": "sign_out", "phone": device.name, "tab": 0})

    def _clock(self, number: int, skew: int, zone: int) -> None:
        self.faults["F9"] += 1
        self.phones.do(
            {"do": "clock", "phone": self._device(number).name, "skew": skew, "zone": zone}
        )

    def _storage(self, number: int, what: str) -> None:
        device = self._device(number)
        if not device.enrolled:
            return
        self.boot(device)
        ids = {one["id"] for one in self.look(device)["outbox"]}
        self.off(device)
        if what == "keep":
            device.copy_of = ids
        else:
            if what == "older" and device.copy_of is None:
                return
            self.faults["F4"] += 1
            kept = device.copy_of or set() if what == "older" else set()
            gone = ids - kept
            known = self.company.known(gone)
            self.excused |= {id for id in gone if id not in known}
            self.wiped |= set(known)
            self.unsent_blobs |= {
                sha for id in gone if id in self.saved for sha in self.saved[id].blobs
            }
            if gone:
                self.untold.add(device.name)
            if what == "older":
                self.put_back.add(device.name)
        self.phones.do({"do": "storage", "phone": device.name, "what": what})
        self.boot(device)
        if what == "empty" and device.enrolled:
            self.wrong.append(("hidden", "an emptied phone went on as if nothing had been"))

    # --- network

    def _net(self, number: int, how: str, crash: int = 0, idb: str = "", at: int = 0) -> None:
        if not self.pending:
            return
        request = self.pending.pop(number % len(self.pending))
        self._arm(self.devices[request["phone"]], crash, idb, at)
        if how != "ok":
            self.faults["F11" if how in ("401", "403") else "F1"] += 1
        error, answer = self._weather(request, how)
        if how == "late" and answer:
            self.late.append((request, answer))
            return
        self.deliver(request, answer, error)

    def deliver(self, request: dict[str, Any], answer: Answer | None, error: str = "") -> None:
        if answer and not error:
            self.sight.heard(request["phone"], self._asked_by[request["id"]], answer.body)
        self.do({"do": "answer", "phone": request["phone"], "id": request["id"],
                 "answer": answer.as_json() if answer else None, "error": error})  # fmt: skip

    def _weather(self, request: dict[str, Any], how: str) -> tuple[str, Answer | None]:
        made = {
            "502": "<h1>Bad gateway</h1>",
            "503": "",
            "429": "",
            "413": "too large",
            "500": "<h1>oops</h1>",
        }
        if how == "drop_request":
            return "NetworkError", None
        if how == "html_200":
            return "", PAGE
        if how in made:
            return "", Answer(int(how), {"Content-Type": "text/html"}, made[how].encode())
        if how in ("401", "403"):
            code = "reauth" if how == "401" else "origin"
            return "", Answer(
                int(how),
                {"Content-Type": "application/json"},
                json.dumps({"problem": code}).encode(),
            )
        answer = self.company.ask(request["phone"], request)
        self.trace("served", request["method"], request["url"][:20], answer.status)
        if answer.status >= 500:
            self.wrong.append(("hidden", f"{request['method']} {request['url']}: {answer.status}"))
        if how == "twice":
            answer = self.company.ask(request["phone"], request)
        if how == "drop_answer":
            return "NetworkError", None
        if how == "timeout":
            return "TimeoutError", None
        if how == "html_200_after":
            return "", PAGE
        if how == "cut_off":
            return "", Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        return "", answer

    def _late(self, number: int) -> None:
        if self.late:
            request, answer = self.late.pop(number % len(self.late))
            self.deliver(request, answer)

    # --- the company

    def _desk(self, who: int, what: str, seed: int) -> None:
        chance, company = random.Random(seed), self.company
        name = ("alice", "alva")[who]
        visit = visit_id(chance.randrange(VISITS))
        record = company.record(visit)
        if record is None:
            return
        base = (
            record["seq"] if chance.random() < 0.8 else max(0, record["seq"] - chance.randrange(9))
        )
        ids = [company.users[one].id for one in FIELD]
        if what == "resolve":
            rows = company.held()
            if rows:
                row = rows[chance.randrange(len(rows))]
                company.resolve("alva", row.id, row.sha256, chance.choice(row.actions))
            return
        if what == "refile":
            filed = company.filed()
            if filed:
                row = filed[chance.randrange(len(filed))]
                company.resolve("alva", row.id, row.sha256, "reopen")
                self.reopened.add(row.id)
            return
        if what == "protect":
            company.desk(
                name, "tenancy.protect", record["tenancy"], {"reason": "staff"}, base, "tenancy"
            )
            return
        if what == "choose":
            found = conflicts_of(record)
            if found:
                cell = sorted(found)[chance.randrange(len(found))]
                value = found[cell][chance.randrange(len(found[cell]))]["value"]
                company.desk(name, "visit.choose", visit, {"field": cell, "value": value}, base)
            return
        if what in ("assign", "reassign"):
            self.faults["F11"] += 1
        changes: dict[str, tuple[str, dict[str, Any]]] = {
            "assign": ("visit.assign", {"visitors": chance.sample(ids, chance.randrange(1, 3))}),
            "reassign": ("visit.assign", {"visitors": chance.sample(ids, chance.randrange(0, 2))}),
            "date": (
                "visit.assign",
                {"date": f"2026-11-{chance.randrange(20, 30)}", "time": "10:00"},
            ),
            "approve": ("visit.approve", {"comment": ""}),
            "return": ("visit.return", {"points": [{"item": "", "text": "En sak till."}]}),
            "cancel": ("visit.cancel", {"reason": "other"}),
            "language": ("visit.language", {"language": chance.choice(("ar", "so"))}),
            "withdraw": ("visit.withdraw", {"purpose": chance.choice(PURPOSES), "channel": "desk"}),
            "follow_up": (
                "visit.follow_up",
                {"item": "", "queue": "KT", "urgency": "now", "text": "Ring."},
            ),
            "plan": ("visit.plan", {"tenancy": record["tenancy"], "kind": "welcome"}),
            "reopen": ("visit.reopen", {}),
            "register": ("visit.assign", {"time": "11:00"}),
        }
        company.desk(name, changes[what][0], visit, changes[what][1], base)
        after = company.record(visit)
        if what == "withdraw" and after:
            self.sight.decided_at_the_desk(after, ids_of(record), base)

    def _account(self, what: str, number: int) -> None:
        self.faults["F11"] += 1
        if what in ("officer", "ambassador", "visitor"):
            self.moved.add(FIELD[number])
        self.company.account(what, FIELD[number])

    def _server_clock(self, skew: int) -> None:
        self.faults["F9"] += 1
        self.company.clock.skew = timedelta(milliseconds=skew)

    def _backup(self, number: int) -> None:
        self.company.backup()

    def _restore(self, number: int) -> None:
        if self.company.backups:
            self.faults["F8"] += 1
            # The one thing a phone lets go of before a backup has passed it: what is protected
            # must not lie on phones a moment longer than it takes to arrive (PROTOCOL.md 4).
            hidden = self.company.protected({one.visit for one in self.saved.values()})
            gone = {id for id, one in self.saved.items() if one.visit in hidden}
            self.excused |= set(self.company.known(gone))
            self.company.restore(len(self.company.backups) - 1)
            # The browser took the phone's copy and the backup is older than the server's: no
            # machine has it any more. That the phone lost its storage has been told (`untold`).
            self.excused |= self.wiped - set(self.company.known(self.wiped))

    def _restart(self, number: int) -> None:
        self.company.reopen()

    # --- looking

    def look(self, device: Device) -> dict[str, Any]:
        return self.do({"do": "look", "phone": device.name})

    def _look(self, number: int) -> None:
        device = self._device(number)
        if device.on and device.enrolled:
            check_phone(self, device, self.look(device))
