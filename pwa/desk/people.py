"""The people page: who may sign in, what they do, where they are signed in.

Invariant: only an administrator changes anything; a supervisor may look. A rejected form is shown
as it was filled in, without the password. People are never deleted (pwa/people/accounts.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.parts.language_names import language_name, language_names
from pwa.people import accounts, sessions
from pwa.problems import Problem
from pwa.services import get_services
from pwa.web import access
from pwa.web.access import requires
from sync.shapes import QUEUES

blueprint = Blueprint("people", __name__, url_prefix="/desk/people")

EMPTY: Mapping[str, Any] = {
    "name": "", "display_name": "", "role": "visitor", "queue": "", "languages": ["sv"],
    "may_see_protected": False,
}  # fmt: skip


@blueprint.get("")
@requires("people", "people.view")
def listing() -> ResponseReturnValue:
    return _list_page(EMPTY)


@blueprint.post("")
@requires("people")
def add() -> ResponseReturnValue:
    form = _form()
    try:
        user = accounts.add_user(
            get_services().databases,
            form["name"],
            form["role"],
            request.form.get("password", ""),
            get_services().now(),
            display_name=form["display_name"],
            queue=form["queue"],
            languages=form["languages"],
            may_see_protected=form["may_see_protected"],
        )
    except Problem as problem:
        return _list_page(form, problem)
    flash(gettext("%(name)s may sign in now.", name=user.display_name))
    return redirect("/desk/people", 303)


@blueprint.get("/<id>")
@requires("people")
def one(id: str) -> ResponseReturnValue:
    return _one_page(_person(id))


@blueprint.post("/<id>")
@requires("people")
def change(id: str) -> ResponseReturnValue:
    person, form = _person(id), _form()
    try:
        with get_services().databases.writing() as db:
            accounts.change_user(
                db,
                id,
                get_services().now(),
                role=form["role"],
                queue=form["queue"],
                languages=form["languages"],
                display_name=form["display_name"],
                may_see_protected=form["may_see_protected"],
            )
    except Problem as problem:
        return _one_page(person, form, problem)
    return _done(id, gettext("Saved."))


@blueprint.post("/<id>/password")
@requires("people")
def password(id: str) -> ResponseReturnValue:
    person = _person(id)
    try:
        services, new = get_services(), request.form.get("password", "")
        accounts.set_password(services.databases, id, new, services.now())
    except Problem as problem:
        return _one_page(person, problem=problem)
    return _done(id, gettext("The password is set."))


@blueprint.post("/<id>/active")
@requires("people")
def active(id: str) -> ResponseReturnValue:
    person, wanted = _person(id), request.form.get("active", "")
    if wanted not in ("0", "1"):
        raise Problem("invalid_form")
    try:
        with get_services().databases.writing() as db:
            accounts.set_active(db, id, wanted == "1", get_services().now())
    except Problem as problem:
        return _one_page(person, problem=problem)
    return _done(id, gettext("Saved."))


@blueprint.post("/<id>/sessions/end")
@requires("people")
def end_sessions(id: str) -> ResponseReturnValue:
    _person(id)
    with get_services().databases.writing() as db:
        sessions.end_sessions_of(db, id, get_services().now(), "ended_by_administrator")
    return _done(id, gettext("All sign-ins are ended."))


def _person(id: str) -> accounts.User:
    with get_services().databases.reading() as db:
        user = accounts.find_user(db, id)
    if user is None:
        raise Problem("not_found")
    return user


def _form() -> dict[str, Any]:
    fields = request.form
    return {
        **{name: fields.get(name, "") for name in ("name", "display_name", "role", "queue")},
        "languages": fields.getlist("languages"),
        "may_see_protected": fields.get("may_see_protected") == "1",
    }


def _done(id: str, message: str) -> ResponseReturnValue:
    flash(message)
    # Somebody who has just changed their own role is signed out by it.
    return redirect(f"/desk/people/{id}", 303)


def _list_page(form: Mapping[str, Any], problem: Problem | None = None) -> ResponseReturnValue:
    with get_services().databases.reading() as db:
        users = accounts.list_users(db, active_only=False)
    people = [
        {
            "id": user.id,
            "name": user.name,
            "display_name": user.display_name,
            "role": user.role,
            "queue": user.queue,
            "speaks": language_names(user.languages),
            "active": user.active,
        }
        for user in sorted(users, key=lambda user: not user.active)
    ]
    may_change = access.may(access.get_current_user(), "people")
    return _page("desk/people.html", form, problem, people=people, may_change=may_change)


def _one_page(
    person: accounts.User, form: Mapping[str, Any] | None = None, problem: Problem | None = None
) -> ResponseReturnValue:
    with get_services().databases.reading() as db:
        rows = sessions.list_sessions(db, person.id, get_services().now())
    stored = {
        "display_name": person.display_name,
        "role": person.role,
        "queue": person.queue,
        "languages": person.languages,
        "may_see_protected": person.may_see_protected,
    }
    return _page("desk/people_one.html", form or stored, problem, person=person, sessions=rows)


def _page(
    template: str, form: Mapping[str, Any], problem: Problem | None, **more: Any
) -> ResponseReturnValue:
    page = render_template(
        template,
        form=form,
        problem=problem,
        roles=accounts.ROLES,
        queues=QUEUES,
        languages=[
            {"tag": tag, "label": language_name(tag)} for tag in get_services().settings.languages
        ],
        password_min=accounts.PASSWORD_CHARACTERS_MIN,
        **more,
    )
    response = make_response(page)
    if problem is not None:
        response.status_code = problem.entry.status
    return response
