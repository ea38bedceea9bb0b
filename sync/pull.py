"""What a reader must hear since a cursor: snapshots and `gone`, PROTOCOL.md section 4.

Invariant (I7): a snapshot holds what the reader's role covers and no more; nobody hears
of a protected tenancy but that it is gone. The answer is read in one transaction, so a
cursor never points past what it came with. It refuses to believe a cursor whose digest
is not the log's: that reader starts again, and offers again what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sync.apply import Record, state_of, value_of
from sync.rights import Principal
from sync.storage import ALL, Change, Head, Held, Storage

SNAPSHOTS_PER_PULL = 200
TENANCY_FIELDS = (
    "street", "apartment", "postcode", "city", "area", "building", "property", "tenants", "phones",
    "move_in", "language",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """How many days back and ahead of `today` a phone holds visits."""

    today: date
    back: int
    ahead: int

    def holds(self, record: Record) -> bool:
        day = value_of(record, "date")
        if not day or state_of(record) == "returned":
            return True
        when = date.fromisoformat(day)
        return self.today - timedelta(self.back) <= when <= self.today + timedelta(self.ahead)


@dataclass(slots=True)
class Pulled:
    """One answer; `cursor` is what to come back with."""

    cursor: str
    more: bool
    reset: bool
    snapshots: list[Record]
    gone: list[dict[str, str]]
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
    """What `reader` must hear since `cursor` ("" at first).

    `view` names what an answer depends on besides the log (the reader's role, the company's facts; no
    dot in it): under another name than the cursor's every visit is shown again.

    `everyone` asks for all visits instead of the reader's own; only the desk gets them, anybody else
    is answered as without it. A supervisor's phone does not ask: it holds own visits only.
    """
    everyone = everyone and "desk" in reader.groups and reader.role == "supervisor"
    with storage.transaction():
        head = storage.head()
        assert head is not None
        since, day, reset = _read(storage, cursor, head)
        # After the digest has been looked at: a log put back must be told, whatever else changed.
        if cursor and [*cursor.split("."), ""][3:4] != [view]:
            since, day = 0, None
        changes = list(storage.changes(ALL if everyone else reader.user, since))
        page, more = _page(changes)
        if not more and not everyone and since and day and day != window.today:
            before = Window(day, window.back, window.ahead)
            page = _with_window_changes(storage, reader, page, before, window)
        files = _tenancies(storage, page)
        snapshots: list[Record] = []
        gone: list[dict[str, str]] = []
        for change in page:
            if change.record is None:
                gone.append({"id": change.visit, "reason": change.reason})
            elif not everyone and not window.holds(change.record):
                gone.append({"id": change.visit, "reason": "window"})
            else:
                file = files.get(change.record["tenancy"])
                snapshots.append(snapshot(change.record, file, reader))
        if more:
            # Changes come by rising seq: the page's last number is how far this reader got.
            reached = storage.head(page[-1].seq)
            assert reached is not None
            head = reached
        held = list(storage.held(by=reader.user))
        hidden = _hidden(storage, held)
        gone = [one for one in gone if one["id"] not in hidden]
        gone += [{"id": visit, "reason": "protected"} for visit in sorted(hidden)]
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
    """(since, day, reset) of a cursor; anything but a cursor of this log starts from 0."""
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
    return seq, day, False


def _page(changes: Sequence[Change]) -> tuple[list[Change], bool]:
    """The first changes, never cut between two of one seq: the cursor could not tell them apart."""
    end = SNAPSHOTS_PER_PULL
    while end < len(changes) and changes[end].seq == changes[end - 1].seq:
        end += 1
    return list(changes[:end]), end < len(changes)


def _with_window_changes(
    storage: Storage, reader: Principal, changes: list[Change], before: Window, now: Window
) -> list[Change]:
    """`changes` and the visits that came into, or fell out of, the window by the day alone."""
    told = {change.visit for change in changes}
    moved = [
        change
        for change in storage.changes(reader.user, 0)
        if change.visit not in told
        and change.record is not None
        and before.holds(change.record) != now.holds(change.record)
    ]
    return [*changes, *moved]


def _hidden(storage: Storage, held: Sequence[Held]) -> set[str]:
    """The protected visits that only held work ties to its author: opened on the phone, so that
    nobody was ever shown them here, or another's by then. Told until the work is filed."""
    named = {one.visit for one in held if one.problem == "protected"}
    if not named:
        return set()
    known = storage.records(("visit", visit) for visit in named)
    files = storage.records({("tenancy", record["tenancy"]) for record in known.values()})
    seen = {id for (_, id), one in known.items() if not _is_protected(files, one["tenancy"])}
    return named - seen


def _is_protected(files: Mapping[tuple[str, str], Record], tenancy: str) -> bool:
    file = files.get(("tenancy", tenancy))
    return bool(file and file["protected"])


def _tenancies(storage: Storage, changes: Sequence[Change]) -> Mapping[str, Record]:
    wanted = {
        ("tenancy", change.record["tenancy"])
        for change in changes
        if change.record and change.record["tenancy"]
    }
    return {id: record for (_, id), record in storage.records(wanted).items()}


def snapshot(record: Record, tenancy: Record | None, reader: Principal) -> Record:
    """The visit as `reader` may see it: the record, trimmed, with `state` and `tenancy_fields`.

    Ambassadors are guests of the company (DESIGN 1): they see their own notes, follow-ups and consents, never
    a colleague's.
    """
    fields = tenancy["fields"] if tenancy and not tenancy["protected"] else {}
    shown: dict[str, Any] = {name: fields[name] for name in TENANCY_FIELDS if name in fields}
    trimmed = record | {"state": state_of(record), "tenancy_fields": shown}
    if reader.role == "ambassador":
        for name in ("notes", "follow_ups", "consents"):
            trimmed[name] = [one for one in record[name] if one["by"] == reader.user]
    return trimmed
