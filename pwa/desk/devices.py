"""The phones: how each one is, the worst first, in plain words and with what to do.

Invariant: what a phone has said of lost storage is shown until somebody has pressed "seen to"; a
phone that needs nobody says so. It refuses to show anything of a visit: counts and times only.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.parts.forms import text_of
from pwa.desk.parts.phones import list_phones
from pwa.phones import devices
from pwa.services import get_services
from pwa.web.access import requires

blueprint = Blueprint("devices", __name__)


@blueprint.get("/desk/devices")
@requires("devices")
def page() -> ResponseReturnValue:
    services = get_services()
    with services.databases.reading() as db:
        rows = devices.list_devices(db)
    phones = list_phones(rows, services.now(), services.assets.version)
    return render_template("desk/devices.html", phones=phones, version=services.assets.version)


@blueprint.post("/desk/devices/seen")
@requires("devices")
def seen() -> ResponseReturnValue:
    """The loss has been seen to: the phone needs nobody any more for that."""
    device = text_of(request.form, "device", 80)
    with get_services().databases.writing() as db:
        devices.see_loss(db, device)
    flash(gettext("Noted."), "success")
    return redirect("/desk/devices", 303)
