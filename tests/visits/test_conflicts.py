"""Parallel writes and conflicts, through the real app: both values are kept and shown, the desk
chooses one, and then every phone shows the same (I5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from sync.apply import conflicts_of
from tests.cast.wire_phone import WirePhone
from tests.cast.world import World

pytestmark = pytest.mark.usefixtures("frozen")

ANSWER = {"item": "i23", "guide": "g1", "language": "ar"}
# field → what each of two people writes who have not seen the other's value
WRITES: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "answer.i23": (("visit.answer", ANSWER | {"answer": "sounds"}), ("visit.answer", ANSWER | {"answer": "silent"})),
    "language": (("visit.language", {"language": "so"}), ("visit.language", {"language": "ar"})),
    "visitors": (("visit.assign", {"visitors": ["bob"]}), ("visit.assign", {"visitors": ["bob", "charlie"]})),
    "date": (("visit.assign", {"date": "2026-11-25"}), ("visit.attempt", {"outcome": "rebooked", "date": "2026-11-26", "time": ""})),
    "time": (("visit.assign", {"time": "09:00"}), ("visit.attempt", {"outcome": "rebooked", "date": "", "time": "16:00"})),
    "attempt": (("visit.attempt", {"outcome": "not_home"}), ("visit.attempt", {"outcome": "declined"})),
    "closed": (("visit.close", {"let_go": [], "read_back": True}), ("visit.reopen", {})),
}  # fmt: skip


@pytest.fixture
def alice(client_for: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_for("alice")


def write_both(world: World, visit: str, field: str) -> None:
    """Two devices write, neither having seen the other; where the desk writes, an administrator
    at another desk is the first of the two."""
    base = world.log_length()
    for name, (kind, data) in zip(("bob", "charlie"), WRITES[field], strict=True):
        who = "root" if kind == "visit.assign" and name == "bob" else name
        who = "alice" if kind == "visit.assign" and name == "charlie" else who
        if "visitors" in data:
            data = {"visitors": [world.user_of(one).id for one in data["visitors"]]}
        assert world.phone(who).do(kind, visit, data, base=base).results[0].result == "applied"


@pytest.mark.parametrize("winner", [0, 1])
@pytest.mark.parametrize("field", WRITES)
def test_i5_a_conflict_is_shown_with_both_values_and_one_choice_ends_it_everywhere(
    field: str, winner: int, alice: FlaskClient, world: World, client_for: Any
) -> None:
    visit = world.visit(visitors=["bob", "charlie"])
    write_both(world, visit, field)
    writes = conflicts_of(world.record(visit))[field]
    assert len(writes) == 2
    assert world.row(visit)["conflicts"] >= 1
    values = [",".join(one["value"]) if field == "visitors" else one["value"] for one in writes]
    html = alice.get(f"/desk/visits/{visit}").text
    for value in values:
        assert (
            f'name="field" value="{field}"><input type="hidden" name="value" value="{value}"'
            in html
        )
    form = world.form(visit, field=field, value=values[winner])
    assert alice.post(f"/desk/visits/{visit}/choose", data=form).status_code == 303
    assert field not in conflicts_of(world.record(visit))
    assert world.record(visit)["cells"][field][-1]["value"] == writes[winner]["value"]
    # Both phones pull it and show the same, and both values are kept.
    told = {}
    for name in ("bob", "charlie"):
        phone = WirePhone(client_for(name), world.user_of(name).id)
        news = [one for one in phone.news()["snapshots"] if one["id"] == visit]
        if field == "visitors" and name == "charlie" and winner == 0:
            assert news == []
            continue
        told[name] = news[0]["cells"]
        assert field not in conflicts_of(news[0])
    assert len({str(cells) for cells in told.values()}) == 1
    kept = [one["value"] for one in world.record(visit)["cells"][field]]
    assert all(one["value"] in kept for one in writes)


def test_i5_different_fields_are_parallel_and_merge_without_anybody_choosing(
    world: World,
) -> None:
    visit = world.visit(visitors=["bob", "charlie"])
    base = world.log_length()
    world.phone("bob").do("visit.answer", visit, ANSWER | {"answer": "sounds"}, base=base)
    world.phone("charlie").do("visit.answer", visit, ANSWER | {"item": "i26", "answer": "ok"}, base=base)  # fmt: skip
    world.phone("charlie").do("visit.language", visit, {"language": "so"}, base=base)
    assert conflicts_of(world.record(visit)) == {}
    assert world.row(visit)["conflicts"] == 0


def test_i5_a_write_by_somebody_who_was_shown_both_ends_it(world: World) -> None:
    visit = world.visit(visitors=["bob", "charlie"])
    write_both(world, visit, "language")
    world.phone("bob").do("visit.language", visit, {"language": "fa"})
    assert conflicts_of(world.record(visit)) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", "soon"), ("date", "2026-02-30"), ("date", ["2026-12-01"]), ("time", "25:00"),
        ("visitors", "bob"), ("visitors", ["a", "b", "c"]), ("closed", "perhaps"),
        ("attempt", "asleep"), ("language", ["ar"]), ("answer.i23", [""]), ("guide", "g2"),
    ],
)  # fmt: skip
def test_a_choice_that_its_field_cannot_have_is_held_and_breaks_no_pull(
    field: str, value: Any, world: World, client_for: Any
) -> None:
    visit = world.visit(visitors=["bob"])
    phone = WirePhone(client_for("alice"), world.user_of("alice").id)
    text = phone.make("visit.choose", visit, {"field": field, "value": value})
    assert phone.told(text) == [("held", "invalid")]
    bob = WirePhone(client_for("bob"), world.user_of("bob").id)
    assert [one["id"] for one in bob.news()["snapshots"]] == [visit]
    day = bob.make("visit.attempt", visit, {"outcome": "rebooked", "date": "2026-02-31"})
    assert bob.told(day) == [("held", "invalid")]
