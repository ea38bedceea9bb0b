"""What an applied operation changes: the log, its record, and everything that depends on the record.

Invariant (I7): whenever who may hold a visit changes, a `Visibility` with its reason is written with
the same `seq`, so that a phone either gets the visit or is sent that it is gone. Every other record
that a reader sees differently afterwards (the tenancy's visits, the household's visits) gets the
operation's `seq` too. Nothing here decides whether an operation may be applied: sync/push.py asks
sync/rights.py before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync.apply import apply_in_place, has_now, mark_alone, value_of
from sync.kinds import KINDS
from sync.operations import Operation, Refusal, parse, text_of
from sync.rights import Rights
from sync.seen import decided_alone
from sync.shapes import GoneReason, TenancyRecord, VisitRecord
from sync.storage import ALL, Entry, Head, Held, Visibility
from sync.working_set import WorkingSet

# What a retract strikes out. It may name anything: a consent it names keeps its bytes.
STRUCK_KINDS = frozenset({"visit.note", "visit.photo", "visit.follow_up"})


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of operations that `rights.sender` pushes, written into `work`."""

    work: WorkingSet
    rights: Rights

    def apply(self, operation: Operation, seq: int) -> None:
        """Let `operation` take effect as number `seq`."""
        if operation.type == "tally":
            data = operation.data
            tally = (data["day"], data["area"], data["topic"], data["value"])
            self.work.batch.tallies.append(tally)
        elif operation.type == "tenancy":
            self._apply_to_tenancy(operation, seq)
        else:
            self._apply_to_visit(operation, seq)

    # --- the record itself ----------------------------------------------------------

    def _apply_to_visit(self, operation: Operation, seq: int) -> None:
        before = self.work.visit(operation.subject)
        old = self._viewers(before) if before else frozenset()
        # In place: the record is this push's own copy, and sixty taps on one visit would copy it
        # sixty times. If this raises half-way, the push starts again from new copies.
        record = apply_in_place(before, operation, seq)
        if self._is_late(operation, record):
            record["late"].append(operation.id)
        if decided_alone(operation, self.rights.sender, accepted=self.rights.override):
            mark_alone(record, operation.id)
        self.work.put(record)
        self._blank_struck(operation, record)
        if record["tenancy"] and operation.kind in ("visit.plan", "visit.open"):
            self._join_tenancy(record, seq)
        if record["tenancy"] and operation.kind in ("visit.consent", "visit.withdraw"):
            self._renumber_household(record, seq)
        self._show(old, record, seq)

    def _is_late(self, operation: Operation, record: VisitRecord) -> bool:
        """Whether its author made it without having the visit now, and not as the desk."""
        who = KINDS[operation.kind].who
        sender = self.rights.sender
        by_desk = operation.by == sender.user and "desk" in (who & sender.groups)
        return "field" in who and not by_desk and not has_now(record, operation.by)

    def _apply_to_tenancy(self, operation: Operation, seq: int) -> None:
        file = self.work.tenancy(operation.subject) or _new_tenancy(operation.subject)
        if operation.kind == "tenancy.protect":
            self.work.batch.blank.extend(file["registers"])
            file = file | {"protected": True, "fields": {}, "seq": seq}
        else:
            names = KINDS["tenancy.register"].fields
            fields: Any = {name: operation.data[name] for name in names}
            file = file | {
                "fields": fields,
                "registers": [*file["registers"], operation.id],
                "seq": seq,
            }
        self.work.put(file)
        # A snapshot of a visit has its tenancy's address, so each visit changed too.
        for visit in file["visits"]:
            record = self.work.visit(visit)
            if record is not None:
                old = frozenset({ALL, *value_of(record, "visitors", [])})
                self.work.put(record | {"seq": seq})
                self._show(old, record, seq)

    # --- what depends on it ---------------------------------------------------------

    def _blank_struck(self, operation: Operation, record: VisitRecord) -> None:
        if operation.kind == "visit.retract":
            target = operation.data["operation"]
            # Only an entry of this visit: a retract must not blank another visit's words.
            entries = (*record["notes"], *record["photos"], *record["follow_ups"])
            if any(one["id"] == target for one in entries):
                self.work.batch.blank.append(target)
        elif operation.kind in STRUCK_KINDS and operation.id in record["retracted"]:
            self.work.batch.blank.append(operation.id)  # its retract arrived first

    def _join_tenancy(self, record: VisitRecord, seq: int) -> None:
        file = self.work.tenancy(record["tenancy"])
        assert file is not None
        if record["id"] not in file["visits"]:
            self.work.put(file | {"visits": [*file["visits"], record["id"]], "seq": seq})

    def _renumber_household(self, record: VisitRecord, seq: int) -> None:
        # A later decision at another visit, by someone whose phone has pulled this one, then has a
        # `base` of at least this `seq`, so it supersedes this one (sync/index.py, `consent_rows`).
        file = self.work.tenancy(record["tenancy"])
        for visit in file["visits"] if file else ():
            other = self.work.visit(visit) if visit != record["id"] else None
            if other is not None:
                self.work.put(other | {"seq": seq})

    def _show(self, old: frozenset[str], record: VisitRecord, seq: int) -> None:
        """Write who may hold the visit from `seq` on, as far as it differs from `old`, who might
        before."""
        new = self._viewers(record)
        reason: GoneReason = "reassigned"
        if self.rights.is_protected(record["tenancy"]):
            reason = "protected"
        elif value_of(record, "cancelled") == "yes":
            reason = "cancelled"
        for viewer in sorted(new - old):
            self.work.batch.visibility.append(Visibility(viewer, record["id"], seq, True, ""))
        for viewer in sorted(old - new):
            self.work.batch.visibility.append(Visibility(viewer, record["id"], seq, False, reason))

    def _viewers(self, record: VisitRecord) -> frozenset[str]:
        if self.rights.is_protected(record["tenancy"]):
            return frozenset()
        if value_of(record, "cancelled") == "yes":
            return frozenset({ALL})
        return frozenset({ALL, *value_of(record, "visitors", [])})


def log_entry(
    operation: Operation, octets: bytes, sha256: str, head: Head, received_at: str
) -> Entry:
    """The log's row for an applied operation, whose number and digest are `head`'s. A tally leaves
    its id and hash, and nothing that tells who counted, or when (PROTOCOL.md section 1)."""
    tally = operation.type == "tally"
    return Entry(
        seq=head.seq,
        id=operation.id,
        sha256=sha256,
        digest=head.digest,
        octets=None if tally else octets,
        kind=operation.kind,
        type=operation.type,
        subject=operation.subject,
        by="" if tally else operation.by,
        device="" if tally else operation.device,
        device_seq=0 if tally else operation.device_seq,
        at="" if tally else operation.at,
        base=0 if tally else operation.base,
        received_at=operation.data["day"] if tally else received_at,
    )


def waiting_for(work: WorkingSet, visit: str) -> list[Held]:
    """What is held only because this visit was unknown (batches swapped on the way), stored or in
    this push, in each device's own order."""
    stored = work.storage.held(visit=visit)
    fresh = [one for one in work.batch.held if one.visit == visit]
    waiting = [one for one in (*stored, *fresh) if one.problem == "unknown_subject"]
    return sorted(waiting, key=_device_order)


def _device_order(held: Held) -> tuple[str, int]:
    try:
        return held.device, parse(text_of(held.octets)).device_seq
    except Refusal:
        return held.device, 0


def _new_tenancy(id: str) -> TenancyRecord:
    return {
        "type": "tenancy",
        "id": id,
        "seq": 0,
        "protected": False,
        "fields": {},
        "registers": [],
        "visits": [],
    }
