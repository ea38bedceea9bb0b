"""The list of visits, and assigning them to people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from pwa.desk.parts.filters import VisitFilter, read_filter
from pwa.desk.parts.paging import PAGE_ROWS
from tests.cast.world import World, addresses, operation

Client = Callable[[str], FlaskClient]
HTMX = {"HX-Request": "true"}


pytestmark = pytest.mark.usefixtures("frozen")


def bulk(world: World, *visits: str, **fields: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"visit": list(visits)} | fields
    for visit in visits:
        form[f"operation:{visit}"] = operation()
        form[f"base:{visit}"] = str(world.record(visit)["seq"])
    return form


# --- the list ----------------------------------------------------------------------------


def test_each_filter_narrows(client_for: Client, world: World) -> None:
    bob = world.user_of("bob").id
    north = world.visit(area="Norr", move_in="2026-11-01", language="so")
    south = world.visit(area="Söder", move_in="2026-10-30", visitors=["bob"], date="2026-11-30")
    nowhere = world.visit(area="", move_in="2026-09-01", kind="short", visitors=["amira", "bob"])
    alice = client_for("alice")

    def shown(query: str) -> set[str]:
        return set(addresses(alice.get(f"/desk/visits?{query}").text))

    assert shown("") == {north, south, nowhere}
    assert shown("area=Norr") == {north}
    assert shown("area=-") == {nowhere}
    assert shown("state=booked") == {south}
    assert shown(f"visitor={bob}") == {south, nowhere}
    assert shown("language=so") == {north}
    assert shown("kind=short") == {nowhere}
    assert shown("unassigned=1") == {north}
    assert shown("moved_from=2026-10&moved_to=2026-10") == {south}
    assert shown("moved_from=2026-10") == {north, south}
    assert shown("state=done") == set()


def test_finished_visits_are_not_in_the_first_view(client_for: Client, world: World) -> None:
    visit = world.visit(visitors=["bob"])
    world.done(world.phone("bob"), visit)
    alice = client_for("alice")
    assert addresses(alice.get("/desk/visits").text) == []
    assert addresses(alice.get("/desk/visits?state=all").text) == [visit]


def test_overdue_and_unassigned_visits_are_first(client_for: Client, world: World) -> None:
    booked = world.visit(visitors=["bob"], date="2026-11-23")
    unassigned = world.visit()
    late = world.visit(visitors=["bob"], date="2026-11-02")
    html = client_for("alice").get("/desk/visits").text
    assert addresses(html) == [late, unassigned, booked]


def test_it_sorts_and_turns_pages(client_for: Client, world: World) -> None:
    visits = [world.visit(street=f"Gatan {number:03}") for number in range(PAGE_ROWS + 3)]
    alice = client_for("alice")
    first = addresses(alice.get("/desk/visits?sort=address").text)
    second = addresses(alice.get("/desk/visits?sort=address&page=2").text)
    assert first + second == visits
    assert addresses(alice.get("/desk/visits?sort=address&page=99").text) == []


@pytest.mark.parametrize(
    "query",
    ["state=x&kind=x&language=x&visitor=x", "page=0", "page=-1", "page=1e9", "sort=v.id;--",
     "moved_from=2026-13", "moved_to=x", "area=%27%20OR%201=1--", "overdue=yes"],
)  # fmt: skip
def test_a_filter_it_does_not_know_is_harmless(
    client_for: Client, world: World, query: str
) -> None:
    world.visit()
    assert client_for("alice").get(f"/desk/visits?{query}").status_code == 200


def test_a_filter_survives_its_own_url() -> None:
    chosen = VisitFilter(
        state="booked", kind="short", area="Å & Ä", language="fa-AF", moved_from="2026-01",
        moved_to="2026-02", unassigned=True, overdue=True, conflicts=True, sort="date", page=3,
        visitor="00000000-0000-4000-8000-000000000001",
    )  # fmt: skip
    assert read_filter(dict(chosen.pairs()), ["fa-AF"]) == chosen
    assert VisitFilter().url() == "/desk/visits"
    assert "page" not in chosen.url(sort="area")


def test_an_address_is_searched_by_post_and_is_never_in_a_url(
    client_for: Client, world: World
) -> None:
    found = world.visit(street="Exempelstigen 5", apartment="1203")
    world.visit(street="Exempelstigen 50 %", apartment="1101")
    world.done(world.phone("bob"), world.visit(street="Annat 5", visitors=["bob"]))
    alice = client_for("alice")
    assert addresses(alice.post("/desk/visits/search", data={"address": "stigen 1203"}).text) == [
        found
    ]
    assert addresses(alice.post("/desk/visits/search", data={"address": "annat"}).text)
    assert len(addresses(alice.post("/desk/visits/search", data={"address": "%"}).text)) == 1
    assert alice.get("/desk/visits/search?address=stigen").status_code in (404, 405)
    answer = alice.post("/desk/visits/search", data={"address": "stigen"}, headers=HTMX)
    assert "HX-Push-Url" not in answer.headers
    assert "stigen" not in " ".join(answer.headers.values())


def test_htmx_gets_the_table_alone_and_caches_vary_by_it(client_for: Client, world: World) -> None:
    visit = world.visit(area="Norr")
    answer = client_for("alice").get("/desk/visits?area=Norr", headers=HTMX)
    assert "<html" not in answer.text
    assert addresses(answer.text) == [visit]
    assert answer.headers["HX-Push-Url"] == "/desk/visits?area=Norr"
    assert "HX-Request" in answer.headers["Vary"]


def test_a_restored_page_is_whole(client_for: Client, world: World) -> None:
    headers = HTMX | {"HX-History-Restore-Request": "true"}
    assert "<html" in client_for("alice").get("/desk/visits", headers=headers).text


# --- assigning ---------------------------------------------------------------------------


def test_ticked_visits_are_assigned_in_one_go(client_for: Client, world: World) -> None:
    one, two, three = (world.visit() for _ in range(3))
    form = bulk(
        world, one, two,
        first=world.user_of("bob").id, second=world.user_of("amira").id,
        date="2026-12-01", time="10:30", back="/desk/visits?area=Norr",
    )  # fmt: skip
    answer = client_for("alice").post("/desk/visits/assign", data=form)
    assert answer.location == "/desk/visits?area=Norr"
    for visit in (one, two):
        row = world.row(visit)
        assert (row["date"], row["time"], row["state"]) == ("2026-12-01", "10:30", "booked")
        assert (row["visitor"], row["visitor2"]) == (form["first"], form["second"])
    assert world.row(three)["state"] == "planned"


def test_assigning_twice_is_assigning_once(client_for: Client, world: World) -> None:
    visit = world.visit()
    alice, form = client_for("alice"), bulk(world, visit, first=world.user_of("bob").id)
    alice.post("/desk/visits/assign", data=form)
    before = world.log_length()
    assert alice.post("/desk/visits/assign", data=form).status_code == 303
    assert world.log_length() == before


def test_only_a_time_leaves_the_visitor_alone(client_for: Client, world: World) -> None:
    visit = world.visit(visitors=["bob"])
    client_for("alice").post("/desk/visits/assign", data=bulk(world, visit, date="2026-12-01"))
    assert world.row(visit)["visitor"] == world.user_of("bob").id


def test_nothing_ticked_or_nothing_chosen_changes_nothing(client_for: Client, world: World) -> None:
    visit = world.visit()
    alice, before = client_for("alice"), world.log_length()
    second = world.user_of("bob").id
    for form in ({"first": second}, bulk(world, visit), bulk(world, visit, second=second)):
        assert alice.post("/desk/visits/assign", data=form).status_code == 303
    assert world.log_length() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("date", "2026-02-31x"), ("date", "tomorrow"), ("time", "25:00"), ("first", "nobody"),
     ("operation", "1"), ("base", "-1"), ("base", "x")],
)  # fmt: skip
def test_a_malformed_assignment_is_rejected_and_not_held(
    client_for: Client, world: World, field: str, value: str
) -> None:
    visit = world.visit()
    form = bulk(world, visit, date="2026-12-01")
    form[f"{field}:{visit}" if field in ("operation", "base") else field] = value
    assert client_for("alice").post("/desk/visits/assign", data=form).status_code == 400
    with world.services.databases.reading() as db:
        assert db.table("held").count == 0


def test_officers_and_people_who_left_cannot_be_assigned(client_for: Client, world: World) -> None:
    visit = world.visit()
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET active = 0 WHERE name = 'charlie'")
    for name in ("hugo", "charlie"):
        form = bulk(world, visit, first=world.user_of(name).id)
        assert client_for("alice").post("/desk/visits/assign", data=form).status_code == 400


def test_who_speaks_the_language_is_suggested_first(client_for: Client, world: World) -> None:
    visits = [world.visit(language="ar"), world.visit(language="so")]
    world.visit(visitors=["amira"], date="2026-12-01")
    form = {"visit": visits, "date": "2026-12-01"}
    html = _english(client_for("alice")).post("/desk/visits/people", data=form).text
    first = html[html.index('id="assign-first"') : html.index('id="assign-second"')]
    names = ["Amira Testsson – speaks Arabic, Somali · 1 that day", "Alice", "Bob", "Charlie"]
    places = [first.index(name) for name in names]
    assert places[0] == min(places)
    assert "Bob Testsson – speaks Arabic<" in first
    assert "2 visits ticked" in html


def test_one_row_is_assigned_in_its_place(client_for: Client, world: World) -> None:
    visit = world.visit()
    alice = client_for("alice")
    assert 'name="was_people"' in alice.get(f"/desk/visits/{visit}/row/assign").text
    form = world.form(visit, first=world.user_of("bob").id, date="2026-12-02", time="09:00")
    answer = alice.post(f"/desk/visits/{visit}/assign", data=form, headers=HTMX)
    assert answer.text.lstrip().startswith("<tr")
    assert "Bob Testsson" in answer.text
    assert world.row(visit)["date"] == "2026-12-02"


def test_an_unchanged_field_is_not_written(client_for: Client, world: World) -> None:
    """A time agreed at the door after the form was rendered must not be overwritten by it."""
    visit = world.visit(visitors=["bob"], date="2026-12-01", time="10:00")
    bob = world.user_of("bob").id
    form = world.form(
        visit, first=bob, second=world.user_of("amira").id, date="2026-12-01", time="10:00",
        was_people=bob, was_date="2026-12-01", was_time="10:00",
    )  # fmt: skip
    agreed = {"outcome": "rebooked", "date": "2026-12-03", "time": "16:00"}
    world.phone("bob").do("visit.attempt", visit, agreed)
    client_for("alice").post(f"/desk/visits/{visit}/assign", data=form)
    row = world.row(visit)
    assert (row["date"], row["time"], row["conflicts"]) == ("2026-12-03", "16:00", 0)
    assert row["visitor2"] == world.user_of("amira").id


def test_a_visit_can_be_taken_back(client_for: Client, world: World) -> None:
    visit = world.visit(visitors=["bob"], date="2026-12-01")
    form = world.form(visit, was_people=world.user_of("bob").id, was_date="2026-12-01")
    client_for("alice").post(f"/desk/visits/{visit}/assign", data=form)
    row = world.row(visit)
    assert (row["visitor"], row["date"], row["state"]) == ("", "", "planned")


def test_the_way_back_leads_only_to_the_desk(client_for: Client, world: World) -> None:
    for path in ("https://evil.example/", "//evil.example/desk/", "/field/", "/desk/\\\\evil"):
        answer = client_for("alice").post("/desk/visits/assign", data={"back": path})
        assert answer.location == "/desk/visits"


def _english(client: FlaskClient) -> FlaskClient:
    client.post("/language", data={"language": "en", "next": "/desk/"})
    return client
