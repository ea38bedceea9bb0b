"""What an operation does to a visit record: pure, and the same in static/field/record/apply.js.

Invariant (I4, I5): equal logs give equal records, and batches from one device may come in
any order. Nothing here looks at a clock, checks rights or forgets a value: a write that
loses stays beside the winner until someone who saw both has written. It refuses
operations on other subjects (AssertionError: the caller's bug, never the phone's).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from sync.kinds import KINDS
from sync.operations import Operation

Record = dict[str, Any]
Write = Mapping[str, Any]

NOT_HOME_MAX = (
    3  # attempts without an answer before a visit counts as not reached (domain 3.1, item 2)
)
_LISTS = {
    "visit.note": "notes",
    "visit.photo": "photos",
    "visit.follow_up": "follow_ups",
    "visit.attempt": "attempts",
    "visit.consent": "consents",
    "visit.withdraw": "consents",
    "visit.approve": "reviews",
    "visit.return": "reviews",
}


def new_visit(id: str, tenancy: str, kind: str) -> Record:
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


RULE = "2"
"""Raised when a record comes to mean something else: every phone is then shown its visits anew."""


def apply(record: Record | None, operation: Operation, seq: int) -> Record:
    """The record after `operation` took effect as number `seq`; the argument is not changed."""
    return apply_in_place(copy.deepcopy(record), operation, seq)


def apply_in_place(record: Record | None, operation: Operation, seq: int) -> Record:
    """As `apply`, but `record` itself is changed and returned: for who owns the only copy."""
    assert operation.type == "visit", operation.kind
    data = operation.data
    if record is None:
        record = new_visit(operation.subject, data.get("tenancy", ""), data.get("kind", "contact"))
    assert record["id"] == operation.subject
    record.setdefault("photos", [])  # a record from before there were photos
    if operation.kind in ("visit.plan", "visit.open"):
        # A plan that comes after its visit exists (a re-sent batch in another order) fills
        # what an earlier operation could not know.
        record["tenancy"] = data["tenancy"] or record["tenancy"]
        record["kind"] = data["kind"]
    cells = _cells_of(operation)
    for field, value in cells.items():
        _write(record["cells"], field, value, operation, seq)
    _grow(record, operation, seq)
    if "visitors" in cells:
        record["assignments"].append({"seq": seq, "visitors": list(cells["visitors"])})
    if KINDS[operation.kind].content:
        _count_content(record, operation, seq)
    record["seq"] = max(record["seq"], seq)
    return record


def decided_alone(record: Record, id: str) -> None:
    """Note of the consent `id`, if it is one, that its author may not have been shown what others had
    decided, whatever `base` says (sync/pull.py, `snapshot`). Changes `record`."""
    for entry in record["consents"]:
        if entry["id"] == id:
            entry["alone"] = True


def rewrite_cells(record: Record, operations: Iterable[tuple[Operation, int]]) -> None:
    """Write `record`'s cells anew from all its operations and their seq, by rising seq."""
    record["cells"] = {}
    for operation, seq in operations:
        for field, value in _cells_of(operation).items():
            _write(record["cells"], field, value, operation, seq)


def _cells_of(operation: Operation) -> dict[str, Any]:
    """The one-value-at-a-time fields this operation writes."""
    data = operation.data
    match operation.kind:
        case "visit.assign":
            cells = {key: data[key] for key in ("visitors", "date", "time") if key in data}
        case "visit.open":
            cells = {"visitors": [operation.by]}
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


def _write(
    cells: dict[str, list[dict[str, Any]]], field: str, value: Any, operation: Operation, seq: int
) -> None:
    writes = cells.setdefault(field, [])
    write = {
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
        if _author(known) == (operation.device, operation.by):
            if known["device_seq"] >= operation.device_seq and field != "guide":
                return
            if known["device_seq"] <= operation.device_seq and field == "guide":
                return
            writes.remove(known)
            break
    # Every author keeps the one write, also when another has seen it: without it, an older
    # write of theirs arriving late would pass for a new one.
    writes.append(write)
    writes.sort(key=lambda one: one["seq"])


def _grow(record: Record, operation: Operation, seq: int) -> None:
    data = operation.data
    if operation.kind == "visit.retract":
        target = data["operation"]
        if target not in record["retracted"]:
            record["retracted"].append(target)
            record["retracted"].sort()
        for entry in (*record["notes"], *record["photos"], *record["follow_ups"]):
            if entry["id"] == target:
                _blank(entry)
        record["blobs"] = _blobs_of(record)
        return
    if operation.kind == "follow_up.answer":
        for entry in record["follow_ups"]:
            if entry["id"] == data["follow_up"]:
                entry["answers"].append(_entry(operation, seq))
                _sort(entry["answers"])
        return
    name = _LISTS.get(operation.kind)
    if name is None:
        return
    entry = _entry(operation, seq)
    if name in ("notes", "photos", "follow_ups"):
        entry["retracted"] = False
        if name == "follow_ups":
            entry["answers"] = []
        if operation.id in record["retracted"]:
            _blank(entry)
    elif operation.kind == "visit.withdraw":
        entry["decision"] = "withdrawn"
    elif name == "reviews":
        entry["decision"] = operation.kind.removeprefix("visit.")
    record[name].append(entry)
    _sort(record[name])
    if name in ("photos", "consents"):
        record["blobs"] = _blobs_of(record)


def _entry(operation: Operation, seq: int) -> dict[str, Any]:
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


def _sort(entries: list[dict[str, Any]]) -> None:
    # By seq, but entries of one device in its own order: swapped batches give one list.
    # The slots a device holds (by seq) are filled in its device_seq order.
    entries.sort(key=lambda one: one["seq"])
    by_device: dict[str, list[dict[str, Any]]] = {}
    for one in entries:
        by_device.setdefault(one["device"], []).append(one)
    queues = {
        device: iter(sorted(group, key=lambda one: one["device_seq"]))
        for device, group in by_device.items()
    }
    entries[:] = [next(queues[one["device"]]) for one in entries]


def _blank(entry: dict[str, Any]) -> None:
    # A photo keeps its hash: that it was there stays, the picture itself is deleted.
    if "text" in entry:
        entry["text"] = ""
    entry["retracted"] = True


def _blobs_of(record: Record) -> list[str]:
    """Hashes of everything the visit needs to be complete: not of a photo that was struck."""
    signatures = {one.get("signature", "") for one in record["consents"]}
    photos = {one["photo"] for one in record["photos"] if not one["retracted"]}
    return sorted((signatures | photos) - {""})


def _count_content(record: Record, operation: Operation, seq: int) -> None:
    last = record["content"].get(operation.device)
    if operation.kind not in ("visit.attempt", "visit.language") and (
        last is None or operation.device_seq > last["device_seq"]
    ):
        record["content"][operation.device] = {"device_seq": operation.device_seq, "seq": seq}
    record["content_seq"] = max(record["content_seq"], seq)


# --- reading a record -------------------------------------------------------------------


def winner(record: Record, field: str) -> Write | None:
    """The write that counts for `field`, or None where nobody has written it.

    For `guide` the earliest counts: the first operation pins the version (DESIGN 6).
    """
    writes: list[Write] = record["cells"].get(field, [])
    if not writes:
        return None
    return writes[0] if field == "guide" else writes[-1]


def value_of(record: Record, field: str, default: Any = "") -> Any:
    """The value that counts for `field`, or `default`."""
    write = winner(record, field)
    return default if write is None else write["value"]


def conflicts_of(record: Record) -> dict[str, list[Write]]:
    """field → the writes in open conflict, the one that counts last. Empty when none.

    Open means: the winner had not seen the other write and says something else.
    """
    found: dict[str, list[Write]] = {}
    for field, writes in sorted(record["cells"].items()):
        top = writes[-1]
        unseen = [
            one for one in writes if one["seq"] > top["base"] and one["value"] != top["value"]
        ]
        if unseen and field != "guide":
            found[field] = [*unseen, top]
    return found


def consents_of(record: Record) -> dict[str, Write]:
    """purpose → the decision that counts: the most restrictive head (PROTOCOL.md section 2)."""
    by_purpose: dict[str, list[Write]] = {}
    for entry in record["consents"]:
        by_purpose.setdefault(entry["purpose"], []).append(entry)
    return {purpose: strictest(_heads(group)) for purpose, group in by_purpose.items()}


def _author(write: Write) -> tuple[str, str]:
    """Whose numbers order what they wrote: one person on one device. Of what somebody else has saved
    on the same phone and not sent, nobody sees a word (I6): they had not seen it."""
    return write["device"], write["by"]


def _saw(later: Write, earlier: Write) -> bool:
    if _author(later) == _author(earlier):
        return bool(later["device_seq"] > earlier["device_seq"])
    if later.get("alone") and later["by"] != earlier["by"]:
        return False
    return bool(later["base"] >= earlier["seq"])


def _heads(group: list[Write]) -> list[Write]:
    heads = [
        one for one in group if not any(other is not one and _saw(other, one) for other in group)
    ]
    # In a log that was put back and not begun anew (sync/restored.py) two can each seem to have
    # seen the other: then none of them has.
    return heads or group


def strictest(decisions: Iterable[Write]) -> Write:
    """The most restrictive of some decisions; of equal ones the last by seq."""
    rank = {"yes": 0, "no": 1, "withdrawn": 2}
    return max(decisions, key=lambda one: (rank[one["decision"]], one["seq"]))


def state_of(record: Record) -> str:
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


def _state_before_close(record: Record) -> str:
    attempt = winner(record, "attempt")
    date = winner(record, "date")
    dated_after = attempt is not None and date is not None and date["seq"] > attempt["seq"]
    if attempt is not None and attempt["value"] == "declined" and not dated_after:
        content = record["content"].get(attempt["device"])
        if content is None or content["device_seq"] < attempt["device_seq"]:
            return "declined"
    if record["content"]:
        return "started"
    tries = sum(1 for one in record["attempts"] if one["outcome"] == "not_home")
    if tries >= NOT_HOME_MAX and not dated_after:
        return "not_reached"
    return "booked" if date is not None and date["value"] != "" else "planned"


def had_at(record: Record, user: str, base: int) -> bool:
    """True when `user` was among the visitors in force at server sequence `base`."""
    in_force: list[str] = []
    for assignment in sorted(record["assignments"], key=lambda one: one["seq"]):
        if assignment["seq"] <= base:
            in_force = assignment["visitors"]
    return user in in_force


def has_now(record: Record, user: str) -> bool:
    """True when `user` is a visitor of this visit now."""
    return user in value_of(record, "visitors", [])
