"""What the desk's tests stand on: tenancies and visits made through the real push.

Invariant: nothing is written past the protocol core, so every page is tested on records that
can really come about. Ids are random; what a test looks for is what it has put in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pwa.ids import uuid4, uuid7
from pwa.people.accounts import User
from pwa.services import Services
from pwa.visits.holding import HeldRow, list_held
from pwa.visits.submitting import Draft, find_principal, principal_of, submit
from sync.operations import encode
from sync.push import Pushed, push

NOW = datetime.fromisoformat("2026-11-22T09:00:00+00:00")
FIELDS: dict[str, Any] = {
    "ref": "", "object": "705-022-04-0201", "apartment": "1102", "street": "Gatvägen 12 A",
    "postcode": "72187", "city": "Västerås", "property": "", "building": "", "area": "Norr",
    "move_in": "2026-11-10", "lease_end": "", "tenants": ["Testsson Test"],
    "phones": [{"original": "070-123 45 67", "e164": "+46701234567"}], "email": "",
    "language": "ar", "customer": "",
}  # fmt: skip
CONSENT: dict[str, Any] = {
    "purpose": "K8", "decision": "yes", "text_key": "K8.text", "text_version": "1",
    "text_sha256": "0" * 64, "text_state": "machine", "language": "ar", "recipient": "",
    "given_by": "tenant", "method": "oral", "attested": True, "signature": "",
    "interpreter": "ambassador", "expires": "2027-11-22",
}  # fmt: skip
SIGNATURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1l7 7"/></svg>'


def operation() -> str:
    """An operation id as a rendered form carries it."""
    return uuid7(int(NOW.timestamp() * 1000))


@dataclass
class Phone:
    """A phone in somebody's hands; each `do` is sent at once."""

    services: Services
    user: User
    taken: int = 0
    device: str = field(default_factory=uuid4)

    def do(self, kind: str, visit: str, data: Mapping[str, Any], **over: Any) -> Pushed:
        self.taken += 1
        at = over.pop("at", NOW)
        envelope = {
            "id": operation(),
            "v": 1,
            "kind": kind,
            "subject": {"type": "visit", "id": visit},
            "by": self.user.id,
            "device": self.device,
            "device_seq": self.taken,
            "at": at.isoformat(timespec="seconds"),
            "base": over.pop("base", self.services.storage.head().seq),  # type: ignore[union-attr]
            "data": data,
        }
        stamp = at.isoformat(timespec="seconds")
        text = encode(envelope | over)
        return push(
            self.services.storage, [text], principal_of(self.user), stamp, people=find_principal
        )


@dataclass
class World:
    """The company of a test: `visit()` makes a tenancy with a planned visit."""

    services: Services
    user_of: Callable[[str], User]
    tenancies: dict[str, str] = field(default_factory=dict)

    def visit(
        self,
        *,
        kind: str = "welcome",
        visitors: list[str] | None = None,
        date: str = "",
        time: str = "",
        **fields: Any,
    ) -> str:
        tenancy, visit = uuid4(), uuid4()
        self.desk("tenancy.register", tenancy, FIELDS | {"ref": tenancy} | fields, type="tenancy")
        self.desk("visit.plan", visit, {"tenancy": tenancy, "kind": kind})
        self.tenancies[visit] = tenancy
        data: dict[str, Any] = {}
        if visitors:
            data["visitors"] = [self.user_of(name).id for name in visitors]
        data |= {key: value for key, value in (("date", date), ("time", time)) if value}
        if data:
            self.desk("visit.assign", visit, data)
        return visit

    def desk(self, kind: str, id: str, data: Mapping[str, Any], type: str = "visit") -> None:
        base = self.services.storage.head().seq  # type: ignore[union-attr]
        drafts = [Draft(operation(), kind, id, data, base, type)]
        results = submit(self.services, self.user_of("alice"), drafts)
        assert [one.problem for one in results] == [""]

    def protect(self, visit: str) -> None:
        self.desk("tenancy.protect", self.tenancies[visit], {"reason": "staff"}, type="tenancy")

    def phone(self, name: str) -> Phone:
        return Phone(self.services, self.user_of(name))

    def done(self, phone: Phone, visit: str, at: datetime = NOW) -> None:
        """The shortest visit there can be: one answer, closed."""
        answer = {"item": "i09", "answer": "done", "guide": "g1", "language": "ar"}
        phone.do("visit.answer", visit, answer, at=at)
        phone.do("visit.close", visit, {"let_go": [], "read_back": True}, at=at)

    def follow_up(self, phone: Phone, visit: str, queue: str = "KT", **over: Any) -> str:
        """A follow-up; gives its id."""
        data = {"item": "i16", "queue": queue, "urgency": "three_days", "text": "Avin saknas."}
        at = over.pop("at", NOW)
        return phone.do("visit.follow_up", visit, data | over, at=at).results[0].id

    def signed(self, phone: Phone, visit: str) -> str:
        """A signed consent K8; gives the signature's hash."""
        sha = hashlib.sha256(SIGNATURE).hexdigest()
        self.services.blobs.put(sha, SIGNATURE)
        phone.do("visit.consent", visit, CONSENT | {"signature": sha, "method": "signature"})
        return sha

    def record(self, visit: str) -> dict[str, Any]:
        return self.services.storage.records({("visit", visit)})["visit", visit]

    def row(self, visit: str) -> dict[str, Any]:
        with self.services.databases.reading() as db:
            return dict(db.table("visit_index").get(visit))

    def held(self, user: User) -> list[HeldRow]:
        """What is held, as `user` sees it."""
        with self.services.databases.reading() as db:
            return list_held(db, user)

    def log_length(self) -> int:
        head = self.services.storage.head()
        assert head is not None
        return head.seq

    def form(self, visit: str, **fields: Any) -> dict[str, Any]:
        """The hidden fields of a form rendered now, and `fields`."""
        return {"operation": operation(), "base": str(self.record(visit)["seq"])} | fields


def days(number: int) -> datetime:
    """NOW, so many days later (or earlier)."""
    return NOW + timedelta(days=number)


def addresses(html: str) -> list[str]:
    """The visits a page links to, in its order, each once."""
    found = re.findall(r'href="/desk/visits/([0-9a-f-]{36})["#]', html)
    return list(dict.fromkeys(found))
