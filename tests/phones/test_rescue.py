"""The file of a phone that cannot send is imported, but not as if its author had sent it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from pwa.commands.cli import troskel
from pwa.ids import uuid4
from pwa.phones.rescue import NotARescueCopy, Rescued, import_rescue_copy
from pwa.visits.holding import resolve_held
from sync.operations import MEDIA_TYPE, encode
from tests.cast.operations import NOW, operation_id
from tests.cast.samples import CONSENT, SIGNATURE
from tests.cast.world import World

pytestmark = pytest.mark.usefixtures("frozen")
SHA = hashlib.sha256(SIGNATURE).hexdigest()


def copy_of(world: World, visit: str, device: str) -> dict[str, Any]:
    return copy_by(world.user_of("bob").id, visit, device)


def copy_by(author: str, visit: str, device: str) -> dict[str, Any]:
    """Two operations and a signature, as the author's phone writes them."""
    texts = []
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("visit.note", {"item": "", "text": "rescued"}),
        ("visit.consent", CONSENT | {"signature": SHA, "method": "signature"}),
    ]
    for number, (kind, data) in enumerate(kinds, 1):
        envelope = {
            "id": operation_id(), "v": 1, "kind": kind, "subject": {"type": "visit", "id": visit},
            "by": author, "device": device, "device_seq": number,
            "at": NOW.isoformat(timespec="seconds"), "base": 0, "data": data,
        }  # fmt: skip
        texts.append(encode(envelope))
    return {
        "troskel": "unsent", "made_at": NOW.isoformat(), "device": device,
        "operations": [{"id": json.loads(text)["id"], "text": text} for text in texts],
        "blobs": [{"sha256": SHA, "type": "image/svg+xml", "base64": base64.b64encode(SIGNATURE).decode()}],
    }  # fmt: skip


def test_a_rescue_copy_is_held_until_a_supervisor_applies_it(app: Flask, world: World) -> None:
    visit = world.visit(visitors=["bob"])
    octets = json.dumps(copy_of(world, visit, uuid4())).encode()
    assert import_rescue_copy(world.services, octets) == Rescued(2, 0, 1, 0)
    assert world.record(visit)["notes"] == []
    alice = world.user_of("alice")
    held = world.held(alice)
    assert {one.problem for one in held} == {"author_mismatch"}
    for one in held:
        with app.app_context():
            done = resolve_held(world.services, alice, one.id, one.sha256, "accept")
        assert done == "applied"
    record = world.record(visit)
    assert [one["text"] for one in record["notes"]] == ["rescued"]
    assert record["notes"][0]["by"] == world.user_of("bob").id
    assert world.services.blobs.has(SHA)
    assert import_rescue_copy(world.services, octets) == Rescued(0, 2, 1, 0)


def test_a_phone_that_sends_after_its_rescue_copy_applies_each_operation_once(
    world: World, client_for: Callable[[str], FlaskClient]
) -> None:
    visit, device = world.visit(visitors=["bob"]), uuid4()
    copy = copy_of(world, visit, device)
    import_rescue_copy(world.services, json.dumps(copy).encode())
    body = {
        "protocol": 1,
        "device": device,
        "operations": [one["text"] for one in copy["operations"]],
    }
    headers = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}
    answer = client_for("bob").post("/sync/push", data=json.dumps(body), headers=headers)
    assert [one["problem"] for one in json.loads(answer.data)["results"]] == ["", ""]
    assert [one["text"] for one in world.record(visit)["notes"]] == ["rescued"]
    assert world.held(world.user_of("alice")) == []


def test_a_broken_signature_stops_no_operation(world: World) -> None:
    copy = copy_of(world, world.visit(visitors=["bob"]), uuid4())
    copy["blobs"] = [copy["blobs"][0] | {"base64": "AAAA"}, copy["blobs"][0] | {"base64": "!"}]
    copy["blobs"] += [copy["blobs"][0] | {"base64": "å"}, copy["blobs"][0] | {"sha256": "\ud800"}]
    assert import_rescue_copy(world.services, json.dumps(copy).encode()) == Rescued(2, 0, 0, 4)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\xff", b"[]", b"{}", b'{"troskel": "other", "operations": []}',
     b'{"troskel": "unsent", "operations": [{"text": 3}]}',
     b'{"troskel": "unsent", "operations": [], "blobs": [{}]}'],
)  # fmt: skip
def test_a_file_that_is_no_rescue_copy_is_refused(world: World, octets: bytes) -> None:
    with pytest.raises(NotARescueCopy):
        import_rescue_copy(world.services, octets)
    assert world.held(world.user_of("alice")) == []


def test_the_command_reports_what_became_of_the_file(data_dir: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(copy_by(uuid4(), uuid4(), uuid4())), "utf-8")
    bad.write_text("{}", "utf-8")
    done = CliRunner().invoke(troskel, ["rescue", str(good), "--data", str(data_dir)])
    assert (done.exit_code, done.output.split(" held")[0]) == (0, "2")
    assert CliRunner().invoke(troskel, ["rescue", str(bad), "--data", str(data_dir)]).exit_code == 2
