"""Every consent that counts, and the one thing to do with it: withdraw it for the tenant.

Invariant: withdrawing is as easy as giving: one press from the list, whatever the visit's state
(docs/design.md 7.5). A yes is never recorded here: it is given at a visit, with its text in front of the
tenant.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.parts import staff, tables
from pwa.desk.parts.forms import CHANNELS, back_to, draft, new_operation, perform, text_of
from pwa.desk.parts.guide_words import words_for
from pwa.desk.parts.language_names import language_name
from pwa.desk.parts.paging import count_pages, page_asked
from pwa.desk.parts.rows import Calendar
from pwa.problems import Problem
from pwa.services import get_services
from pwa.web.access import requires

blueprint = Blueprint("consents", __name__)

DECISIONS = ("yes", "no", "withdrawn")


@blueprint.get("/desk/consents")
@requires("consents")
def page() -> ResponseReturnValue:
    services = get_services()
    purpose = request.args.get("purpose", "")
    purpose = purpose if purpose in services.guide.consents else ""
    decision = request.args.get("decision", "yes")
    decision = decision if decision in DECISIONS else "yes"
    expired = request.args.get("expired") == "1"
    shown = page_asked(request.args) or 1
    today = services.today().isoformat()
    with services.databases.reading() as db:
        rows, total = tables.list_consents(
            db, purpose=purpose, decision=decision, today=today, expired=expired, page=shown
        )
        words = words_for(services.guide, staff.names(db))
    return render_template(
        "desk/consents.html",
        purposes=[{"code": code, "title": words.consent(code)} for code in services.guide.consents],
        decisions=DECISIONS,
        purpose=purpose,
        decision=decision,
        expired=expired,
        today=today,
        total=total,
        page_number=shown,
        pages=count_pages(total),
        channels=CHANNELS,
        new_operation=new_operation,
        rows=[
            {
                "visit": row.visit,
                "purpose": row.purpose,
                "title": words.consent(row.purpose),
                "decision": row.decision,
                "expires": row.expires,
                "expired": bool(row.expires) and row.expires < today,
                "language": language_name(row.language),
                "text_state": row.text_state,
                "at": row.at,
                "street": row.street,
                "apartment": row.apartment,
                "city": row.city,
                "base": row.seq,
            }
            for row in rows
        ],
    )


@blueprint.post("/desk/consents/<visit>/<purpose>/withdraw")
@requires("consents")
def withdraw(visit: str, purpose: str) -> ResponseReturnValue:
    services = get_services()
    with services.databases.reading() as db:
        found = tables.visits_by_id(db, [visit], Calendar.now(services))
    if visit not in found or purpose not in services.guide.consents:
        raise Problem("not_found")
    data = {"purpose": purpose, "channel": text_of(request.form, "channel", 20)}
    if perform([draft(request.form, "visit.withdraw", visit, data)]):
        flash(gettext("The consent is withdrawn."), "success")
    return redirect(back_to("/desk/consents"), 303)
