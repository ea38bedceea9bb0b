"""What an operation does to a visit record, and how to read one: pure functions.

Invariant (I4, I5): equal logs give equal records, and batches from one device may come in any
order; static/field/record/apply.js is the twin (sync/vectors/apply holds both to the same
results). Nothing here looks at a clock or checks rights, and no value is dropped: a write that
loses stays beside the winner until someone who was shown both has written. An operation about
another subject is the caller's bug (AssertionError), never the phone's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

from sync.kinds import KINDS
from sync.operations import Operation
from sync.seen import author_of, had_seen
from sync.shapes import (
    Attempt,
    Cell,
    Consent,
    Decision,
    Entry,
    VisitKind,
    VisitRecord,
    VisitState,
    Write,
)

# Attempts without an answer before a visit counts as not reached (docs/domain.md 3.1, item 2).
NOT_HOME_MAX = 3
E = TypeVar("E", bound=Entry)


def new_visit(id: str, tenancy: str, kind: VisitKind) -> VisitRecord:
    """An empty visit record, before any operation."""
    return {
        "type": "visit",
        "id": id,
        "seq": 0,
        "tenancy": tenancy,
        "kind": kind,
        "cells": {},
        "notes": [],
        "photos": [],
        "follow_ups": [],
        "attempts": [],
        "consents": [],
        "reviews": [],
        "assignments": [],
        "retracted": [],
        "late": [],
        "content": {},
        "content_seq": 0,
        "blobs": [],
    }


RULE = "3"
"""Raise it when the same log gives other records than before: at its next start a server rebuilds
what it can (sync/rederive.py), and each phone then gets all its visits again (the rule is part of
`view` in the cursor, PROTOCOL.md section 4)."""


def apply(record: VisitRecord | None, operation: Operation, seq: int) -> VisitRecord:
    """The record after `operation` took effect as number `seq`; the argument is not changed."""
    return apply_in_place(copy.deepcopy(record), operation, seq)


def apply_in_place(record: VisitRecord | None, operation: Operation, seq: int) -> VisitRecord:
    """As `apply`, but changes and returns `record` itself: for callers that own the only copy."""
    assert operation.type == "visit", operation.kind
    data = operation.data
    is_new = record is None
    if record is None:
        record = new_visit(operation.subject, data.get("tenancy", ""), data.get("kind", "contact"))
    assert record["id"] == operation.subject
    record.setdefault("photos", [])  # a record from before there were photos
    if operation.kind == "visit.plan" and not record["tenancy"]:
        # The desk says whose home a visit was that was opened at a door without one.
        record["tenancy"] = data["tenancy"]
    cells = _cells_of(operation, is_new=is_new)
    for field, value in cells.items():
        _write(record["cells"], field, value, operation, seq)
    _add_to_lists(record, operation, seq)
    if "visitors" in cells:
        record["assignments"].append({"seq": seq, "visitors": list(cells["visitors"])})
    if KINDS[operation.kind].content:
        _count_content(record, operation, seq)
    record["seq"] = max(record["seq"], seq)
    return record


def mark_alone(record: VisitRecord, id: str) -> None:
    """Mark the decision made by operation `id`, if it is one, as `alone` (sync/seen.py). Changes
    `record`."""
    for entry in record["consents"]:
        if entry["id"] == id:
            entry["alone"] = True


def rewrite_cells(record: VisitRecord, operations: Iterable[tuple[Operation, int]]) -> None:
    """Build `record`'s cells and assignments again from all its operations and their seq, by rising
    seq, and its tenancy and kind from those that make a visit."""
    record["cells"], record["assignments"] = {}, []
    for number, (operation, seq) in enumerate(operations):
        if number == 0:
            record["tenancy"] = operation.data.get("tenancy", "")
            record["kind"] = operation.data.get("kind", record["kind"])
        elif operation.kind == "visit.plan" and not record["tenancy"]:
            record["tenancy"] = operation.data["tenancy"]
        cells = _cells_of(operation, is_new=number == 0)
        for field, value in cells.items():
            _write(record["cells"], field, value, operation, seq)
        if "visitors" in cells:
            record["assignments"].append({"seq": seq, "visitors": list(cells["visitors"])})


def _cells_of(operation: Operation, *, is_new: bool) -> dict[str, Any]:
    """field → value of the cells this operation writes; `is_new`: it is the visit's first."""
    data = operation.data
    cells: dict[str, Any]
    match operation.kind:
        case "visit.assign":
            cells = {key: data[key] for key in ("visitors", "date", "time") if key in data}
        case "visit.open":
            # Whoever opens a visit makes it. Opening one that is there changes nobody's part in it.
            cells = {"visitors": [operation.by]} if is_new else {}
            if data["language"]:
                cells["language"] = data["language"]
        case "visit.language":
            cells = {"language": data["language"]}
        case "visit.answer":
            cells = {f"answer.{data['item']}": data["answer"]}
        case "visit.tick":
            cells = {f"answer.{item}": answer for item, answer in data["answers"].items()}
        case "visit.attempt":
            cells = {"attempt": data["outcome"]}
            if data["outcome"] == "rebooked":
                cells |= {"date": data.get("date", ""), "time": data.get("time", "")}
        case "visit.close":
            cells = {"closed": "yes"}
        case "visit.reopen":
            cells = {"closed": "no"}
        case "visit.cancel":
            cells = {"cancelled": "yes"}
        case "visit.choose":
            cells = {data["field"]: data["value"]}
        case _:
            cells = {}
    if data.get("guide"):
        cells["guide"] = data["guide"]
    return cells


def _write(cells: dict[str, Cell], field: str, value: Any, operation: Operation, seq: int) -> None:
    writes = cells.setdefault(field, [])
    write: Write = {
        "value": value,
        "seq": seq,
        "op": operation.id,
        "by": operation.by,
        "at": operation.at,
        "device": operation.device,
        "device_seq": operation.device_seq,
        "base": operation.base,
    }
    for known in writes:
        if author_of(known) == author_of(write):
            if known["device_seq"] >= operation.device_seq and field != "guide":
                return
            if known["device_seq"] <= operation.device_seq and field == "guide":
                return
            writes.remove(known)
            break
    # An author's write is kept even when another author has seen and replaced it: without it, an
    # older write of theirs that arrives late would count as new.
    writes.append(write)
    writes.sort(key=lambda one: one["seq"])


def _add_to_lists(record: VisitRecord, operation: Operation, seq: int) -> None:
    match operation.kind:
        case "visit.note":
            _add(record["notes"], _entry(operation, seq) | {"retracted": False})
        case "visit.photo":
            _add(record["photos"], _entry(operation, seq) | {"retracted": False})
            record["blobs"] = _blobs_of(record)
        case "visit.follow_up":
            _add(record["follow_ups"], _entry(operation, seq) | {"retracted": False, "answers": []})
        case "follow_up.answer":
            for one in record["follow_ups"]:
                if one["id"] == operation.data["follow_up"]:
                    _add(one["answers"], _entry(operation, seq))
        case "visit.attempt":
            _add(record["attempts"], _entry(operation, seq))
        case "visit.consent":
            _add(record["consents"], _entry(operation, seq))
            record["blobs"] = _blobs_of(record)
        case "visit.withdraw":
            _add(record["consents"], _entry(operation, seq) | {"decision": "withdrawn"})
        case "visit.approve" | "visit.return":
            decision = operation.kind.removeprefix("visit.")
            _add(record["reviews"], _entry(operation, seq) | {"decision": decision})
        case "visit.retract":
            target = operation.data["operation"]
            if target not in record["retracted"]:
                record["retracted"].append(target)
                record["retracted"].sort()
            _strike(record, target)
    if operation.id in record["retracted"]:  # its retract arrived first
        _strike(record, operation.id)


def _strike(record: VisitRecord, target: str) -> None:
    for entry in (*record["notes"], *record["follow_ups"]):
        if entry["id"] == target:
            entry["text"] = ""
            entry["retracted"] = True
    for photo in record["photos"]:
        if photo["id"] == target:  # it keeps its hash: that there was one stays, the picture goes
            photo["retracted"] = True
    record["blobs"] = _blobs_of(record)


def _entry(operation: Operation, seq: int) -> Any:
    """The operation's data and authorship as an entry of its list. Any, because the data has the
    shape that sync/kinds.py checked, which types cannot follow."""
    known = {
        key: operation.data[key] for key in KINDS[operation.kind].fields if key in operation.data
    }
    return known | {
        "id": operation.id,
        "by": operation.by,
        "at": operation.at,
        "seq": seq,
        "device": operation.device,
        "device_seq": operation.device_seq,
        "base": operation.base,
    }


def _add(entries: list[E], entry: E) -> None:
    """Add `entry` and sort by seq, but with each device's own entries in its device_seq order, so
    that swapped batches give the same list: the places that a device has by seq are filled in the
    order in which it made the entries."""
    entries.append(entry)
    entries.sort(key=lambda one: one["seq"])
    by_device: dict[str, list[E]] = {}
    for one in entries:
        by_device.setdefault(one["device"], []).append(one)
    queues = {
        device: iter(sorted(group, key=lambda one: one["device_seq"]))
        for device, group in by_device.items()
    }
    entries[:] = [next(queues[one["device"]]) for one in entries]


def _blobs_of(record: VisitRecord) -> list[str]:
    """Hashes of all blobs the visit needs to be complete; a struck photo needs none."""
    signatures = {one.get("signature", "") for one in record["consents"]}
    photos = {one["photo"] for one in record["photos"] if not one["retracted"]}
    return sorted((signatures | photos) - {""})


def _count_content(record: VisitRecord, operation: Operation, seq: int) -> None:
    last = record["content"].get(operation.device)
    if operation.kind not in ("visit.attempt", "visit.language") and (
        last is None or operation.device_seq > last["device_seq"]
    ):
        record["content"][operation.device] = {"device_seq": operation.device_seq, "seq": seq}
    record["content_seq"] = max(record["content_seq"], seq)


# --- reading a record -------------------------------------------------------------------


def winner(record: VisitRecord, field: str) -> Write | None:
    """The write that counts for `field`, or None where nobody has written it.

    For `guide` the earliest counts: the first operation pins the version (docs/design.md 6.2).
    """
    writes = record["cells"].get(field, [])
    if not writes:
        return None
    return writes[0] if field == "guide" else writes[-1]


def value_of(record: VisitRecord, field: str, default: Any = "") -> Any:
    """The value that counts for `field`, or `default`."""
    write = winner(record, field)
    return default if write is None else write["value"]


def conflicts_of(record: VisitRecord) -> dict[str, list[Write]]:
    """field → the writes in open conflict, the one that counts last. Empty when none.

    A conflict is open when the winner has another value and its author had not seen the other
    write.
    """
    found: dict[str, list[Write]] = {}
    for field, writes in sorted(record["cells"].items()):
        top = writes[-1]
        unseen = [one for one in writes if one["value"] != top["value"] and not had_seen(top, one)]
        if unseen and field != "guide":
            found[field] = [*unseen, top]
    return found


def consents_of(record: VisitRecord) -> dict[str, Consent]:
    """purpose → the decision that counts at this visit (`effective_decisions`)."""
    return effective_decisions(record["consents"])


def effective_decisions(consents: Iterable[Consent]) -> dict[str, Consent]:
    """purpose → the decision that counts: the most restrictive head (PROTOCOL.md section 2)."""
    by_purpose: dict[str, list[Consent]] = {}
    for entry in consents:
        by_purpose.setdefault(entry["purpose"], []).append(entry)
    return {purpose: strictest(_heads(group)) for purpose, group in by_purpose.items()}


def _heads(group: list[Consent]) -> list[Consent]:
    heads = [
        one
        for one in group
        if not any(other is not one and had_seen(other, one) for other in group)
    ]
    # In a log that was restored without the leap of sync/restored.py, two decisions can each seem
    # to have seen the other. Then neither has, and all of them count.
    return heads or group


def strictest(decisions: Iterable[Consent]) -> Consent:
    """The most restrictive of some decisions; of equal ones the last by seq."""
    rank: dict[Decision, int] = {"yes": 0, "no": 1, "withdrawn": 2}
    return max(decisions, key=lambda one: (rank[one["decision"]], one["seq"]))


def state_of(record: VisitRecord) -> VisitState:
    """The visit's state; the table in PROTOCOL.md section 2, first row that fits."""
    closed = winner(record, "closed")
    reviews = record["reviews"]
    if value_of(record, "cancelled") == "yes":
        return "cancelled"
    if reviews:
        last = reviews[-1]
        if last["decision"] == "approve":
            return "changed" if record["content_seq"] > last["base"] else "approved"
        if closed is None or closed["value"] != "yes" or closed["base"] < last["seq"]:
            return "returned"
    if closed is not None and closed["value"] == "yes":
        return "done"
    return _state_before_close(record)


def _state_before_close(record: VisitRecord) -> VisitState:
    attempt = winner(record, "attempt")
    date = winner(record, "date")
    dated_after = attempt is not None and _is_after(date, attempt)
    if attempt is not None and attempt["value"] == "declined" and not dated_after:
        content = record["content"].get(attempt["device"])
        if content is None or content["device_seq"] < attempt["device_seq"]:
            return "declined"
    if record["content"]:
        return "started"
    # A rebooking is an attempt too, and the date it writes has its own number.
    not_home = [one for one in record["attempts"] if one["outcome"] == "not_home"]
    if len(not_home) >= NOT_HOME_MAX and not all(_is_after(date, one) for one in not_home):
        return "not_reached"
    return "booked" if date is not None and date["value"] != "" else "planned"


def _is_after(date: Write | None, attempt: Write | Attempt) -> bool:
    """Whether `date` was written after `attempt`. A device's own numbers say so where both are
    its own: what it wrote first can arrive last, and the state must not depend on that (I4)."""
    if date is None:
        return False
    if date["device"] == attempt["device"]:
        return date["device_seq"] > attempt["device_seq"]
    return date["seq"] > attempt["seq"]


def had_at(record: VisitRecord, user: str, base: int) -> bool:
    """Whether `user` was among the visitors in force at server sequence `base`."""
    in_force: list[str] = []
    for assignment in sorted(record["assignments"], key=lambda one: one["seq"]):
        if assignment["seq"] <= base:
            in_force = assignment["visitors"]
    return user in in_force


def has_now(record: VisitRecord, user: str) -> bool:
    """Whether `user` is a visitor of this visit now."""
    return user in value_of(record, "visitors", [])
