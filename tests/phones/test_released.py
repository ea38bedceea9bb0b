"""What every released phone sends is accepted by today's server: old clients keep working.

Invariant: the recorded pushes (tests/data/released, made once by tests/field/release.mjs and never
again) are applied whole, each operation once, and the visit they make reads as it did.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from pwa.services import Services
from sync.operations import MEDIA_TYPE
from sync.storage import read_visits

RELEASED = sorted((Path(__file__).parent.parent / "data" / "released").glob("*/phone.json"))
HEADERS = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.parent.name)
def test_everything_a_released_phone_sends_is_applied(
    services: Services, client_for: Callable[[str], FlaskClient], path: Path
) -> None:
    phone: dict[str, Any] = json.loads(path.read_text("utf-8"))
    with services.databases.writing() as db:
        db.execute("UPDATE users SET id = ? WHERE name = 'bob'", [phone["person"]["id"]])
    bob = client_for("bob")
    texts: list[str] = []
    for _ in range(2):  # the answers were lost: all of it comes once more
        for body in phone["pushes"]:
            texts += body["operations"]
            response = bob.post("/sync/push", data=json.dumps(body), headers=HEADERS)
            assert response.status_code == 200
            answer = json.loads(response.data)
            assert {one["result"] for one in answer["results"]} <= {"applied", "duplicate"}
            assert [one["sha256"] for one in answer["results"]] == [
                hashlib.sha256(text.encode()).hexdigest() for text in body["operations"]
            ]
            assert answer["missing_blobs"] == []
    head = services.storage.head()
    assert head is not None
    assert head.seq == len(set(texts))
    record = read_visits(services.storage, [phone["visit"]])[phone["visit"]]
    assert record["cells"]["answer.i09"][0]["value"] == "done"
    assert [one["text"] for one in record["notes"]] == ['Kranen droppar "lite" åäö 👍', ""]
    assert [one["purpose"] for one in record["consents"]] == ["K1", "K1", "K2"]
    assert len(record["blobs"]) == 2
