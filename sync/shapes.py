"""The shapes of what the protocol stores and sends: records, their parts, index rows, and codes.

Invariant: these say what PROTOCOL.md says (section 2 for records, section 3 for results and held
reasons, section 4 for snapshots). Types only: whether the bytes of a phone have such a shape is
checked in sync/kinds.py, before anything here is built from them.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, get_args

# --- codes ------------------------------------------------------------------------------

RecordType = Literal["visit", "tenancy", "device"]
SubjectType = Literal["tenancy", "visit", "tally"]
RecordKey = tuple[RecordType, str]

Outcome = Literal["applied", "duplicate", "held"]
HeldReason = Literal[
    "no_right",
    "author_mismatch",
    "device_mismatch",
    "unknown_subject",
    "protected",
    "id_reused",
    "invalid",
    "too_large",
    "version_newer",
    "unknown_kind",
    "server_error",
]
# "filed": kept at the office as it is, for good; "": it was applied.
Problem = HeldReason | Literal["filed", ""]
# How a push works off what is held ("" for a push from a phone or a desk), and what ended a hold.
Resolve = Literal["retry", "accept", ""]
Settlement = Literal["retry", "accept", "file"]

VisitKind = Literal["welcome", "short", "revisit", "reactive", "contact"]
VisitState = Literal[
    "cancelled",
    "changed",
    "approved",
    "returned",
    "done",
    "declined",
    "started",
    "not_reached",
    "booked",
    "planned",
]
Decision = Literal["yes", "no", "withdrawn"]
GoneReason = Literal["reassigned", "protected", "window", "cancelled"]
Urgency = Literal["now", "same_day", "three_days", "fourteen_days"]
Queue = Literal["FV", "KT", "BK", "UT", "HY", "BS", "TS", "BR", "SE", "HJ", "BA", "MK", "CH"]
URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
QUEUES: tuple[Queue, ...] = get_args(Queue)

# --- a visit record -----------------------------------------------------------------------


class Authored(TypedDict):
    """Who did it, on which device, as that device's number `device_seq`, having been sent `base`."""

    by: str
    at: str
    seq: int
    device: str
    device_seq: int
    base: int


class Write(Authored):
    """One author's value for one field; `op` is the operation's id."""

    op: str
    value: Any  # a string, or the list of user ids of `visitors`


Cell = list[Write]  # by rising seq, at most one write for each author


class Entry(Authored):
    """One line of a list in a visit; `id` is the operation's."""

    id: str


class Note(Entry):
    item: str
    text: str
    retracted: bool


class Photo(Entry):
    item: str
    photo: str
    retracted: bool


class Answer(Entry):
    """What an officer or the desk answered to a follow-up."""

    follow_up: str
    text: str
    done: bool


class FollowUp(Entry):
    item: str
    queue: str
    urgency: Urgency
    text: str
    retracted: bool
    answers: list[Answer]


class Attempt(Entry):
    outcome: Literal["not_home", "declined", "rebooked"]
    date: NotRequired[str]
    time: NotRequired[str]


class Consent(Entry):
    """A decision about one purpose: a `visit.consent`, or a `visit.withdraw` (which has `channel`,
    and none of what stands after it here)."""

    purpose: str
    decision: Decision
    alone: NotRequired[bool]
    channel: NotRequired[str]
    text_key: NotRequired[str]
    text_version: NotRequired[str]
    text_sha256: NotRequired[str]
    text_state: NotRequired[str]
    language: NotRequired[str]
    recipient: NotRequired[str]
    given_by: NotRequired[str]
    method: NotRequired[str]
    attested: NotRequired[bool]
    signature: NotRequired[str]
    interpreter: NotRequired[str]
    expires: NotRequired[str]


class Point(TypedDict):
    item: str
    text: str


class Review(Entry):
    """An approval (with a comment) or a return (with points)."""

    decision: Literal["approve", "return"]
    comment: NotRequired[str]
    points: NotRequired[list[Point]]


class Assignment(TypedDict):
    seq: int
    visitors: list[str]


class LastContent(TypedDict):
    """A device's last content operation other than attempts and language."""

    device_seq: int
    seq: int


class VisitRecord(TypedDict):
    """One visit; a record from before there were photos has no `photos` (sync/apply.py adds it)."""

    type: Literal["visit"]
    id: str
    seq: int
    tenancy: str
    kind: VisitKind
    cells: dict[str, Cell]
    notes: list[Note]
    photos: list[Photo]
    follow_ups: list[FollowUp]
    attempts: list[Attempt]
    consents: list[Consent]
    reviews: list[Review]
    assignments: list[Assignment]
    retracted: list[str]
    late: list[str]
    content: dict[str, LastContent]
    content_seq: int
    blobs: list[str]


# --- the other records ----------------------------------------------------------------------


class PhoneNumber(TypedDict):
    original: str
    e164: str


class TenancyFields(TypedDict, total=False):
    """The data of the last `tenancy.register`; empty once the tenancy is protected."""

    ref: str
    object: str
    apartment: str
    street: str
    postcode: str
    city: str
    property: str
    building: str
    area: str
    email: str
    language: str
    customer: str
    move_in: str
    lease_end: str
    tenants: list[str]
    phones: list[PhoneNumber]


class TenancyRecord(TypedDict):
    """One tenancy; `registers` are the operations whose bytes are blanked when it is protected."""

    type: Literal["tenancy"]
    id: str
    seq: int
    protected: bool
    fields: TenancyFields
    registers: list[str]
    visits: list[str]


class DeviceRecord(TypedDict):
    """One device; `received` are inclusive ranges of its numbers. Old records have no `key`."""

    type: Literal["device"]
    id: str
    seq: int
    key: NotRequired[str]
    received: list[list[int]]
    reused: list[int]


Record = VisitRecord | TenancyRecord | DeviceRecord

# --- what a pull sends ------------------------------------------------------------------------


class Snapshot(VisitRecord):
    """A visit as one reader may see it; the application adds the company's `settings`."""

    state: VisitState
    tenancy_fields: TenancyFields
    settings: NotRequired[dict[str, str]]


class Gone(TypedDict):
    id: str
    reason: GoneReason


# --- rows of the indexes ------------------------------------------------------------------------


class VisitRow(TypedDict):
    id: str
    tenancy: str
    kind: VisitKind
    state: VisitState
    area: str
    street: str
    apartment: str
    city: str
    date: str
    time: str
    visitor: str
    visitor2: str
    language: str
    move_in: str
    seq: int
    closed_at: str
    conflicts: int
    late: int
    follow_ups_open: int
    protected: int


class FollowUpRow(TypedDict):
    id: str
    visit: str
    queue: str
    urgency: Urgency
    done: int
    area: str
    at: str
    seq: int


class ConsentRow(TypedDict):
    visit: str
    purpose: str
    decision: Decision
    expires: str
    language: str
    text_state: str
    at: str


class BlobRow(TypedDict):
    operation: str
    visit: str
    sha256: str
    struck: int
