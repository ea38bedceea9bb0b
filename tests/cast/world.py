"""A company in a running application, whose tenancies and visits are made through the real push.

Invariant: nothing is written past the protocol core, so every page is tested on records that
can really come about. Ids are random; a test looks for the values it has put in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pwa.ids import uuid4
from pwa.people.accounts import User
from pwa.services import Services
from pwa.visits.holding import HeldRow, list_held
from pwa.visits.submitting import Draft, principal_of, principals, submit
from sync.push import Pushed, push
from tests.cast.drafts import planned_visit
from tests.cast.operations import NOW as NOW
from tests.cast.operations import OperationMaker
from tests.cast.operations import operation_id as operation
from tests.cast.samples import CONSENT as CONSENT
from tests.cast.samples import FIELDS as FIELDS
from tests.cast.samples import SIGNATURE as SIGNATURE
from tests.cast.samples import answer, sha256_of, signed


@dataclass
class Phone:
    """A phone in somebody's hands, without HTTP; each `do` is sent at once."""

    services: Services
    user: User
    device: str = field(default_factory=uuid4)
    maker: OperationMaker = field(init=False)

    def __post_init__(self) -> None:
        self.maker = OperationMaker(self.user.id, self.device)

    def do(self, kind: str, visit: str, data: Mapping[str, Any], /, **changes: Any) -> Pushed:
        """One operation at `at` (NOW), of somebody who has pulled all there is, unless changed."""
        stamp = changes.pop("at", NOW).isoformat(timespec="seconds")
        own = {"at": stamp, "base": head_of(self.services)}
        text = self.maker.make(kind, visit, data, **(own | changes))
        return push(
            self.services.storage,
            [text],
            principal_of(self.user),
            stamp,
            people=principals(self.services.databases.writer),
        )


def head_of(services: Services) -> int:
    """The number of the log's last operation."""
    head = services.storage.head()
    assert head is not None
    return head.seq


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
        self.tenancies[visit] = tenancy
        for draft in planned_visit(
            tenancy,
            visit,
            [self.user_of(name).id for name in visitors or []],
            kind=kind,
            fields=FIELDS | {"ref": tenancy} | fields,
            assignment={key: value for key, value in (("date", date), ("time", time)) if value},
        ):
            self.desk(draft.kind, draft.subject, draft.data, draft.type)
        return visit

    def desk(self, kind: str, id: str, data: Mapping[str, Any], type: str = "visit") -> None:
        drafts = [Draft(operation(), kind, id, data, head_of(self.services), type)]
        results = submit(self.services, self.user_of("alice"), drafts)
        assert [one.problem for one in results] == [""]

    def protect(self, visit: str) -> None:
        self.desk("tenancy.protect", self.tenancies[visit], {"reason": "staff"}, type="tenancy")

    def phone(self, name: str) -> Phone:
        return Phone(self.services, self.user_of(name))

    def done(self, phone: Phone, visit: str, at: datetime = NOW) -> None:
        """The shortest visit there can be: one answer, closed."""
        phone.do("visit.answer", visit, answer("i09", "done"), at=at)
        phone.do("visit.close", visit, {"let_go": [], "read_back": True}, at=at)

    def follow_up(self, phone: Phone, visit: str, queue: str = "KT", **over: Any) -> str:
        """A follow-up; gives its id."""
        data = {"item": "i16", "queue": queue, "urgency": "three_days", "text": "Avin saknas."}
        at = over.pop("at", NOW)
        return phone.do("visit.follow_up", visit, data | over, at=at).results[0].id

    def signed(self, phone: Phone, visit: str) -> str:
        """A signed consent K8; gives the signature's hash."""
        sha = sha256_of(SIGNATURE)
        self.services.blobs.put(sha, SIGNATURE)
        phone.do("visit.consent", visit, signed(sha))
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
        return head_of(self.services)

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
