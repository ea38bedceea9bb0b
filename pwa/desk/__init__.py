"""What a supervisor, an officer and an administrator see at a desk.

Invariant: the desk changes visits only by operations (pwa/visits/submitting.py) and reads lists only
through pwa/desk/parts/tables.py. It refuses to know how a record is made up: that is sync.
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
    """Put every page of the desk on `app`; once more is harmless."""
    for page in PAGES:
        if page.blueprint.name not in app.blueprints:
            app.register_blueprint(page.blueprint)
