"""Who gets into the desk, and that a protected tenancy is nowhere in it (I7, docs/design.md 7.3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from pwa.desk import PAGES, handouts, people
from pwa.desk.guide import po, publish, recordings
from pwa.desk.guide import review as guide_review
from pwa.ids import uuid4
from tests.cast.world import CONSENT, World

Client = Callable[[str], FlaskClient]
# The guide's texts and recordings are for anyone who speaks a language: test_guide_review.py and
# test_recordings.py say who does what. The boendeguide is for everyone: test_handing.py.
APART = (people, po, publish, guide_review, handouts, recordings)
OWN = {page.blueprint.name for page in PAGES if page not in APART}


pytestmark = pytest.mark.usefixtures("frozen")


def places(app: Flask) -> list[tuple[str, str]]:
    """(method, path) of every endpoint of the desk, with ids that mean nothing."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in OWN:
            values = {name: uuid4() for name in rule.arguments}
            path = app.url_map.bind("127.0.0.1").build(rule.endpoint, values)
            found += [(method, path) for method in (rule.methods or set()) & {"GET", "POST"}]
    return found


def test_every_page_asks_for_a_sign_in(app: Flask, client_for: Client) -> None:
    nobody = client_for("")
    answers = {place: nobody.open(place[1], method=place[0]).status_code for place in places(app)}
    assert len(answers) > 20
    assert {status for (method, _), status in answers.items() if method == "GET"} == {303}
    assert {status for (method, _), status in answers.items() if method == "POST"} == {401}


@pytest.mark.parametrize("name", ["bob", "amira"])
def test_field_people_get_nowhere_at_the_desk(app: Flask, client_for: Client, name: str) -> None:
    client = client_for(name)
    assert {client.open(path, method=method).status_code for method, path in places(app)} == {403}


def test_an_officer_gets_to_follow_ups_alone(app: Flask, client_for: Client) -> None:
    hugo = client_for("hugo")
    for method, path in places(app):
        status = hugo.open(path, method=method).status_code
        expected = {200, 404} if path.startswith("/desk/follow-ups") else {403}
        assert status in expected, path


def test_an_administrator_sees_numbers_but_no_visit(
    app: Flask, client_for: Client, world: World
) -> None:
    visit = world.visit(street="Provgatan 1")
    root = client_for("root")
    html = root.get("/desk/").text
    assert "/desk/visits" not in html
    assert root.get(f"/desk/visits/{visit}").status_code == 403
    assert root.get("/desk/visits").status_code == 403


def test_a_protected_tenancy_is_on_no_page(client_for: Client, world: World) -> None:
    bob = world.phone("bob")
    open_one = world.visit(visitors=["bob"], street="Öppna gatan 1")
    secret = world.visit(visitors=["bob"], street="Dolda gatan 9", date="2026-11-01")
    for visit in (open_one, secret):
        world.follow_up(bob, visit, text=f"Om {visit}")
        bob.do("visit.consent", visit, CONSENT)
        world.done(bob, visit)
    world.protect(secret)
    bob.do("visit.note", secret, {"item": "", "text": "Skrivet för sent"})
    alice = client_for("alice")
    pages = [
        "/desk/", "/desk/visits?state=all", "/desk/review", "/desk/follow-ups", "/desk/consents",
        "/desk/held", "/desk/visits?state=visited&overdue=1", "/desk/follow-ups?overdue=1",
    ]  # fmt: skip
    seen = "".join(alice.get(page).text for page in pages)
    seen += alice.post("/desk/visits/search", data={"address": "gatan"}).text
    assert open_one in seen
    assert "Öppna gatan 1" in seen
    assert secret not in seen
    assert str(escape("Dolda gatan 9")) not in seen
    assert "Skrivet" not in seen
    assert alice.get(f"/desk/visits/{secret}").status_code == 404
    assert "1 visit" in alice.post("/desk/visits/search", data={"address": "gatan"}).text


def test_a_protected_visit_takes_no_form(client_for: Client, world: World) -> None:
    secret = world.visit(visitors=["bob"])
    world.signed(world.phone("bob"), secret)
    form = world.form(secret, first=world.user_of("bob").id, channel="desk", purpose="K8")
    sha = world.record(secret)["blobs"][0]
    world.protect(secret)
    alice, before = client_for("alice"), world.log_length()
    for action in (
        "approve",
        "return",
        "choose",
        "follow-up",
        "withdraw",
        "strike",
        "cancel",
        "assign",
    ):
        assert alice.post(f"/desk/visits/{secret}/{action}", data=form).status_code == 404, action
    bulk = {"visit": secret, f"operation:{secret}": form["operation"], f"base:{secret}": "1"}
    assert alice.post("/desk/visits/assign", data=bulk | {"date": "2026-12-01"}).status_code == 404
    assert alice.post(f"/desk/consents/{secret}/K8/withdraw", data=form).status_code == 404
    assert alice.get(f"/desk/visits/{secret}/blobs/{sha}").status_code == 404
    assert alice.get(f"/desk/visits/{secret}/row").status_code == 404
    assert world.log_length() == before
