"""What has happened in the demo company: visits in every state, made by operations.

Invariant: everything is pushed through the protocol core, by an invented phone or desk, as real
work is; the same day gives the same company.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from pwa.ids import operation_id, uuid4
from pwa.people.accounts import User
from pwa.services import Services
from pwa.visits.submitting import principal_of, principals
from pwa.visits.view_models import tick_answer
from sync.operations import encode
from sync.push import push
from sync.storage import read_device

AREAS = ("Norr", "Söder", "Öster")
SIGNATURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 60"><path d="M8 40c10-30 18-30 16-6'
    b's8 10 14-6 8-8 8 2 10 4 16-8 10-2 8 6 12 2 20-6 14 0 22-2 16-4 40-10"'
    b' fill="none" stroke="#1d1815" stroke-width="2.5" stroke-linecap="round"/></svg>'
)


def hob() -> bytes:
    """A photo that is clearly a drawing: a hob with one cold plate."""
    picture = Image.new("RGB", (800, 600), "#cfc8be")
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((140, 60, 660, 540), 24, fill="#26221f")
    for x, y in ((270, 180), (530, 180), (270, 420), (530, 420)):
        cold = (x, y) == (530, 180)
        pen.ellipse((x - 90, y - 90, x + 90, y + 90), fill="#4a4541" if cold else "#b8442c")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@dataclass(slots=True)
class Device:
    """A phone of one person, or their desk; it numbers what it sends."""

    services: Services
    user: User
    device: str
    taken: int = 0
    texts: list[str] = field(default_factory=list)

    def do(
        self,
        kind: str,
        visit: str,
        data: Mapping[str, Any],
        at: datetime,
        *,
        base: int = -1,
        type: str = "visit",
    ) -> str:
        """Write one operation, to be sent by `send`; its id. `base` -1: it has pulled everything."""
        self.taken += 1
        id = operation_id(at)
        head = self.services.storage.head()
        assert head is not None
        self.texts.append(
            encode(
                {
                    "id": id,
                    "v": 1,
                    "kind": kind,
                    "subject": {"type": type, "id": visit},
                    "by": self.user.id,
                    "device": self.device,
                    "device_seq": self.taken,
                    "at": at.isoformat(timespec="seconds"),
                    "base": head.seq if base < 0 else base,
                    "data": data,
                }
            )
        )
        return id

    def send(self, at: datetime) -> None:
        """Push everything written so far; the server receives it `at` this time."""
        received = at.astimezone(UTC).isoformat(timespec="seconds")
        push(
            self.services.storage,
            self.texts,
            principal_of(self.user),
            received,
            people=principals(self.services.databases.writer),
        )
        self.texts.clear()


class Story:
    """What happened to `visits`, which are in the order of their move-in days.

    `people`: sign-in name → user.
    """

    def __init__(
        self, services: Services, people: Mapping[str, User], visits: Sequence[str]
    ) -> None:
        self.services = services
        self.people = people
        self.visits = list(visits)
        self.today = services.today()
        self.zone = ZoneInfo(services.settings.zone)
        self.packs = {tag: services.guide.pack(tag) for tag in services.guide.languages}
        self.phones = {
            name: Device(services, people[name], f"demo-phone-{name}") for name in ("bob", "amira")
        }
        alice = people["alice"]
        record = read_device(services.storage, f"desk-{alice.id}")
        # The import has pushed as this desk already; its numbers continue from there.
        taken = record["received"][-1][1] if record else 0
        self.desk = Device(services, alice, f"desk-{alice.id}", taken)
        self.officer = Device(services, people["hugo"], f"desk-{people['hugo'].id}")

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        """A local time, `days` from today."""
        return datetime.combine(
            self.today + timedelta(days=days), time(hour, minute), tzinfo=self.zone
        )

    def day(self, days: int) -> str:
        return (self.today + timedelta(days=days)).isoformat()

    def run(self) -> None:
        visits = iter(self.visits)
        for number, ago in enumerate((150, 132, 118, 103, 88, 71)):
            self.approved(next(visits), "bob" if number % 2 else "amira", -ago)
        self.declined(next(visits), -60)
        self.waiting(next(visits), "amira", -4, faults=True)
        self.waiting(next(visits), "bob", -2, faults=False)
        self.returned(next(visits), -6)
        self.changed(next(visits), -9)
        self.not_reached(next(visits))
        self.conflict(next(visits))
        self.started(next(visits))
        self.held(next(visits))
        self.approved(next(visits), "amira", -12)
        self.booked(visits)
        self.stairwell()
        self.tallies()

    # --- one chapter each ----------------------------------------------------------

    def assign(self, visit: str, names: Sequence[str], day: int, clock: str, ago: int) -> None:
        data = {
            "visitors": [self.people[name].id for name in names],
            "date": self.day(day),
            "time": clock,
        }
        self.desk.do("visit.assign", visit, data, self.at(ago, 8, 40))
        self.desk.send(self.at(ago, 8, 40))

    def visit(self, visit: str, name: str, day: int, answers: Mapping[str, str]) -> Device:
        """A whole visit on the phone, section by section; neither closed nor sent yet. `answers`: item
        → answer, where it is not the usual one."""
        phone, version = self.phones[name], self.services.guide.version
        clock = self.at(day, 10, 3)
        language = "ar"
        phone.do("visit.language", visit, {"language": language}, clock)
        items = self.packs["sv"]["items"]
        for section in self.packs["sv"]["sections"]:
            ticks = {key: tick_answer(items[key]) for key in section["items"] if _asked(items[key])}
            ticks = {key: code for key, code in ticks.items() if code and key not in answers}
            clock += timedelta(minutes=2)
            if ticks:
                data = {"section": section["key"], "answers": ticks}
                phone.do("visit.tick", visit, data | _spoken(version, language), clock)
            for key in section["items"]:
                if not _asked(items[key]) or key in ticks:
                    continue
                clock += timedelta(seconds=40)
                answer = answers.get(key, items[key]["answers"][0])
                data = {"item": key, "answer": answer}
                phone.do("visit.answer", visit, data | _spoken(version, language), clock)
        return phone

    def close(self, phone: Device, visit: str, day: int) -> None:
        clock = self.at(day, 11, 5)
        phone.do("visit.close", visit, {"let_go": [], "read_back": True}, clock)
        phone.send(clock + timedelta(minutes=50))

    def approved(self, visit: str, name: str, day: int) -> None:
        self.assign(visit, [name], day, "10:00", day - 5)
        self.close(self.visit(visit, name, day, {}), visit, day)
        self.desk.do("visit.approve", visit, {"comment": ""}, self.at(day + 1, 9))
        self.desk.send(self.at(day + 1, 9))

    def declined(self, visit: str, day: int) -> None:
        self.assign(visit, ["bob"], day, "13:00", day - 3)
        self.phones["bob"].do("visit.attempt", visit, {"outcome": "declined"}, self.at(day, 13, 2))
        self.phones["bob"].send(self.at(day, 13, 3))

    def waiting(self, visit: str, name: str, day: int, *, faults: bool) -> None:
        """Done, and not yet reviewed. With `faults`: notes, follow-ups, consents, a signature."""
        self.assign(visit, [name], day, "10:00", day - 5)
        faulty = {"i23": "silent", "i35": "fault", "i39": "running", "i16": "no"}
        answers = faulty if faults else {}
        phone = self.visit(visit, name, day, answers)
        clock = self.at(day, 10, 45)
        if faults:
            note = {"item": "i39", "text": "Kranen i köket droppar, packningen är sliten."}
            phone.do("visit.note", visit, note, clock)
            self.follow_up(
                phone, visit, "i23", "FV", "same_day", "Brandvarnaren i hallen är tyst.", clock
            )
            self.follow_up(
                phone, visit, "i39", "FV", "three_days", "Kranen i köket droppar.", clock
            )
            photo = {"item": "i35", "photo": hashlib.sha256(hob()).hexdigest()}
            phone.do("visit.photo", visit, photo, clock)
            self.follow_up(
                phone, visit, "i35", "KT", "three_days", "En platta blir inte varm.", clock
            )
            asked = self.follow_up(
                phone,
                visit,
                "i16",
                "KT",
                "three_days",
                "Avin har inte kommit. Skicka om den.",
                clock,
            )
            self.follow_up(
                phone, visit, "", "KT", "fourteen_days", "Namnskylten på dörren saknas.", clock
            )
            self.consent(phone, visit, "K8", "yes", clock, signed=True)
            self.consent(phone, visit, "K1", "yes", clock, recipient="Boendeambassadörerna i Norr")
            self.consent(phone, visit, "K9", "no", clock)
        self.close(phone, visit, day)
        if faults:
            self.officer.do(
                "follow_up.answer",
                visit,
                {"follow_up": asked, "text": "Avin är skickad igen.", "done": True},
                self.at(day + 1, 8, 30),
            )
            self.officer.send(self.at(day + 1, 8, 30))
            withdrawal = {"purpose": "K1", "channel": "phone"}
            self.desk.do("visit.withdraw", visit, withdrawal, self.at(day + 2, 14))
            self.desk.send(self.at(day + 2, 14))

    def returned(self, visit: str, day: int) -> None:
        self.assign(visit, ["bob"], day, "15:30", day - 4)
        phone = self.visit(visit, "bob", day, {"i45": "fault", "i49": "later"})
        clock = self.at(day, 10, 50)
        words = "Nyckelbrickan öppnar inte tvättstugan."
        self.follow_up(phone, visit, "i49", "KT", "three_days", words, clock)
        self.close(phone, visit, day)
        points = [
            {"item": "i45", "text": "Vilket fönster är det? Skriv en rad och gör en uppföljning."},
            {"item": "i30", "text": "Lämnades kortet med telefonnummer på rätt språk?"},
        ]
        self.desk.do("visit.return", visit, {"points": points}, self.at(day + 1, 9, 20))
        self.desk.send(self.at(day + 1, 9, 20))

    def changed(self, visit: str, day: int) -> None:
        self.approved(visit, "bob", day)
        note = {"item": "i31", "text": "Låset har bytts sedan sist, nyckeln kärvar inte längre."}
        # Written before Bob's phone had pulled the approval.
        self.phones["bob"].do("visit.note", visit, note, self.at(day + 1, 9, 30), base=1)
        self.phones["bob"].send(self.at(day + 1, 16))

    def not_reached(self, visit: str) -> None:
        self.assign(visit, ["bob"], -12, "17:00", -16)
        for day in (-12, -10, -8):
            phone = self.phones["bob"]
            phone.do("visit.attempt", visit, {"outcome": "not_home"}, self.at(day, 17, 5))
            phone.send(self.at(day, 17, 6))

    def conflict(self, visit: str) -> None:
        """Alice moves the appointment while Bob, without network, agrees another at the door."""
        self.assign(visit, ["bob"], -1, "14:00", -6)
        head = self.services.storage.head()
        assert head is not None
        moved = {"date": self.day(2), "time": "09:00"}
        agreed = {"outcome": "rebooked", "date": self.day(3), "time": "16:00"}
        self.desk.do("visit.assign", visit, moved, self.at(-1, 11))
        self.desk.send(self.at(-1, 11))
        self.phones["bob"].do("visit.attempt", visit, agreed, self.at(-1, 14, 4), base=head.seq)
        self.phones["bob"].send(self.at(-1, 17))

    def started(self, visit: str) -> None:
        self.assign(visit, ["amira"], 0, "09:00", -5)
        version = self.services.guide.version
        data = {"item": "i09", "answer": "done"} | _spoken(version, "so")
        self.phones["amira"].do("visit.answer", visit, data, self.at(-1, 16))
        self.phones["amira"].send(self.at(-1, 16, 30))

    def held(self, visit: str) -> None:
        """Amira writes in a visit that she was never assigned to."""
        self.assign(visit, ["bob"], 1, "10:00", -3)
        note = {"item": "i35", "text": "Ventilen i badrummet sitter löst."}
        self.phones["amira"].do("visit.note", visit, note, self.at(-1, 12))
        follow_up = {"item": "i35", "queue": "FV", "urgency": "three_days", "text": ""}
        self.phones["amira"].do("visit.follow_up", visit, follow_up, self.at(-1, 12, 1))
        self.phones["amira"].send(self.at(-1, 16))

    def booked(self, visits: Any) -> None:
        plan = (
            (["bob"], 0, "10:00"), (["amira"], 0, "13:00"), (["bob"], 0, "15:30"),
            (["bob", "amira"], 1, "09:30"), (["amira"], 2, "14:00"), (["bob"], 4, "10:00"),
        )  # fmt: skip
        for names, day, clock in plan:
            self.assign(next(visits), names, day, clock, -2)

    def stairwell(self) -> None:
        """A question in the stairwell: no apartment, no name."""
        visit, clock = uuid4(), self.at(-3, 12, 20)
        phone = self.phones["amira"]
        phone.do("visit.open", visit, {"tenancy": "", "kind": "contact", "language": "so"}, clock)
        data = {"item": "i49", "answer": "done"} | _spoken(self.services.guide.version, "so")
        phone.do("visit.answer", visit, data, clock + timedelta(minutes=1))
        phone.send(clock + timedelta(hours=1))

    def tallies(self) -> None:
        for number, value in enumerate(("5", "4", "5", "5", "3")):
            data = {"day": self.day(-2), "area": AREAS[number % 3], "topic": "i69", "value": value}
            self.phones["bob"].do("tally.count", uuid4(), data, self.at(-2, 12), type="tally")
        self.phones["bob"].send(self.at(-2, 12, 1))

    # --- operations with much data -----------------------------------------------------

    def follow_up(
        self,
        phone: Device,
        visit: str,
        item: str,
        queue: str,
        urgency: str,
        text: str,
        at: datetime,
    ) -> str:
        data = {"item": item, "queue": queue, "urgency": urgency, "text": text}
        return phone.do("visit.follow_up", visit, data, at)

    def consent(
        self,
        phone: Device,
        visit: str,
        purpose: str,
        decision: str,
        at: datetime,
        *,
        recipient: str = "",
        signed: bool = False,
    ) -> None:
        pack = self.packs.get("ar", self.packs["sv"])
        key = f"{purpose}.text"
        text = pack["texts"].get(key, self.packs["sv"]["texts"][key])
        data = {
            "purpose": purpose,
            "decision": decision,
            "text_key": key,
            "text_version": str(pack["consents"][purpose]["version"]),
            "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "text_state": pack["states"].get(key, pack["state"]),
            "language": pack["language"],
            "recipient": recipient,
            "given_by": "tenant",
            "method": "signature" if signed else "oral",
            "attested": not signed,
            "signature": hashlib.sha256(SIGNATURE).hexdigest() if signed else "",
            "interpreter": "ambassador",
            "expires": self.day(300) if decision == "yes" else "",
        }
        phone.do("visit.consent", visit, data, at)


def _asked(item: Mapping[str, Any]) -> bool:
    return item["set_by"] == "visitor" and not item["tally"] and bool(item["answers"])


def _spoken(version: str, language: str) -> dict[str, str]:
    return {"guide": version, "language": language}
