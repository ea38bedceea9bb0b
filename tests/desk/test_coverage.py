"""The coverage page: its numbers are the lists behind them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pwa.commands import demo
from pwa.desk.coverage import lines, months_back
from pwa.desk.parts import tables
from pwa.desk.parts.filters import VisitFilter
from pwa.desk.parts.rows import Calendar, Cell
from pwa.phones import devices
from pwa.services import Services
from tests.cast.world import World, days

Client = Callable[[str], FlaskClient]
NUMBER = re.compile(r'<a (?:class="late" )?href="(/desk/visits\?[^"]*)">(\d+)</a>')
NEED = re.compile(r'<a href="(/desk/visits\?[^"]*)"><strong>(\d+)</strong>')


pytestmark = pytest.mark.usefixtures("frozen")


def listed(client: FlaskClient, url: str) -> int:
    html = client.get(unescape(url)).text
    found = re.search(r"(?:of )?(\d+) visits?\b", html)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("period", ["3", "12", "all"])
def test_each_number_is_the_list_behind_it(
    app: Flask, services: Services, client_for: Client, period: str
) -> None:
    with app.app_context():
        with services.databases.writing() as db:
            db.execute("DELETE FROM users WHERE name IN ('bob', 'amira', 'hugo', 'root')")
            db.execute("UPDATE users SET name = 'before' WHERE name = 'alice'")
        demo.fill(services)
    with services.databases.writing() as db:
        # The demo's Alice, with the password of the tests.
        db.execute(
            "UPDATE users SET password = (SELECT password FROM users WHERE name = 'before')"
            " WHERE name = 'alice'"
        )
    alice = client_for("alice")
    alice.post("/language", data={"language": "en", "next": "/desk/"})
    html = alice.get(f"/desk/?period={period}").text
    numbers = [*NUMBER.findall(html), *NEED.findall(html)]
    assert len(numbers) > 25
    for url, shown in numbers:
        assert listed(alice, url) == int(shown), url


def test_the_parts_of_a_bar_fill_it() -> None:
    cells = [Cell("Norr", "2026-11", state, 7, 0) for state in ("done", "booked", "declined")]
    whole, areas, months = lines([*cells, Cell("Norr", "2026-11", "cancelled", 5, 0)], "")
    for line in (whole, *areas, *months):
        pieces = line.segments()
        assert line.total == 21
        assert sum(one["width"] for one in pieces) == 1000
        assert [one["x"] for one in pieces] == [0, 333, 666]
        assert line.percent == 33


def test_a_period_of_months_ends_with_this_one() -> None:
    assert months_back(date(2026, 11, 22), 3) == "2026-09"
    assert months_back(date(2026, 1, 31), 12) == "2025-02"
    assert months_back(date(2026, 2, 1), 3) == "2025-12"
    assert months_back(date(2026, 12, 1), 12) == "2026-01"
    assert months_back(date(2026, 11, 22), 0) == ""


def test_overdue_is_a_passed_window_or_a_passed_day(world: World) -> None:
    late_window = world.visit(move_in="2026-10-22")
    world.visit(move_in="2026-10-23")
    late_day = world.visit(move_in="2026-11-10", visitors=["bob"], date="2026-11-21")
    world.visit(move_in="2026-11-10", visitors=["bob"], date="2026-11-22")
    world.visit(kind="revisit", move_in="2026-01-01", visitors=["bob"], date="2026-11-30")
    finished = world.visit(move_in="2026-01-01", visitors=["bob"], date="2026-11-01")
    world.done(world.phone("bob"), finished)
    calendar = Calendar.of(world.services.today(), 30)
    with world.services.databases.reading() as db:
        rows = tables.list_visits(db, VisitFilter(overdue=True), calendar)
        assert {row.id for row in rows} == {late_window, late_day}
        assert all(row.overdue for row in rows)
        assert tables.count_needs(db, calendar)["overdue"] == 2


def test_a_cancelled_visit_is_in_no_number(client_for: Client, world: World) -> None:
    visit = world.visit()
    world.desk("visit.cancel", visit, {"reason": "moved_out"})
    assert "No welcome visits in this period" in _english(client_for("alice")).get("/desk/").text


def test_a_silent_phone_with_unsent_work_is_first(client_for: Client, world: World) -> None:
    with world.services.databases.writing() as db:
        for name, unsent, ago in (("bob", 0, -1), ("amira", 4, -3)):
            seen = days(ago).isoformat(timespec="seconds")
            devices.report(db, f"phone-{name}", world.user_of(name).id, {"unsent": unsent}, seen)
    html = _english(client_for("alice")).get("/desk/").text
    assert html.index("Amira Testsson") < html.index("Bob Testsson")
    assert "Silent with unsent work: call" in html


def test_an_unknown_period_falls_back_to_a_year(client_for: Client, world: World) -> None:
    world.visit(move_in="2025-12-01")
    world.visit(move_in="2025-11-30")
    alice = _english(client_for("alice"))
    assert "of 1 new tenancy visited" in alice.get("/desk/?period=';drop").text
    assert "of 2 new tenancies visited" in alice.get("/desk/?period=all").text


def _english(client: FlaskClient) -> FlaskClient:
    client.post("/language", data={"language": "en", "next": "/desk/"})
    return client
