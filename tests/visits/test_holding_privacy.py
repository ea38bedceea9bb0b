"""What the held list must not show, or must not keep (I7, PROTOCOL.md 1)."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from pwa.database.schema import steps
from pwa.ids import uuid4
from pwa.visits.exporting import export_csv
from tests.cast.wire_phone import WirePhone
from tests.cast.world import World

Client = Callable[[str], FlaskClient]
pytestmark = pytest.mark.usefixtures("frozen")
OPENING = {"kind": "revisit", "language": ""}


def phone_of(client_for: Client, world: World, name: str, author: str = "") -> WirePhone:
    return WirePhone(client_for(name), world.user_of(author or name).id)


def held_rows(world: World) -> list[tuple[bytes, str, str, str]]:
    with world.services.databases.reading() as db:
        return [tuple(row) for row in db.execute("SELECT bytes, by, device, sender FROM held")]


@pytest.mark.parametrize("sender", ["bob", "charlie"])
def test_i7_work_at_a_visit_opened_offline_for_a_protected_tenancy_is_hidden(
    client_for: Client, world: World, sender: str
) -> None:
    """The server has no such visit: only the held `visit.open` names the tenancy."""
    known, fresh = world.visit(visitors=["bob"]), uuid4()
    bob = phone_of(client_for, world, sender, "bob")
    opening = bob.make("visit.open", fresh, OPENING | {"tenancy": world.tenancies[known]})
    note = bob.note(fresh)
    world.protect(known)
    assert {result for result, _ in bob.told(opening, note)} == {"held"}
    alice = client_for("alice")
    assert "Kranen droppar" not in alice.get("/desk/held").text
    with world.services.databases.reading() as db:
        assert export_csv(db, "held", io.StringIO()) == 0
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET may_see_protected = 1")
    assert "Kranen droppar" in alice.get("/desk/held").text


def test_a_struck_note_that_was_held_first_leaves_no_bytes(
    client_for: Client, world: World
) -> None:
    visit, bob = uuid4(), phone_of(client_for, world, "bob")
    note = bob.note(visit, "Struken rad")
    assert bob.told(note) == [("held", "unknown_subject")]
    bob.offer(bob.make("visit.open", visit, OPENING | {"tenancy": ""}))
    assert [one["text"] for one in world.record(visit)["notes"]] == ["Struken rad"]
    id = world.record(visit)["notes"][0]["id"]
    assert bob.told(bob.make("visit.retract", visit, {"operation": id})) == [("applied", "")]
    with world.services.databases.reading() as db:
        dump = "\n".join(db.conn.iterdump())
    assert b"Struken rad".hex().upper() not in dump
    assert "Struken rad" not in dump
    assert bob.told(note) == [("duplicate", "")]


def test_an_upgrade_blanks_held_bytes_that_were_applied_and_no_others(
    client_for: Client, world: World
) -> None:
    visit, bob = uuid4(), phone_of(client_for, world, "bob")
    note, stray = bob.note(visit), bob.note(uuid4())
    bob.offer(note, stray)
    bob.offer(bob.make("visit.open", visit, OPENING | {"tenancy": ""}))
    with world.services.databases.writing() as db:
        db.execute("UPDATE held SET bytes = ? WHERE state = 'resolved'", [note.encode()])
        (step,) = [one for one in steps() if one.name == "sync_0004_forget_applied"]
        step.apply(db)
    assert [octets for octets, *_ in held_rows(world)] == [b"", stray.encode()]


def test_a_tally_that_was_held_first_does_not_keep_who_counted(
    client_for: Client, world: World
) -> None:
    bob = phone_of(client_for, world, "charlie", "bob")
    data = {"day": "2026-11-22", "area": "Norr", "topic": "stairs", "value": "yes"}
    tally = bob.make("tally.count", uuid4(), data)
    tally = tally.replace('"type":"visit"', '"type":"tally"')
    assert bob.told(tally) == [("held", "author_mismatch")]
    own = WirePhone(client_for("bob"), bob.by, bob.device)
    assert own.told(tally) == [("applied", "")]
    with world.services.databases.reading() as db:
        assert db.execute("SELECT count FROM tallies").fetchall() == [(1,)]
    assert held_rows(world) == []
    assert own.told(tally) == [("duplicate", "")]
