"""The list of visits: narrow it, find an address, give visits to people.

Invariant: each assignment is one `visit.assign` operation with an id from the rendered page,
so a form sent twice assigns once; an address is searched by POST, because a URL stays in
histories and logs (DESIGN 7.3). It refuses to assign finished visits: those are returned or reopened instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from pwa.access import requires
from pwa.desk import queries, staff
from pwa.desk.filters import (
    KINDS,
    PAGE_ROWS,
    STATES,
    UNASSIGNED_STATES,
    VisitFilter,
    read_filter,
)
from pwa.desk.forms import back_to, draft, is_fragment, new_operation, perform, text_of
from pwa.desk.languages import language_name
from pwa.desk.queries import Calendar, VisitRow
from pwa.problems import Problem
from pwa.services import services
from pwa.submitting import Draft
from pwa.view_models import weekday_of

blueprint = Blueprint("visits", __name__)

ASSIGN_STATES = (*UNASSIGNED_STATES, "returned", "declined")
ASSIGN_MAX = 200  # the most rows one page can show (a search)


@blueprint.get("/desk/visits")
@requires("visits")
def page() -> ResponseReturnValue:
    here = services()
    chosen = read_filter(request.args, here.settings.languages)
    with here.databases.reading() as db:
        rows = queries.list_visits(db, chosen, _calendar())
        total = queries.count_visits(db, chosen, _calendar())
    return _render(chosen, rows, total, "")


@blueprint.post("/desk/visits/search")
@requires("visits")
def search() -> ResponseReturnValue:
    """Every visit at an address, in any state. A POST, though it changes nothing: see above."""
    chosen = VisitFilter(state="all", sort="address")
    text = text_of(request.form, "address", 100)
    if not text:
        return redirect("/desk/visits", 303)
    with services().databases.reading() as db:
        rows = queries.search_visits(db, text, chosen, _calendar())
    return _render(chosen, rows, len(rows), text)


@blueprint.post("/desk/visits/people")
@requires("assign")
def people() -> ResponseReturnValue:
    """The choice of people for the visits that are ticked, on the day that is chosen."""
    chosen = _assign_fields()
    ids = request.form.getlist("visit")[:ASSIGN_MAX]
    with services().databases.reading() as db:
        rows = queries.visits_by_id(db, ids, _calendar())
        languages = sorted({row.language for row in rows.values()} - {"", "sv"})
        options = staff.assignees(db, languages, chosen["date"])
    return render_template(
        "desk/assign_people.html",
        options=options,
        languages=[language_name(tag) for tag in languages],
        chosen=chosen,
        prefix="assign",
        ticked=len(rows),
    )


@blueprint.post("/desk/visits/assign")
@requires("assign")
def assign() -> ResponseReturnValue:
    """Give every ticked visit to the same people, on the same day and time where one is given."""
    ids = list(dict.fromkeys(request.form.getlist("visit")))
    if not ids or len(ids) > ASSIGN_MAX:
        flash(gettext("Tick at least one visit first."), "problem")
        return redirect(back_to("/desk/visits"), 303)
    drafts = [_assignment(id, f"operation:{id}", f"base:{id}") for id in ids]
    done = perform(drafts)
    if done:
        flash(ngettext("%(num)s visit assigned.", "%(num)s visits assigned.", len(done)), "success")
    return redirect(back_to("/desk/visits"), 303)


@blueprint.get("/desk/visits/<id>/row")
@requires("visits")
def row(id: str) -> ResponseReturnValue:
    """One row of the list, as it stands now."""
    return _row(id, "desk/visit_row.html")


@blueprint.get("/desk/visits/<id>/row/assign")
@requires("assign")
def row_assign(id: str) -> ResponseReturnValue:
    """One row of the list with a form to assign it."""
    return _row(id, "desk/visit_row_assign.html")


@blueprint.post("/desk/visits/<id>/assign")
@requires("assign")
def assign_one(id: str) -> ResponseReturnValue:
    """Assign one visit: from its row in the list (htmx) or from its page."""
    done = perform([_assignment(id, "operation", "base")])
    if is_fragment():
        return _row(id, "desk/visit_row.html")
    if done:
        flash(gettext("Assigned."), "success")
    return redirect(back_to(f"/desk/visits/{id}"), 303)


# --- behind the views --------------------------------------------------------------------


def _calendar() -> Calendar:
    here = services()
    return Calendar.of(here.today(), here.settings.visit_within_days)


def _assign_fields() -> dict[str, Any]:
    """What the form says: two people, a day, a time; each "" where nothing was chosen."""
    return {name: text_of(request.form, name, 40) for name in ("first", "second", "date", "time")}


def _assignment(id: str, operation: str, base: str) -> Draft:
    fields = _assign_fields()
    with services().databases.reading() as db:
        known = queries.visits_by_id(db, [id], _calendar()).get(id)
    if known is None:
        raise Problem("not_found")
    data: dict[str, Any] = {}
    people = list(dict.fromkeys(one for one in (fields["first"], fields["second"]) if one))
    allowed = {user.id for user in staff.field_people()}
    if not set(people) <= allowed:
        raise Problem("invalid_form")
    # Nothing chosen means "as it is"; taking a visit back is its own choice in the list.
    if fields["first"] == "" and fields["second"]:
        raise Problem("invalid_form")
    if request.form.get("unassign") == "1":
        data["visitors"] = []
    elif people:
        data["visitors"] = people
    for name in ("date", "time"):
        if fields[name]:
            data[name] = fields[name]
    if not data:
        raise Problem("invalid_form")
    return draft(request.form, "visit.assign", id, data, operation=operation, base=base)


def _render(
    chosen: VisitFilter, rows: Sequence[VisitRow], total: int, text: str
) -> ResponseReturnValue:
    here = services()
    with here.databases.reading() as db:
        areas = queries.list_areas(db)
        options = staff.assignees(db, (), "")
    names = staff.names()
    return render_template(
        "desk/visits_table.html" if is_fragment() else "desk/visits.html",
        chosen=chosen,
        rows=[row_view(row, names) for row in rows],
        total=total,
        first=(chosen.page - 1) * PAGE_ROWS + 1,
        pages=max(1, -(-total // PAGE_ROWS)),
        address=text,
        cut=bool(text) and total >= queries.SEARCH_ROWS_MAX,
        areas=areas,
        states=STATES,
        kinds=KINDS,
        languages=[{"tag": tag, "name": language_name(tag)} for tag in here.settings.languages],
        visitors=staff.field_people(),
        options=options,
        back=VisitFilter().url() if text else chosen.url(page=chosen.page),
    )


def row_view(row: VisitRow, names: Mapping[str, str]) -> dict[str, Any]:
    """One row as its template takes it; with the hidden fields an assignment needs."""
    people = [one for one in (row.visitor, row.visitor2) if one]
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "area": row.area,
        "street": row.street,
        "apartment": row.apartment,
        "city": row.city,
        "date": row.date,
        "weekday": weekday_of(row.date),
        "time": row.time,
        "people": [names.get(one, "") for one in people],
        "first": row.visitor,
        "second": row.visitor2,
        "language": language_name(row.language),
        "move_in": row.move_in,
        "conflicts": row.conflicts,
        "late": row.late,
        "follow_ups_open": row.follow_ups_open,
        "overdue": row.overdue,
        "unassigned": row.unassigned,
        "assignable": row.state in ASSIGN_STATES,
        "operation": new_operation(),
        "base": row.seq,
    }


def _row(id: str, template: str) -> ResponseReturnValue:
    with services().databases.reading() as db:
        found = queries.visits_by_id(db, [id], _calendar()).get(id)
        if found is None:
            raise Problem("not_found")
        options = staff.assignees(db, [found.language], found.date)
    return render_template(template, row=row_view(found, staff.names()), options=options)
