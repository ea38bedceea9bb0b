"""Pull: the snapshots and `gone` that a reader needs since a cursor (PROTOCOL.md section 4).

Invariant (I7): a snapshot contains what the reader's role covers and no more; of a protected
tenancy's visit a reader learns only that it is gone. The answer is read in one transaction, so a
cursor never points past what came with it. A cursor whose digest is not the log's is not trusted:
that reader gets everything again, and sends again what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from sync.apply import state_of, value_of
from sync.limits import SNAPSHOTS_PER_PULL
from sync.rights import Principal
from sync.shapes import Gone, Snapshot, TenancyRecord, VisitRecord
from sync.storage import ALL, Change, Head, Held, Storage, read_tenancies, read_visits

TENANCY_FIELDS = (
    "street", "apartment", "postcode", "city", "area", "building", "property", "tenants", "phones",
    "move_in", "language",
)  # fmt: skip

# A reader can claim any day, and near the ends of the calendar a window's arithmetic overflows.
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class Window:
    """How many days back and ahead of `today` a phone holds visits."""

    today: date
    back: int
    ahead: int

    def holds(self, record: VisitRecord) -> bool:
        """Whether a phone holds this visit: also when it has no date, or was returned."""
        day = value_of(record, "date")
        if not day or state_of(record) == "returned":
            return True
        when = date.fromisoformat(day)
        return self.today - timedelta(self.back) <= when <= self.today + timedelta(self.ahead)


@dataclass(slots=True)
class Pulled:
    """One answer; `cursor` is for the next pull, `held` are the reader's own held operations."""

    cursor: str
    more: bool
    reset: bool
    snapshots: list[Snapshot]
    gone: list[Gone]
    held: list[Held]


def pull(
    storage: Storage,
    cursor: str,
    reader: Principal,
    window: Window,
    *,
    everyone: bool = False,
    view: str = "",
) -> Pulled:
    """What changed for `reader` since `cursor` ("" at first).

    `view` names what an answer depends on besides the log (the reader's role, the company's settings;
    no dot in it): if it is not the cursor's, every visit is sent again.

    `everyone` asks for all visits instead of the reader's own. Only a supervisor gets them, for
    anybody else it is ignored. Phones never ask for it.
    """
    everyone = everyone and "desk" in reader.groups and reader.role == "supervisor"
    with storage.transaction():
        head = storage.head()
        assert head is not None
        since, day, reset = _read(storage, cursor, head)
        # After the digest was compared: `reset` must be answered whatever `view` says.
        if cursor and [*cursor.split("."), ""][3:4] != [view]:
            since, day = 0, None
        changes = list(storage.changes(ALL if everyone else reader.user, since))
        page, more = _page(changes)
        if not more and not everyone and since and day and day != window.today:
            before = Window(day, window.back, window.ahead)
            page = _with_window_changes(storage, reader, page, before, window)
        files = _tenancies(storage, page)
        snapshots: list[Snapshot] = []
        gone: list[Gone] = []
        for change in page:
            if change.record is None:
                assert change.reason
                gone.append({"id": change.visit, "reason": change.reason})
            elif not everyone and not window.holds(change.record):
                gone.append({"id": change.visit, "reason": "window"})
            else:
                file = files.get(change.record["tenancy"])
                snapshots.append(snapshot(change.record, file, reader))
        if more:
            # Changes are sorted by seq: this reader has got as far as the page's last number.
            reached = storage.head(page[-1].seq)
            assert reached is not None
            head = reached
        held = list(storage.held(by=reader.user))
        hidden = _hidden(storage, held)
        gone = [one for one in gone if one["id"] not in hidden]
        gone += [Gone(id=visit, reason="protected") for visit in sorted(hidden)]
        return Pulled(
            cursor=f"{head.seq}.{head.digest}.{(day or window.today) if more else window.today}"
            + (f".{view}" if view else ""),
            more=more,
            reset=reset,
            snapshots=snapshots,
            gone=gone,
            held=held,
        )


def _read(storage: Storage, cursor: str, head: Head) -> tuple[int, date | None, bool]:
    """(since, day, reset) of a cursor; one that is not of this log starts from 0."""
    if not cursor:
        return 0, None, False
    parts = cursor.split(".")
    try:
        seq, digest, day = int(parts[0]), parts[1], date.fromisoformat(parts[2])
    except (ValueError, IndexError):
        return 0, None, True
    known = storage.head(seq) if 0 <= seq <= head.seq else None
    if known is None or known.digest != digest:
        return 0, None, True
    return seq, min(max(day, _FIRST_DAY), _LAST_DAY), False


def _page(changes: Sequence[Change]) -> tuple[list[Change], bool]:
    """The first changes, never cut between two of one seq: a cursor names a seq only."""
    end = SNAPSHOTS_PER_PULL
    while end < len(changes) and changes[end].seq == changes[end - 1].seq:
        end += 1
    return list(changes[:end]), end < len(changes)


def _with_window_changes(
    storage: Storage, reader: Principal, changes: list[Change], before: Window, now: Window
) -> list[Change]:
    """`changes`, and the visits that entered or left the window only because the day changed."""
    listed = {change.visit for change in changes}
    moved = [
        change
        for change in storage.changes(reader.user, 0)
        if change.visit not in listed
        and change.record is not None
        and before.holds(change.record) != now.holds(change.record)
    ]
    return [*changes, *moved]


def _hidden(storage: Storage, held: Sequence[Held]) -> set[str]:
    """Visits that must go from the reader's phone although no `Visibility` says so: what the reader
    sent for them is held as `protected`. They were opened on the phone, so the server never showed
    them to anybody, or were somebody else's by then. Listed until the work is filed."""
    named = {one.visit for one in held if one.problem == "protected"}
    if not named:
        return set()
    known = read_visits(storage, named)
    files = read_tenancies(storage, {record["tenancy"] for record in known.values()})
    shown = {id for id, one in known.items() if not _is_protected(files, one["tenancy"])}
    return named - shown


def _is_protected(files: Mapping[str, TenancyRecord], tenancy: str) -> bool:
    file = files.get(tenancy)
    return bool(file and file["protected"])


def _tenancies(storage: Storage, changes: Sequence[Change]) -> Mapping[str, TenancyRecord]:
    named = {change.record["tenancy"] for change in changes if change.record}
    return read_tenancies(storage, named - {""})


def snapshot(record: VisitRecord, tenancy: TenancyRecord | None, reader: Principal) -> Snapshot:
    """The visit as `reader` may see it: the record, trimmed, with `state` and `tenancy_fields`.

    Ambassadors are guests of the company (docs/design.md 1): they see their own notes, follow-ups and
    consents, never a colleague's.
    """
    fields: Mapping[str, Any] = {}
    if tenancy and not tenancy["protected"]:
        fields = tenancy["fields"]
    shown = {name: fields[name] for name in TENANCY_FIELDS if name in fields}
    trimmed = cast(Snapshot, {**record, "state": state_of(record), "tenancy_fields": shown})
    if reader.role == "ambassador":
        user = reader.user
        trimmed["notes"] = [one for one in record["notes"] if one["by"] == user]
        trimmed["follow_ups"] = [one for one in record["follow_ups"] if one["by"] == user]
        trimmed["consents"] = [one for one in record["consents"] if one["by"] == user]
    return trimmed
