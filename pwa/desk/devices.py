"""The phones: how each one is, the worst first, in plain words and with what to do.

Invariant: a reported loss of storage is shown until somebody has pressed "seen to"; a phone that
needs nobody is marked so. Nothing of a visit is shown: counts and times only.
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
        phones = list_phones(db, services.now(), services.assets.version)
    return render_template("desk/devices.html", phones=phones, version=services.assets.version)


@blueprint.post("/desk/devices/seen")
@requires("devices")
def seen() -> ResponseReturnValue:
    """Somebody has looked into the loss: it is no longer shown."""
    device = text_of(request.form, "device", 80)
    with get_services().databases.writing() as db:
        devices.see_loss(db, device)
    flash(gettext("Noted."), "success")
    return redirect("/desk/devices", 303)
