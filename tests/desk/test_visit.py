"""One visit at the desk: opening it is logged, and what a supervisor can do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.cast.world import CONSENT, SIGNATURE, Phone, World
from tests.desk.test_guide_review import press, publish

Client = Callable[[str], FlaskClient]


pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def bob(world: World) -> Phone:
    return world.phone("bob")


@pytest.fixture
def visit(world: World, bob: Phone) -> str:
    """A finished visit of Bob's."""
    visit = world.visit(visitors=["bob"], date="2026-11-22")
    world.done(bob, visit)
    return visit


@pytest.fixture
def alice(client_for: Client) -> FlaskClient:
    client = client_for("alice")
    client.post("/language", data={"language": "en", "next": "/desk/"})
    return client


def post(alice: FlaskClient, world: World, visit: str, action: str, **fields: Any) -> int:
    form = world.form(visit, **fields)
    return alice.post(f"/desk/visits/{visit}/{action}", data=form).status_code


def test_opening_a_visit_is_logged(alice: FlaskClient, world: World, visit: str) -> None:
    for _ in range(2):
        assert alice.get(f"/desk/visits/{visit}").status_code == 200
    with world.services.databases.reading() as db:
        rows = [dict(row) for row in db.table("access_log").rows]
    assert [(row["user"], row["visit"]) for row in rows] == [(world.user_of("alice").id, visit)] * 2
    assert rows[0]["at"] == "2026-11-22T09:00:00+00:00"


def test_an_unknown_visit_is_not_found_and_not_logged(alice: FlaskClient, world: World) -> None:
    for id in ("00000000-0000-4000-8000-000000000001", "x", "../people"):
        assert alice.get(f"/desk/visits/{id}").status_code == 404
    with world.services.databases.reading() as db:
        assert db.table("access_log").count == 0


def test_it_shows_everything_and_who_did_it(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    bob.do("visit.note", visit, {"item": "i39", "text": "Kranen droppar <b>"})
    world.follow_up(bob, visit)
    world.signed(bob, visit)
    html = alice.get(f"/desk/visits/{visit}").text
    for words in ("Gatvägen 12 A", "Testsson Test", "Kranen droppar &lt;b&gt;", "Avin saknas.",
                  "Show your ID and say who you are: Done", "Finished the visit",
                  "Assigned to Bob Testsson", "Planned the visit", "Consent given: K8"):  # fmt: skip
        assert words in html, words


OTHER_VERSION = 'id="other-version"'


def answered(world: World, bob: Phone, guide: str) -> str:
    """A visit of Bob's in which the guide's version `guide` was answered."""
    visit = world.visit(visitors=["bob"], date="2026-11-22")
    answer = {"item": "i09", "answer": "done", "guide": guide, "language": "ar"}
    bob.do("visit.answer", visit, answer)
    return visit


def test_a_visit_reads_as_it_was_made_whatever_is_published_later(
    alice: FlaskClient, client_for: Client, world: World, bob: Phone
) -> None:
    alice.post("/language", data={"language": "ar", "next": "/desk/"})
    old = world.services.guide.version
    then = world.services.guide.text("ar", "i09.label").text
    before = answered(world, bob, old)
    press(client_for("amira"), "ar", "i09.label", "correct", text="بطاقة الهوية أولًا")
    publish(client_for("root"))
    after = answered(world, bob, world.services.guide.version)
    assert world.services.guide.version != old
    for visit, text, other in (
        (before, then, "بطاقة الهوية أولًا"),
        (after, "بطاقة الهوية أولًا", then),
    ):
        for path in (f"/desk/visits/{visit}", f"/desk/visits/{visit}/point"):
            html = alice.get(path).text
            assert text in html
            assert other not in html
            assert OTHER_VERSION not in html


def test_a_visit_of_a_missing_version_is_marked_and_shown_in_the_current_one(
    alice: FlaskClient, world: World, bob: Phone
) -> None:
    html = alice.get(f"/desk/visits/{answered(world, bob, 'f' * 64)}").text
    assert OTHER_VERSION in html
    assert "Show your ID and say who you are: Done" in html
    assert OTHER_VERSION not in alice.get(f"/desk/visits/{world.visit(visitors=['bob'])}").text


def test_it_is_approved_once(alice: FlaskClient, world: World, visit: str) -> None:
    form = world.form(visit, comment="Fint.")
    answer = alice.post(f"/desk/visits/{visit}/approve", data=form)
    assert answer.location == "/desk/review"
    assert world.row(visit)["state"] == "approved"
    before = world.log_length()
    alice.post(f"/desk/visits/{visit}/approve", data=form)
    assert world.log_length() == before
    assert world.record(visit)["reviews"][0]["comment"] == "Fint."


def test_an_approval_of_what_was_not_seen_is_changed_at_once(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    form = world.form(visit, comment="")
    bob.do("visit.note", visit, {"item": "", "text": "En sak till"})
    alice.post(f"/desk/visits/{visit}/approve", data=form)
    assert world.row(visit)["state"] == "changed"
    assert "Something was added after the approval" in alice.get(f"/desk/visits/{visit}").text


def test_it_is_returned_with_points(alice: FlaskClient, world: World, visit: str) -> None:
    fields = {"item": ["i39", "", "i30"], "text": ["Vilken kran?", "  ", "Gavs kortet?"]}
    assert post(alice, world, visit, "return", **fields) == 303
    assert world.row(visit)["state"] == "returned"
    assert world.record(visit)["reviews"][-1]["points"] == [
        {"item": "i39", "text": "Vilken kran?"},
        {"item": "i30", "text": "Gavs kortet?"},
    ]


def test_a_return_without_a_point_is_rejected_with_a_message(
    alice: FlaskClient, world: World, visit: str
) -> None:
    answer = alice.post(f"/desk/visits/{visit}/return", data=world.form(visit, item="", text=""))
    assert answer.location == f"/desk/visits/{visit}#return"
    assert world.row(visit)["state"] == "done"
    assert "First write what is to be corrected." in alice.get(f"/desk/visits/{visit}").text


def test_one_more_point_comes_with_its_item(alice: FlaskClient, visit: str) -> None:
    html = alice.get(f"/desk/visits/{visit}/point?item=i39").text
    assert '<option value="i39" selected>' in html
    assert "<html" not in html


def test_a_conflict_shows_both_and_one_press_settles_it(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    answer = {"item": "i23", "answer": "sounds", "guide": "g1", "language": "ar"}
    base = world.log_length()
    other = world.phone("bob")
    bob.do("visit.answer", visit, answer, base=base)
    other.do("visit.answer", visit, answer | {"answer": "silent"}, base=base)
    assert world.row(visit)["conflicts"] == 1
    html = alice.get(f"/desk/visits/{visit}").text
    assert 'name="value" value="sounds"' in html
    assert 'name="value" value="silent"' in html
    assert post(alice, world, visit, "choose", field="answer.i23", value="sounds") == 303
    assert world.row(visit)["conflicts"] == 0
    assert world.record(visit)["cells"]["answer.i23"][-1]["value"] == "sounds"


def test_a_conflict_about_visitors_is_settled_too(alice: FlaskClient, world: World) -> None:
    visit = world.visit(visitors=["bob"])
    both = ",".join(world.user_of(name).id for name in ("amira", "bob"))
    assert post(alice, world, visit, "choose", field="visitors", value=both) == 303
    assert world.record(visit)["cells"]["visitors"][-1]["value"] == both.split(",")


def test_a_consent_is_withdrawn_in_any_state(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    bob.do("visit.consent", visit, CONSENT)
    post(alice, world, visit, "approve", comment="")
    assert post(alice, world, visit, "withdraw", purpose="K8", channel="phone") == 303
    assert "Withdrawn" in alice.get(f"/desk/visits/{visit}").text
    assert world.row(visit)["state"] == "approved"


def test_a_follow_up_is_answered_and_closed(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    one = world.follow_up(bob, visit)
    assert post(alice, world, visit, "follow-up", follow_up=one, text="Skickad.", done="1") == 303
    assert world.row(visit)["follow_ups_open"] == 0
    assert "Skickad." in alice.get(f"/desk/visits/{visit}").text


def test_struck_words_are_gone_from_the_page_and_from_the_log(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    note = bob.do("visit.note", visit, {"item": "", "text": "Om en person"}).results[0].id
    assert "Om en person" in alice.get(f"/desk/visits/{visit}").text
    assert post(alice, world, visit, "strike", entry=note) == 303
    html = alice.get(f"/desk/visits/{visit}").text
    assert "Om en person" not in html
    assert "Struck out" in html


def test_a_cancelled_visit_leaves_the_lists(alice: FlaskClient, world: World, visit: str) -> None:
    assert post(alice, world, visit, "cancel", reason="moved_out") == 303
    assert world.row(visit)["state"] == "cancelled"
    assert visit not in alice.get("/desk/review").text


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("approve", {"comment": "x" * 281}),
        ("return", {"item": ["i39"], "text": []}),
        ("return", {"item": ["i39"] * 21, "text": ["x"] * 21}),
        ("return", {"item": ["not an item!"], "text": ["x"]}),
        ("choose", {"field": "cancelled", "value": "no"}),
        ("follow-up", {"follow_up": "x", "text": "x"}),
        ("follow-up", {"follow_up": "00000000-0000-7000-8000-000000000001", "text": " "}),
        ("withdraw", {"purpose": "K8", "channel": "pigeon"}),
        ("strike", {"entry": "x"}),
        ("cancel", {"reason": "because"}),
        ("approve", {"comment": "", "operation": "1"}),
        ("approve", {"comment": "", "base": "x"}),
    ],
)
def test_a_malformed_form_is_refused_and_leaves_nothing(
    alice: FlaskClient, world: World, visit: str, action: str, fields: dict[str, Any]
) -> None:
    before = world.log_length()
    assert post(alice, world, visit, action, **fields) == 400
    assert world.log_length() == before
    with world.services.databases.reading() as db:
        assert db.table("held").count == 0


def test_a_signature_is_shown_as_a_picture_that_can_do_nothing(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    sha = world.signed(bob, visit)
    path = f"/desk/visits/{visit}/blobs/{sha}"
    assert f'<img src="{path}"' in alice.get(f"/desk/visits/{visit}").text
    picture = alice.get(path, headers={"Sec-Fetch-Dest": "image"})
    assert picture.data == SIGNATURE
    assert picture.content_type == "image/svg+xml"
    assert picture.headers["Content-Disposition"] == "inline"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert "script-src 'self'" not in picture.headers["Content-Security-Policy"]
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert alice.get(path).headers["Content-Disposition"].startswith("attachment;")


def test_a_signature_of_another_visit_is_not_found(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    sha = world.signed(bob, visit)
    other = world.visit()
    assert alice.get(f"/desk/visits/{other}/blobs/{sha}").status_code == 404
    assert alice.get(f"/desk/visits/{visit}/blobs/{'0' * 64}").status_code == 404
    assert alice.get(f"/desk/visits/{visit}/blobs/..%2Fsecret").status_code == 404


def test_a_missing_signature_is_marked(
    alice: FlaskClient, world: World, visit: str, bob: Phone
) -> None:
    bob.do("visit.consent", visit, CONSENT | {"signature": "a" * 64, "method": "signature"})
    assert "The signature has not arrived yet." in alice.get(f"/desk/visits/{visit}").text
