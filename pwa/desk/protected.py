"""Tenancies of protected identities, for the few who may see them.

Invariant: for everyone else this page does not exist; each opening and each clearing is logged by
pwa/homes/protected.py; one tenancy is cleared at a time, with a reason, never several (docs/design.md 7.3).
There is no search and no order to choose, and nothing of a person is in a URL.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.parts import staff
from pwa.desk.parts.forms import text_of
from pwa.homes.protected import REASON_CHARACTERS_MAX, clear_protected, list_protected
from pwa.phones import devices
from pwa.problems import Problem
from pwa.services import get_services
from pwa.web.access import get_current_user, requires
from sync.kinds import is_uuid

blueprint = Blueprint("protected", __name__)


@blueprint.get("/desk/protected")
@requires("visits")
def page() -> ResponseReturnValue:
    services = get_services()
    with services.databases.writing() as db:
        rows = list_protected(db, get_current_user(), services.now())
    with services.databases.reading() as db:
        phones, names = devices.list_deletions(db), staff.names(db)
    return render_template("desk/protected.html", rows=rows, phones=phones, names=names)


@blueprint.post("/desk/protected/clear")
@requires("visits")
def clear() -> ResponseReturnValue:
    """Lift the protection of one tenancy: from now on it is like any other."""
    id = request.form.get("id", "")
    if not is_uuid(id):
        raise Problem("malformed")
    reason = text_of(request.form, "reason", REASON_CHARACTERS_MAX)
    clear_protected(get_services(), get_current_user(), id, reason)
    flash(gettext("Protection lifted. A visit is planned."), "success")
    return redirect("/desk/protected", 303)
