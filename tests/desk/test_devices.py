"""The phones at the desk: losses stay until seen to, the worst is first, deletions are confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from pwa.desk.parts.phones import list_phones, needs_of
from pwa.ids import uuid4
from pwa.phones import devices
from sync.operations import MEDIA_TYPE
from tests.cast.world import NOW, World, days

Client = Callable[[str], FlaskClient]
WELL: dict[str, Any] = {
    "unsent": 0, "oldest_unsent_at": "", "persisted": True, "installed": True,
    "quota": 10**10, "usage": 10**6,
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("frozen")


def report(world: World, device: str, name: str = "bob", ago: int = 0, **health: Any) -> None:
    with world.services.databases.writing() as db:
        at = days(-ago).isoformat(timespec="seconds")
        devices.report(db, device, world.user_of(name).id, WELL | health, at)


def row_of(world: World, device: str) -> devices.DeviceRow:
    with world.services.databases.reading() as db:
        return next(row for row in devices.list_devices(db) if row.id == device)


def english(client: FlaskClient) -> FlaskClient:
    client.post("/language", data={"language": "en", "next": "/desk/"})
    return client


@pytest.mark.parametrize(
    ("ago", "health", "needs"),
    [
        (0, {}, ()),
        (9, {}, ()),
        (1, {"unsent": 3, "oldest_unsent_at": NOW.isoformat()}, ()),
        (3, {"unsent": 3}, ("silent",)),
        (1, {"unsent": 1, "oldest_unsent_at": "2026-11-18T10:00:00+01:00"}, ("stuck",)),
        (1, {"unsent": 1, "oldest_unsent_at": "yesterday"}, ()),
        (0, {"quota": 10**9, "usage": 9 * 10**8}, ("space",)),
        (0, {"tight": True}, ("space",)),
        (0, {"quota": 0, "usage": 0}, ()),
        (0, {"version": "older"}, ("version",)),
        (0, {"persisted": False, "lost": "emptied"}, ("lost", "persist")),
    ],
)
def test_what_a_phone_needs(
    world: World, ago: int, health: dict[str, Any], needs: tuple[str, ...]
) -> None:
    report(world, "phone", ago=ago, **health)
    assert needs_of(row_of(world, "phone"), NOW, "this") == needs


def test_the_worst_phone_is_first(client_for: Client, world: World) -> None:
    report(world, "well")
    report(world, "older", version="older")
    report(world, "silent", ago=4, unsent=2)
    report(world, "lost", lost="emptied", lost_unsent=5)
    alice = english(client_for("alice"))
    with alice.application.app_context(), world.services.databases.reading() as db:
        assert [one.row.id for one in list_phones(db, NOW, "this")] == [
            "lost", "silent", "older", "well",
        ]  # fmt: skip
    html = alice.get("/desk/devices").text
    assert "5 items had not been sent." in html
    assert "phones with trouble" in alice.get("/desk/").text


def test_a_loss_stays_until_somebody_has_seen_to_it(client_for: Client, world: World) -> None:
    report(world, "phone", lost="rolled_back", lost_unsent=2, lost_device="phone")
    report(world, "phone")
    alice = english(client_for("alice"))
    assert "put back to an older copy" in alice.get("/desk/devices").text
    assert alice.post("/desk/devices/seen", data={"device": "phone"}).status_code == 303
    assert "put back to an older copy" not in alice.get("/desk/devices").text
    assert row_of(world, "phone").lost_unsent == 0


def test_a_phone_that_lost_its_storage_is_listed_under_its_new_name_alone(world: World) -> None:
    report(world, "before", ago=5, unsent=7)
    report(world, "after", lost="emptied", lost_unsent=0, lost_device="before")
    with world.services.databases.reading() as db:
        (row,) = devices.list_devices(db)
    assert (row.id, row.lost_unsent, row.lost_reason) == ("after", 7, "emptied")
    report(world, "after", lost="emptied", lost_unsent=9, recovered=3)  # the answer was lost
    report(world, "after", recovered=3)
    assert (row_of(world, "after").lost_unsent, row_of(world, "after").recovered) == (7, 3)


def push(client: FlaskClient, device: str, **health: Any) -> None:
    body = {"protocol": 1, "device": device, "operations": [], "blobs": [], "health": WELL | health}
    headers = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}
    assert client.post("/sync/push", data=json.dumps(body), headers=headers).status_code == 200


def test_the_room_shows_which_phones_have_deleted_what_is_protected(
    client_for: Client, world: World
) -> None:
    bob, amira = client_for("bob"), client_for("amira")
    push(bob, "phone-of-bob")
    push(amira, "phone-of-amira")
    visits = [world.visit(visitors=["bob"]), world.visit(visitors=["bob"])]
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET may_see_protected = 1 WHERE name = 'alice'")
        db.execute(
            "UPDATE device_people SET first_at = ?", [days(-1).isoformat(timespec="seconds")]
        )
    for visit in visits:
        world.protect(visit)
    later = (NOW + timedelta(hours=1)).isoformat(timespec="seconds")
    with world.services.databases.writing() as db:
        devices.report(db, "new-of-bob", world.user_of("bob").id, WELL, later)

    def listed() -> list[tuple[str, int, int]]:
        with world.services.databases.reading() as db:
            return [(row.device, row.confirmed, row.open) for row in devices.list_deletions(db)]

    assert listed() == [("phone-of-bob", 0, 2)]
    stranger = world.visit(visitors=["bob"])
    push(bob, "phone-of-bob", deleted=[visits[0], stranger, uuid4(), 7, "x"])
    assert listed() == [("phone-of-bob", 1, 1)]
    push(bob, "phone-of-bob", deleted=visits)
    assert listed() == [("phone-of-bob", 2, 0)]
    html = english(client_for("alice")).get("/desk/protected").text
    assert "Deleted from the phones" in html
    assert visits[0] not in html
