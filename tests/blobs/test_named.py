"""Photos on the server: a visit is complete when all have arrived, and struck ones are deleted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient

from pwa.blobs import named
from pwa.database import indexes
from pwa.database.connections import Databases
from pwa.ids import uuid4
from pwa.services import Services
from pwa.visits.holding import resolve_held
from sync.operations import MEDIA_TYPE, encode
from tests.cast.operations import operation_id
from tests.cast.pictures import photo
from tests.cast.samples import SIGNATURE
from tests.cast.world import World

ClientFor = Callable[[str], FlaskClient]
PICTURE = photo()
SHA = hashlib.sha256(PICTURE).hexdigest()
pytestmark = pytest.mark.usefixtures("frozen")


@dataclass
class Wire:
    """Bob's phone, as the server sees it: over HTTP."""

    client: FlaskClient
    by: str
    visit: str
    taken: int = 0
    ids: list[str] = field(default_factory=list)

    def text(self, kind: str, data: Mapping[str, Any], visit: str = "") -> str:
        self.taken += 1
        self.ids.append(operation_id())
        return encode(
            {
                "id": self.ids[-1], "v": 1, "kind": kind, "subject": {"type": "visit", "id": visit or self.visit},
                "by": self.by, "device": "d1", "device_seq": self.taken, "at": "2026-11-22T10:00:00+01:00",
                "base": 3, "data": data,
            }
        )  # fmt: skip

    def push(self, *texts: str) -> dict[str, Any]:
        body = {"protocol": 1, "device": "d1", "operations": list(texts), "blobs": []}
        headers = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}
        answer = self.client.post("/sync/push", data=json.dumps(body), headers=headers)
        assert answer.status_code == 200, answer.data
        told: dict[str, Any] = json.loads(answer.data)
        return told

    def take(self, sha256: str = SHA, item: str = "i37", visit: str = "") -> dict[str, Any]:
        return self.push(self.text("visit.photo", {"item": item, "photo": sha256}, visit))

    def strike(self, id: str, visit: str = "") -> dict[str, Any]:
        return self.push(self.text("visit.retract", {"operation": id}, visit))

    def upload(self, octets: bytes = PICTURE) -> None:
        sha = hashlib.sha256(octets).hexdigest()
        answer = self.client.put(f"/sync/blobs/{sha}", data=octets)
        assert (answer.status_code, json.loads(answer.data)["complete"]) == (200, True)


@pytest.fixture
def visit(world: World) -> str:
    return world.visit(visitors=["bob"])


@pytest.fixture
def wire(client_for: ClientFor, world: World, visit: str) -> Wire:
    return Wire(client_for("bob"), world.user_of("bob").id, visit)


def missing(services: Services, *visits: str) -> dict[str, int]:
    with services.databases.reading() as db:
        return dict(named.count_missing(db, services.blobs, visits))


def test_a_visit_is_complete_only_when_all_its_signatures_and_photos_have_arrived(
    wire: Wire, world: World, services: Services, visit: str
) -> None:
    assert missing(services, visit) == {}
    other = hashlib.sha256(photo(100, 100)).hexdigest()
    signature = hashlib.sha256(SIGNATURE).hexdigest()
    assert wire.take()["missing_blobs"] == [SHA]
    wire.take(item="i41")  # the same picture twice is one blob
    wire.take(other)
    consent = {
        "purpose": "K8", "decision": "yes", "text_key": "K8.text", "text_version": "1", "text_sha256": "0" * 64,
        "text_state": "original", "language": "sv", "recipient": "", "given_by": "tenant", "method": "signature",
        "attested": False, "signature": signature, "interpreter": "none", "expires": "",
    }  # fmt: skip
    assert wire.push(wire.text("visit.consent", consent))["missing_blobs"] == [signature]
    assert world.record(visit)["blobs"] == sorted((SHA, other, signature))
    assert missing(services, visit, "another") == {visit: 3}
    wire.upload()
    services.blobs.put(signature, SIGNATURE)
    assert missing(services, visit) == {visit: 1}
    wire.upload(photo(100, 100))
    assert missing(services, visit) == {}


def test_a_struck_picture_is_deleted_before_the_response_and_its_hash_stays(
    wire: Wire, world: World, services: Services, visit: str
) -> None:
    wire.take()
    wire.upload()
    assert wire.strike(wire.ids[0])["results"][0]["result"] == "applied"
    assert not services.blobs.has(SHA)
    assert list(services.blobs.folder.rglob(f"*{SHA}*")) == []
    record = world.record(visit)
    assert [(one["photo"], one["retracted"]) for one in record["photos"]] == [(SHA, True)]
    assert record["blobs"] == []
    assert missing(services, visit) == {}
    with services.databases.reading() as db:
        assert db.execute("SELECT bytes FROM log WHERE id = ?", [wire.ids[0]]).fetchone() == (None,)


def test_after_a_crash_between_strike_and_deletion_the_phones_retry_deletes(
    wire: Wire, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.take()
    wire.upload()
    strike = wire.text("visit.retract", {"operation": wire.ids[0]})

    def died(databases: Databases, *rest: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(named, "erase_struck", died)
    with pytest.raises(KeyboardInterrupt):
        wire.push(strike)
    monkeypatch.undo()
    assert services.blobs.has(SHA)
    assert wire.push(strike)["results"][0]["result"] == "duplicate"
    assert not services.blobs.has(SHA)


def test_a_picture_is_kept_while_another_photo_refers_to_it(
    wire: Wire, world: World, services: Services
) -> None:
    second = world.visit(visitors=["bob"])
    wire.take()
    wire.take(visit=second)
    wire.upload()
    wire.strike(wire.ids[0])
    assert services.blobs.has(SHA)
    wire.strike(wire.ids[1], second)
    assert not services.blobs.has(SHA)


def test_a_picture_that_arrives_after_its_strike_is_deleted(wire: Wire, services: Services) -> None:
    strike = {"operation": operation_id()}
    wire.take()
    wire.strike(wire.ids[0])
    wire.upload()
    assert not services.blobs.has(SHA)
    # Also when the strike arrives first, and the picture before the photo that refers to it.
    octets = photo(90, 90)
    wire.upload(octets)
    wire.push(wire.text("visit.retract", strike))
    text = wire.text("visit.photo", {"item": "", "photo": hashlib.sha256(octets).hexdigest()})
    wire.push(text.replace(wire.ids[-1], strike["operation"]))
    assert not services.blobs.has(hashlib.sha256(octets).hexdigest())


def test_a_picture_struck_before_its_visit_arrives_is_deleted_then(
    wire: Wire, world: World, services: Services
) -> None:
    wire.visit = uuid4()
    opened = wire.text("visit.open", {"tenancy": "", "kind": "contact", "language": ""})
    taken = wire.text("visit.photo", {"item": "", "photo": SHA})
    wire.push(taken, wire.text("visit.retract", {"operation": wire.ids[-1]}))
    wire.upload()
    assert services.blobs.has(SHA)
    wire.push(opened)
    assert world.record(wire.visit)["photos"][0]["retracted"]
    assert not services.blobs.has(SHA)


def test_a_struck_picture_may_be_taken_again(wire: Wire, services: Services) -> None:
    wire.take()
    wire.upload()
    wire.strike(wire.ids[0])
    assert wire.take()["missing_blobs"] == [SHA]
    wire.upload()
    assert services.blobs.has(SHA)


def test_a_strike_from_the_desk_and_an_accepted_held_one_delete_the_picture(
    wire: Wire, world: World, services: Services, visit: str, user_of: Any, app: Any
) -> None:
    wire.take()
    wire.upload()
    world.desk("visit.retract", visit, {"operation": wire.ids[0]})
    assert not services.blobs.has(SHA)
    wire.take()
    wire.upload()
    target = wire.ids[-1]
    charlie = world.phone("charlie")
    assert charlie.do("visit.retract", visit, {"operation": target}).results[0].result == "held"
    assert services.blobs.has(SHA)
    with app.app_context():
        (held,) = world.held(user_of("alice"))
        assert resolve_held(services, user_of("alice"), held.id, held.sha256, "accept") == "applied"
    assert not services.blobs.has(SHA)


def test_a_signature_is_never_deleted(wire: Wire, world: World, services: Services) -> None:
    sha = world.signed(world.phone("bob"), wire.visit)
    wire.take(sha)
    wire.strike(wire.ids[-1])
    assert services.blobs.has(sha)


def test_a_database_from_before_the_blob_index_gets_it_derived(
    world: World, services: Services, visit: str
) -> None:
    sha = world.signed(world.phone("bob"), visit)
    world.visit()
    with services.databases.writing() as db:
        before = list(db.table("blob_index").rows)
        db.execute("DELETE FROM blob_index")
        db.execute("DELETE FROM marks WHERE name = 'indexes'")
        indexes.renew(db)
        assert list(db.table("blob_index").rows) == before
    assert [(one["visit"], one["sha256"], one["struck"]) for one in before] == [(visit, sha, 0)]
