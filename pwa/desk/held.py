"""The held list: what phones sent and the server could not apply, and what can be done about it.

Invariant: every open held operation is shown to somebody who can act on it, with its words and the
reason, grouped by visit, device and reason so that one press resolves a whole group. Those about
protected tenancies are shown only to people who may see them, and without an address. Nothing is
deleted: what is filed leaves the open list, and stays readable (I6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from pwa.desk.parts import staff, tables
from pwa.desk.parts.events import parse_event
from pwa.desk.parts.forms import text_of
from pwa.desk.parts.guide_words import Words, words_for
from pwa.desk.parts.rows import Calendar, VisitRow
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.services import Services, get_services
from pwa.visits.holding import ALL_ACTIONS, REOPEN, HeldRow, list_filed, list_held, resolve_held
from pwa.web.access import get_current_user, requires

blueprint = Blueprint("held", __name__)

GROUP_MAX = 500


@dataclass(frozen=True, slots=True)
class Group:
    """Held operations of one visit from one device, for one reason."""

    visit: str
    device: str
    problem: str
    row: VisitRow | None
    people: list[str]
    lines: list[dict[str, Any]]
    actions: list[str]
    protected: bool


@blueprint.get("/desk/held")
@requires("held")
def page() -> ResponseReturnValue:
    services = get_services()
    user = get_current_user()
    filed = request.args.get("show") == "filed"
    calendar = Calendar.now(services)
    with services.databases.reading() as db:
        rows = list_filed(db, user) if filed else list_held(db, user)
        visits = tables.visits_by_id(db, (row.visit for row in rows if row.visit), calendar)
        words = words_for(services.guide, staff.names(db))
    groups = grouped(rows, visits, words)
    return render_template("desk/held.html", groups=groups, filed=filed)


@blueprint.post("/desk/held")
@requires("held")
def resolve() -> ResponseReturnValue:
    """Do one thing with every operation of a group."""
    services, user = get_services(), get_current_user()
    action = request.form.get("action", "")
    keys = [key.partition(":") for key in request.form.getlist("held")][:GROUP_MAX]
    if action not in ALL_ACTIONS or not keys:
        raise Problem("invalid_form")
    comment = text_of(request.form, "comment")
    if action == "ask" and not comment:
        flash(gettext("Write what you want to ask first."), "problem")
        return redirect("/desk/held", 303)
    if action == REOPEN:
        return _reopen(keys)
    with services.databases.reading() as db:
        open_now = {(row.id, row.sha256) for row in list_held(db, user)}
    wanted = [(id, sha) for id, _, sha in keys]
    if not set(wanted) & open_now:
        # The same form sent twice: all of it is resolved already.
        flash(gettext("This was already dealt with."), "success")
        return redirect("/desk/held", 303)
    outcomes = [_resolve(services, user, key, action, comment) for key in wanted if key in open_now]
    _flash_outcomes(outcomes)
    return redirect("/desk/held", 303)


def _resolve(
    services: Services, user: User, key: tuple[str, str], action: str, comment: str
) -> str:
    try:
        return resolve_held(services, user, *key, action, comment)
    except Problem as problem:
        if problem.code != "not_found":
            raise
        # Applied a moment ago: it waited for the visit that the one before it opened.
        return "applied"


def _reopen(keys: Iterable[tuple[str, str, str]]) -> ResponseReturnValue:
    for id, _, sha in keys:
        # Sent twice: it is open already.
        with suppress(Problem):
            resolve_held(get_services(), get_current_user(), id, sha, REOPEN)
    flash(gettext("Reopened."), "success")
    return redirect("/desk/held", 303)


def grouped(rows: Iterable[HeldRow], visits: Mapping[str, VisitRow], words: Words) -> list[Group]:
    """The rows by visit, device and reason, in the order in which the oldest of each came."""
    groups: dict[tuple[str, str, str], list[HeldRow]] = {}
    for row in rows:
        groups.setdefault((row.visit, row.device, row.problem), []).append(row)
    return [_group(some, visits.get(some[0].visit), words) for some in groups.values()]


def _group(rows: Sequence[HeldRow], found: VisitRow | None, words: Words) -> Group:
    first = rows[0]
    # Two visitors is all a visit has.
    is_full = found is not None and found.visitor2 != ""
    return Group(
        visit=first.visit,
        device=first.device,
        problem=first.problem,
        row=found,
        people=list(dict.fromkeys(words.person(row.by) for row in rows if row.by)),
        lines=[_line(row, words) for row in rows],
        actions=[one for one in first.actions if not (one == "assign" and is_full)],
        protected=any(row.protected for row in rows),
    )


def _line(row: HeldRow, words: Words) -> dict[str, Any]:
    return {
        "key": f"{row.id}:{row.sha256}",
        "event": parse_event(row.text, words),
        "received_at": row.received_at,
        "comment": row.comment,
        "filed_at": row.filed_at,
    }


def _flash_outcomes(outcomes: Sequence[str]) -> None:
    applied, asked = outcomes.count("applied"), outcomes.count("asked")
    filed = outcomes.count("filed")
    held = len(outcomes) - applied - asked - filed
    if applied:
        flash(ngettext("%(num)s item applied.", "%(num)s items applied.", applied), "success")
    if asked:
        flash(gettext("Your question is shown on the phone at its next contact."), "success")
    if filed:
        flash(
            ngettext("%(num)s item filed.", "%(num)s items filed.", filed),
            "success",
        )
    if held:
        flash(
            ngettext("%(num)s item is still held.", "%(num)s items are still held.", held),
            "problem",
        )
