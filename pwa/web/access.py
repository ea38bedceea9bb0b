"""Who may do what: one table of roles, and the guard in front of every view.

Invariant: a view without `requires(...)` or `public` answers nobody (it fails closed), and a
capability is granted by role in `CAPABILITIES` alone. It refuses to know about single visits:
which of them a person may see is asked of the visit (I7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import flask_login
from flask import Flask, Response, current_app, g, redirect, request

from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.web import htmx
from pwa.web.errors import problem_response, wants_json

View = TypeVar("View", bound=Callable[..., Any])

CAPABILITIES: dict[str, frozenset[str]] = {
    "visitor": frozenset({"field", "sync", "guide.review"}),
    "ambassador": frozenset({"field", "sync", "guide.review"}),
    "supervisor": frozenset(
        {
            "field", "sync", "coverage", "visits", "review", "assign", "import", "held",
            "consents", "follow_ups", "people.view", "devices", "guide.review",
        }
    ),
    "officer": frozenset({"follow_ups.own"}),
    "administrator": frozenset(
        {"people", "settings", "devices", "import", "coverage", "guide.review", "guide.publish"}
    ),
}  # fmt: skip

SIGNED_IN = "signed_in"  # whoever is signed in: the own sessions, the own language
_MARK = "troskel_capabilities"


def requires(*capabilities: str) -> Callable[[View], View]:
    """Only for people whose role has one of `capabilities`; `SIGNED_IN` is anyone's."""
    known = frozenset().union(*CAPABILITIES.values()) | {SIGNED_IN}
    unknown = set(capabilities) - known
    if unknown or not capabilities:
        raise ValueError(f"no such capability: {', '.join(unknown) or 'none given'}")

    def mark(view: View) -> View:
        setattr(view, _MARK, frozenset(capabilities))
        return view

    return mark


def public(view: View) -> View:
    """For everyone, signed in or not."""
    setattr(view, _MARK, frozenset[str]())
    return view


def capabilities_of_view(view: Callable[..., Any]) -> frozenset[str] | None:
    """What a view asks for: any of these; empty when public; None when nobody has said."""
    return cast("frozenset[str] | None", getattr(view, _MARK, None))


def may(user: User | None, *capabilities: str) -> bool:
    """Whether the person's role has one of `capabilities`."""
    if user is None or not user.active:
        return False
    return SIGNED_IN in capabilities or not CAPABILITIES[user.role].isdisjoint(capabilities)


def find_current_user() -> User | None:
    """Who is signed in, or None. From here on the answer is personal (pwa/web/security.py)."""
    g.troskel_personal = True
    user = flask_login.current_user
    return cast(User, user._get_current_object()) if user.is_authenticated else None


def get_current_user() -> User:
    """Who is signed in; raises Problem("reauth") when nobody is."""
    user = find_current_user()
    if user is None:
        raise Problem("reauth")
    return user


def home_of(user: User) -> str:
    """Where a person starts: field people on the phone's pages, the others at the desk."""
    if user.role in ("visitor", "ambassador"):
        return "/field/"
    return "/desk/" if may(user, "coverage") else "/desk/follow-ups"


def install(app: Flask) -> None:
    """Put the guard in front of every view of `app`, and lend templates `may`."""

    @app.before_request
    def guard() -> Response | None:
        if request.endpoint is None:
            return None  # no such page, or no such method: Flask's own 404 or 405 follows
        needed = capabilities_of_view(current_app.view_functions[request.endpoint])
        if needed is None:
            raise Problem("no_right")
        if not needed:
            return None
        user = find_current_user()
        if user is None:
            return _sign_in_first()
        if not may(user, *needed):
            raise Problem("no_right")
        return None

    @app.context_processor
    def lend() -> dict[str, Any]:
        user = find_current_user()
        return {"may": lambda *capabilities: may(user, *capabilities), "signed_in": user}


def _sign_in_first() -> Response:
    # A redirect would make fetch and htmx show the sign-in page as if it were the answer, and
    # throw away a filled-in form; only a plain visit to a page is sent there.
    page = request.method == "GET" and not wants_json() and not htmx.is_htmx()
    if not page:
        return problem_response(Problem("reauth"))
    here = request.full_path if request.query_string else request.path
    return cast(Response, redirect("/sign-in?" + urlencode({"next": here}), 303))
