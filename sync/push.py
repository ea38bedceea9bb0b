"""Taking in operations: PROTOCOL.md section 3, in its order, in one transaction.

Invariant: every operation ends in the log or in the held list (I6), once (I2), and the
caller gets a result only after the storage has made it durable (I3). It refuses nothing
and repairs nothing; what it cannot apply it holds, and goes on with the next (I6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.apply import Record, apply_in_place, had_at, has_now, value_of
from sync.kinds import KINDS
from sync.operations import Operation, Refusal, digest_of, octets_of, parse, peek
from sync.storage import ALL, Batch, Entry, Head, Held, Known, Storage, Visibility

GROUPS: Mapping[str, frozenset[str]] = {
    "visitor": frozenset({"field"}),
    "ambassador": frozenset({"field"}),
    "supervisor": frozenset({"field", "desk"}),
    "administrator": frozenset({"desk"}),
    "officer": frozenset({"officer"}),
}


DESK = "desk-"  # a desk's device is this and the user's id; phones have random ids


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in: user id, role, and an officer's queue ("" otherwise)."""

    user: str
    role: str
    queue: str = ""

    @property
    def groups(self) -> frozenset[str]:
        return GROUPS.get(self.role, frozenset())


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one operation: `applied`, `duplicate` or `held` (with a problem code)."""

    id: str
    sha256: str
    result: str
    seq: int
    problem: str


@dataclass(slots=True)
class Pushed:
    """The answer to one push; `gaps` and `reused` speak of the sending device's numbers (I2)."""

    seq: int = 0
    results: list[Result] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    reused: list[int] = field(default_factory=list)


def push(
    storage: Storage,
    texts: Sequence[str],
    sender: Principal,
    received_at: str,
    *,
    resolve: str = "",
    resolver: str = "",
) -> Pushed:
    """Apply or hold each operation in `texts` (exact bytes, decoded), in order.

    `received_at` is the server's time, ISO 8601 UTC. `resolve` works off held operations, in
    the name of the user `resolver`: "retry" asks the same questions again, "accept" lets a supervisor stand in for
    the right the author lacked (the shape is still checked). `sender` is then the author.
    """
    poisoned: set[int] = set()
    with storage.transaction():
        while True:
            intake = _Intake(storage, sender, received_at, resolve, resolver)
            try:
                pushed = intake.run(texts, poisoned)
                break
            except _Poison as poison:
                poisoned.add(poison.index)
        storage.write(intake.batch)
    return pushed


class _Poison(Exception):
    """Applying operation number `index` of the batch raised: hold it and do the rest again."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class _Intake:
    """One push in progress: the records it has touched, and the batch it will write."""

    def __init__(
        self, storage: Storage, sender: Principal, received_at: str, resolve: str, resolver: str
    ) -> None:
        self.storage = storage
        self.sender = sender
        self.received_at = received_at
        self.resolve = resolve
        self.resolver = resolver
        self.override = resolve == "accept"
        self.batch = Batch()
        head = storage.head()
        assert head is not None
        self.head = head
        self.seen: dict[str, Known] = {}
        self.records: dict[tuple[str, str], Record | None] = {}

    def run(self, texts: Sequence[str], poisoned: set[int]) -> Pushed:
        peeked = [peek(text) for text in texts]
        self.seen = dict(self.storage.find({one["id"] for one in peeked if one["id"]}))
        self._load(
            {("visit", one["visit"]) for one in peeked}
            | {("device", one["device"]) for one in peeked}
        )
        self._load(
            {
                ("tenancy", record["tenancy"])
                for record in self.records.values()
                if record and record["type"] == "visit"
            }
        )
        pushed = Pushed()
        for index, (text, hint) in enumerate(zip(texts, peeked, strict=True)):
            if index in poisoned:
                result = self._hold(text, digest_of(text), hint, "server_error")
            else:
                try:
                    result = self._take(text, hint, pushed)
                except Exception as error:
                    raise _Poison(index) from error
            pushed.results.append(result)
        pushed.results = [self._final(result) for result in pushed.results]
        pushed.seq = self.head.seq
        return pushed

    def _final(self, result: Result) -> Result:
        # Held at first, applied later in the same batch: its visit came behind it.
        known = self.seen.get(result.id)
        if (
            result.result == "held"
            and known
            and not known.problem
            and known.sha256 == result.sha256
        ):
            return Result(result.id, result.sha256, "applied", known.seq, "")
        return result

    # --- one operation --------------------------------------------------------------

    def _take(self, text: str, hint: Mapping[str, str], pushed: Pushed) -> Result:
        sha = digest_of(text)
        id = hint["id"]
        known = self.seen.get(id) if id else None
        again = self.resolve
        if known and known.sha256 == sha:
            # Sent under somebody else's session at first; now its author offers it.
            if known.problem == "author_mismatch" and hint["by"] == self.sender.user:
                again = again or "retry"
            if known.problem and not again:
                return Result(id, sha, "held", 0, known.problem)
            if not known.problem:
                return Result(id, sha, "duplicate", known.seq, "")
        elif known:
            return self._hold(text, sha, hint, "id_reused")
        try:
            operation = parse(text)
            self._check_device(operation)
            self._count(operation, pushed)
            self._check(operation)
        except Refusal as refusal:
            return self._hold(text, sha, hint, refusal.code)
        self._apply(operation, octets_of(text), sha)
        if again:
            self.batch.settled.append((id, sha, again, self.resolver, self.received_at))
        return Result(operation.id, sha, "applied", self.seen[operation.id].seq, "")

    def _hold(self, text: str, sha: str, hint: Mapping[str, str], problem: str) -> Result:
        # Bytes without a readable id still need a key to be held (and answered) under.
        id = hint["id"] or sha
        self.batch.held.append(
            Held(
                id=id,
                sha256=sha,
                octets=octets_of(text),
                problem=problem,
                kind=hint["kind"],
                visit=hint["visit"],
                device=hint["device"],
                by=hint["by"],
                sender=self.sender.user,
                received_at=self.received_at,
            )
        )
        if problem != "id_reused":
            self.seen[id] = Known(sha, 0, problem)
        return Result(id, sha, "held", 0, problem)

    def _apply(self, operation: Operation, octets: bytes, sha: str) -> None:
        seq = self.head.seq + 1
        digest = hashlib.sha256((self.head.digest + sha).encode()).hexdigest()[:16]
        self.head = Head(seq, digest)
        self.seen[operation.id] = Known(sha, seq, "")
        tally = operation.type == "tally"
        self.batch.log.append(
            Entry(
                seq=seq,
                id=operation.id,
                sha256=sha,
                digest=digest,
                octets=None if tally else octets,
                kind=operation.kind,
                type=operation.type,
                subject=operation.subject,
                by="" if tally else operation.by,
                device="" if tally else operation.device,
                device_seq=0 if tally else operation.device_seq,
                at="" if tally else operation.at,
                base=0 if tally else operation.base,
                received_at=operation.data["day"] if tally else self.received_at,
            )
        )
        if tally:
            data = operation.data
            self.batch.tallies.append((data["day"], data["area"], data["topic"], data["value"]))
        elif operation.type == "tenancy":
            self._apply_tenancy(operation, seq)
        else:
            self._apply_visit(operation, seq)

    # --- rights ---------------------------------------------------------------------

    def _check_device(self, operation: Operation) -> None:
        # A desk's numbers are given by the server. Whoever sent under a colleague's desk could use
        # them up, or win every field the colleague writes.
        if operation.device.startswith(DESK) and operation.device != DESK + self.sender.user:
            raise Refusal("device_mismatch")

    def _check(self, operation: Operation) -> None:
        """Raise Refusal with the code the operation is to be held under."""
        kind = KINDS[operation.kind]
        if operation.by != self.sender.user and not self.override:
            raise Refusal("author_mismatch")
        if not (kind.who & self.sender.groups) and not self.override:
            raise Refusal("no_right")
        if operation.type == "tenancy":
            record = self._record("tenancy", operation.subject)
            if record and record["protected"] and operation.kind != "tenancy.protect":
                raise Refusal("protected")
            if record is None and operation.kind == "tenancy.protect":
                raise Refusal("unknown_subject")
        elif operation.type == "visit":
            self._check_visit(operation)

    def _check_visit(self, operation: Operation) -> None:
        record = self._record("visit", operation.subject)
        if operation.kind in ("visit.plan", "visit.open"):
            self._check_new_visit(operation, record)
            return
        if record is None:
            raise Refusal("unknown_subject")
        if self._is_protected(record["tenancy"]):
            raise Refusal("protected")
        if not self.override and not self._may(operation, record):
            raise Refusal("no_right")

    def _check_new_visit(self, operation: Operation, record: Record | None) -> None:
        tenancy = operation.data["tenancy"]
        if tenancy and self._record("tenancy", tenancy) is None:
            raise Refusal("unknown_subject")
        if self._is_protected(tenancy):
            raise Refusal("protected")
        if operation.kind == "visit.plan" or self.override:
            return
        # Opening an existing visit would make its author a visitor of somebody else's.
        if record is not None and not has_now(record, operation.by):
            raise Refusal("no_right")
        if tenancy and not self._knows_tenancy(operation.by, tenancy):
            raise Refusal("no_right")

    def _knows_tenancy(self, user: str, tenancy: str) -> bool:
        file = self._record("tenancy", tenancy)
        assert file is not None
        visits = [self._record("visit", visit) for visit in file["visits"]]
        return any(
            visit is not None and any(user in one["visitors"] for one in visit["assignments"])
            for visit in visits
        )

    def _may(self, operation: Operation, record: Record) -> bool:
        who = KINDS[operation.kind].who & self.sender.groups
        if "desk" in who:
            return True
        if "field" in who:
            return has_now(record, operation.by) or had_at(record, operation.by, operation.base)
        return any(
            one["id"] == operation.data.get("follow_up") and one["queue"] == self.sender.queue
            for one in record["follow_ups"]
        )

    # --- effects --------------------------------------------------------------------

    def _apply_visit(self, operation: Operation, seq: int) -> None:
        before = self._record("visit", operation.subject)
        old = self._viewers(before) if before else frozenset()
        # In place: the record is this intake's own copy, and sixty taps on one visit would
        # copy it sixty times. A failure half-way is a _Poison, and starts from new copies.
        record = apply_in_place(before, operation, seq)
        who = KINDS[operation.kind].who
        by_desk = operation.by == self.sender.user and "desk" in (who & self.sender.groups)
        if "field" in who and not by_desk and not has_now(record, operation.by):
            record["late"].append(operation.id)
        self._put("visit", operation.subject, record)
        if operation.kind == "visit.retract":
            self._blank_retracted(record, operation.data["operation"])
        elif operation.id in record["retracted"]:
            self.batch.blank.append(operation.id)
        if record["tenancy"] and operation.kind in ("visit.plan", "visit.open"):
            self._join_tenancy(record["tenancy"], operation.subject, seq)
        self._show(old, record, seq)
        if before is None:
            self._retry_waiting(operation.subject)

    def _blank_retracted(self, record: Record, target: str) -> None:
        # Only what stands in this visit, or will: a retract must not blank another visit's words.
        entries = (*record["notes"], *record["photos"], *record["follow_ups"])
        if any(one["id"] == target for one in entries):
            self.batch.blank.append(target)

    def _join_tenancy(self, tenancy: str, visit: str, seq: int) -> None:
        file = self._record("tenancy", tenancy)
        assert file is not None
        if visit not in file["visits"]:
            self._put("tenancy", tenancy, file | {"visits": [*file["visits"], visit], "seq": seq})

    def _apply_tenancy(self, operation: Operation, seq: int) -> None:
        file = self._record("tenancy", operation.subject) or {
            "type": "tenancy",
            "id": operation.subject,
            "seq": 0,
            "protected": False,
            "fields": {},
            "registers": [],
            "visits": [],
        }
        if operation.kind == "tenancy.protect":
            self.batch.blank.extend(file["registers"])
            file = file | {"protected": True, "fields": {}, "seq": seq}
        else:
            names = KINDS["tenancy.register"].fields
            file = file | {
                "fields": {name: operation.data[name] for name in names},
                "registers": [*file["registers"], operation.id],
                "seq": seq,
            }
        self._put("tenancy", operation.subject, file)
        # A phone shows the address too: each visit of the tenancy changed with it.
        for visit in file["visits"]:
            record = self._record("visit", visit)
            if record is not None:
                old = frozenset({ALL, *value_of(record, "visitors", [])})
                self._put("visit", visit, record | {"seq": seq})
                self._show(old, record, seq)

    def _show(self, old: frozenset[str], record: Record, seq: int) -> None:
        """Write who may hold the visit from `seq` on, where that changed; `old` could before."""
        new = self._viewers(record)
        protected = self._is_protected(record["tenancy"])
        cancelled = value_of(record, "cancelled") == "yes"
        reason = "protected" if protected else "cancelled" if cancelled else "reassigned"
        for viewer in sorted(new - old):
            self.batch.visibility.append(Visibility(viewer, record["id"], seq, True, ""))
        for viewer in sorted(old - new):
            self.batch.visibility.append(Visibility(viewer, record["id"], seq, False, reason))

    def _viewers(self, record: Record) -> frozenset[str]:
        if self._is_protected(record["tenancy"]):
            return frozenset()
        if value_of(record, "cancelled") == "yes":
            return frozenset({ALL})
        return frozenset({ALL, *value_of(record, "visitors", [])})

    def _retry_waiting(self, visit: str) -> None:
        """Apply what was held only because this visit was not known yet (batches swapped on the way)."""
        stored = [one for one in self.storage.held(visit=visit) if one.problem == "unknown_subject"]
        fresh = [
            one
            for one in self.batch.held
            if one.visit == visit and one.problem == "unknown_subject"
        ]
        for held in sorted([*stored, *fresh], key=_device_order):
            try:
                operation = parse(held.octets.decode("utf-8", "surrogatepass"))
                if operation.by != held.sender or operation.by != self.sender.user:
                    continue
                self._check(operation)
            except Refusal:
                continue
            self._apply(operation, held.octets, held.sha256)
            self.batch.settled.append((held.id, held.sha256, "retry", "", self.received_at))

    # --- the sending device's numbers -----------------------------------------------

    def _count(self, operation: Operation, pushed: Pushed) -> None:
        record = self._record("device", operation.device) or {
            "type": "device",
            "id": operation.device,
            "seq": 0,
            "received": [],
            "reused": [],
        }
        number = operation.device_seq
        if any(low <= number <= high for low, high in record["received"]):
            # Known numbers under known ids were answered before this; this id is new.
            if operation.id not in self.seen:
                record = record | {"reused": [*record["reused"], number]}
                pushed.reused.append(number)
        else:
            record = record | {"received": add_number(record["received"], number)}
        self._put("device", operation.device, record)
        pushed.gaps = gaps_of(record["received"])

    # --- records --------------------------------------------------------------------

    def _load(self, keys: set[tuple[str, str]]) -> None:
        wanted = {key for key in keys if key[1] and key not in self.records}
        found = self.storage.records(wanted)
        self.records |= {key: found.get(key) for key in wanted}

    def _record(self, type: str, id: str) -> Record | None:
        self._load({(type, id)})
        return self.records.get((type, id))

    def _put(self, type: str, id: str, record: Record) -> None:
        self.records[type, id] = record
        self.batch.records[type, id] = record

    def _is_protected(self, tenancy: str) -> bool:
        file = self._record("tenancy", tenancy) if tenancy else None
        return bool(file and file["protected"])


def _device_order(held: Held) -> tuple[str, int]:
    try:
        return held.device, parse(held.octets.decode("utf-8", "surrogatepass")).device_seq
    except Refusal:
        return held.device, 0


def add_number(ranges: Sequence[Sequence[int]], number: int) -> list[list[int]]:
    """`ranges` (sorted, disjoint, inclusive) with `number` in it, neighbours joined."""
    joined: list[list[int]] = []
    for low, high in sorted([*(list(one) for one in ranges), [number, number]]):
        if joined and low <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    return joined


def gaps_of(ranges: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """The numbers missing before the highest one received, as inclusive ranges."""
    ends = [0, *(high for _, high in ranges)]
    starts = [low for low, _ in ranges]
    return [(end + 1, low - 1) for end, low in zip(ends, starts, strict=False) if low > end + 1]
