"""Receiving operations: the steps of PROTOCOL.md section 3, in its order, in one transaction.

Invariant: every operation ends in the log or in the held list (I6), once (I2), and the caller gets
a result only after the storage has made it durable (I3). An operation that cannot be applied is
held as it came, never rejected or repaired, and the next ones are applied all the same (I6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from sync.device import add_number, gaps_of, has_number, proves, with_key
from sync.effects import Effects, log_entry, waiting_for
from sync.kinds import code
from sync.operations import Operation, Refusal, digest_of, octets_of, parse, peek, text_of
from sync.rights import DESK, Principal, Rights
from sync.shapes import HeldReason, Outcome, Problem, RecordKey, Resolve, Settlement
from sync.storage import Head, Held, Known, Settled, Storage, chained
from sync.working_set import WorkingSet

# Checked again when its author sends it: in their own session, from their own phone, and after what
# it is about has come.
_CHECKED_AGAIN = frozenset({"author_mismatch", "device_mismatch", "unknown_subject"})

Directory = Callable[[str], Principal]
"""User id → that person as they are now; role "" for an id that is nobody's, or no longer active."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one operation; `problem` says why it is held, or "filed" (for good)."""

    id: str
    sha256: str
    result: Outcome
    seq: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class Phone:
    """The device that a push names, and the key it sends ("" for none)."""

    device: str
    key: str = ""


@dataclass(slots=True)
class Pushed:
    """The answer to one push; `gaps` and `reused` are about the sending device's numbers (I2),
    `proven` is whether the key that came with the push is the device's own (I7)."""

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
    people: Directory,
    phone: Phone | None = None,
    resolve: Resolve = "",
    resolver: str = "",
) -> Pushed:
    """Apply or hold each operation in `texts` (exact bytes, decoded), in order.

    `received_at` is the server's time, ISO 8601 UTC. `people` finds who sent what was waiting for a
    visit in this push. `phone` is the device that pushes over HTTP, None for the server itself. `resolve` works off held operations, in the name of the user
    `resolver`: "retry" makes the same checks again (`sender` is who sent them), "accept" puts a
    supervisor's authority in the place of the right that the author lacks (`sender` is the author;
    the shape is still checked).
    """
    poisoned: set[str] = set()
    with storage.transaction():
        while True:
            attempt = _Push(
                storage, sender, received_at, people, phone, resolve, resolver, poisoned
            )
            try:
                pushed = attempt.run(texts)
                break
            except _Poison as poison:
                poisoned.add(poison.sha256)
        storage.write(attempt.work.batch)
    return pushed


class _Poison(Exception):
    """Applying the operation with this hash raised: hold it and do the rest again."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class _Push:
    """One push in progress."""

    def __init__(
        self, storage: Storage, sender: Principal, received_at: str, people: Directory,
        phone: Phone | None, resolve: Resolve, resolver: str, poisoned: Set[str],
    ) -> None:  # fmt: skip
        self.storage = storage
        self.sender = sender
        self.received_at = received_at
        self.people = people
        self.phone = phone
        self.resolve = resolve
        self.resolver = resolver
        self.poisoned = poisoned
        self.work = WorkingSet(storage)
        self.rights = Rights(sender, self.work, override=resolve == "accept")
        head = storage.head()
        assert head is not None
        self.head = head
        self.known: dict[str, Known] = {}  # by id; bytes without a readable id by their hash

    def run(self, texts: Sequence[str]) -> Pushed:
        peeked = [peek(text) for text in texts]
        shas = [digest_of(text) for text in texts]
        ids = {one["id"] or sha for one, sha in zip(peeked, shas, strict=True)}
        self.known = dict(self.storage.find(ids))
        self._load_records(peeked)
        pushed = Pushed(proven=self._register_key())
        for text, sha, hint in zip(texts, shas, peeked, strict=True):
            if sha in self.poisoned:
                result = self._hold(text, sha, hint, "server_error")
            else:
                try:
                    result = self._receive(text, sha, hint, pushed)
                except _Poison:  # something that waited for this one
                    raise
                except Exception as error:
                    raise _Poison(sha) from error
            pushed.results.append(result)
        pushed.results = [self._final(result) for result in pushed.results]
        pushed.seq = self.head.seq
        return pushed

    def _load_records(self, peeked: Sequence[Mapping[str, str]]) -> None:
        keys: set[RecordKey] = {("visit", one["visit"]) for one in peeked}
        keys |= {("device", one["device"]) for one in peeked}
        self.work.load(keys)
        visits = [self.work.visit(one["visit"]) for one in peeked]
        self.work.load({("tenancy", one["tenancy"]) for one in visits if one})

    def _final(self, result: Result) -> Result:
        # Held at first, and looked at again in the same batch: its visit came after it.
        known = self.known.get(result.id)
        if result.result != "held" or known is None or known.sha256 != result.sha256:
            return result
        if known.problem:
            return replace(result, problem=known.problem)
        return Result(result.id, result.sha256, "applied", known.seq, "")

    # --- one operation --------------------------------------------------------------

    def _receive(self, text: str, sha: str, hint: Mapping[str, str], pushed: Pushed) -> Result:
        id = hint["id"] or sha
        known = self.known.get(id)
        again = self.resolve
        if known and known.sha256 == sha:
            if not known.problem:
                return Result(id, sha, "duplicate", known.seq, "")
            if known.problem in _CHECKED_AGAIN and hint["by"] == self.sender.user:
                again = again or "retry"
            if not again or known.problem == "filed":
                return Result(id, sha, "held", 0, known.problem)
        elif known:
            other = self.storage.find({sha}).get(sha)
            if other and other.problem == "filed":
                return Result(id, sha, "held", 0, "filed")
            return self._hold(text, sha, hint, "id_reused")
        try:
            operation = parse(text)
            self._check_device(operation, pushed)
            self._count_number(operation, pushed)
            self.rights.check(operation)
        except Refusal as refusal:
            return self._hold(text, sha, hint, refusal.code)
        self._apply(operation, octets_of(text), sha, self.rights)
        if again:
            self._settle(operation, sha, again, self.resolver)
        return Result(operation.id, sha, "applied", self.known[operation.id].seq, "")

    def _hold(self, text: str, sha: str, hint: Mapping[str, str], problem: HeldReason) -> Result:
        id = hint["id"] or sha
        known = self.known.get(id)
        # When a hold is worked off, the sender is still who sent it first.
        sender = known.sender if known and self.resolve else self.sender.user
        self.work.batch.held.append(
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
            self.known[id] = Known(sha, 0, problem, sender)
        return Result(id, sha, "held", 0, problem)

    def _apply(self, operation: Operation, octets: bytes, sha: str, rights: Rights) -> None:
        is_new = operation.type == "visit" and self.work.visit(operation.subject) is None
        self.head = Head(self.head.seq + 1, chained(self.head.digest, sha))
        self.known[operation.id] = Known(sha, self.head.seq, "")
        entry = log_entry(operation, octets, sha, self.head, self.received_at)
        self.work.batch.log.append(entry)
        Effects(self.work, rights).apply(operation, self.head.seq)
        if is_new:
            self._apply_waiting(operation.subject)

    def _apply_waiting(self, visit: str) -> None:
        """Check again what was held because this visit was unknown, each as its own sender's."""
        for held in waiting_for(self.work, visit):
            known = self.known.get(held.id)
            if known and not known.problem and known.sha256 == held.sha256:
                continue  # what made the visit may have waited itself, for its tenancy
            rights = Rights(self.people(held.sender), self.work)
            problem: HeldReason = "server_error"
            if held.sha256 not in self.poisoned:
                try:
                    operation = parse(text_of(held.octets))
                    rights.check(operation)
                except Refusal as refusal:
                    problem = refusal.code
                else:
                    self._apply_held(operation, held, rights)
                    continue
            self.work.batch.held.append(replace(held, problem=problem))
            self.known[held.id] = Known(held.sha256, 0, problem, held.sender)

    def _apply_held(self, operation: Operation, held: Held, rights: Rights) -> None:
        try:
            self._apply(operation, held.octets, held.sha256, rights)
        except Exception as error:
            raise _Poison(held.sha256) from error
        self._settle(operation, held.sha256, "retry", "")

    def _settle(self, operation: Operation, sha: str, how: Settlement, by: str) -> None:
        if operation.type == "tally":  # its row in the held list says who counted
            self.work.batch.forgotten.append((operation.id, sha))
        else:
            settled = Settled(operation.id, sha, how, by, self.received_at)
            self.work.batch.settled.append(settled)

    # --- the sending device ---------------------------------------------------------

    def _register_key(self) -> bool:
        """Keep the phone's key if its device has none yet; whether this push's key is the device's."""
        if self.phone is None:
            return True
        if not code(self.phone.device) or self.phone.device.startswith(DESK):
            return False
        before = self.work.device(self.phone.device)
        record = with_key(before, self.phone.key)
        if record is not before:
            self.work.put(record)
        return proves(record, self.phone.key)

    def _check_device(self, operation: Operation, pushed: Pushed) -> None:
        # Whoever could send under another's device could use up its numbers, or win every field it
        # writes. The desk's numbers are given by the server: no authority changes that.
        if operation.device.startswith(DESK):
            own = operation.device == DESK + self.sender.user and self.phone is None
        else:
            own = self.phone is None or (pushed.proven and operation.device == self.phone.device)
        if not own:
            raise Refusal("device_mismatch")

    def _count_number(self, operation: Operation, pushed: Pushed) -> None:
        record = self.work.device(operation.device)
        number = operation.device_seq
        if not has_number(record, number):
            record = record | {"received": add_number(record["received"], number)}
        elif operation.id not in self.known:
            # The number is known and the id is not: two operations have the same number.
            record = record | {"reused": [*record["reused"], number]}
            pushed.reused.append(number)
        self.work.put(record)
        pushed.gaps = gaps_of(record["received"])
