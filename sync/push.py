"""Taking in operations: PROTOCOL.md section 3, in its order, in one transaction.

Invariant: every operation ends in the log or in the held list (I6), once (I2), and the
caller gets a result only after the storage has made it durable (I3). It refuses nothing
and repairs nothing; what it cannot apply it holds, and goes on with the next (I6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from sync.apply import Record, apply_in_place, decided_alone, has_now, value_of
from sync.device import add_number, gaps_of, has_number, new_device, proves, with_key
from sync.kinds import KINDS, code
from sync.operations import Operation, Refusal, digest_of, octets_of, parse, peek
from sync.rights import DESK, Principal, Rights
from sync.storage import (
    ALL,
    Batch,
    Entry,
    Head,
    Held,
    Known,
    Settled,
    Storage,
    Visibility,
    chained,
)

FILED = "filed"  # the problem of what is kept at the office as it is, for good
# Worth asking anew when its author offers it: under the own session, from the own phone.
_ASKED_ANEW = frozenset({"author_mismatch", "device_mismatch"})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one operation: `applied`, `duplicate` or `held` (with a problem code)."""

    id: str
    sha256: str
    result: str
    seq: int
    problem: str


@dataclass(frozen=True, slots=True)
class Phone:
    """The device that a push names, and the key it gives ("" for none)."""

    device: str
    key: str = ""


@dataclass(slots=True)
class Pushed:
    """The answer to one push; `gaps` and `reused` speak of the sending device's numbers (I2),
    `proven` says whether the key given is its own (I7)."""

    seq: int = 0
    proven: bool = True
    results: list[Result] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    reused: list[int] = field(default_factory=list)


def push(
    storage: Storage,
    texts: Sequence[str],
    sender: Principal,
    received_at: str,
    *,
    phone: Phone | None = None,
    resolve: str = "",
    resolver: str = "",
) -> Pushed:
    """Apply or hold each operation in `texts` (exact bytes, decoded), in order.

    `received_at` is the server's time, ISO 8601 UTC. `phone` is who pushes over the wire, None the
    server itself. `resolve` works off held operations, in the name of the user `resolver`: "retry"
    asks the same questions again (`sender` is who sent them), "accept" lets a supervisor stand in
    for the right the author lacked (`sender` is the author; the shape is still checked).
    """
    poisoned: set[str] = set()
    with storage.transaction():
        while True:
            intake = _Intake(storage, sender, received_at, phone, resolve, resolver, poisoned)
            try:
                pushed = intake.run(texts)
                break
            except _Poison as poison:
                poisoned.add(poison.sha256)
        storage.write(intake.batch)
    return pushed


class _Poison(Exception):
    """Applying the operation of this hash raised: hold it and do the rest again."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class _Intake:
    """One push in progress: the records it has touched, and the batch it will write."""

    def __init__(
        self, storage: Storage, sender: Principal, received_at: str, phone: Phone | None,
        resolve: str, resolver: str, poisoned: Set[str],
    ) -> None:  # fmt: skip
        self.storage = storage
        self.sender = sender
        self.received_at = received_at
        self.phone = phone
        self.resolve = resolve
        self.resolver = resolver
        self.rights = Rights(sender, self._record, override=resolve == "accept")
        self.batch = Batch()
        head = storage.head()
        assert head is not None
        self.head = head
        self.seen: dict[str, Known] = {}
        self.records: dict[tuple[str, str], Record | None] = {}
        self.poisoned = poisoned

    def run(self, texts: Sequence[str]) -> Pushed:
        peeked = [peek(text) for text in texts]
        # Bytes without a readable id are known by their hash.
        shas = [digest_of(text) for text in texts]
        keys = {one["id"] or sha for one, sha in zip(peeked, shas, strict=True)}
        self.seen = dict(self.storage.find(keys))
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
        pushed = Pushed(proven=self._hear())
        for text, sha, hint in zip(texts, shas, peeked, strict=True):
            if sha in self.poisoned:
                result = self._hold(text, sha, hint, "server_error")
            else:
                try:
                    result = self._take(text, sha, hint, pushed)
                except _Poison:  # something that waited for it
                    raise
                except Exception as error:
                    raise _Poison(sha) from error
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

    def _take(self, text: str, sha: str, hint: Mapping[str, str], pushed: Pushed) -> Result:
        id = hint["id"] or sha
        known = self.seen.get(id)
        again = self.resolve
        if known and known.sha256 == sha:
            if not known.problem:
                return Result(id, sha, "duplicate", known.seq, "")
            if known.problem in _ASKED_ANEW and hint["by"] == self.sender.user:
                again = again or "retry"
            if not again or known.problem == FILED:
                return Result(id, sha, "held", 0, known.problem)
        elif known:
            other = self.storage.find({sha}).get(sha)
            if other and other.problem == FILED:
                return Result(id, sha, "held", 0, FILED)
            return self._hold(text, sha, hint, "id_reused")
        try:
            operation = parse(text)
            self._check_device(operation, pushed)
            self._count(operation, pushed)
            self.rights.check(operation)
        except Refusal as refusal:
            return self._hold(text, sha, hint, refusal.code)
        self._apply(operation, octets_of(text), sha)
        if again:
            self._settle(operation, sha, again, self.resolver)
        return Result(operation.id, sha, "applied", self.seen[operation.id].seq, "")

    def _hold(self, text: str, sha: str, hint: Mapping[str, str], problem: str) -> Result:
        id = hint["id"] or sha
        known = self.seen.get(id)
        # Who works it off is not who sent it.
        sender = known.sender if known and self.resolve else self.sender.user
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
                sender=sender,
                received_at=self.received_at,
            )
        )
        if problem != "id_reused":
            self.seen[id] = Known(sha, 0, problem, sender)
        return Result(id, sha, "held", 0, problem)

    def _settle(self, operation: Operation, sha: str, how: str, by: str) -> None:
        if operation.type == "tally":  # the held list would go on telling who counted
            self.batch.forgotten.append((operation.id, sha))
        else:
            self.batch.settled.append(Settled(operation.id, sha, how, by, self.received_at))

    def _apply(self, operation: Operation, octets: bytes, sha: str) -> None:
        seq = self.head.seq + 1
        digest = chained(self.head.digest, sha)
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
        # Of an author who does not send in person the role is not known here.
        if self.sender.role == "ambassador" or operation.by != self.sender.user:
            decided_alone(record, operation.id)
        self._put("visit", operation.subject, record)
        if operation.kind == "visit.retract":
            self._blank_retracted(record, operation.data["operation"])
        elif operation.id in record["retracted"]:
            self.batch.blank.append(operation.id)
        if record["tenancy"] and operation.kind in ("visit.plan", "visit.open"):
            self._join_tenancy(record["tenancy"], operation.subject, seq)
        if record["tenancy"] and operation.kind in ("visit.consent", "visit.withdraw"):
            self._tell_household(record, seq)
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

    def _tell_household(self, record: Record, seq: int) -> None:
        # What is decided at another visit from now on, on a phone that has heard of this, comes
        # after it for certain: its `base` says so (sync/index.py, `consent_rows`).
        file = self._record("tenancy", record["tenancy"])
        for visit in file["visits"] if file else ():
            other = self._record("visit", visit) if visit != record["id"] else None
            if other is not None:
                self._put("visit", visit, other | {"seq": seq})

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
        protected = self.rights.is_protected(record["tenancy"])
        cancelled = value_of(record, "cancelled") == "yes"
        reason = "protected" if protected else "cancelled" if cancelled else "reassigned"
        for viewer in sorted(new - old):
            self.batch.visibility.append(Visibility(viewer, record["id"], seq, True, ""))
        for viewer in sorted(old - new):
            self.batch.visibility.append(Visibility(viewer, record["id"], seq, False, reason))

    def _viewers(self, record: Record) -> frozenset[str]:
        if self.rights.is_protected(record["tenancy"]):
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
            if held.sha256 in self.poisoned:
                self.batch.held.append(replace(held, problem="server_error"))
                continue
            try:
                operation = parse(held.octets.decode("utf-8", "surrogatepass"))
                if operation.by != held.sender or operation.by != self.sender.user:
                    continue
                self.rights.check(operation)
            except Refusal:
                continue
            try:
                self._apply(operation, held.octets, held.sha256)
            except Exception as error:
                raise _Poison(held.sha256) from error
            self._settle(operation, held.sha256, "retry", "")

    # --- the sending device ---------------------------------------------------------

    def _hear(self) -> bool:
        """Keep the key of a phone that is heard with one for the first time; whether it fits."""
        if self.phone is None:
            return True
        if not code(self.phone.device) or self.phone.device.startswith(DESK):
            return False
        record = self._device(self.phone.device)
        heard = with_key(record, self.phone.key)
        if heard is not record:
            self._put("device", self.phone.device, heard)
        return proves(heard, self.phone.key)

    def _check_device(self, operation: Operation, pushed: Pushed) -> None:
        # Whoever sent under another's device could use up its numbers, or win every field it
        # writes. A desk's numbers are given by the server: nobody's authority changes that.
        if operation.device.startswith(DESK):
            own = operation.device == DESK + self.sender.user and self.phone is None
        else:
            own = self.phone is None or (pushed.proven and operation.device == self.phone.device)
        if not own:
            raise Refusal("device_mismatch")

    def _count(self, operation: Operation, pushed: Pushed) -> None:
        record = self._device(operation.device)
        number = operation.device_seq
        if not has_number(record, number):
            record = record | {"received": add_number(record["received"], number)}
        elif operation.id not in self.seen:
            # Known numbers under known ids were answered before this; this id is new.
            record = record | {"reused": [*record["reused"], number]}
            pushed.reused.append(number)
        self._put("device", operation.device, record)
        pushed.gaps = gaps_of(record["received"])

    def _device(self, id: str) -> Record:
        return self._record("device", id) or new_device(id)

    # --- records --------------------------------------------------------------------

    def _load(self, keys: set[tuple[str, str]]) -> None:
        wanted = {key for key in keys if key[1] and key not in self.records}
        found = self.storage.records(wanted)
        self.records |= {key: found.get(key) for key in wanted}

    def _record(self, type: str, id: str) -> Record | None:
        if (type, id) not in self.records:
            self._load({(type, id)})
        return self.records.get((type, id))

    def _put(self, type: str, id: str, record: Record) -> None:
        self.records[type, id] = record
        self.batch.records[type, id] = record


def _device_order(held: Held) -> tuple[str, int]:
    try:
        return held.device, parse(held.octets.decode("utf-8", "surrogatepass")).device_seq
    except Refusal:
        return held.device, 0
