"""The held list: operations that the server has stored and could not apply, and what ends a hold.

Invariant (I6, I9): nothing here is deleted; every reason has at least one action that ends it, and
an operation that waits for a newer server is applied when that server starts. One that is about a
protected tenancy is shown to, and resolved by, only those who may see it (I7). An action that does
not fit the reason leaves the operation held.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlite_utils import Database

from pwa.blobs.named import erase_struck
from pwa.ids import operation_id
from pwa.people.accounts import User, find_user
from pwa.problems import Problem
from pwa.services import Services
from pwa.visits import tables
from pwa.visits.submitting import Draft, principal_of, principals, submit
from sync.apply import value_of
from sync.limits import VISITORS_MAX
from sync.operations import Refusal, parse
from sync.push import push
from sync.rights import DESK, Principal
from sync.storage import Batch, Settled, read_visits

COMMENT_CHARACTERS_MAX = 280
# What can be done, the likeliest first. `file` keeps it as it is and ends the hold, whatever the
# reason; `accept` applies it by the supervisor's authority, as its author's work; `retry` pushes it
# again as its sender; `assign` gives the visit to the author first. `ask` ends nothing: it puts a
# question on the author's phone.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "no_right": ("accept", "assign", "retry", "ask", "file"),
    "author_mismatch": ("accept", "ask", "file"),
    "device_mismatch": ("accept", "ask", "file"),
    "unknown_subject": ("retry", "ask", "file"),
    # No `ask`: the question would stand on a phone.
    "protected": ("file",),
    "id_reused": ("ask", "file"),
    "invalid": ("ask", "file"),
    "too_large": ("ask", "file"),
    "version_newer": ("retry", "ask", "file"),
    "unknown_kind": ("retry", "ask", "file"),
    "server_error": ("retry", "ask", "file"),
}
REOPEN = "reopen"  # for what was filed by mistake
ALL_ACTIONS = frozenset(action for actions in ACTIONS.values() for action in actions) | {REOPEN}
_FIELD_ROLES = ("visitor", "ambassador", "supervisor")


class HeldRow(tables.HeldFields):
    """One held operation, with what can be done about it."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The operation as text; bytes that are not UTF-8 are replaced."""
        return self.octets.decode("utf-8", "replace")

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be done with it, the likeliest first."""
        found = ACTIONS.get(self.problem, ("file",))
        # A supervisor cannot make it right that somebody wrote as a colleague's desk.
        is_desk = self.problem == "device_mismatch" and self.device.startswith(DESK)
        return tuple(one for one in found if not (is_desk and one == "accept"))


def list_held(db: Database, user: User) -> list[HeldRow]:
    """Open held operations as they arrived; those of protected tenancies only for who may see them."""
    found = tables.list_held(db, see_protected=user.may_see_protected)
    return [HeldRow(*row) for row in found]


def list_filed(db: Database, user: User, visit: str = "", limit: int = 500) -> list[HeldRow]:
    """What is kept at the office as it is, of one visit or ("") of all, the newest first."""
    found = tables.list_filed(db, see_protected=user.may_see_protected, visit=visit, limit=limit)
    return [HeldRow(*row) for row in found]


def resolve_held(
    services: Services, user: User, id: str, sha256: str, action: str, comment: str = ""
) -> str:
    """Do `action` with one held operation; the result is `applied`, `held`, `asked` or `filed`.

    `held` also where `action` does not fit the reason, and after `reopen`. Raises Problem:
    `invalid_form` for an unknown action, `not_found` for an operation that is not open (for `reopen`:
    not filed) or that this user may not see.
    """
    if action not in ALL_ACTIONS:
        raise Problem("invalid_form")
    with services.storage.transaction():
        db = services.databases.writer
        filed, see_protected = action == REOPEN, user.may_see_protected
        found = tables.find_held(db, id, sha256, filed=filed, see_protected=see_protected)
        if found is None:
            raise Problem("not_found")
        row = HeldRow(*found)
        if action == REOPEN:
            tables.reopen(db, row.id, row.sha256)
            return "held"
        if action not in row.actions:
            return "held"
        match action:
            case "ask":
                tables.write_comment(db, row.id, row.sha256, comment[:COMMENT_CHARACTERS_MAX])
                return "asked"
            case "file":
                return _file(services, row, user)
            case "assign" if not _assign(services, row, user):
                return "held"
        outcome = _offer(services, row, "accept" if action == "accept" else "retry", user.id)
    erase_struck(services.databases, services.blobs, [row.text])
    return outcome


def _file(services: Services, row: HeldRow, user: User) -> str:
    settled = Settled(row.id, row.sha256, "file", user.id, _now(services))
    services.storage.write(Batch(settled=[settled]))
    return "filed"


def _assign(services: Services, row: HeldRow, user: User) -> bool:
    """Make its author a visitor of the visit besides those it has; False where that is impossible."""
    record = read_visits(services.storage, [row.visit]).get(row.visit)
    author = find_user(services.databases.writer, row.by)
    if record is None or author is None or not author.active or author.role not in _FIELD_ROLES:
        return False
    visitors = value_of(record, "visitors", [])
    if author.id in visitors:
        return True
    if len(visitors) >= VISITORS_MAX:
        return False
    id = operation_id(services.now())
    data = {"visitors": [*visitors, author.id]}
    (result,) = submit(services, user, [Draft(id, "visit.assign", row.visit, data, record["seq"])])
    return result.result == "applied"


def _offer(services: Services, row: HeldRow, how: Literal["retry", "accept"], resolver: str) -> str:
    """Push it like when it arrived: again as its sender, or (`accept`) as its author."""
    id = row.by if how == "accept" else row.sender
    user = find_user(services.databases.writer, id)
    if user is None:
        sender = Principal(id, "")
    elif not user.active and how == "retry":
        sender = Principal(user.id, "")
    else:
        sender = principal_of(user)
    text = row.octets.decode("utf-8", "surrogatepass")
    pushed = push(
        services.storage,
        [text],
        sender,
        _now(services),
        people=principals(services.databases.writer),
        resolve=how,
        resolver=resolver,
    )
    return "applied" if pushed.results[0].result != "held" else "held"


def retry_newer(services: Services) -> int:
    """Apply what waited for a server that knows its kind and version; how many were applied.

    Called when a server starts. What this one does not know either is left held.
    """
    with services.storage.transaction():
        waiting = [HeldRow(*row) for row in tables.list_newer(services.databases.writer)]
        known = [row for row in waiting if not _is_newer(row.text)]
        outcomes = [_offer(services, row, "retry", "") for row in known]
    erase_struck(services.databases, services.blobs, [row.text for row in known])
    return outcomes.count("applied")


def _is_newer(text: str) -> bool:
    try:
        parse(text)
    except Refusal as refusal:
        return refusal.code in tables.NEWER
    return False


def _now(services: Services) -> str:
    return services.now().isoformat(timespec="seconds")
