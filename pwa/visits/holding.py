"""The held list: what the server has and could not apply, and what ends that, reason by reason.

Invariant (I6, I9): nothing here is deleted; every reason has at least one action that ends it,
and what waits for a newer server is applied when that server starts. What is about a protected
tenancy is shown to, and worked off by, only who may see it (I7). It refuses an action that does
not fit the reason: such an operation stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlite_utils import Database

from pwa.blobs.named import erase_struck
from pwa.ids import uuid7
from pwa.people.accounts import User, find_user
from pwa.problems import Problem
from pwa.services import Services
from pwa.visits.submitting import Draft, principal_of, submit
from sync.apply import value_of
from sync.limits import VISITORS_MAX
from sync.operations import Refusal, parse
from sync.push import push
from sync.rights import DESK, Principal
from sync.storage import Batch, Settled, read_visits

COMMENT_CHARACTERS_MAX = 280
# What can be done, the likeliest first. `file` ends everything; `accept` stands in for a right or a
# session, `retry` asks again what was asked when it came, `assign` gives the visit to the author
# first. `ask` ends nothing: it puts a question on the author's phone.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "no_right": ("accept", "assign", "retry", "ask", "file"),
    "author_mismatch": ("accept", "ask", "file"),
    "device_mismatch": ("accept", "ask", "file"),
    "unknown_subject": ("retry", "ask", "file"),
    # A question about it would stand on a phone.
    "protected": ("file",),
    "id_reused": ("ask", "file"),
    "invalid": ("ask", "file"),
    "too_large": ("ask", "file"),
    "version_newer": ("retry", "ask", "file"),
    "unknown_kind": ("retry", "ask", "file"),
    "server_error": ("retry", "ask", "file"),
}
REOPEN = "reopen"  # what was filed by mistake is open again
ALL_ACTIONS = frozenset(action for actions in ACTIONS.values() for action in actions) | {REOPEN}
_FIELD_ROLES = ("visitor", "ambassador", "supervisor")
_NEWER = ("version_newer", "unknown_kind")

# Also what was held for another reason, before its tenancy became protected; and all work at a visit
# that only its own held opening says is such a tenancy's.
IS_PROTECTED = (
    "(problem = 'protected' OR EXISTS (SELECT 1 FROM visit_index WHERE id = held.visit AND protected = 1)"
    " OR EXISTS (SELECT 1 FROM records WHERE type = 'tenancy' AND id = held.visit"
    " AND json_extract(body, '$.protected'))"
    " OR held.visit <> '' AND EXISTS (SELECT 1 FROM held AS opening JOIN records AS home"
    " ON home.type = 'tenancy' AND home.id = CASE WHEN json_valid(CAST(opening.bytes AS TEXT))"
    " THEN json_extract(CAST(opening.bytes AS TEXT), '$.data.tenancy') END"
    " WHERE opening.visit = held.visit AND opening.kind = 'visit.open'"
    " AND json_extract(home.body, '$.protected')))"
)
_COLUMNS = (
    "SELECT id, sha256, bytes, problem, kind, visit, device, by, sender, received_at, comment,"  # noqa: S608
    f" resolved_at, {IS_PROTECTED} FROM held WHERE"
)
_SHOWN = f" AND (:all OR NOT {IS_PROTECTED})"
_OPEN = "state = 'open'" + _SHOWN
_FILED = "resolved_how = 'file'" + _SHOWN


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One held operation; `octets` are its exact bytes, and `text` is what of them can be shown.

    `sender` is who sent it, `comment` what its author was asked, `filed_at` "" while it is open.
    """

    id: str
    sha256: str
    octets: bytes
    problem: str
    kind: str
    visit: str
    device: str
    by: str
    sender: str
    received_at: str
    comment: str
    filed_at: str
    protected: int

    @property
    def text(self) -> str:
        return self.octets.decode("utf-8", "replace")

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be done with it, the likeliest first."""
        found = ACTIONS.get(self.problem, ("file",))
        # Nobody's authority lets somebody write as a colleague's desk.
        is_desk = self.problem == "device_mismatch" and self.device.startswith(DESK)
        return tuple(one for one in found if not (is_desk and one == "accept"))


def list_held(services: Services, user: User) -> list[HeldRow]:
    """Open held operations as they came; those of protected tenancies only for who may see them."""
    with services.databases.reading() as db:
        return _rows(db, f"{_OPEN} ORDER BY rowid", user)


def list_filed(services: Services, user: User, visit: str = "", limit: int = 500) -> list[HeldRow]:
    """What is kept at the office as it is, of one visit or ("") of all, the newest first."""
    with services.databases.reading() as db:
        which = (
            f"{_FILED} AND (:visit = '' OR visit = :visit) ORDER BY resolved_at DESC LIMIT :limit"
        )
        return _rows(db, which, user, visit=visit, limit=limit)


def _rows(db: Database, which: str, user: User, **params: str | int) -> list[HeldRow]:
    rows = db.execute(f"{_COLUMNS} {which}", {"all": int(user.may_see_protected), **params})
    return [HeldRow(*row) for row in rows]


def resolve_held(
    services: Services, user: User, id: str, sha256: str, action: str, comment: str = ""
) -> str:
    """Work off one held operation; says what became of it: `applied`, `held`, `asked` or `filed`.

    `held` too where `action` does not fit the reason, and for what is opened again. Raises Problem:
    `invalid_form` for an unknown action, `not_found` for what is not open (for `reopen`: not filed),
    or not for this user.
    """
    if action not in ALL_ACTIONS:
        raise Problem("invalid_form")
    with services.storage.transaction():
        key = {"id": id, "sha256": sha256}
        where = _FILED if action == REOPEN else _OPEN
        which = f"{where} AND id = :id AND sha256 = :sha256"
        rows = _rows(services.databases.writer, which, user, **key)
        if not rows:
            raise Problem("not_found")
        row = rows[0]
        if action == REOPEN:
            return _reopen(services, row)
        if action not in row.actions:
            return "held"
        match action:
            case "ask":
                return _ask(services, row, comment)
            case "file":
                return _file(services, row, user)
            case "assign" if not _assign(services, row, user):
                return "held"
        outcome = _offer(services, row, "accept" if action == "accept" else "retry", user.id)
    erase_struck(services.databases, services.blobs, [row.text])
    return outcome


def _ask(services: Services, row: HeldRow, comment: str) -> str:
    services.databases.writer.execute(
        "UPDATE held SET comment = ? WHERE id = ? AND sha256 = ?",
        [comment[:COMMENT_CHARACTERS_MAX], row.id, row.sha256],
    )
    return "asked"


def _file(services: Services, row: HeldRow, user: User) -> str:
    settled = Settled(row.id, row.sha256, "file", user.id, _now(services))
    services.storage.write(Batch(settled=[settled]))
    return "filed"


def _reopen(services: Services, row: HeldRow) -> str:
    services.databases.writer.execute(
        "UPDATE held SET state = 'open', resolved_how = '', resolved_by = '', resolved_at = ''"
        " WHERE id = ? AND sha256 = ?",
        [row.id, row.sha256],
    )
    return "held"


def _assign(services: Services, row: HeldRow, user: User) -> bool:
    """Make its author a visitor of the visit, beside whoever is; False where that cannot be."""
    record = read_visits(services.storage, [row.visit]).get(row.visit)
    author = find_user(services.databases.writer, row.by)
    if record is None or author is None or not author.active or author.role not in _FIELD_ROLES:
        return False
    visitors = value_of(record, "visitors", [])
    if author.id in visitors:
        return True
    if len(visitors) >= VISITORS_MAX:
        return False
    id = uuid7(int(services.now().timestamp() * 1000))
    data = {"visitors": [*visitors, author.id]}
    (result,) = submit(services, user, [Draft(id, "visit.assign", row.visit, data, record["seq"])])
    return result.result == "applied"


def _offer(services: Services, row: HeldRow, how: Literal["retry", "accept"], resolver: str) -> str:
    """Through the same intake as when it came: again as its sender, or as its author by authority."""
    id = row.by if how == "accept" else row.sender
    user = find_user(services.databases.writer, id)
    if user is None:
        sender = Principal(id, "")
    elif not user.active and how == "retry":
        sender = Principal(user.id, "")
    else:
        sender = principal_of(user)
    text = row.octets.decode("utf-8", "surrogatepass")
    pushed = push(services.storage, [text], sender, _now(services), resolve=how, resolver=resolver)
    return "applied" if pushed.results[0].result != "held" else "held"


def retry_newer(services: Services) -> int:
    """Apply what waited for a server that knows its kind and version; how many went in.

    Called when a server starts. What it does not know either is left as it is.
    """
    with services.storage.transaction():
        waiting = services.databases.writer.execute(
            f"{_COLUMNS} state = 'open' AND problem IN (?, ?) ORDER BY rowid", _NEWER
        ).fetchall()
        known = [row for row in (HeldRow(*one) for one in waiting) if not _is_newer(row.text)]
        outcomes = [_offer(services, row, "retry", "") for row in known]
    erase_struck(services.databases, services.blobs, [row.text for row in known])
    return outcomes.count("applied")


def _is_newer(text: str) -> bool:
    try:
        parse(text)
    except Refusal as refusal:
        return refusal.code in _NEWER
    return False


def _now(services: Services) -> str:
    return services.now().isoformat(timespec="seconds")
