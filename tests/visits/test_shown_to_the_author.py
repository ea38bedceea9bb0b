"""What the author of an operation had been shown, and what an operation may touch: over the addresses
that phones and the desk use, because a rule can hold in sync/ and never be reached from there (I5, I7).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from pwa.people.accounts import User
from tests.cast.wire_phone import WirePhone
from tests.cast.world import CONSENT, FIELDS, World

Client = Callable[[str], FlaskClient]
PhoneOf = Callable[[str], WirePhone]
pytestmark = pytest.mark.usefixtures("frozen")
WITHDRAWN = {"purpose": "K8", "channel": "desk"}


@pytest.fixture
def phone_of(client_for: Client, world: World) -> PhoneOf:
    return lambda name: WirePhone(client_for(name), world.user_of(name).id)


def decision(world: World, visit: str) -> str:
    """What the desk's list of consents says."""
    with world.services.databases.reading() as db:
        sql = "SELECT decision FROM consent_index WHERE visit = ? AND purpose = 'K8'"
        return str(db.execute(sql, [visit]).fetchone()[0])


def accept_all(alice: FlaskClient, world: World) -> None:
    with world.services.databases.reading() as db:
        rows = db.execute("SELECT id, sha256 FROM held WHERE state = 'open'").fetchall()
    keys = [f"{id}:{sha}" for id, sha in rows]
    assert keys
    assert alice.post("/desk/held", data={"action": "accept", "held": keys}).status_code == 303


def become(root: FlaskClient, user: User, role: str) -> None:
    form = {
        "role": role, "languages": user.languages, "display_name": user.display_name, "queue": "",
    }  # fmt: skip
    assert root.post(f"/desk/people/{user.id}", data=form).status_code == 303


def test_i5_a_yes_accepted_at_the_desk_never_counts_over_a_withdrawal(
    client_for: Client, phone_of: PhoneOf, world: World
) -> None:
    visit = world.visit(visitors=["bob"])
    bob = phone_of("bob")
    world.desk("visit.assign", visit, {"visitors": [world.user_of("charlie").id]})
    world.desk("visit.withdraw", visit, WITHDRAWN)
    seen = world.record(visit)["seq"]
    assert bob.told(bob.make("visit.consent", visit, CONSENT, base=seen)) == [("held", "no_right")]
    accept_all(client_for("alice"), world)
    assert [one["decision"] for one in world.record(visit)["consents"]] == ["withdrawn", "yes"]
    assert decision(world, visit) == "withdrawn"


def test_i5_an_ambassador_made_visitor_has_not_seen_what_was_hidden_from_her(
    client_for: Client, phone_of: PhoneOf, world: World
) -> None:
    visit = world.visit(visitors=["bob", "amira"])
    bob, amira = phone_of("bob"), phone_of("amira")
    bob.offer(bob.make("visit.consent", visit, CONSENT | {"decision": "no"}))
    (pulled,) = [one for one in amira.news()["snapshots"] if one["id"] == visit]
    assert pulled["consents"] == []
    become(client_for("root"), world.user_of("amira"), "visitor")
    amira.client = client_for("amira")
    assert amira.told(amira.make("visit.consent", visit, CONSENT, base=pulled["seq"])) == [
        ("applied", "")
    ]
    assert decision(world, visit) == "no"
    # What she pulls from now on shows everything: asked anew, the tenant can say yes.
    (pulled,) = [one for one in amira.news()["snapshots"] if one["id"] == visit]
    assert len(pulled["consents"]) == 2
    amira.offer(amira.make("visit.consent", visit, CONSENT, base=pulled["seq"]))
    assert decision(world, visit) == "yes"


def test_i7_opening_ones_own_visit_changes_neither_tenancy_nor_kind_nor_colleagues(
    phone_of: PhoneOf, world: World
) -> None:
    visit = world.visit(visitors=["bob", "charlie"])
    other = world.visit(visitors=["bob"])
    bob = phone_of("bob")
    before = world.record(visit)
    again = {"tenancy": world.tenancies[other], "kind": "contact", "language": "so"}
    assert bob.told(bob.make("visit.open", visit, again, base=before["seq"])) == [("applied", "")]
    after = world.record(visit)
    for name in ("tenancy", "kind", "assignments"):
        assert after[name] == before[name]
    assert after["cells"]["visitors"] == before["cells"]["visitors"]
    assert after["cells"]["language"][-1]["value"] == "so"
    # So a protected home takes its visit from phones whatever was opened.
    world.protect(visit)
    charlie = phone_of("charlie")
    assert visit not in {one["id"] for one in charlie.news()["snapshots"]}


def test_three_times_nobody_home_and_then_rebooked_is_booked(
    phone_of: PhoneOf, world: World
) -> None:
    visit = world.visit(visitors=["bob"], date="2026-11-22", time="10:00")
    bob = phone_of("bob")
    bob.offer(*(bob.make("visit.attempt", visit, {"outcome": "not_home"}) for _ in range(3)))
    assert world.row(visit)["state"] == "not_reached"
    rebooked = {"outcome": "rebooked", "date": "2026-12-01", "time": "17:00"}
    bob.offer(bob.make("visit.attempt", visit, rebooked))
    assert (world.row(visit)["state"], world.row(visit)["date"]) == ("booked", "2026-12-01")


def opened(phone: WirePhone, visit: str, **data: Any) -> str:
    return phone.make(
        "visit.open", visit, {"tenancy": "", "kind": "contact", "language": "sv"} | data
    )


NEW = "00000000-0000-4000-8000-00000000beef"


def test_what_waited_for_a_visit_is_looked_at_again_as_its_own_senders(
    phone_of: PhoneOf, world: World
) -> None:
    bob, charlie = phone_of("bob"), phone_of("charlie")
    waiting = bob.note(NEW, "Bob var med")
    assert bob.told(waiting) == [("held", "unknown_subject")]
    charlie.offer(opened(charlie, NEW))
    # The visit is Charlie's: now it says what is wrong, and who can end it.
    assert bob.told(waiting) == [("held", "no_right")]
    assert world.record(NEW)["notes"] == []
    world.desk("visit.assign", NEW, {"visitors": [charlie.by, bob.by]})
    own = bob.note(NEW, "Bob igen", base=world.record(NEW)["seq"])
    assert bob.told(own) == [("applied", "")]


def test_what_a_desk_wrote_before_the_visit_came_is_applied_as_the_desks(
    phone_of: PhoneOf, world: World
) -> None:
    bob = phone_of("bob")
    alice = phone_of("alice")
    note = alice.make("visit.language", NEW, {"language": "so"})
    assert alice.told(note) == [("held", "unknown_subject")]
    assert bob.told(opened(bob, NEW)) == [("applied", "")]
    assert world.record(NEW)["cells"]["language"][-1]["value"] == "so"
    assert alice.told(note) == [("duplicate", "")]


def test_what_waited_for_a_tenancy_is_looked_at_again_when_it_is_offered(
    client_for: Client, phone_of: PhoneOf, world: World
) -> None:
    bob, tenancy = phone_of("bob"), "00000000-0000-4000-8000-0000000beef1"
    opening = opened(bob, NEW, tenancy=tenancy)
    note = bob.note(NEW)
    assert bob.told(opening, note) == [("held", "unknown_subject")] * 2
    world.desk("tenancy.register", tenancy, FIELDS | {"ref": "77/1"}, type="tenancy")
    # Bob has never had a visit there: that is for a supervisor to decide, and the note goes with it.
    assert bob.told(opening, note) == [("held", "no_right"), ("held", "unknown_subject")]
    accept_all(client_for("alice"), world)
    assert bob.told(opening, note) == [("duplicate", "")] * 2
    assert [one["text"] for one in world.record(NEW)["notes"]] == ["Kranen droppar"]


def test_i1_a_retract_that_comes_before_a_consent_takes_none_of_its_bytes(
    phone_of: PhoneOf, world: World
) -> None:
    visit = world.visit(visitors=["bob"])
    bob = phone_of("bob")
    consent = bob.make("visit.consent", visit, CONSENT)
    id = json.loads(consent)["id"]
    bob.offer(bob.make("visit.retract", visit, {"operation": id}), consent)
    with world.services.databases.reading() as db:
        (octets,) = db.execute("SELECT bytes FROM log WHERE id = ?", [id]).fetchone()
    assert bytes(octets).decode() == consent
    assert decision(world, visit) == "yes"


def test_i2_what_waited_for_its_tenancy_and_makes_its_visit_takes_effect_once(
    phone_of: PhoneOf, world: World
) -> None:
    alice, tenancy = phone_of("alice"), "00000000-0000-4000-8000-0000000beef2"
    plan = alice.make("visit.plan", NEW, {"tenancy": tenancy, "kind": "welcome"})
    language = alice.make("visit.language", NEW, {"language": "so"})
    assert alice.told(plan, language) == [("held", "unknown_subject")] * 2
    world.desk("tenancy.register", tenancy, FIELDS | {"ref": "77/2"}, type="tenancy")
    assert alice.told(plan, language) == [("applied", ""), ("duplicate", "")]
    assert world.record(NEW)["tenancy"] == tenancy
    with world.services.databases.reading() as db:
        rows = db.execute("SELECT kind FROM log WHERE subject = ? ORDER BY seq", [NEW]).fetchall()
    assert rows == [("visit.plan",), ("visit.language",)]
