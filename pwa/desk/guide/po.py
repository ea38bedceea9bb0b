"""A language of the guide as a PO file: out for a translator, back in as drafts.

Invariant: an import is shown first and then accepted, and only the file that was shown is accepted
(its hash comes back with the form); the file itself is not stored. Every import has the name of
its reviewer.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from pwa.desk.parts.forms import text_of
from pwa.desk.parts.language_names import language_name
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.publishing import events
from pwa.publishing.acts import Who, may_change
from pwa.publishing.po import BYTES_MAX, Plan, accept, export_po, plan_import
from pwa.publishing.versions import draft_guide
from pwa.services import get_services
from pwa.web import htmx
from pwa.web.access import get_current_user, requires

blueprint = Blueprint("guide_po", __name__)

NAME_CHARACTERS_MAX = 80
ROWS_MAX = 500  # on one page; the counts are always whole


@blueprint.get("/desk/guide/<language>/po")
@requires("guide.review")
def download(language: str) -> ResponseReturnValue:
    services = get_services()
    with services.databases.reading() as db:
        draft = draft_guide(db, services.baseline)
        content = export_po(draft, language, events.history(db, language), services.now())
    response = Response(content, content_type="text/x-gettext-translation; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="guide.{language}.po"'
    return response


@blueprint.get("/desk/guide/<language>/import")
@requires("guide.review")
def page(language: str) -> ResponseReturnValue:
    _may(language)
    return _answer(language, None, "")


@blueprint.post("/desk/guide/<language>/import")
@requires("guide.review")
def upload(language: str) -> ResponseReturnValue:
    """Show what a file would change, or import it when `accept` is the hash of what was shown."""
    services, user = get_services(), _may(language)
    uploaded = request.files.get("file")
    data = uploaded.read(BYTES_MAX + 1) if uploaded else b""
    if not data:
        return _answer(language, None, "no_file")
    if len(data) > BYTES_MAX:
        raise Problem("too_large")
    reviewer = text_of(request.form, "reviewer", NAME_CHARACTERS_MAX)
    agreed = request.form.get("accept", "")
    if agreed and not reviewer:
        return _answer(language, None, "no_reviewer")
    same = agreed == hashlib.sha256(data).hexdigest()
    try:
        with services.databases.writing() as db:
            draft, history = draft_guide(db, services.baseline), events.history(db, language)
            plan = plan_import(draft, language, history, data)
            if same:
                accept(db, services.baseline, plan, Who(user.id, reviewer), services.now())
    except Problem as problem:
        return _answer(language, None, "", problem), problem.entry.status
    return _answer(language, plan, "other_file" if agreed and not same else "", done=same)


def _may(language: str) -> User:
    user = get_current_user()
    if language not in get_services().guide.languages or language == ORIGINAL:
        raise Problem("not_found")
    if not may_change(user, language):
        raise Problem("no_right")
    return user


def _answer(
    language: str,
    plan: Plan | None,
    fault: str,
    problem: Problem | None = None,
    *,
    done: bool = False,
) -> str:
    user = get_current_user()
    return render_template(
        "desk/guide_import_report.html" if htmx.is_fragment() else "desk/guide_import.html",
        language={
            "tag": language,
            "name": language_name(language),
            "dir": LANGUAGES[language].direction,
        },
        plan=plan,
        rows=plan.rows[:ROWS_MAX] if plan else [],
        refused=plan.refused[:ROWS_MAX] if plan else [],
        fault=fault,
        problem=problem,
        done=done,
        reviewer=request.form.get(
            "reviewer", user.display_name if language in user.languages else ""
        ),
    )
