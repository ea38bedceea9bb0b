"""Importing a file of tenancies: a dry run, its report, then the same file for real.

Invariant: the file is never stored between the two steps; the page holds it and sends it again, and
only the very file that was checked is imported (its hash is compared).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pwa.desk.parts.forms import text_of
from pwa.homes.importing import import_file
from pwa.homes.report import Report, message
from pwa.services import get_services
from pwa.web import htmx
from pwa.web.access import get_current_user, requires

blueprint = Blueprint("import_page", __name__)

NAME_CHARACTERS_MAX = 80
LIST_ROWS_MAX = 500  # of refusals and warnings on one page; the counts are always whole


@blueprint.get("/desk/import")
@requires("import")
def page() -> ResponseReturnValue:
    return _answer(None, "")


@blueprint.post("/desk/import")
@requires("import")
def upload() -> ResponseReturnValue:
    """Check a file, or import it when `dry_run` is 0 and it is the file that was checked."""
    uploaded = request.files.get("file")
    data = uploaded.read() if uploaded else b""
    if uploaded is None or not uploaded.filename or not data:
        return _answer(None, "no_file")
    checked = request.form.get("sha256", "")
    for_real = request.form.get("dry_run", "1") == "0"
    other = for_real and checked != hashlib.sha256(data).hexdigest()
    report = import_file(
        get_services(),
        get_current_user(),
        data,
        uploaded.filename,
        dry_run=not for_real or other,
        protected_checked_by=text_of(request.form, "protected_checked_by", NAME_CHARACTERS_MAX),
        blank_means_unprotected=text_of(
            request.form, "blank_means_unprotected", NAME_CHARACTERS_MAX
        ),
    )
    return _answer(report, "other_file" if other else "")


def _answer(report: Report | None, problem: str) -> ResponseReturnValue:
    template = "desk/import_report.html" if htmx.is_fragment() else "desk/import.html"
    return render_template(
        template,
        report=report,
        problem=problem,
        numbers=_numbers(report) if report else [],
        refused=_messages(report.refused) if report else [],
        warnings=_messages(report.warnings) if report else [],
        skipped=_messages(report.skipped) if report else [],
        form=request.form,
    )


def _numbers(report: Report) -> list[tuple[str, int]]:
    """The counts of the report by the name of their label in the template, in reading order."""
    return [
        ("created", report.created),
        ("updated", report.updated),
        ("unchanged", report.unchanged),
        ("registered", report.registered),
        ("protected", report.protected),
        ("skipped", len(report.skipped)),
        ("refused", len(report.refused)),
    ]


def _messages(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Refusals, warnings or skips in words: each says its row, its column and what to do."""
    return [
        message(one.get("problem") or one["reason"], one.get("params", {"row": one["row"]}))
        for one in rows[:LIST_ROWS_MAX]
    ]
