"""The list of visits: narrow it, find an address, assign visits to people.

Invariant: each assignment is one `visit.assign` operation with an id from the rendered page,
so a form sent twice assigns once; an address is searched by POST, because a URL stays in
histories and logs (docs/design.md 7.3). Finished visits are not assigned: they are returned or reopened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlite_utils import Database

from pwa.desk.parts import staff, tables
from pwa.desk.parts.filters import (
    ASSIGN_STATES,
    KINDS,
    STATES,
    VisitFilter,
    read_filter,
)
from pwa.desk.parts.forms import back_to, draft, perform, text_of
from pwa.desk.parts.language_names import language_name, language_names
from pwa.desk.parts.paging import PAGE_ROWS, count_pages
from pwa.desk.parts.rows import Calendar, VisitRow
from pwa.desk.parts.visit_rows import row_view
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.submitting import Draft
from pwa.web import htmx
from pwa.web.access import requires

blueprint = Blueprint("visits", __name__)

ASSIGN_MAX = 200  # the most rows one page can show (a search)


@blueprint.get("/desk/visits")
@requires("visits")
def page() -> ResponseReturnValue:
    services = get_services()
    chosen = read_filter(request.args, services.settings.languages)
    with services.databases.reading() as db:
        rows = tables.list_visits(db, chosen, _calendar())
        total = tables.count_visits(db, chosen, _calendar())
    return _render(chosen, rows, total, "")


@blueprint.post("/desk/visits/search")
@requires("visits")
def search() -> ResponseReturnValue:
    """Every visit at an address, in any state. A POST, though it changes nothing: see above."""
    chosen = VisitFilter(state="all", sort="address")
    text = text_of(request.form, "address", 100)
    if not text:
        return redirect("/desk/visits", 303)
    with get_services().databases.reading() as db:
        rows = tables.search_visits(db, text, chosen, _calendar())
    return _render(chosen, rows, len(rows), text)


@blueprint.post("/desk/visits/people")
@requires("assign")
def people() -> ResponseReturnValue:
    """The choice of people for the visits that are ticked, on the day that is chosen."""
    chosen = _assign_fields()
    ids = request.form.getlist("visit")[:ASSIGN_MAX]
    with get_services().databases.reading() as db:
        rows = tables.visits_by_id(db, ids, _calendar())
        suggested = _suggested(db, rows.values(), chosen["date"])
    return render_template(
        "desk/assign_people.html", **suggested, chosen_people=chosen, ticked=len(rows)
    )


@blueprint.post("/desk/visits/assign")
@requires("assign")
def assign() -> ResponseReturnValue:
    """Assign every ticked visit to the same people, and book the day and time where given."""
    ids = list(dict.fromkeys(request.form.getlist("visit")))[:ASSIGN_MAX]
    fields = _assign_fields()
    data = {name: fields[name] for name in ("date", "time") if fields[name]}
    people = _people(fields)
    if not ids:
        flash(gettext("Tick at least one visit first."), "problem")
    elif not (people or data) or (fields["second"] and not fields["first"]):
        flash(gettext("Choose a visitor, a date or a time first."), "problem")
    else:
        _find(*ids)
        changes = data | ({"visitors": people} if people else {})
        done = perform([_draft(id, changes, f":{id}") for id in ids])
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
    """Assign one visit: from its row in the list (htmx) or from its page.

    Only what differs from what the form showed is sent: a time that was not touched must not
    overwrite the one a visitor has just agreed at the door.
    """
    _find(id)
    fields = _assign_fields()
    data: dict[str, Any] = {
        name: fields[name] for name in ("date", "time") if fields[name] != fields[f"was_{name}"]
    }
    people, before = _people(fields), [one for one in fields["was_people"].split(",") if one]
    if people != before:
        data["visitors"] = people
    done = perform([_draft(id, data, "")]) if data else []
    if htmx.is_fragment():
        return _row(id, "desk/visit_row.html")
    if done:
        flash(gettext("Assigned."), "success")
    return redirect(back_to(f"/desk/visits/{id}"), 303)


# --- behind the views --------------------------------------------------------------------


def _calendar() -> Calendar:
    return Calendar.now(get_services())


def _assign_fields() -> dict[str, str]:
    """The fields of the form: two people, a day, a time, and what it showed before."""
    names = ("first", "second", "date", "time", "was_people", "was_date", "was_time")
    return {name: text_of(request.form, name, 80) for name in names}


def _find(*ids: str) -> list[VisitRow]:
    """The rows of these visits; Problem("not_found") where the desk may not see one of them."""
    with get_services().databases.reading() as db:
        found = tables.visits_by_id(db, ids, _calendar())
    if not set(ids) <= set(found):
        raise Problem("not_found")
    return [found[id] for id in ids]


def _people(fields: Mapping[str, str]) -> list[str]:
    """The people chosen, each once. Problem("invalid_form") for somebody who makes no visits."""
    chosen = list(dict.fromkeys(one for one in (fields["first"], fields["second"]) if one))
    if chosen:
        with get_services().databases.reading() as db:
            known = {user.id for user in staff.field_people(db)}
        if not set(chosen) <= known:
            raise Problem("invalid_form")
    return chosen


def _draft(id: str, data: Mapping[str, Any], suffix: str) -> Draft:
    names = {"operation": f"operation{suffix}", "base": f"base{suffix}"}
    return draft(request.form, "visit.assign", id, data, **names)


def _suggested(db: Database, rows: Iterable[VisitRow], day: str) -> dict[str, Any]:
    """Whom to suggest for these visits, and what their tenants speak."""
    languages = sorted({row.language for row in rows} - {"", "sv"})
    return {
        "options": staff.assignees(db, languages, day),
        "asked": language_names(languages),
    }


def _render(
    chosen: VisitFilter, rows: Sequence[VisitRow], total: int, text: str
) -> ResponseReturnValue:
    services = get_services()
    back = VisitFilter().url() if text else chosen.url(page=chosen.page)
    everything = request.args.get("tick") == "all"
    ticked = [row for row in rows if everything and row.state in ASSIGN_STATES]
    with services.databases.reading() as db:
        areas = tables.list_areas(db)
        suggested = _suggested(db, ticked, "")
        names, visitors = staff.names(db), staff.field_people(db)
    response = make_response(
        render_template(
            "desk/visits_table.html" if htmx.is_fragment() else "desk/visits.html",
            **suggested,
            chosen=chosen,
            chosen_people={"first": "", "second": ""},
            rows=[row_view(row, names) for row in rows],
            total=total,
            first=(chosen.page - 1) * PAGE_ROWS + 1,
            pages=1 if text else count_pages(total),
            ticked=len(ticked),
            show_city=len({row.city for row in rows} - {""}) > 1,
            tick_all=back + ("&" if "?" in back else "?") + "tick=all",
            address=text,
            cut=bool(text) and total >= tables.SEARCH_ROWS_MAX,
            areas=areas,
            states=STATES,
            kinds=KINDS,
            languages=[
                {"tag": tag, "name": language_name(tag)} for tag in services.settings.languages
            ],
            visitors=visitors,
            today=services.today().isoformat(),
            back=back,
        )
    )
    htmx.vary(response)
    if htmx.is_fragment() and not text:
        htmx.push_url(response, back)
    return response


def _row(id: str, template: str) -> ResponseReturnValue:
    (found,) = _find(id)
    with get_services().databases.reading() as db:
        options = staff.assignees(db, [found.language], found.date)
        row = row_view(found, staff.names(db))
    return render_template(template, row=row, options=options, ticked=0, show_city=False)
