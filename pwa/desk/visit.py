"""One visit with everything in it, and the log of who did what.

Invariant: the reader is written to access_log first, and it opens only for those who may see it;
a protected, a foreign and an unknown visit look the same. Nothing is changed here: that is
pwa/desk/visit_actions.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlite_utils import Database

from pwa.desk.parts import staff, tables
from pwa.desk.parts.access_log import log_picture, log_reading
from pwa.desk.parts.blob_response import blob_response
from pwa.desk.parts.events import parse_event
from pwa.desk.parts.filters import ASSIGN_STATES
from pwa.desk.parts.forms import CHANNELS, new_operation
from pwa.desk.parts.guide_words import Words, words_for, words_of
from pwa.desk.parts.tenant_texts import messages_for
from pwa.homes import company
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.holding import list_filed
from pwa.visits.submitting import VisitFile, load_visit
from pwa.visits.view_models import summary_view
from pwa.web.access import get_current_user, requires
from sync.apply import consents_of, value_of
from sync.shapes import VisitRecord

blueprint = Blueprint("visit", __name__)

REVIEW_STATES = ("done", "changed")
REASONS = ("moved_out", "duplicate", "other")


@blueprint.get("/desk/visits/<id>")
@requires("visits")
def page(id: str) -> ResponseReturnValue:
    services, user = get_services(), get_current_user()
    with services.databases.reading() as db:
        file = load_visit(db, user, id)
    log_reading(services, user, id)
    with services.databases.reading() as db:
        people = staff.names(db)
        pinned = pinned_words(db, file, people)
        words = pinned or words_for(services.guide, people)
        view = view_of(db, file, words)
        log = log_rows(db, file, words)
        elsewhere = _consents_elsewhere(db, file.record)
        options = staff.assignees(db, [view["language"]["tag"]], view["date"])
        tenancy = file.tenancy["fields"] if file.tenancy else {}
        building, area = tenancy.get("building", ""), tenancy.get("area", "")
        facts = company.settings_for(db, area, building)
        filed_rows = list_filed(db, user, id)
    arrived = {sha: services.blobs.has(sha) for sha in file.record["blobs"]}
    for photo in view["photos"]:
        if arrived.get(photo["photo"]):
            photo["source"] = f"/desk/visits/{id}/blobs/{photo['photo']}"
    filed = [
        {"event": parse_event(row.text, words), "by": words.person(row.by), "row": row}
        for row in filed_rows
    ]
    visitors = value_of(file.record, "visitors", [])
    first, second = [*visitors, "", ""][:2]
    return render_template(
        "desk/visit.html",
        visit=view,
        url=f"/desk/visits/{id}",
        actions=False,
        other_version=pinned is None,
        shown=sections_shown(view),
        log=log,
        filed=filed,
        elsewhere=elsewhere,
        messages=messages_for(
            services.guide, view["language"]["tag"], facts, view["date"], view["time"]
        ),
        level="" if not area and not building else company.scope_of(area, building),
        options=options,
        first=first,
        second=second,
        was_people=",".join(visitors),
        can_review=file.state in REVIEW_STATES,
        can_return=file.state in (*REVIEW_STATES, "approved"),
        can_assign=file.state in ASSIGN_STATES,
        can_cancel=file.state != "cancelled",
        signatures=arrived,
        missing=sum(not one for one in arrived.values()),
        channels=CHANNELS,
        reasons=REASONS,
        new_operation=new_operation,
        base=file.record["seq"],
    )


@blueprint.get("/desk/visits/<id>/point")
@requires("review")
def point(id: str) -> ResponseReturnValue:
    """One more line in the form that returns a visit, about `item`."""
    services = get_services()
    item = request.args.get("item", "")
    with services.databases.reading() as db:
        file = load_visit(db, get_current_user(), id)
        words = pinned_words(db, file, {}) or words_for(services.guide, {})
        view = view_of(db, file, words)
    return render_template("desk/visit_point.html", visit=view, chosen=item, autofocus=True)


@blueprint.get("/desk/visits/<id>/blobs/<sha256>")
@requires("visits")
def blob(id: str, sha256: str) -> Response:
    """A signature or photo of this visit. The visit is in the address, so that the right to it is
    checked."""
    services, user = get_services(), get_current_user()
    with services.databases.reading() as db:
        file = load_visit(db, user, id)
    if sha256 not in file.record["blobs"]:
        raise Problem("not_found")
    log_picture(services, user, id)
    return blob_response(services.blobs, sha256)


# --- behind the views --------------------------------------------------------------------


def pinned_words(db: Database, file: VisitFile, people: Mapping[str, str]) -> Words | None:
    """The guide as the visitor read it, whatever was published since; None where it is not here."""
    return words_of(db, get_services().guide, value_of(file.record, "guide", ""), people)


def view_of(db: Database, file: VisitFile, words: Words) -> dict[str, Any]:
    """The visit for the shared templates, in the reader's language alone: at the desk the
    tenant's text would only be in the way."""
    tenancy = file.tenancy["fields"] if file.tenancy else {}
    settings = company.settings_for(db, tenancy.get("area", ""), tenancy.get("building", ""))
    return summary_view(
        {"record": file.record, "state": file.state, "tenancy": tenancy, "settings": settings},
        words.packs,
        {"staff": words.language, "tenant": words.language},
        words.people,
        {},
    )


def sections_shown(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sections, each with the items that were touched, and the labels of the others.

    Notes, photos and follow-ups are taken out of the items: they stand together at the top of the
    page, where something can be done about them.
    """
    shown = []
    for section in view["detail"]:
        touched = [
            {
                "item": {**one, "notes": [], "photos": [], "follow_ups": []},
                "noted": len(one["notes"]),
                "pictured": len(one["photos"]),
                "followed_up": len(one["follow_ups"]),
            }
            for one in section["rows"]
            if _touched(one)
        ]
        rest = [one for one in section["rows"] if not _touched(one)]
        shown.append({"section": section, "touched": touched, "rest": rest})
    return shown


def _touched(item: Mapping[str, Any]) -> bool:
    names = ("answer", "notes", "photos", "follow_ups", "conflict", "points")
    return any(item[name] for name in names)


def log_rows(db: Database, file: VisitFile, words: Words) -> list[dict[str, Any]]:
    """Who did what when, the newest first. Struck and erased words are gone from it too."""
    rows = tables.log_of(db, file.record["id"])
    late = set(file.record["late"])
    return [
        {
            "event": parse_event(octets.decode("utf-8", "replace"), words) if octets else None,
            "by": words.person(by),
            "at": at,
            "received_at": received_at,
            "desk": device.startswith("desk-"),
            "waited": _minutes(at, received_at),
            "late": id in late,
        }
        for id, octets, by, device, at, received_at in rows
    ]


def _minutes(at: str, received_at: str) -> int:
    """How long it was on the phone only, in whole minutes; never negative (clocks differ)."""
    passed = datetime.fromisoformat(received_at) - datetime.fromisoformat(at)
    return max(0, int(passed.total_seconds() // 60))


def _consents_elsewhere(db: Database, record: VisitRecord) -> dict[str, str]:
    """purpose → the decision from another visit to the same household, where it counts instead of
    this visit's own (sync/index.py, `consent_rows`)."""
    own = {purpose: one["decision"] for purpose, one in consents_of(record).items()}
    counting = tables.decisions_at(db, record["id"])
    return {purpose: one for purpose, one in counting.items() if own.get(purpose) != one}
