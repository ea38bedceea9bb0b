"""Signing in and out, the own sessions, the own language.

Invariant: signing in always makes a new session; `next` leads only to a path of our own. It
refuses to say whether a name exists, and to lock anyone out for good (pwa/people/throttle.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import flask_login
from flask import (
    Blueprint,
    Flask,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
)
from flask.typing import ResponseReturnValue

from pwa.people import accounts, sessions
from pwa.problems import Problem
from pwa.services import Services, get_services
from pwa.web import access
from pwa.web.errors import wants_json
from pwa.web.i18n import SESSION_KEY

blueprint = Blueprint("sign_in", __name__)

KNOWN_KEY = "known"  # the name that last signed in with this browser; see pwa/people/throttle.py


@blueprint.get("/")
@access.public
def start() -> ResponseReturnValue:
    user = access.find_current_user()
    return redirect(access.home_of(user) if user else "/sign-in", 303)


@blueprint.get("/sign-in")
@access.public
def page() -> ResponseReturnValue:
    return _page(own_path(request.args.get("next", "")))


@blueprint.post("/sign-in")
@access.public
def sign_in() -> ResponseReturnValue:
    form = _fields("name", "password", "next", "device")
    name = form["name"].strip().lower()
    try:
        user = _check(name, form["password"])
    except Problem as problem:
        if wants_json():
            raise
        return _page(own_path(form["next"]), name, problem)
    _begin(user, form["device"] or _device_label())
    if wants_json():
        return jsonify(person=user.as_json())
    return redirect(own_path(form["next"]) or access.home_of(user), 303)


@blueprint.get("/session")
@access.public
def who() -> ResponseReturnValue:
    user = access.find_current_user()
    if user is None:
        response = jsonify(Problem("reauth").as_json())
        response.status_code = 401
        return response
    return jsonify(person=user.as_json())


@blueprint.post("/sign-out")
@access.public
def sign_out() -> ResponseReturnValue:
    user = access.find_current_user()
    if user is not None:
        with get_services().databases.writing() as db:
            sessions.end_session(db, user.session, get_services().now(), "signed_out")
    _forget()
    return jsonify(person={}) if wants_json() else redirect("/sign-in", 303)


@blueprint.get("/sessions")
@access.requires(access.SIGNED_IN)
def own_sessions() -> ResponseReturnValue:
    user = access.get_current_user()
    with get_services().databases.reading() as db:
        rows = sessions.list_sessions(db, user.id, get_services().now(), user.session)
    return render_template("desk/sessions.html", rows=rows)


@blueprint.post("/sessions/end")
@access.requires(access.SIGNED_IN)
def end_own_session() -> ResponseReturnValue:
    user = access.get_current_user()
    with get_services().databases.writing() as db:
        sessions.end_session_by_id(
            db, user.id, _fields("id")["id"], get_services().now(), "ended_by_self"
        )
    return redirect("/sessions", 303)


@blueprint.post("/language")
@access.public
def language() -> ResponseReturnValue:
    form = _fields("language", "next")
    if form["language"] not in accounts.INTERFACE_LANGUAGES:
        raise Problem(
            "language_unknown",
            language=form["language"],
            languages=", ".join(accounts.INTERFACE_LANGUAGES),
        )
    session[SESSION_KEY] = form["language"]
    session.permanent = True
    user = access.find_current_user()
    if user is not None:
        with get_services().databases.writing() as db:
            accounts.set_interface_language(db, user.id, form["language"])
    if wants_json():
        return jsonify(language=form["language"])
    return redirect(own_path(form["next"]) or "/", 303)


def own_path(text: str) -> str:
    """`text` if it is a path on this server, else "". Browsers read a backslash as a slash and
    drop tabs and line ends, so anything but plain visible ASCII is no path of ours."""
    plain = all("!" <= c <= "~" and c != "\\" for c in text)
    parts = urlsplit(text)
    ours = plain and text.startswith("/") and not text.startswith("//")
    return text if ours and not parts.scheme and not parts.netloc else ""


class _Manager(flask_login.LoginManager):  # type: ignore[misc]
    def _update_remember_cookie(self, response: Response) -> Response:
        # There is no "remember me" cookie, and looking for one in the session put
        # `Vary: Cookie` on every public file.
        return response


def install(app: Flask) -> None:
    """Let Flask-Login find the person of a request by the session in its cookie."""
    manager = _Manager(app)
    # Flask-Login's own guard compares addresses, and a phone changes its own all day long.
    manager.session_protection = None

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> accounts.User | None:
        return find_user_of(get_services(), token)


def find_user_of(services: Services, token: str) -> accounts.User | None:
    """The active person of a working session."""
    now = services.now()
    with services.databases.reading() as db:
        found = sessions.find_session(db, token, now)
        user = accounts.find_user(db, found[0]) if found else None
    if found is None or user is None or not user.active:
        return None
    _, touch_is_due = found
    if touch_is_due:
        with services.databases.writing() as db:
            sessions.touch_session(db, token, now)
    return replace(user, session=token)


def _check(name: str, password: str) -> accounts.User:
    now, throttle = get_services().now(), get_services().throttle
    key = f"{'known' if session.get(KNOWN_KEY) == name else 'new'}:{name[:64]}"
    wait = throttle.wait_seconds(key, now)
    if wait:
        raise Problem("wait", seconds=wait)
    user = accounts.check_password(get_services().databases, name, password)
    if user is None:
        throttle.failed(key, now)
        raise Problem("bad_credentials")
    throttle.succeeded(key)
    return user


def _begin(user: accounts.User, device: str) -> None:
    before = access.find_current_user()
    life = timedelta(hours=get_services().settings.session_hours)
    chosen = session.get(SESSION_KEY, "")
    with get_services().databases.writing() as db:
        if before is not None:
            sessions.end_session(db, before.session, get_services().now(), "signed_in_again")
        token = sessions.start_session(db, user.id, device, get_services().now(), life)
        if chosen and not user.interface_language:
            accounts.set_interface_language(db, user.id, chosen)
    _forget()
    session[KNOWN_KEY] = user.name
    flask_login.login_user(replace(user, session=token))
    # Flask-Login's guard is off (`install`): its hash of address and browser would only be told, and
    # sent with every tap.
    for unused in ("_id", "_fresh"):
        session.pop(unused, None)


def _forget() -> None:
    kept = {key: session[key] for key in (SESSION_KEY, KNOWN_KEY) if key in session}
    flask_login.logout_user()
    session.clear()
    session.update(kept)
    session.permanent = True


def _page(next_path: str, name: str = "", problem: Problem | None = None) -> Response:
    response = make_response(
        render_template("desk/sign_in.html", next_path=next_path, name=name, problem=problem)
    )
    if problem is not None:
        response.status_code = problem.entry.status
        if "seconds" in problem.params:
            response.headers["Retry-After"] = str(problem.params["seconds"])
    return response


def _fields(*names: str) -> dict[str, str]:
    """The named fields of a form or a JSON object, as strings; missing ones are ""."""
    source: Any = request.get_json() if request.is_json else request.form
    if not hasattr(source, "get"):
        raise Problem("malformed")
    values = {name: source.get(name, "") for name in names}
    if not all(isinstance(value, str) for value in values.values()):
        raise Problem("malformed")
    return values


def _device_label() -> str:
    """A few words for the list of sessions: what kind of device signed in."""
    agent = request.user_agent.string
    system = next(
        (s for s in ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux") if s in agent), ""
    )
    browser = next((b for b in ("Firefox", "Edg", "Chrome", "Safari") if b in agent), "")
    return ", ".join(word for word in (system, browser.replace("Edg", "Edge")) if word)
