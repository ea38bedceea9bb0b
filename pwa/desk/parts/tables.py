"""The desk's SQL: lists and counts over visit_index and the rows that belong to its visits, the log of
one visit, and who read what.

Invariant: every row is read by `_select`, which joins visit_index and leaves out protected visits,
so a new list cannot forget it (docs/design.md 7.3). Values are bound, never pasted; what is pasted is
written in this file. tests/desk/test_tables.py holds both. Lists have no names, phones or notes:
they need none, and the one page that shows them logs its reader (pwa/desk/visit.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlite_utils import Database

from pwa.desk.parts.due import DAYS, late_before
from pwa.desk.parts.filters import OVERDUE_STATES, UNASSIGNED_STATES, VisitFilter
from pwa.desk.parts.paging import PAGE_ROWS
from pwa.desk.parts.rows import Calendar, Cell, ConsentRow, FollowUpRow, VisitRow
from sync.shapes import URGENCIES

Params = Mapping[str, Any]
SEARCH_ROWS_MAX = 200
_IDS_MAX = 500  # bound variables in one IN (…); SQLite's floor is 999


def _quoted(values: Iterable[str]) -> str:
    # Only for constants of this project: filters.py beside this file, sync/shapes.py.
    return ", ".join(f"'{value}'" for value in values)


# PROTOCOL.md section 2: overdue is not a state. The window counts for the welcome visit alone:
# a revisit six weeks after moving in is not late by it.
# SQLite only: the plus keeps the planner from answering the OR by two whole indexes (290 ms instead
# of 60 with 130,000 visits).
OVERDUE = (
    f"(v.state IN ({_quoted(OVERDUE_STATES)}) AND ((+v.date <> '' AND +v.date < :today)"
    " OR (v.kind = 'welcome' AND v.move_in <> '' AND v.move_in < :window_from)))"
)
UNASSIGNED = f"(v.state IN ({_quoted(UNASSIGNED_STATES)}) AND v.visitor = '')"
_ORDERS: Mapping[str, str] = {
    "urgent": f"{OVERDUE} DESC, {UNASSIGNED} DESC, v.date = '', v.date, v.time, v.move_in, v.id",
    "date": "v.date = '', v.date, v.time, v.street, v.apartment, v.id",
    "move_in": "v.move_in, v.street, v.apartment, v.id",
    "address": "v.street, v.apartment, v.id",
    "area": "v.area, v.street, v.apartment, v.id",
    "state": "v.state, v.move_in, v.id",
    "visitor": "v.visitor = '', v.visitor, v.date, v.time, v.id",
}
_VISIT_COLUMNS = (
    "v.id, v.kind, v.state, v.area, v.street, v.apartment, v.city, v.date, v.time, v.visitor,"
    " v.visitor2, v.language, v.move_in, v.seq, v.closed_at, v.conflicts, v.late,"
    f" v.follow_ups_open, {OVERDUE}"
)


def _scope() -> str:
    """What every reader of the desk may see. There is one such condition."""
    return "v.protected = 0"


def _select(
    db: Database,
    columns: str,
    params: Params,
    *,
    where: Sequence[str] = (),
    source: str = "visit_index v",
    tail: str = "",
) -> list[tuple[Any, ...]]:
    """`columns` of the visits, or of rows of `source` that belong to one, that every reader may see.

    `source` names visit_index `v`; `where` are conditions, `tail` what follows them.
    """
    conditions = " AND ".join([_scope(), *where])
    sql = f"SELECT {columns} FROM {source} WHERE {conditions} {tail}"  # noqa: S608
    rows: list[tuple[Any, ...]] = db.execute(sql, dict(params)).fetchall()
    return rows


def _of_visits(table: str, visit: str) -> str:
    """Rows of `table` with their visits, where the column `visit` names the visit."""
    # SQLite only: CROSS JOIN keeps this order, from the few rows to their visits. A plain JOIN may
    # start from all visits.
    return f"{table} CROSS JOIN visit_index v ON v.id = {visit}"


def _count_of(condition: str) -> str:
    return f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)"


def _bound(name: str, values: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The marks `:name0, :name1 …` and the values under those names."""
    params = {f"{name}{number}": value for number, value in enumerate(values)}
    return ", ".join(f":{key}" for key in params), params


# --- visits ------------------------------------------------------------------------------


def _narrow(filter: VisitFilter, calendar: Calendar) -> tuple[list[str], dict[str, Any]]:
    values: dict[str, Any] = {"today": calendar.today, "window_from": calendar.window_from}
    where = []
    if filter.state != "all":
        marks, params = _bound("state", filter.states)
        where.append(f"v.state IN ({marks})")
        values |= params
    for column in ("kind", "language"):
        if getattr(filter, column):
            where.append(f"v.{column} = :{column}")
            values[column] = getattr(filter, column)
    if filter.area:
        where.append("v.area = :area")
        values["area"] = "" if filter.area == "-" else filter.area
    if filter.visitor:
        where.append("(v.visitor = :visitor OR v.visitor2 = :visitor)")
        values["visitor"] = filter.visitor
    if filter.moved_from:
        where.append("v.move_in >= :moved_from")
        values["moved_from"] = filter.moved_from
    if filter.moved_to:
        # "2026-11-99" sorts after every day of the month, and before December.
        where.append("v.move_in <> '' AND v.move_in <= :moved_to || '-99'")
        values["moved_to"] = filter.moved_to
    if filter.unassigned:
        where.append(UNASSIGNED)
    if filter.overdue:
        where.append(OVERDUE)
    if filter.conflicts:
        where.append("v.conflicts > 0")
    return where, values


def list_visits(db: Database, filter: VisitFilter, calendar: Calendar) -> list[VisitRow]:
    """One page of the visits that the filter lets through, in its order."""
    where, params = _narrow(filter, calendar)
    params |= {"rows": PAGE_ROWS, "skip": (filter.page - 1) * PAGE_ROWS}
    tail = f"ORDER BY {_ORDERS[filter.sort]} LIMIT :rows OFFSET :skip"
    return [_visit(row) for row in _select(db, _VISIT_COLUMNS, params, where=where, tail=tail)]


def count_visits(db: Database, filter: VisitFilter, calendar: Calendar) -> int:
    """How many visits the filter lets through."""
    where, params = _narrow(filter, calendar)
    return int(_select(db, "count(*)", params, where=where)[0][0])


def search_visits(
    db: Database, text: str, filter: VisitFilter, calendar: Calendar
) -> list[VisitRow]:
    """Visits whose address contains every word of `text`; at most SEARCH_ROWS_MAX, in the filter's order."""
    where, params = _narrow(filter, calendar)
    for number, word in enumerate(text.split()[:8]):
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        where.append(
            f"(v.street || ' ' || v.apartment || ' ' || v.city) LIKE :word{number} ESCAPE '\\'"
        )
        params[f"word{number}"] = f"%{escaped}%"
    tail = f"ORDER BY {_ORDERS[filter.sort]} LIMIT {SEARCH_ROWS_MAX}"
    return [_visit(row) for row in _select(db, _VISIT_COLUMNS, params, where=where, tail=tail)]


def visits_by_id(db: Database, ids: Iterable[str], calendar: Calendar) -> dict[str, VisitRow]:
    """The rows of these visits that there are, by id."""
    wanted = sorted(set(ids))
    found: dict[str, VisitRow] = {}
    for start in range(0, len(wanted), _IDS_MAX):
        marks, params = _bound("id", wanted[start : start + _IDS_MAX])
        days = {"today": calendar.today, "window_from": calendar.window_from}
        rows = _select(db, _VISIT_COLUMNS, {**params, **days}, where=[f"v.id IN ({marks})"])
        found |= {row[0]: _visit(row) for row in rows}
    return found


def _visit(row: tuple[Any, ...]) -> VisitRow:
    values = list(row)
    values[-1] = bool(values[-1])
    return VisitRow(*values)


def list_to_review(db: Database, calendar: Calendar) -> tuple[list[VisitRow], int]:
    """Visits to review, the one finished first on top, and how many there are in all."""
    return _waiting(db, VisitFilter(state="review"), calendar)


def list_returned(db: Database, calendar: Calendar) -> list[VisitRow]:
    """Visits that were sent back and wait for their visitor, the oldest first."""
    return _waiting(db, VisitFilter(state="returned"), calendar)[0]


def _waiting(db: Database, filter: VisitFilter, calendar: Calendar) -> tuple[list[VisitRow], int]:
    where, params = _narrow(filter, calendar)
    tail = f"ORDER BY v.closed_at, v.id LIMIT {SEARCH_ROWS_MAX}"
    rows = [_visit(row) for row in _select(db, _VISIT_COLUMNS, params, where=where, tail=tail)]
    return rows, count_visits(db, filter, calendar)


def list_areas(db: Database) -> list[str]:
    """The areas there are visits in, by name; "" where a visit has none."""
    return [row[0] for row in _select(db, "DISTINCT v.area", {}, tail="ORDER BY v.area")]


def workload(db: Database, day: str) -> dict[str, int]:
    """user id → how many visits are booked with that person on `day`."""
    counts: dict[str, int] = {}
    for column in ("visitor", "visitor2"):
        where = ["v.date = :day", f"v.{column} <> ''", "v.state <> 'cancelled'"]
        tail = f"GROUP BY v.{column}"
        for user, total in _select(
            db, f"v.{column}, count(*)", {"day": day}, where=where, tail=tail
        ):
            counts[user] = counts.get(user, 0) + int(total)
    return counts


# --- coverage ------------------------------------------------------------------------------


def coverage(db: Database, moved_from: str, moved_to: str, calendar: Calendar) -> list[Cell]:
    """The welcome visits of who moved in between two months (both included, "" for no limit)."""
    where, params = _narrow(
        VisitFilter(state="all", kind="welcome", moved_from=moved_from, moved_to=moved_to), calendar
    )
    rows = _select(
        db,
        f"v.area, substr(v.move_in, 1, 7), v.state, count(*), {_count_of(OVERDUE)}",
        params,
        where=where,
        tail="GROUP BY 1, 2, 3",
    )
    return [Cell(*row) for row in rows]


def count_needs(db: Database, calendar: Calendar) -> dict[str, int]:
    """How many visits wait for a supervisor: review, returned, unassigned, overdue, conflicts."""
    choices = {
        "review": VisitFilter(state="review"),
        "returned": VisitFilter(state="returned"),
        "unassigned": VisitFilter(unassigned=True),
        "overdue": VisitFilter(overdue=True),
    }
    counts = {name: count_visits(db, choice, calendar) for name, choice in choices.items()}
    # Not through the states: the partial index on conflicts must be free to answer.
    counts["conflicts"] = int(_select(db, "count(*)", {}, where=["v.conflicts > 0"])[0][0])
    return counts


# --- follow-ups ------------------------------------------------------------------------------

_FOLLOW_UP_COLUMNS = (
    "f.id, f.visit, f.queue, f.urgency, f.done, f.at, v.street, v.apartment, v.city, v.area"
)
# SQLite only: date() with a modifier. The urgencies are in the order of their days, and the working
# days of a follow-up are counted as calendar days: that is near enough for an order.
_DUE = (
    "date(substr(f.at, 1, 10), '+' || CASE f.urgency "
    + " ".join(f"WHEN '{urgency}' THEN {days}" for urgency, days in DAYS.items())
    + f" ELSE {max(DAYS.values())} END || ' days')"
)
_FOLLOW_UPS = _of_visits("follow_up_index f", "f.visit")


def late_condition(today: date) -> tuple[str, dict[str, str]]:
    """SQL for "open and past its day", with its parameters."""
    params = {f"late_{urgency}": late_before(urgency, today) for urgency in URGENCIES}
    one = " OR ".join(
        f"(f.urgency = '{name.removeprefix('late_')}' AND substr(f.at, 1, 10) < :{name})"
        for name in params
    )
    return f"(f.done = 0 AND ({one}))", params


def list_follow_ups(
    db: Database, today: date, *, queue: str, done: bool, late: bool, page: int
) -> tuple[list[FollowUpRow], int]:
    """One page of follow-ups, the most urgent first, and how many there are in all."""
    where, params = [f"f.done = {int(done)}"], dict[str, Any]()
    if queue:
        where.append("f.queue = :queue")
        params["queue"] = queue
    if late:
        condition, values = late_condition(today)
        where.append(condition)
        params |= values
    total = int(_select(db, "count(*)", params, source=_FOLLOW_UPS, where=where)[0][0])
    # Answered ones newest first: somebody looks for the latest answer.
    order = "f.at DESC" if done else f"{_DUE}, f.at"
    tail = f"ORDER BY {order}, f.id LIMIT {PAGE_ROWS} OFFSET :skip"
    params["skip"] = (page - 1) * PAGE_ROWS
    rows = _select(db, _FOLLOW_UP_COLUMNS, params, source=_FOLLOW_UPS, where=where, tail=tail)
    return [_follow_up(row) for row in rows], total


def count_follow_ups(db: Database, today: date) -> dict[str, tuple[int, int]]:
    """queue → (open, overdue) for every queue that has open follow-ups."""
    condition, params = late_condition(today)
    columns = f"f.queue, count(*), {_count_of(condition)}"
    rows = _select(
        db, columns, params, source=_FOLLOW_UPS, where=["f.done = 0"], tail="GROUP BY 1 ORDER BY 1"
    )
    return {queue: (total, late) for queue, total, late in rows}


def find_follow_up(db: Database, id: str) -> FollowUpRow | None:
    """The row of one follow-up, or None."""
    rows = _select(db, _FOLLOW_UP_COLUMNS, {"id": id}, source=_FOLLOW_UPS, where=["f.id = :id"])
    return _follow_up(rows[0]) if rows else None


def _follow_up(row: tuple[Any, ...]) -> FollowUpRow:
    values = list(row)
    values[4] = bool(values[4])
    return FollowUpRow(*values)


# --- consents ------------------------------------------------------------------------------

_CONSENTS = _of_visits("consent_index c", "c.visit")


def list_consents(
    db: Database, *, purpose: str, decision: str, today: str, expired: bool, page: int
) -> tuple[list[ConsentRow], int]:
    """One page of consents, the newest decision first, and how many there are in all."""
    where, params = ["c.decision = :decision"], dict[str, Any](decision=decision)
    if purpose:
        where.append("c.purpose = :purpose")
        params["purpose"] = purpose
    if expired:
        where.append("c.expires <> '' AND c.expires < :today")
        params["today"] = today
    columns = (
        "c.visit, c.purpose, c.decision, c.expires, c.language, c.text_state, c.at, v.seq,"
        " v.street, v.apartment, v.city, v.area"
    )
    total = int(_select(db, "count(*)", params, source=_CONSENTS, where=where)[0][0])
    params["skip"] = (page - 1) * PAGE_ROWS
    tail = f"ORDER BY c.at DESC, c.visit, c.purpose LIMIT {PAGE_ROWS} OFFSET :skip"
    rows = _select(db, columns, params, source=_CONSENTS, where=where, tail=tail)
    return [ConsentRow(*row) for row in rows], total


# --- one visit ------------------------------------------------------------------------------


def log_of(db: Database, visit: str) -> list[tuple[str, bytes | None, str, str, str, str]]:
    """(id, bytes or None where blanked, by, device, at, received_at) of a visit's log, newest first."""
    return _select(
        db,
        "l.id, l.bytes, l.by, l.device, l.at, l.received_at",
        {"visit": visit},
        source=_of_visits("log l", "l.subject"),
        where=["l.subject = :visit", "l.type = 'visit'"],
        tail="ORDER BY l.seq DESC",
    )


def decisions_at(db: Database, visit: str) -> dict[str, str]:
    """purpose → the decision that counts at a visit, those of its household included."""
    where = ["c.visit = :visit"]
    rows = _select(db, "c.purpose, c.decision", {"visit": visit}, source=_CONSENTS, where=where)
    return dict(rows)


# --- who read what ---------------------------------------------------------------------------


def add_reading(db: Database, user: str, visit: str, at: str) -> None:
    """Write down that `user` read `visit` at that moment (ISO 8601 UTC)."""
    db.execute(
        'INSERT INTO access_log ("user", visit, at) VALUES (:user, :visit, :at)',
        {"user": user, "visit": visit, "at": at},
    )


def has_read_since(db: Database, user: str, visit: str, since: str) -> bool:
    """Whether a reading after `since` is written down."""
    rows = _select(
        db,
        "1",
        {"visit": visit, "user": user, "since": since},
        source=_of_visits("access_log a", "a.visit"),
        where=["a.visit = :visit", 'a."user" = :user', "a.at > :since"],
        tail="LIMIT 1",
    )
    return bool(rows)
