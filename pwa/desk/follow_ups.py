"""Follow-ups: all of them for a supervisor, the own queue for an officer.

Invariant: an officer sees a follow-up's address, item, text, urgency and the photos of that item,
and nothing else of the visit; a follow-up of another queue is "not found" for them (I7). Struck text
and struck photos are shown to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.parts import staff, tables
from pwa.desk.parts.access_log import log_picture
from pwa.desk.parts.blob_response import blob_response
from pwa.desk.parts.due import due_day
from pwa.desk.parts.forms import back_to, draft, follow_up_answer, new_operation, perform
from pwa.desk.parts.guide_words import Words, words_for
from pwa.desk.parts.paging import count_pages, page_asked
from pwa.desk.parts.rows import FollowUpRow
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.services import get_services
from pwa.web.access import get_current_user, requires
from sync.shapes import QUEUES, VisitRecord
from sync.sqlite import SqliteStorage
from sync.storage import read_visits

blueprint = Blueprint("follow_ups", __name__)


@blueprint.get("/desk/follow-ups")
@requires("follow_ups", "follow_ups.own")
def page() -> ResponseReturnValue:
    services, user = get_services(), get_current_user()
    own = user.role == "officer"
    queue = user.queue if own else request.args.get("queue", "")
    queue = queue if queue in QUEUES else ""
    done, late = request.args.get("done") == "1", request.args.get("overdue") == "1"
    shown = page_asked(request.args) or 1
    today = services.today()
    with services.databases.reading() as db:
        rows, total = tables.list_follow_ups(
            db, today, queue=queue, done=done, late=late and not done, page=shown
        )
        counts = tables.count_follow_ups(db, today)
        records = read_visits(SqliteStorage(db), {row.visit for row in rows})
        words = words_for(services.guide, staff.names(db))
    return render_template(
        "desk/follow_ups.html",
        own=own,
        queue=queue,
        done=done,
        late=late,
        counts=counts if not own else {user.queue: counts.get(user.queue, (0, 0))},
        rows=[_view(row, records[row.visit], today, words) for row in rows],
        total=total,
        page_number=shown,
        pages=count_pages(total),
    )


@blueprint.post("/desk/follow-ups/<id>")
@requires("follow_ups", "follow_ups.own")
def answer(id: str) -> ResponseReturnValue:
    """Answer one follow-up, and close it where the form says so."""
    user = get_current_user()
    with get_services().databases.reading() as db:
        row = tables.find_follow_up(db, id)
    if row is None or not _may(user, row):
        raise Problem("not_found")
    data = follow_up_answer({**request.form.to_dict(), "follow_up": id})
    if perform([draft(request.form, "follow_up.answer", row.visit, data)]):
        flash(gettext("Closed.") if data["done"] else gettext("Answered."), "success")
    return redirect(back_to("/desk/follow-ups"), 303)


@blueprint.get("/desk/follow-ups/<id>/photos/<sha256>")
@requires("follow_ups", "follow_ups.own")
def photo(id: str, sha256: str) -> Response:
    """A photo of the fault that this follow-up is about: all that an officer sees of a home."""
    services, user = get_services(), get_current_user()
    with services.databases.reading() as db:
        row = tables.find_follow_up(db, id)
        if row is None or not _may(user, row):
            raise Problem("not_found")
        record = read_visits(SqliteStorage(db), [row.visit])[row.visit]
    if sha256 not in photos_of(record, id):
        raise Problem("not_found")
    log_picture(services, user, row.visit)
    return blob_response(services.blobs, sha256)


def photos_of(record: VisitRecord, follow_up: str) -> list[str]:
    """Hashes of the photos of the point that a follow-up is about, without the struck ones."""
    item = next(one["item"] for one in record["follow_ups"] if one["id"] == follow_up)
    live = [one for one in record.get("photos", []) if not one["retracted"]]
    # Of the whole visit's photos none: those could be of anything.
    return list(dict.fromkeys(one["photo"] for one in live if item and one["item"] == item))


def _photo_source(row: FollowUpRow, sha256: str) -> str:
    """The address of a photo, "" where its picture has not come yet."""
    return f"/desk/follow-ups/{row.id}/photos/{sha256}" if get_services().blobs.has(sha256) else ""


def _may(user: User, row: FollowUpRow) -> bool:
    return user.role == "supervisor" or (user.role == "officer" and row.queue == user.queue)


def _view(row: FollowUpRow, record: VisitRecord, today: date, words: Words) -> dict[str, Any]:
    entry = next(one for one in record["follow_ups"] if one["id"] == row.id)
    due = due_day(row.urgency, row.at)
    return {
        "id": row.id,
        "visit": row.visit,
        "queue": row.queue,
        "urgency": row.urgency,
        "done": row.done,
        "street": row.street,
        "apartment": row.apartment,
        "city": row.city,
        "area": row.area,
        "item": words.item(entry["item"]) if entry["item"] else "",
        "text": entry["text"],
        "by": words.person(entry["by"]),
        "at": row.at,
        "due": due.isoformat(),
        "late": not row.done and due < today,
        "photos": [_photo_source(row, sha) for sha in photos_of(record, row.id)],
        "answers": [_answer(one, words) for one in entry["answers"]],
        "operation": new_operation(),
        "base": record["seq"],
    }


def _answer(answer: Mapping[str, Any], words: Words) -> dict[str, Any]:
    return {
        "text": answer["text"],
        "done": answer["done"],
        "by": words.person(answer["by"]),
        "at": answer["at"],
    }
