"""Photos at the desk: who may see them, what is logged, and what is shown of those not here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.cast.pictures import SECRETS, opened, photo
from tests.cast.world import Phone, World

Client = Callable[[str], FlaskClient]
PICTURE = photo()
SHA = hashlib.sha256(PICTURE).hexdigest()
pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def bob(world: World) -> Phone:
    return world.phone("bob")


@pytest.fixture
def visit(world: World, bob: Phone) -> str:
    """A finished visit with a photo of a leak (i37), and a follow-up of it for Hugo's queue."""
    visit = world.visit(visitors=["bob"])
    bob.do("visit.photo", visit, {"item": "i37", "photo": SHA})
    world.follow_up(bob, visit, "KT", item="i37")
    world.done(bob, visit)
    return visit


def readings(world: World) -> list[tuple[str, str]]:
    with world.services.databases.reading() as db:
        return [(row["user"], row["visit"]) for row in db.table("access_log").rows]


def follow_up_of(world: World, visit: str) -> str:
    (one,) = world.record(visit)["follow_ups"]
    return str(one["id"])


def test_a_photo_is_shown_as_a_picture_that_can_do_nothing_and_hides_nothing(
    client_for: Client, world: World, visit: str
) -> None:
    world.services.blobs.put(SHA, PICTURE)
    alice, path = client_for("alice"), f"/desk/visits/{visit}/blobs/{SHA}"
    html = alice.get(f"/desk/visits/{visit}").text
    assert f'src="{path}"' in html
    assert 'id="missing"' not in html
    answer = alice.get(path, headers={"Sec-Fetch-Dest": "image"})
    assert (answer.content_type, answer.headers["Content-Disposition"]) == ("image/jpeg", "inline")
    assert opened(answer.data).size == (320, 240)
    assert [one for one in SECRETS if one in answer.data] == []
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    file = alice.get(path).headers["Content-Disposition"]
    assert file == f'attachment; filename="troskel-{SHA[:8]}.jpg"'


def test_what_is_still_on_the_phone_is_shown_and_counted(
    client_for: Client, world: World, visit: str, bob: Phone
) -> None:
    alice = client_for("alice")
    words = "1 picture or signature is still on the phone."
    assert words in alice.get(f"/desk/visits/{visit}").text
    assert "The picture is still on the phone." in alice.get(f"/desk/visits/{visit}").text
    assert words in alice.get("/desk/review").text
    assert "The picture is still on the phone." in client_for("hugo").get("/desk/follow-ups").text
    bob.do("visit.photo", visit, {"item": "i41", "photo": "a" * 64})
    for path in (f"/desk/visits/{visit}", "/desk/review"):
        assert "2 pictures or signatures are still on the phone." in alice.get(path).text
    assert alice.get(f"/desk/visits/{visit}/blobs/{SHA}").status_code == 404
    world.services.blobs.put(SHA, PICTURE)
    bob.do("visit.retract", visit, {"operation": world.record(visit)["photos"][1]["id"]})
    for path in (f"/desk/visits/{visit}", "/desk/review"):
        assert "still on the phone" not in alice.get(path).text


def test_a_photo_is_struck_at_the_desk(client_for: Client, world: World, visit: str) -> None:
    world.services.blobs.put(SHA, PICTURE)
    entry = world.record(visit)["photos"][0]["id"]
    alice = client_for("alice")
    alice.post(f"/desk/visits/{visit}/strike", data=world.form(visit, entry=entry))
    html = alice.get(f"/desk/visits/{visit}").text
    assert (SHA in html, f'id="entry-{entry}"' in html) == (False, True)
    assert alice.get(f"/desk/visits/{visit}/blobs/{SHA}").status_code == 404
    assert not world.services.blobs.has(SHA)


def test_i7_an_officer_sees_only_photos_of_points_in_the_own_queue(
    client_for: Client, world: World, visit: str, bob: Phone
) -> None:
    other = photo(100, 100)
    other_sha = hashlib.sha256(other).hexdigest()
    for sha, octets in ((SHA, PICTURE), (other_sha, other)):
        world.services.blobs.put(sha, octets)
    bob.do("visit.photo", visit, {"item": "i41", "photo": other_sha})
    bob.do("visit.photo", visit, {"item": "", "photo": other_sha})
    mine = follow_up_of(world, visit)
    foreign = world.follow_up(bob, visit, "FV", item="i41")
    loose = world.follow_up(bob, visit, "KT", item="")
    hugo = client_for("hugo")
    html = hugo.get("/desk/follow-ups").text
    assert f'src="/desk/follow-ups/{mine}/photos/{SHA}"' in html
    assert other_sha not in html
    assert hugo.get(f"/desk/follow-ups/{mine}/photos/{SHA}").status_code == 200
    for path in (
        f"/desk/follow-ups/{mine}/photos/{other_sha}",
        f"/desk/follow-ups/{foreign}/photos/{other_sha}",
        f"/desk/follow-ups/{loose}/photos/{other_sha}",
        f"/desk/follow-ups/{mine}/photos/{'0' * 64}",
        f"/desk/follow-ups/{visit}/photos/{SHA}",
    ):
        assert hugo.get(path).status_code == 404, path
    assert hugo.get(f"/desk/visits/{visit}/blobs/{SHA}").status_code == 403
    assert client_for("alice").get(f"/desk/follow-ups/{foreign}/photos/{other_sha}").status_code == 200  # fmt: skip


@pytest.mark.parametrize("name", ["bob", "amira", "root", ""])
def test_i7_nobody_else_sees_a_photo(
    client_for: Client, world: World, visit: str, name: str
) -> None:
    world.services.blobs.put(SHA, PICTURE)
    client, mine = client_for(name), follow_up_of(world, visit)
    for path in (f"/desk/visits/{visit}/blobs/{SHA}", f"/desk/follow-ups/{mine}/photos/{SHA}"):
        assert client.get(path).status_code in (303, 403)


def test_i7_a_photo_of_a_protected_home_is_not_found(
    client_for: Client, world: World, visit: str
) -> None:
    world.services.blobs.put(SHA, PICTURE)
    mine = follow_up_of(world, visit)
    world.protect(visit)
    assert client_for("alice").get(f"/desk/visits/{visit}/blobs/{SHA}").status_code == 404
    assert client_for("hugo").get(f"/desk/follow-ups/{mine}/photos/{SHA}").status_code == 404


def test_seeing_a_photo_is_logged(client_for: Client, world: World, visit: str) -> None:
    world.services.blobs.put(SHA, PICTURE)
    hugo = client_for("hugo")
    path = f"/desk/follow-ups/{follow_up_of(world, visit)}/photos/{SHA}"
    hugo.get("/desk/follow-ups")
    assert readings(world) == []
    for _ in range(3):
        assert hugo.get(path).status_code == 200
    assert readings(world) == [(world.user_of("hugo").id, visit)]
    client_for("alice").get(f"/desk/visits/{visit}/blobs/{SHA}")
    assert readings(world)[1:] == [(world.user_of("alice").id, visit)]
