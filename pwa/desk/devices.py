"""The phones: how each one is, the worst first, in plain words and with what to do.

Invariant: what a phone has said of lost storage is shown until somebody has pressed "seen to"; a
phone that needs nobody says so. It refuses to show anything of a visit: counts and times only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.parts import staff
from pwa.desk.parts.forms import text_of
from pwa.phones import devices
from pwa.services import get_services
from pwa.web.access import requires

blueprint = Blueprint("devices", __name__)

SILENT_HOURS = 48  # a phone with unsent work that is not heard of for so long
STUCK_HOURS = 72  # unsent work so old on a phone that has contact: it is not the network
FREE_BYTES_MIN = 200_000_000
# What may be the matter, the worst first; the first four call for somebody today.
NEEDS = ("lost", "silent", "stuck", "space", "version", "persist")
URGENT = frozenset(NEEDS[:4])


@dataclass(frozen=True, slots=True)
class Phone:
    """A device as the desk shows it: its last report, its person's name, what it needs."""

    row: devices.DeviceRow
    person: str
    needs: tuple[str, ...]

    @property
    def urgent(self) -> bool:
        return bool(URGENT.intersection(self.needs))


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


def list_phones(rows: Iterable[devices.DeviceRow], now: datetime, version: str) -> list[Phone]:
    """The phones, those that need someone first. `version` is the one this server gives out."""
    names = staff.names()
    phones = [Phone(row, names.get(row.user, ""), needs_of(row, now, version)) for row in rows]
    return sorted(phones, key=_badness)


def needs_of(row: devices.DeviceRow, now: datetime, version: str) -> tuple[str, ...]:
    """Codes of NEEDS that fit, the worst first."""
    silent = row.seen_at < (now - timedelta(hours=SILENT_HOURS)).isoformat()
    found = {
        "lost": row.lost_at != "",
        "silent": row.unsent > 0 and silent,
        "stuck": row.unsent > 0 and not silent and _is_older(row.oldest_unsent_at, now),
        "space": row.tight or 0 < row.quota < row.usage + FREE_BYTES_MIN,
        "version": row.version not in ("", version),
        "persist": not row.persisted,
    }
    return tuple(code for code in NEEDS if found[code])


def _is_older(at: str, now: datetime) -> bool:
    try:
        return now - datetime.fromisoformat(at) > timedelta(hours=STUCK_HOURS)
    except (ValueError, TypeError):
        return False  # a phone's own words: anything may stand there


def _badness(phone: Phone) -> tuple[int, int, str]:
    worst = NEEDS.index(phone.needs[0]) if phone.needs else len(NEEDS)
    return worst, -phone.row.unsent, phone.row.seen_at
