"""The desk's menu: one list of pages, and who sees which.

Invariant: a person sees exactly the pages whose views they may open. The menu grants nothing: the
views check for themselves (pwa/web/access.py).
"""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask_babel import gettext

from pwa.messages import N_
from pwa.web.access import find_current_user, may, may_see_protected

PLACES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("/desk/", N_("Coverage"), ("coverage",)),
    ("/desk/visits", N_("Visits"), ("visits",)),
    ("/desk/review", N_("To review"), ("review",)),
    ("/desk/follow-ups", N_("Follow-ups"), ("follow_ups", "follow_ups.own")),
    ("/desk/consents", N_("Consents"), ("consents",)),
    ("/desk/held", N_("Held"), ("held",)),
    ("/desk/import", N_("Import"), ("import",)),
    ("/desk/guide", N_("Guide texts"), ("guide.review",)),
    ("/desk/boendeguide", N_("Boendeguide"), ("guide.review", "visits")),
    ("/desk/company", N_("Company"), ("settings",)),
    ("/desk/people", N_("People"), ("people", "people.view")),
    ("/field/", N_("On the phone"), ("field",)),
)
PROTECTED_ROOM = ("/desk/protected", N_("Protected"))


def install(app: Flask) -> None:
    """Give templates `places`, the menu of the person signed in."""

    @app.context_processor
    def add_places() -> dict[str, Any]:
        user = find_current_user()
        shown = [(path, label) for path, label, needed in PLACES if may(user, *needed)]
        if may_see_protected(user):
            shown.insert(-1, PROTECTED_ROOM)
        return {
            "places": [
                {"href": path, "label": gettext(label), "here": _is_here(path)}
                for path, label in shown
            ]
        }


def _is_here(path: str) -> bool:
    if path == "/desk/":
        return request.path == path
    return request.path == path or request.path.startswith(path + "/")
