"""The held list: what phones sent and the server could not apply, and what can be done about it.

Invariant: every open held operation is shown to somebody who can act on it, with its words and the
reason, grouped by visit and device so that one press works off a whole group. Those
about protected tenancies are shown only to who may see them, and without an address. It
refuses to delete: there is no such button (I6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from pwa.access import get_current_user, requires
from pwa.desk import queries, staff
from pwa.desk.forms import text_of
from pwa.desk.queries import Calendar, VisitRow
from pwa.desk.wording import Words, describe_text, words_for
from pwa.problems import Problem
from pwa.services import services
from pwa.submitting import ACTIONS, HeldRow, list_held, resolve_held

blueprint = Blueprint("held", __name__)

GROUP_MAX = 500
# What can help, by problem. `ask` always can. `accept` stands in for a right; it mends nothing else.
ACCEPTABLE = frozenset({"no_right", "author_mismatch"})
RETRYABLE = frozenset(
    {"no_right", "unknown_subject", "version_newer", "unknown_kind", "server_error", "protected"}
)


@dataclass(frozen=True, slots=True)
class Group:
    """Held operations of one visit from one device."""

    visit: str
    device: str
    row: VisitRow | None
    people: list[str]
    lines: list[dict[str, Any]]
    problems: list[str]
    actions: list[str]

    @property
    def protected(self) -> bool:
        return "protected" in self.problems


@blueprint.get("/desk/held")
@requires("held")
def page() -> ResponseReturnValue:
    here = services()
    rows = list_held(here, get_current_user())
    calendar = Calendar.of(here.today(), here.settings.visit_within_days)
    with here.databases.reading() as db:
        visits = queries.visits_by_id(db, (row.visit for row in rows if row.visit), calendar)
    words = words_for(here.guide, staff.names())
    return render_template("desk/held.html", groups=grouped(rows, visits, words), total=len(rows))


@blueprint.post("/desk/held")
@requires("held")
def resolve() -> ResponseReturnValue:
    """Do one thing with every operation of a group."""
    here, user = services(), get_current_user()
    action = request.form.get("action", "")
    keys = [key.partition(":") for key in request.form.getlist("held")][:GROUP_MAX]
    if action not in ACTIONS or not keys:
        raise Problem("invalid_form")
    comment = text_of(request.form, "comment")
    if action == "ask" and not comment:
        flash(gettext("Write what you want to ask first."), "problem")
        return redirect("/desk/held", 303)
    open_now = {(row.id, row.sha256) for row in list_held(here, user)}
    wanted = [(id, sha) for id, _, sha in keys]
    if not set(wanted) & open_now:
        # The same form sent twice: all of it is worked off already.
        flash(gettext("This was already dealt with."), "success")
        return redirect("/desk/held", 303)
    outcomes = [
        resolve_held(here, user, id, sha, action, comment)
        for id, sha in wanted
        if (id, sha) in open_now
    ]
    _tell(outcomes)
    return redirect("/desk/held", 303)


def grouped(rows: Iterable[HeldRow], visits: Mapping[str, VisitRow], words: Words) -> list[Group]:
    """The rows by visit and device, in the order in which the oldest of each came."""
    groups: dict[tuple[str, str], list[HeldRow]] = {}
    for row in rows:
        groups.setdefault((row.visit, row.device), []).append(row)
    return [
        _group(visit, device, some, visits.get(visit), words)
        for (visit, device), some in groups.items()
    ]


def _group(
    visit: str, device: str, rows: Sequence[HeldRow], found: VisitRow | None, words: Words
) -> Group:
    problems = list(dict.fromkeys(row.problem for row in rows))
    actions = ["ask"]
    if any(problem in RETRYABLE for problem in problems):
        actions.insert(0, "retry")
    if any(problem in ACCEPTABLE for problem in problems):
        actions.insert(0, "accept")
    return Group(
        visit=visit,
        device=device,
        row=found,
        people=list(dict.fromkeys(words.person(row.by) for row in rows if row.by)),
        lines=[_line(row, words) for row in rows],
        problems=problems,
        actions=actions,
    )


def _line(row: HeldRow, words: Words) -> dict[str, Any]:
    return {
        "key": f"{row.id}:{row.sha256}",
        "text": describe_text(row.text, words),
        "problem": row.problem,
        "received_at": row.received_at,
        "comment": row.comment,
    }


def _tell(outcomes: Sequence[str]) -> None:
    applied, asked = outcomes.count("applied"), outcomes.count("asked")
    held = len(outcomes) - applied - asked
    if applied:
        flash(
            ngettext("%(num)s thing is in now.", "%(num)s things are in now.", applied), "success"
        )
    if asked:
        flash(gettext("Your question is shown on the phone at its next contact."), "success")
    if held:
        flash(
            ngettext("%(num)s thing is still held.", "%(num)s things are still held.", held),
            "problem",
        )
