"""Each kind of operation, pushed by everybody about what is theirs and what is not (I6, I7).

The table is tests/web/operation_table.py; a kind of the protocol without a row fails here by name.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.kinds import KINDS
from tests.cast.wire_phone import WirePhone
from tests.server_faults.oracle import State, read_state
from tests.web.address_forms import UNKNOWN
from tests.web.company import Company
from tests.web.operation_table import COLUMNS, LETTERS, ROWS, data_of

# What a push may write whatever it brings: who contacted us with which phone, and what is held.
_OF_ANY_PUSH = frozenset({"held", "devices", "device_people"})


def besides(state: State) -> State:
    """Everything but what any push writes."""
    rest = {name: rows for name, rows in state.items() if name not in _OF_ANY_PUSH}
    return rest | {"records": [row for row in state["records"] if not row.startswith("('device'")]}


def state_of(company: Company) -> State:
    return besides(read_state(company.data))


def offer(
    company: Company, who: str, kind: str, target: str, *, by: str = "", **over: Any
) -> tuple[str, str]:
    """(result, problem) of one operation of `kind` about `target`, sent by `who`, in the name of
    `by` where that is somebody else."""
    visit = company.visits.get("protected" if target == "moved" else target, UNKNOWN)
    type = KINDS[kind].type
    id = company.world.tenancies.get(visit, UNKNOWN) if type == "tenancy" else visit
    phone = WirePhone(company.client(who), company.users[by or who].id)
    text = phone.make(
        kind, id, over.pop("data", None) or data_of(company, kind, target),
        subject={"type": type, "id": id}, base=company.world.log_length(), **over,
    )  # fmt: skip
    ((result, problem),) = phone.told(text)
    return result, problem


@pytest.mark.parametrize(("kind", "target"), ROWS)
def test_what_role_and_assignment_do_not_cover_is_held_and_changes_nothing(
    company: Company, kind: str, target: str
) -> None:
    found = ""
    untouched = before = read_state(company.data)
    for who in COLUMNS:
        result, problem = offer(company, who, kind, target)
        after = read_state(company.data)
        if result == "held":
            found += LETTERS[problem]
            assert besides(after) == besides(before), who
            assert len(after["held"]) == len(before["held"]) + 1, who
            before = after
        else:
            found += "a"
            assert len(after["log"]) == len(before["log"]) + 1, who
            company.restore()
            before = untouched
    assert found == ROWS[kind, target]


def test_no_kind_is_without_a_row_and_no_row_without_a_kind() -> None:
    missing = {
        (kind, target)
        for kind, facts in KINDS.items()
        for target in (
            *(("open", "protected") if facts.type != "tally" else ()),
            "unknown",
            *(("new", "moved") if "tenancy" in facts.fields else ()),
        )
    }
    assert missing - ROWS.keys() == set(), "give it a row in tests/web/operation_table.py"
    assert {kind for kind, _ in ROWS} == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["charlie", "alice", "root"])
def test_nobody_sends_in_the_name_of_somebody_else(company: Company, kind: str, who: str) -> None:
    before = state_of(company)
    by = "alice" if "field" not in KINDS[kind].who and who != "alice" else "bob"
    assert offer(company, who, kind, "open", by=by) == ("held", "author_mismatch")
    assert state_of(company) == before


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "desk" in KINDS[kind].who])
def test_nobody_sends_as_a_desk(company: Company, kind: str) -> None:
    before = state_of(company)
    desk = f"desk-{company.users['alice'].id}"
    for who in ("charlie", "alice"):
        told = offer(company, who, kind, "open", by="alice", device=desk)
        assert told == ("held", "device_mismatch"), who
    assert state_of(company) == before


def test_an_officer_answers_no_follow_up_under_the_visit_of_another(company: Company) -> None:
    before = state_of(company)
    data = {"follow_up": company.follow_ups["protected"], "text": "Nej.", "done": True}
    assert offer(company, "hugo", "follow_up.answer", "open", data=data) == ("held", "no_right")
    assert state_of(company) == before


def test_a_retract_strikes_nothing_of_another_visit(company: Company) -> None:
    visit = company.visits["protected"]
    before = company.world.record(visit)
    data = {"operation": company.notes["protected"]}
    assert offer(company, "bob", "visit.retract", "open", data=data) == ("applied", "")
    assert company.world.record(visit) == before
    with company.services.databases.reading() as db:
        sql = "SELECT bytes FROM log WHERE id = ?"
        (octets,) = db.execute(sql, [company.notes["protected"]]).fetchone()
    assert json.loads(octets)["subject"]["id"] == visit


@pytest.mark.parametrize(("who", "kind"), [("bob", "visit.open"), ("alice", "visit.plan")])
def test_a_visit_that_is_there_gets_no_other_tenancy_kind_or_colleagues(
    company: Company, who: str, kind: str
) -> None:
    visit = company.visits["open"]
    company.world.visit(visitors=["bob"], street="Andra gatan 2")
    other = [*company.world.tenancies.values()][-1]
    before = _facts(company, visit)
    data = {"tenancy": other, "kind": "short"}
    data |= {"language": "so"} if kind == "visit.open" else {}
    assert offer(company, who, kind, "open", data=data) == ("applied", "")
    assert _facts(company, visit) == before
    with company.services.databases.reading() as db:
        sql = "SELECT tenancy FROM visit_index WHERE id = ?"
        assert db.execute(sql, [visit]).fetchone()[0] == before["tenancy"]


def _facts(company: Company, visit: str) -> dict[str, Any]:
    record = company.world.record(visit)
    visitors = [write["value"] for write in record["cells"]["visitors"]]
    return {
        "tenancy": record["tenancy"],
        "kind": record["kind"],
        "visitors": (visitors, record["assignments"][-1]["visitors"]),
    }
