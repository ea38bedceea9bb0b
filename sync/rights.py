"""Authorisation: the checks that every operation passes before it is applied (PROTOCOL.md 3).

Invariant (I7): an operation passes only when its author's role and assignment cover it, and nobody,
not even a supervisor, can apply anything to a protected tenancy. Reads records and changes nothing;
what does not pass raises `Refusal` with the code under which it is to be held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sync.apply import had_at, has_now
from sync.kinds import KINDS
from sync.operations import Operation, Refusal
from sync.shapes import TenancyRecord, VisitRecord

DESK = "desk-"  # the desk's device id is this and the user's id; phones have random ids
GROUPS: Mapping[str, frozenset[str]] = {
    "visitor": frozenset({"field"}),
    "ambassador": frozenset({"field"}),
    "supervisor": frozenset({"field", "desk"}),
    "administrator": frozenset({"desk"}),
    "officer": frozenset({"officer"}),
}


class Lookup(Protocol):
    """Where the checks read records: None for one that does not exist."""

    def visit(self, id: str) -> VisitRecord | None: ...
    def tenancy(self, id: str) -> TenancyRecord | None: ...


@dataclass(frozen=True, slots=True)
class Principal:
    """A person: user id, role ("" for nobody's), and an officer's queue ("" otherwise).

    `ambassador_until`: the log's last number when they ceased to be an ambassador, -1 for who has
    never been one (sync/seen.py).
    """

    user: str
    role: str
    queue: str = ""
    ambassador_until: int = -1

    @property
    def groups(self) -> frozenset[str]:
        return GROUPS.get(self.role, frozenset())

    @property
    def is_ambassador(self) -> bool:
        """Whether this is a guest of the company, who is not shown what colleagues wrote."""
        return self.role == "ambassador"

    @property
    def sees_every_visit(self) -> bool:
        """Whether this reader may pull other people's visits too."""
        return self.role == "supervisor"


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of `sender` over `records`.

    `override`: a supervisor's authority replaces the right that the author lacks. It does not help
    where the subject is unknown or protected.
    """

    sender: Principal
    records: Lookup
    override: bool = False

    def check(self, operation: Operation) -> None:
        """Raise Refusal with the code the operation is to be held under."""
        if not self.override:
            if operation.by != self.sender.user:
                raise Refusal("author_mismatch")
            if not (KINDS[operation.kind].who & self.sender.groups):
                raise Refusal("no_right")
        if operation.type == "tenancy":
            self._check_tenancy(operation)
        elif operation.type == "visit":
            self._check_visit(operation)

    def is_protected(self, tenancy: str) -> bool:
        """Whether this is a protected tenancy's id; "" and unknown ids are not."""
        file = self.records.tenancy(tenancy) if tenancy else None
        return bool(file and file["protected"])

    def _check_tenancy(self, operation: Operation) -> None:
        record = self.records.tenancy(operation.subject)
        if record and record["protected"] and operation.kind != "tenancy.protect":
            raise Refusal("protected")
        if record is None and operation.kind == "tenancy.protect":
            raise Refusal("unknown_subject")

    def _check_visit(self, operation: Operation) -> None:
        record = self.records.visit(operation.subject)
        if operation.kind in ("visit.plan", "visit.open"):
            self._check_new_visit(operation, record)
            return
        if record is None:
            raise Refusal("unknown_subject")
        if self.is_protected(record["tenancy"]):
            raise Refusal("protected")
        if not self.override and not self._may(operation, record):
            raise Refusal("no_right")

    def _check_new_visit(self, operation: Operation, record: VisitRecord | None) -> None:
        tenancy = operation.data["tenancy"]
        if tenancy and self.records.tenancy(tenancy) is None:
            raise Refusal("unknown_subject")
        if self.is_protected(tenancy) or (record and self.is_protected(record["tenancy"])):
            raise Refusal("protected")
        if operation.kind == "visit.plan" or self.override:
            return
        # Opening a visit makes its author a visitor: it must not give access to somebody else's.
        if record is not None and not has_now(record, operation.by):
            raise Refusal("no_right")
        if tenancy and not self._knows_tenancy(operation.by, tenancy):
            raise Refusal("no_right")

    def _knows_tenancy(self, user: str, tenancy: str) -> bool:
        file = self.records.tenancy(tenancy)
        assert file is not None
        visits = [self.records.visit(visit) for visit in file["visits"]]
        return any(
            visit is not None and any(user in one["visitors"] for one in visit["assignments"])
            for visit in visits
        )

    def _may(self, operation: Operation, record: VisitRecord) -> bool:
        who = KINDS[operation.kind].who & self.sender.groups
        if "desk" in who:
            return True
        if "field" in who:
            return has_now(record, operation.by) or had_at(record, operation.by, operation.base)
        return any(
            one["id"] == operation.data.get("follow_up") and one["queue"] == self.sender.queue
            for one in record["follow_ups"]
        )
