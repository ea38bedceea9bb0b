"""What a supervisor does with one visit: review it, end a conflict, answer, withdraw, strike, cancel.

Invariant: each form is one operation with the id and the base it was rendered with, so a second
press changes nothing and a change in between is seen as a conflict instead of being lost. The right
to the visit is checked before the form is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.parts.forms import back_to, draft, follow_up_answer, perform, text_of
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.submitting import load_visit
from pwa.web.access import get_current_user, requires
from sync.limits import POINTS_MAX

blueprint = Blueprint("visit_actions", __name__, url_prefix="/desk/visits/<id>")


@blueprint.before_request
def look_first() -> None:
    """A visit the reader may not see is "not found" before any field of a form is looked at."""
    assert request.view_args is not None
    with get_services().databases.reading() as db:
        load_visit(db, get_current_user(), request.view_args["id"])


@blueprint.post("/approve")
@requires("review")
def approve(id: str) -> ResponseReturnValue:
    data = {"comment": text_of(request.form, "comment")}
    return _do(id, "visit.approve", data, gettext("Approved."), "/desk/review")


@blueprint.post("/return")
@requires("review")
def send_back(id: str) -> ResponseReturnValue:
    """Return the visit with what is to be put right; empty lines of the form are left out."""
    items, texts = request.form.getlist("item"), request.form.getlist("text")
    if len(items) != len(texts) or len(items) > POINTS_MAX:
        raise Problem("invalid_form")
    points = [
        {"item": item, "text": text_of({"text": text}, "text")}
        for item, text in zip(items, texts, strict=True)
        if item or text.strip()
    ]
    if not points:
        flash(gettext("First write what is to be corrected."), "problem")
        return redirect(f"/desk/visits/{id}#return", 303)
    return _do(id, "visit.return", {"points": points}, gettext("Returned."), "/desk/review")


@blueprint.post("/choose")
@requires("review")
def choose(id: str) -> ResponseReturnValue:
    """End a conflict by choosing the value that counts."""
    field = text_of(request.form, "field", 80)
    value: Any = request.form.get("value", "")
    if field == "visitors":
        value = [one for one in value.split(",") if one]
    return _do(id, "visit.choose", {"field": field, "value": value}, gettext("Settled."))


@blueprint.post("/follow-up")
@requires("follow_ups")
def answer_follow_up(id: str) -> ResponseReturnValue:
    data = follow_up_answer(request.form)
    return _do(id, "follow_up.answer", data, gettext("Answered."))


@blueprint.post("/withdraw")
@requires("consents")
def withdraw(id: str) -> ResponseReturnValue:
    data = {
        "purpose": text_of(request.form, "purpose", 8),
        "channel": text_of(request.form, "channel", 20),
    }
    return _do(id, "visit.withdraw", data, gettext("The consent is withdrawn."))


@blueprint.post("/strike")
@requires("review")
def strike(id: str) -> ResponseReturnValue:
    """Strike a note or follow-up out: its words are erased, that it was there stays."""
    data = {"operation": text_of(request.form, "entry", 40)}
    return _do(id, "visit.retract", data, gettext("Struck out."))


@blueprint.post("/cancel")
@requires("assign")
def cancel(id: str) -> ResponseReturnValue:
    data = {"reason": text_of(request.form, "reason", 20)}
    return _do(id, "visit.cancel", data, gettext("The visit is cancelled."))


def _do(
    id: str, kind: str, data: Mapping[str, Any], message: str, then: str = ""
) -> ResponseReturnValue:
    if perform([draft(request.form, kind, id, data)]):
        flash(message, "success")
    return redirect(back_to(then or f"/desk/visits/{id}"), 303)
