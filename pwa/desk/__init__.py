"""What a supervisor, an officer and an administrator see at a desk.

Invariant: the desk changes visits only by operations (pwa/submitting.py) and reads lists only
through pwa/desk/queries.py. It refuses to know how a record is made up: that is sync.
"""

from __future__ import annotations

from flask import Flask

from pwa.desk import (
    company_page,
    consents,
    coverage,
    devices,
    follow_ups,
    guide_po,
    guide_publish,
    guide_review,
    handing,
    held,
    import_page,
    people,
    protected,
    recordings,
    review,
    visit,
    visit_actions,
    visits,
)

PAGES = (
    coverage, devices, visits, visit, visit_actions, review, held, follow_ups, consents, import_page,
    protected, people, guide_review, guide_publish, guide_po, recordings,
    company_page, handing,
)  # fmt: skip


def register(app: Flask) -> None:
    """Put every page of the desk on `app`; once more is harmless."""
    for page in PAGES:
        if page.blueprint.name not in app.blueprints:
            app.register_blueprint(page.blueprint)
