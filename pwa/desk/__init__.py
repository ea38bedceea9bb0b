"""The pages of a supervisor, an officer and an administrator.

Invariant: the desk changes visits only by operations (pwa/visits/submitting.py) and reads lists only
through pwa/desk/parts/tables.py. How operations make up a record is decided in sync.
"""

from __future__ import annotations

from flask import Flask

from pwa.desk import (
    company,
    consents,
    coverage,
    devices,
    follow_ups,
    handouts,
    held,
    imports,
    people,
    protected,
    review,
    visit,
    visit_actions,
    visits,
)
from pwa.desk.guide import po, publish, recordings
from pwa.desk.guide import review as guide_review

PAGES = (
    coverage, devices, visits, visit, visit_actions, review, held, follow_ups, consents, imports,
    protected, people, guide_review, publish, po, recordings, company, handouts,
)  # fmt: skip


def register(app: Flask) -> None:
    """Register every page of the desk on `app`; a second call does nothing."""
    for page in PAGES:
        if page.blueprint.name not in app.blueprints:
            app.register_blueprint(page.blueprint)
