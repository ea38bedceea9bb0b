"""Review, held, follow-ups, consents: what is listed, and what one press does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient

from pwa.database import indexes
from pwa.desk.parts import tables
from pwa.desk.parts.due import due_day
from pwa.ids import uuid4
from tests.cast.world import CONSENT, World, addresses, days, operation

Client = Callable[[str], FlaskClient]


pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def alice(client_for: Client) -> FlaskClient:
    client = client_for("alice")
    client.post("/language", data={"language": "en", "next": "/desk/"})
    return client


# --- review ------------------------------------------------------------------------------


def test_the_visit_that_waited_longest_is_on_top(alice: FlaskClient, world: World) -> None:
    bob = world.phone("bob")
    newer, older, returned = (world.visit(visitors=["bob"]) for _ in range(3))
    world.done(bob, newer, days(-1))
    world.done(bob, older, days(-3))
    world.done(bob, returned, days(-5))
    world.desk("visit.return", returned, {"points": [{"item": "", "text": "x"}]})
    html = alice.get("/desk/review").text
    assert addresses(html) == [older, newer, returned]
    assert "2 visits wait for you" in html


# --- held ----------------------------------------------------------------------------------


def hold_two(world: World, visit: str) -> None:
    """Amira writes twice in a visit that was never hers."""
    amira = world.phone("amira")
    for text in ("Ventilen sitter löst", "Låset kärvar"):
        pushed = amira.do("visit.note", visit, {"item": "i35", "text": text})
        assert pushed.results[0].problem == "no_right"


def held_keys(world: World) -> list[str]:
    with world.services.databases.reading() as db:
        rows = db.execute("SELECT id, sha256 FROM held WHERE state = 'open'").fetchall()
    return [f"{id}:{sha}" for id, sha in rows]


def test_held_operations_are_grouped_and_show_what_and_why(
    alice: FlaskClient, world: World
) -> None:
    visit = world.visit(visitors=["bob"], street="Provgatan 8")
    hold_two(world, visit)
    html = alice.get("/desk/held").text
    assert html.count('class="card held-group"') == 1
    for words in ("Provgatan 8", "Amira Testsson", "Note on Stove", "Ventilen sitter löst", "Låset kärvar",
                  "The visit was not this person’s when it was written."):  # fmt: skip
        assert words in html


def test_one_press_takes_a_whole_group_in(alice: FlaskClient, world: World) -> None:
    visit = world.visit(visitors=["bob"])
    hold_two(world, visit)
    form = {"action": "accept", "held": held_keys(world)}
    assert alice.post("/desk/held", data=form).status_code == 303
    assert [one["text"] for one in world.record(visit)["notes"]] == [
        "Ventilen sitter löst",
        "Låset kärvar",
    ]
    assert held_keys(world) == []
    before = world.log_length()
    assert alice.post("/desk/held", data=form).status_code == 303
    assert world.log_length() == before


def test_a_group_that_is_half_worked_off_is_finished(alice: FlaskClient, world: World) -> None:
    """Somebody else has applied one of the two while this page was open."""
    visit = world.visit(visitors=["bob"])
    hold_two(world, visit)
    keys = held_keys(world)
    alice.post("/desk/held", data={"action": "accept", "held": keys[:1]})
    assert alice.post("/desk/held", data={"action": "accept", "held": keys}).status_code == 303
    assert len(world.record(visit)["notes"]) == 2


def test_trying_again_helps_once_the_visit_is_theirs(alice: FlaskClient, world: World) -> None:
    visit = world.visit(visitors=["bob"])
    hold_two(world, visit)
    form = {"action": "retry", "held": held_keys(world)}
    alice.post("/desk/held", data=form)
    assert len(held_keys(world)) == 2
    world.desk("visit.assign", visit, {"visitors": [world.user_of("amira").id]})
    alice.post("/desk/held", data=form)
    assert held_keys(world) == []


def test_a_question_reaches_the_phone_and_deletes_nothing(alice: FlaskClient, world: World) -> None:
    hold_two(world, world.visit(visitors=["bob"]))
    keys = held_keys(world)
    alice.post("/desk/held", data={"action": "ask", "held": keys, "comment": ""})
    alice.post("/desk/held", data={"action": "ask", "held": keys, "comment": "Vilken lägenhet?"})
    assert held_keys(world) == keys
    assert "asked: Vilken lägenhet?" in alice.get("/desk/held").text


@pytest.mark.parametrize("form", [{}, {"action": "delete"}, {"action": "accept"}])
def test_there_is_no_action_that_deletes(
    alice: FlaskClient, world: World, form: dict[str, str]
) -> None:
    hold_two(world, world.visit(visitors=["bob"]))
    keys = {"held": held_keys(world)} if form.get("action") == "delete" else {}
    assert alice.post("/desk/held", data=form | keys).status_code == 400
    assert len(held_keys(world)) == 2


def test_what_is_no_operation_at_all_is_shown_as_it_is(alice: FlaskClient, world: World) -> None:
    world.phone("bob").do("visit.<dance>", "x", {"text": 7})
    html = alice.get("/desk/held").text
    assert "visit.&lt;dance&gt;" in html
    assert "Unknown visit" in html


def test_held_work_on_a_protected_tenancy_is_for_the_few(client_for: Client, world: World) -> None:
    visit = world.visit(visitors=["bob"], street="Dolda gatan 9")
    world.protect(visit)
    world.phone("bob").do("visit.note", visit, {"item": "", "text": "Kranen droppar"})
    keys = held_keys(world)
    assert len(keys) == 1
    alice = client_for("alice")
    assert "Kranen droppar" not in alice.get("/desk/held").text
    alice.post("/desk/held", data={"action": "retry", "held": keys})
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET may_see_protected = 1 WHERE name = 'alice'")
    html = alice.get("/desk/held").text
    assert "Kranen droppar" in html
    assert "Dolda gatan" not in html
    assert held_keys(world) == keys


# --- follow-ups ----------------------------------------------------------------------------


def test_follow_ups_never_show_what_is_not_committed(world: World, client_for: Client) -> None:
    """The one writing connection sees its own unfinished work; a page must not."""
    bob, hugo = world.phone("bob"), client_for("hugo")
    world.follow_up(bob, world.visit(visitors=["bob"]), "KT", text="Avin saknas.")
    with pytest.raises(RuntimeError), world.services.databases.writing() as db:
        db.execute("UPDATE records SET body = replace(body, 'Avin saknas.', 'Halvskrivet.')")
        html = hugo.get("/desk/follow-ups").text
        raise RuntimeError
    assert "Avin saknas." in html
    assert "Halvskrivet." not in html


def test_an_officer_sees_the_own_queue_and_nothing_else_of_the_visit(
    client_for: Client, world: World
) -> None:
    bob = world.phone("bob")
    visit = world.visit(visitors=["bob"], street="Provgatan 8", tenants=["Testsson Hemlig"])
    world.follow_up(bob, visit, "KT", text="Avin saknas.")
    world.follow_up(bob, visit, "FV", text="Kranen droppar.")
    bob.do("visit.note", visit, {"item": "i31", "text": "Låset kärvar."})
    hugo = client_for("hugo")
    for query in ("", "?queue=FV", "?queue=FV&done=1", "?overdue=1"):
        html = hugo.get(f"/desk/follow-ups{query}").text
        for words in ("Kranen droppar.", "Låset kärvar.", "Hemlig", "070-123"):
            assert words not in html
        assert f"/desk/visits/{visit}" not in html
    html = hugo.get("/desk/follow-ups").text
    assert "Provgatan 8" in html
    assert "Avin saknas." in html


def test_an_officer_answers_the_own_queue_only(client_for: Client, world: World) -> None:
    bob = world.phone("bob")
    visit = world.visit(visitors=["bob"])
    own, other = world.follow_up(bob, visit, "KT"), world.follow_up(bob, visit, "FV")
    hugo = client_for("hugo")
    form = world.form(visit, text="Skickad.", done="1")
    assert hugo.post(f"/desk/follow-ups/{other}", data=form).status_code == 404
    assert hugo.post(f"/desk/follow-ups/{operation()}", data=form).status_code == 404
    for _ in range(2):
        assert hugo.post(f"/desk/follow-ups/{own}", data=form).status_code == 303
    entries = {one["id"]: one for one in world.record(visit)["follow_ups"]}
    assert [one["text"] for one in entries[own]["answers"]] == ["Skickad."]
    assert entries[other]["answers"] == []
    assert "Skickad." in hugo.get("/desk/follow-ups?done=1").text


def test_an_answer_needs_words_or_an_end(client_for: Client, world: World) -> None:
    visit = world.visit(visitors=["bob"])
    own = world.follow_up(world.phone("bob"), visit)
    for fields in ({"text": " ", "done": "0"}, {"text": "x" * 281, "done": "1"}):
        form = world.form(visit, **fields)
        assert client_for("hugo").post(f"/desk/follow-ups/{own}", data=form).status_code == 400


def test_the_most_urgent_follow_up_is_on_top(alice: FlaskClient, world: World) -> None:
    bob, visit = world.phone("bob"), world.visit(visitors=["bob"])
    for urgency, ago in (
        ("fourteen_days", -1),
        ("three_days", -1),
        ("same_day", 0),
        ("three_days", -9),
    ):
        world.follow_up(bob, visit, urgency=urgency, text=f"{urgency} {ago}", at=days(ago))
    html = alice.get("/desk/follow-ups").text
    order = ("three_days -9", "same_day 0", "three_days -1", "fourteen_days -1")
    places = [html.index(words) for words in order]
    assert places == sorted(places)
    late = alice.get("/desk/follow-ups?overdue=1").text
    assert "three_days -9" in late
    assert "same_day 0" not in late


@pytest.mark.parametrize(
    ("urgency", "written", "due"),
    [
        ("now", "2026-11-20", "2026-11-20"),
        ("same_day", "2026-11-20", "2026-11-20"),
        ("three_days", "2026-11-16", "2026-11-19"),
        ("three_days", "2026-11-20", "2026-11-25"),  # a Friday: Monday, Tuesday, Wednesday
        ("three_days", "2026-11-21", "2026-11-25"),  # a Saturday
        ("three_days", "2026-11-22", "2026-11-25"),
        ("fourteen_days", "2026-11-20", "2026-12-04"),
    ],
)
def test_a_follow_up_is_due_in_working_days(urgency: str, written: str, due: str) -> None:
    assert due_day(urgency, f"{written}T10:00:00+01:00") == date.fromisoformat(due)


def test_overdue_in_the_database_is_overdue_on_the_page(world: World) -> None:
    bob, visit = world.phone("bob"), world.visit(visitors=["bob"])
    today = world.services.today()
    expected = set()
    for urgency in ("now", "same_day", "three_days", "fourteen_days"):
        for ago in range(-20, 1):
            id = world.follow_up(bob, visit, urgency=urgency, at=days(ago))
            if due_day(urgency, days(ago).isoformat()) < today:
                expected.add(id)
    with world.services.databases.reading() as db:
        found, total = tables.list_follow_ups(db, today, queue="", done=False, late=True, page=1)
    assert total == len(expected) > 40
    assert {one.id for one in found} <= expected


# --- consents ------------------------------------------------------------------------------


def test_consents_are_listed_and_withdrawn_with_one_press(alice: FlaskClient, world: World) -> None:
    bob, visit = world.phone("bob"), world.visit(visitors=["bob"], street="Provgatan 8")
    bob.do("visit.consent", visit, CONSENT)
    bob.do("visit.consent", visit, CONSENT | {"purpose": "K9", "decision": "no"})
    html = alice.get("/desk/consents").text
    assert "Provgatan 8" in html
    assert f"/desk/consents/{visit}/K8/withdraw" in html
    assert f"/desk/consents/{visit}/K9/withdraw" not in html
    form = world.form(visit, channel="letter", back="/desk/consents?decision=yes")
    for _ in range(2):
        answer = alice.post(f"/desk/consents/{visit}/K8/withdraw", data=form)
        assert answer.location == "/desk/consents?decision=yes"
    assert "Provgatan 8" not in alice.get("/desk/consents").text
    assert "Provgatan 8" in alice.get("/desk/consents?decision=withdrawn").text
    assert "Provgatan 8" in alice.get("/desk/consents?decision=no&purpose=K9").text
    assert len(world.record(visit)["consents"]) == 3


def again(world: World, visit: str, *visitors: str) -> str:
    """Another visit to the same household."""
    other = uuid4()
    world.desk("visit.plan", other, {"tenancy": world.tenancies[visit], "kind": "revisit"})
    world.desk("visit.assign", other, {"visitors": [world.user_of(one).id for one in visitors]})
    return other


def in_force(world: World, visit: str, purpose: str = "K8") -> str:
    with world.services.databases.reading() as db:
        return str(db.table("consent_index").get((visit, purpose))["decision"])


def test_a_yes_never_counts_at_one_visit_beside_a_later_withdrawal_at_another_of_the_household(
    alice: FlaskClient, world: World
) -> None:
    bob, charlie = world.phone("bob"), world.phone("charlie")
    first = world.visit(visitors=["bob"], street="Provgatan 8")
    second = again(world, first, "charlie")
    bob.do("visit.consent", first, CONSENT)
    assert [in_force(world, first)] == ["yes"]
    charlie.do("visit.withdraw", second, {"purpose": "K8", "channel": "visit"})
    assert [in_force(world, first), in_force(world, second)] == ["withdrawn", "withdrawn"]
    assert "Provgatan 8" not in alice.get("/desk/consents").text
    assert "Provgatan 8" in alice.get("/desk/consents?decision=withdrawn").text
    told = "This was said at another visit to the same household, and counts here too."
    assert told in alice.get(f"/desk/visits/{first}").text
    assert told not in alice.get(f"/desk/visits/{second}").text
    with world.services.databases.writing() as db:  # as an earlier release left it
        db.execute("UPDATE consent_index SET decision = 'yes' WHERE visit = ?", [first])
        db.execute("DELETE FROM marks WHERE name = 'indexes'")
        indexes.renew(db)
    assert in_force(world, first) == "withdrawn"
    # Written before the withdrawal was pulled: which came first cannot be known.
    bob.do("visit.consent", first, CONSENT, base=world.record(first)["consents"][0]["seq"])
    assert in_force(world, first) == "withdrawn"
    # Asked again by a phone that has pulled the withdrawal: certainly later.
    bob.do("visit.consent", first, CONSENT, base=world.record(first)["seq"])
    assert [in_force(world, first), in_force(world, second)] == ["yes", "withdrawn"]


def test_a_withdrawal_at_the_desk_ends_the_consent_at_every_visit_of_the_household(
    alice: FlaskClient, world: World
) -> None:
    bob, first = world.phone("bob"), world.visit(visitors=["bob"])
    second = again(world, first, "bob")
    bob.do("visit.consent", first, CONSENT)
    bob.do("visit.consent", second, CONSENT)
    stranger = world.visit(visitors=["bob"])
    bob.do("visit.consent", stranger, CONSENT)
    alice.post(f"/desk/consents/{first}/K8/withdraw", data=world.form(first, channel="letter"))
    assert [in_force(world, one) for one in (first, second, stranger)] == [
        "withdrawn",
        "withdrawn",
        "yes",
    ]


def test_expired_consents_can_be_picked_out(alice: FlaskClient, world: World) -> None:
    bob = world.phone("bob")
    old, fresh = (world.visit(visitors=["bob"]) for _ in range(2))
    bob.do("visit.consent", old, CONSENT | {"expires": "2026-11-21"})
    bob.do("visit.consent", fresh, CONSENT | {"expires": "2026-11-22"})
    html = alice.get("/desk/consents?expired=1").text
    assert old in html
    assert fresh not in html


def test_a_malformed_withdrawal_is_refused(alice: FlaskClient, world: World) -> None:
    visit = world.visit()
    form = world.form(visit, channel="pigeon")
    assert alice.post(f"/desk/consents/{visit}/K8/withdraw", data=form).status_code == 400
    assert alice.post(f"/desk/consents/{visit}/K99/withdraw", data=form).status_code == 404
    assert alice.get("/desk/consents?purpose=x&decision=x&page=x").status_code == 200
