"""Importing at the desk, protected tenancies, and the demo data that both make."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pwa.commands import demo
from pwa.services import Services
from tests.cast.world import World

Client = Callable[[str], FlaskClient]
DATA = Path(__file__).parent.parent / "data"
HTMX = {"HX-Request": "true"}


pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def alice(client_for: Client) -> FlaskClient:
    client = client_for("alice")
    client.post("/language", data={"language": "en", "next": "/desk/"})
    return client


def upload(name: str, **fields: str) -> dict[str, Any]:
    return {"file": (io.BytesIO((DATA / name).read_bytes()), name)} | fields


def sha_of(name: str) -> str:
    return hashlib.sha256((DATA / name).read_bytes()).hexdigest()


def test_a_file_is_checked_before_anything_is_stored(alice: FlaskClient, world: World) -> None:
    answer = alice.post("/desk/import", data=upload("bad-rows.csv"), headers=HTMX)
    assert "<html" not in answer.text
    assert "This is what would happen" in answer.text
    assert "Row 4, Inflyttningsdatum: the date can be read in more than one way." in answer.text
    assert f'value="{sha_of("bad-rows.csv")}"' in answer.text
    assert world.log_length() == 0


def test_the_checked_file_is_imported_and_only_that(alice: FlaskClient, world: World) -> None:
    name = "tenancies-utf8.csv"
    wrong = upload(name, dry_run="0", sha256=sha_of("bad-rows.csv"))
    assert "This is not the file that was checked." in alice.post("/desk/import", data=wrong).text
    unchecked = upload(name, dry_run="0")
    assert (
        "This is not the file that was checked." in alice.post("/desk/import", data=unchecked).text
    )
    assert world.log_length() == 0
    right = upload(name, dry_run="0", sha256=sha_of(name))
    html = alice.post("/desk/import", data=right).text
    assert "<dt>Visits planned</dt><dd>36</dd>" in html
    assert "<dt>Handled by the supervisor</dt><dd>4</dd>" in html


def test_importing_twice_changes_nothing(alice: FlaskClient, world: World) -> None:
    name = "tenancies-utf8.csv"
    for _ in range(2):
        form = upload(name, dry_run="0", sha256=sha_of(name))
        html = alice.post("/desk/import", data=form).text
    assert "<dt>Unchanged</dt><dd>36</dd>" in html


def test_the_name_of_who_checked_the_flag_is_sent_along(alice: FlaskClient, world: World) -> None:
    plain = alice.post("/desk/import", data=upload("too-much-data.csv")).text
    named = upload("too-much-data.csv", protected_checked_by="Alice Testsson")
    assert plain != alice.post("/desk/import", data=named).text


@pytest.mark.parametrize("form", [{}, {"file": (io.BytesIO(b""), "empty.csv")}])
def test_a_missing_file_is_reported(alice: FlaskClient, form: dict[str, Any]) -> None:
    assert "Choose a file first." in alice.post("/desk/import", data=form).text


def test_what_is_no_table_is_refused_in_words(alice: FlaskClient, world: World) -> None:
    form = {"file": (io.BytesIO(b"%PDF-1.7"), "list.pdf"), "dry_run": "1"}
    html = alice.post("/desk/import", data=form).text
    assert "Nothing was imported." in html
    assert "This is a PDF, not a table." in html
    long = upload("bad-rows.csv", protected_checked_by="x" * 81)
    assert alice.post("/desk/import", data=long).status_code == 400


def test_an_administrator_imports_too(client_for: Client) -> None:
    assert client_for("root").get("/desk/import").status_code == 200


# --- the locked room ---------------------------------------------------------------------


@pytest.fixture
def room(alice: FlaskClient, world: World) -> None:
    name = "tenancies-utf8.csv"
    alice.post("/desk/import", data=upload(name, dry_run="0", sha256=sha_of(name)))


def let_in(world: World) -> None:
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET may_see_protected = 1 WHERE name = 'alice'")


def test_the_room_does_not_exist_for_others(
    alice: FlaskClient, client_for: Client, world: World, room: None
) -> None:
    assert alice.get("/desk/protected").status_code == 404
    with world.services.databases.reading() as db:
        id = db.execute("SELECT id FROM protected_room").fetchone()[0]
    form = {"id": id, "reason": "Jag vet"}
    assert alice.post("/desk/protected/clear", data=form).status_code == 404
    assert client_for("root").get("/desk/protected").status_code == 403


def test_each_opening_of_the_room_is_logged(alice: FlaskClient, world: World, room: None) -> None:
    let_in(world)
    for _ in range(3):
        assert alice.get("/desk/protected").status_code == 200
    with world.services.databases.reading() as db:
        assert db.table("protected_reads").count == 3


def test_one_is_let_out_with_a_reason(alice: FlaskClient, world: World, room: None) -> None:
    let_in(world)
    ids = re.findall(r'name="id" value="([0-9a-f-]{36})"', alice.get("/desk/protected").text)
    assert len(ids) == 4
    assert (
        alice.post("/desk/protected/clear", data={"id": ids[0], "reason": " "}).status_code == 400
    )
    assert alice.post("/desk/protected/clear", data={"id": "x", "reason": "y"}).status_code == 400
    form = {"id": ids[0], "reason": "Beslutet är upphävt, visat för mig."}
    assert alice.post("/desk/protected/clear", data=form).status_code == 303
    assert alice.post("/desk/protected/clear", data=form).status_code == 404
    with world.services.databases.reading() as db:
        assert db.table("visit_index").count == 37
        assert db.table("protected_room").count_where("cleared_at = ''") == 3


# --- demo ----------------------------------------------------------------------------------


def states(services: Services) -> list[tuple[Any, ...]]:
    with services.databases.reading() as db:
        return db.execute(
            "SELECT state, kind, area, street, date, time, language, conflicts, follow_ups_open"
            " FROM visit_index ORDER BY street, apartment, kind"
        ).fetchall()


def test_the_demo_company_has_everything_there_is(app: Flask, services: Services) -> None:
    with app.app_context(), services.databases.writing() as db:
        db.execute("DELETE FROM users")
        demo.fill(services)
    found = states(services)
    assert {row[0] for row in found} == {
        "planned", "booked", "started", "done", "returned", "approved", "changed", "declined",
        "not_reached",
    }  # fmt: skip
    assert sum(row[7] > 0 for row in found) == 1
    with services.databases.reading() as db:
        assert db.execute("SELECT problem FROM held").fetchall() == [("no_right",)] * 2
        assert db.table("protected_room").count == 3
        decisions = {row[0] for row in db.execute("SELECT decision FROM consent_index")}
        assert decisions == {"yes", "no", "withdrawn"}
        assert db.table("follow_up_index").count_where("done = 1 AND queue = 'KT'") == 1
        blobs = [row["sha256"] for row in db.table("blob_index").rows]
    assert len(blobs) == 2  # a signature and a photo
    assert all(services.blobs.has(sha) for sha in blobs)


def test_the_demo_is_the_same_on_the_same_day(app: Flask, services: Services) -> None:
    with app.app_context():
        seen = []
        for _ in range(2):
            try:
                with services.databases.writing() as db:
                    db.execute("DELETE FROM users")
                    demo.fill(services)
                    seen.append(states_of(db))
                    raise RuntimeError("roll it back")
            except RuntimeError:
                pass
    assert seen[0] == seen[1]
    assert len(seen[0]) == demo.TENANCIES - 3 + 1


def states_of(db: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = db.execute(
        "SELECT state, kind, area, street, date, time, language, conflicts, follow_ups_open"
        " FROM visit_index ORDER BY street, apartment, kind"
    ).fetchall()
    return rows
