"""Headers of every answer, the origin check, rights in front of every view, and error answers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pwa import create_app, problems
from pwa.settings import Settings
from pwa.web import access, security
from tests.cast.people import PASSWORD

ClientFor = Callable[[str], FlaskClient]


@pytest.fixture
def https(settings: Settings) -> Iterator[FlaskClient]:
    public = dataclasses.replace(settings, public_url="https://visits.example", host="0.0.0.0")
    app = create_app(public)
    yield app.test_client()
    app.extensions["troskel"].close()


def probe(app: Flask) -> None:
    """Pages that only these tests have."""

    @app.get("/probe/unmarked")
    def unmarked() -> str:
        return "open"

    @app.get("/probe/crash")
    @access.public
    def crash() -> str:
        raise RuntimeError("secret words")

    @app.route("/probe/kept", methods=["GET", "POST"])
    @access.requires("coverage")
    def kept() -> tuple[str, dict[str, str]]:
        return "kept", {"Cache-Control": "public, max-age=9"}

    @app.get("/probe/public")
    @access.public
    def public() -> tuple[str, dict[str, str]]:
        return "public", {"Cache-Control": "public, max-age=9"}


@pytest.fixture
def app(app: Flask) -> Flask:
    probe(app)
    app.config["TESTING"] = False
    return app


# --- the origin check ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://localhost"}, 403),
        ({"Origin": "http://localhost:8001"}, 403),
    ],
)
def test_a_change_must_come_from_our_own_page(
    app: Flask, headers: dict[str, str], status: int
) -> None:
    answer = app.test_client().post(
        "/sign-in", data={"name": "bob", "password": PASSWORD}, headers=headers
    )
    assert answer.status_code == status


def test_a_program_gets_the_problem_code_origin(app: Flask) -> None:
    for path in ("/sync/push", "/nowhere"):
        answer = app.test_client().post(path, json={})
        assert answer.status_code == 403
        assert answer.json is not None
        assert answer.json["problem"] == "origin"


def test_with_https_the_origin_must_be_the_public_address(https: FlaskClient) -> None:
    form = {"name": "bob", "password": PASSWORD}
    codes = [
        https.post(
            "/sign-in", data=form, base_url="http://visits.example", headers={"Origin": origin}
        ).status_code
        for origin in ("https://visits.example", "http://visits.example")
    ]
    assert codes == [303, 403]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1"])
def test_a_foreign_host_name_is_refused(client_for: ClientFor, host: str) -> None:
    assert client_for("").get("/sign-in", base_url=f"http://{host}").status_code == 400


# --- headers -------------------------------------------------------------------------


def test_every_answer_carries_the_guards(client_for: ClientFor) -> None:
    for path in ("/sign-in", "/nowhere", "/session", "/probe/crash", "/probe/public"):
        headers = client_for("").get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "camera=(self)" in headers["Permissions-Policy"]
        assert "Strict-Transport-Security" not in headers


def test_the_policy_allows_no_inline_and_no_eval() -> None:
    assert "unsafe" not in security.csp()
    assert "default-src 'none'" in security.csp()
    assert security.csp(form_action="'none'").endswith("form-action 'none'")


def test_our_own_pages_comply_with_the_policy(client_for: ClientFor) -> None:
    for name, path in (("", "/sign-in"), ("alice", "/sessions"), ("root", "/desk/people")):
        page = client_for(name).get(path).text
        assert not re.search(
            r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page
        )


def test_https_brings_the_strict_cookie_and_hsts(https: FlaskClient) -> None:
    answer = https.post(
        "/sign-in",
        data={"name": "bob", "password": PASSWORD},
        base_url="https://visits.example",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-troskel=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_loopback_has_a_plain_cookie(client_for: ClientFor) -> None:
    answer = client_for("").post("/sign-in", data={"name": "bob", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("troskel=")
    assert "HttpOnly" in cookie
    assert "Secure" not in cookie


def test_the_cookie_is_sent_once_and_not_with_every_answer(client_for: ClientFor) -> None:
    assert "Set-Cookie" not in client_for("alice").get("/sessions").headers


def test_nothing_personal_may_be_cached_whatever_the_view_says(client_for: ClientFor) -> None:
    assert client_for("alice").get("/probe/kept").headers["Cache-Control"] == "no-store"
    assert client_for("alice").get("/session").headers["Cache-Control"] == "no-store"


def test_a_public_file_may_be_cached_and_does_not_vary_by_cookie(client_for: ClientFor) -> None:
    headers = client_for("alice").get("/probe/public").headers
    assert headers["Cache-Control"] == "public, max-age=9"
    assert "Vary" not in headers


# --- rights --------------------------------------------------------------------------


def test_every_view_says_who_may_use_it(settings: Settings) -> None:
    app = create_app(settings)
    silent = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if access.capabilities_of_view(app.view_functions[rule.endpoint]) is None
    }
    app.extensions["troskel"].close()
    assert silent == set()


def test_a_view_without_a_mark_is_refused_to_everybody(client_for: ClientFor) -> None:
    assert client_for("root").get("/probe/unmarked").status_code == 403


def test_a_page_redirects_to_sign_in_and_back(client_for: ClientFor) -> None:
    answer = client_for("").get("/probe/kept?area=North")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=%2Fprobe%2Fkept%3Farea%3DNorth"


@pytest.mark.parametrize(
    "ask",
    [
        {"method": "GET", "headers": {"HX-Request": "true"}},
        {"method": "GET", "headers": {"Accept": "application/json"}},
        {"method": "POST", "data": {"a": "b"}},
        {"method": "POST", "json": {}},
    ],
)
def test_only_opening_a_page_redirects_everything_else_gets_reauth(
    client_for: ClientFor, ask: dict[str, Any]
) -> None:
    answer = client_for("").open("/probe/kept", **ask)
    assert answer.status_code == 401
    assert answer.location is None


def test_a_wrong_role_is_refused(client_for: ClientFor) -> None:
    codes = {
        name: client_for(name).get("/probe/kept").status_code
        for name in ("alice", "bob", "amira", "hugo", "root")
    }
    assert codes == {"alice": 200, "bob": 403, "amira": 403, "hugo": 403, "root": 200}


def test_a_mistyped_capability_is_found_at_import() -> None:
    with pytest.raises(ValueError, match="no such capability: cover"):
        access.requires("cover")
    with pytest.raises(ValueError, match="no such capability"):
        access.requires()


def test_field_staff_and_officers_have_no_capability_of_the_desk() -> None:
    # The guide's texts are public: who speaks a language may review it, and sees no tenant there.
    field = {"field", "sync", "guide.review"}
    assert access.CAPABILITIES["visitor"] == access.CAPABILITIES["ambassador"] == field
    assert access.CAPABILITIES["officer"] == {"follow_ups.own"}


# --- problems ------------------------------------------------------------------------


def test_a_crash_shows_no_detail(client_for: ClientFor) -> None:
    answer = client_for("").get("/probe/crash")
    assert answer.status_code == 500
    assert "secret words" not in answer.text
    assert "Something went wrong" in answer.text


def test_a_refusal_to_htmx_is_shown_beside_the_form(client_for: ClientFor) -> None:
    answer = client_for("bob").get("/probe/kept", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer.headers["HX-Retarget"] == "#notices"
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_an_unknown_address_gets_a_page_and_for_programs_json(client_for: ClientFor) -> None:
    client = client_for("alice")
    assert "<html" in client.get("/nowhere").text
    answer = client.get("/sync/nowhere")
    assert answer.status_code == 404
    assert answer.json == {
        "problem": "not_found",
        "title": "Page not found",
        "remedy": "It may have been moved, or it is not yours to see.",
        "retryable": False,
    }


def test_a_wrong_method_is_refused(client_for: ClientFor) -> None:
    assert client_for("alice").post("/session").status_code == 405


def test_every_problem_has_a_title_a_remedy_and_an_error_status() -> None:
    for code, entry in problems.CATALOGUE.items():
        assert re.fullmatch("[a-z_]+", code)
        assert entry.title
        assert entry.remedy.endswith(".")
        assert 400 <= entry.status < 600


def test_every_problem_raised_anywhere_is_in_the_catalogue() -> None:
    source = Path(problems.__file__).parent
    raised = {
        code
        for path in source.rglob("*.py")
        for code in re.findall(r'(?<![A-Za-z])Problem\(\s*"([a-z_]+)"', path.read_text("utf-8"))
    }
    assert raised - problems.CATALOGUE.keys() == set()
