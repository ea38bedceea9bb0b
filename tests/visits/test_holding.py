"""The held list through the real app: what ends each reason, and that nothing is discarded."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pwa import create_app
from pwa.services import Services
from pwa.settings import Settings
from pwa.visits.exporting import export_csv
from pwa.visits.holding import ACTIONS, list_filed, resolve_held, retry_newer
from sync.operations import UPCASTS, digest_of
from tests.cast.people import change_user, set_active
from tests.cast.wire_phone import WirePhone
from tests.cast.world import World

Client = Callable[[str], FlaskClient]
ROOT = Path(__file__).resolve().parents[2]
KEY = "a1" * 32

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def alice(client_for: Client) -> FlaskClient:
    return client_for("alice")


@pytest.fixture
def phone_of(client_for: Client, world: World) -> Callable[[str], WirePhone]:
    def make(name: str) -> WirePhone:
        return WirePhone(client_for(name), world.user_of(name).id)

    return make


PhoneOf = Callable[[str], WirePhone]


def open_keys(world: World) -> list[str]:
    with world.services.databases.reading() as db:
        rows = db.execute("SELECT id, sha256 FROM held WHERE state = 'open' ORDER BY rowid")
        return [f"{id}:{sha}" for id, sha in rows]


def press(alice: FlaskClient, world: World, action: str, **more: str) -> None:
    form = {"action": action, "held": open_keys(world)} | more
    assert alice.post("/desk/held", data=form).status_code == 303


def note_texts(world: World, visit: str) -> list[str]:
    return [one["text"] for one in world.record(visit)["notes"]]


def clear_for(world: World, name: str) -> None:
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET may_see_protected = 1 WHERE name = ?", [name])


# --- every reason ends -----------------------------------------------------------------------


def test_i9_every_reason_there_is_has_an_action_that_ends_it() -> None:
    source = "".join((ROOT / "sync" / name).read_text("utf-8")
                     for name in ("push.py", "rights.py", "operations.py"))  # fmt: skip
    reasons = set(re.findall(r'Refusal\("(\w+)"', source)) | set(
        re.findall(r'_hold\([^)]*"(\w+)"\)', source)
    )
    assert len(reasons) == 11
    assert reasons == set(ACTIONS)
    assert all("file" in actions for actions in ACTIONS.values())
    words = (ROOT / "templates/desk/held_reasons.html").read_text("utf-8")
    remedies = (ROOT / "templates/desk/held.html").read_text("utf-8")
    phone = (ROOT / "static/field/pages/words.js").read_text("utf-8")
    general = {"invalid", "too_large", "id_reused"}  # one sentence says what to do about all three
    for reason in reasons:
        assert f"code == '{reason}'" in words, reason
        assert f"code == '{reason}'" in remedies or reason in general, reason
        assert f"{reason}:" in phone or reason == "server_error", reason


def held_for(reason: str, world: World, phone_of: PhoneOf, visit: str) -> tuple[WirePhone, str]:
    """A phone, and the operation of it that is now held for this reason."""
    bob, stranger = phone_of("bob"), phone_of("charlie")
    match reason:
        case "no_right":
            phone, text = stranger, stranger.note(visit)
        case "author_mismatch":
            phone, text = stranger, stranger.note(visit, by=bob.by)
        case "device_mismatch":
            phone, text = bob, bob.note(visit, device="another")
        case "unknown_subject":
            phone, text = bob, bob.note("00000000-0000-4000-8000-00000000dead")
        case "protected":
            world.protect(visit)
            phone, text = bob, bob.note(visit)
        case "id_reused":
            first = bob.note(visit, "First")
            assert bob.told(first) == [("applied", "")]
            phone, text = bob, first.replace("First", "Other")
        case "too_large":
            phone, text = bob, bob.note(visit, "x" * 20_000)
        case "version_newer":
            phone, text = bob, bob.note(visit, v=2)
        case "unknown_kind":
            phone, text = bob, bob.make("visit.sing", visit, {})
        case _:
            phone, text = bob, bob.note(visit, "")
    assert phone.told(text) == [("held", reason)]
    return phone, text


REASONS = sorted(set(ACTIONS) - {"server_error"})


@pytest.mark.parametrize("reason", REASONS)
def test_i9_filing_ends_it_for_the_phone_and_keeps_its_bytes(
    reason: str, alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit = world.visit(visitors=["bob"])
    phone, text = held_for(reason, world, phone_of, visit)
    clear_for(world, "alice")
    before = world.log_length()
    press(alice, world, "file")
    assert open_keys(world) == []
    assert "Nothing is held" in alice.get("/desk/held").text
    for _ in range(2):
        assert phone.told(text) == [("held", "filed")]
    assert open_keys(world) == []
    assert world.log_length() == before
    with world.services.databases.reading() as db:
        kept = db.execute("SELECT bytes, resolved_how, resolved_by FROM held").fetchall()
    assert kept == [(text.encode(), "file", world.user_of("alice").id)]
    filed = alice.get("/desk/held?show=filed").text
    assert "Kranen droppar" in filed or reason in (
        "id_reused",
        "too_large",
        "unknown_kind",
        "invalid",
    )
    assert 'value="file"' not in filed


def test_what_is_filed_can_be_read_on_the_page_of_its_visit(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit, other = world.visit(visitors=["bob"]), world.visit(visitors=["bob"])
    held_for("no_right", world, phone_of, visit)
    press(alice, world, "file")
    html = alice.get(f"/desk/visits/{visit}").text
    assert "Filed: not part of the visit" in html
    assert "Kranen droppar" in html
    assert "Kranen droppar" not in alice.get(f"/desk/visits/{other}").text


def test_a_filed_operation_is_not_in_the_authors_pull_any_more(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    phone, _ = held_for("no_right", world, phone_of, world.visit(visitors=["bob"]))
    assert [one["problem"] for one in phone.news()["held"]] == ["no_right"]
    press(alice, world, "file")
    assert phone.news()["held"] == []


def test_i9_what_was_filed_by_mistake_is_reopened_and_applied(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit = world.visit(visitors=["bob"])
    phone, text = held_for("no_right", world, phone_of, visit)
    keys = open_keys(world)
    press(alice, world, "file")
    form = {"action": "reopen", "held": keys}
    assert 'value="reopen"' in alice.get("/desk/held?show=filed").text
    for _ in range(2):
        assert alice.post("/desk/held", data=form).status_code == 303
    assert open_keys(world) == keys
    assert phone.told(text) == [("held", "no_right")]
    press(alice, world, "accept")
    assert alice.post("/desk/held", data=form).status_code == 303
    assert open_keys(world) == []
    assert note_texts(world, visit) == ["Kranen droppar"]
    assert phone.told(text) == [("duplicate", "")]


def test_i7_only_those_who_may_see_a_protected_tenancy_reopen_what_is_filed_of_it(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    held_for("protected", world, phone_of, world.visit(visitors=["bob"]))
    keys = open_keys(world)
    clear_for(world, "alice")
    press(alice, world, "file")
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET may_see_protected = 0")
    alice.post("/desk/held", data={"action": "reopen", "held": keys})
    assert open_keys(world) == []


def test_assigning_the_visit_to_the_author_applies_all_of_it(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit, charlie = world.visit(visitors=["bob"]), phone_of("charlie")
    assert (
        charlie.told(charlie.note(visit, "One"), charlie.note(visit, "Two"))
        == [("held", "no_right")] * 2
    )
    press(alice, world, "assign")
    assert note_texts(world, visit) == ["One", "Two"]
    visitors = world.record(visit)["cells"]["visitors"][-1]["value"]
    assert visitors == [world.user_of("bob").id, charlie.by]
    assert len(world.record(visit)["assignments"]) == 2
    assert [one["id"] for one in charlie.news()["snapshots"]] == [visit]


def test_a_visit_with_two_visitors_is_not_assigned_to_a_third(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit, charlie = world.visit(visitors=["bob", "amira"]), phone_of("charlie")
    charlie.offer(charlie.note(visit))
    assert 'value="assign"' not in alice.get("/desk/held").text
    press(alice, world, "assign")
    assert len(open_keys(world)) == 1
    assert len(world.record(visit)["cells"]["visitors"][-1]["value"]) == 2


@pytest.mark.parametrize("reason", REASONS)
def test_an_action_that_does_not_fit_the_reason_changes_nothing(
    reason: str, world: World, phone_of: PhoneOf, app: Flask
) -> None:
    visit = world.visit(visitors=["bob"])
    held_for(reason, world, phone_of, visit)
    alice = replace(world.user_of("alice"), may_see_protected=True)
    before = world.log_length()
    with app.app_context():
        (row,) = world.held(alice)
        for action in {"accept", "assign", "retry", "ask"} - set(ACTIONS[reason]):
            assert resolve_held(world.services, alice, row.id, row.sha256, action, "?") == "held"
        assert world.held(alice) == [row]
    assert world.log_length() == before


def test_i7_work_under_a_colleagues_desk_is_never_accepted(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit, bob = world.visit(visitors=["bob"]), phone_of("bob")
    desk = f"desk-{world.user_of('alice').id}"
    assert bob.told(bob.note(visit, device=desk, device_seq=2**51)) == [("held", "device_mismatch")]
    assert 'value="accept"' not in alice.get("/desk/held").text
    press(alice, world, "accept")
    assert note_texts(world, visit) == []
    assert len(open_keys(world)) == 1


def test_a_question_is_still_there_after_a_retry(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    held_for("no_right", world, phone_of, world.visit(visitors=["bob"]))
    press(alice, world, "ask", comment="Var du med?")
    press(alice, world, "retry")
    assert "asked: Var du med?" in alice.get("/desk/held").text


def test_i7_what_was_held_before_its_tenancy_was_protected_is_hidden_too(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit = world.visit(visitors=["bob"], street="Dolda gatan 9")
    held_for("no_right", world, phone_of, visit)
    held_for("author_mismatch", world, phone_of, visit)
    world.protect(visit)
    assert "Kranen droppar" not in alice.get("/desk/held").text
    keys = open_keys(world)
    press(alice, world, "file")
    assert open_keys(world) == keys
    clear_for(world, "alice")
    html = alice.get("/desk/held").text
    assert html.count("Kranen droppar") == 2
    assert "Dolda gatan" not in html
    press(alice, world, "file")
    with world.services.databases.writing() as db:
        db.execute("UPDATE users SET may_see_protected = 0")
    assert "Kranen droppar" not in alice.get("/desk/held?show=filed").text
    with world.services.databases.reading() as db:
        assert list_filed(db, world.user_of("alice"), visit) == []


def test_the_export_has_what_was_held_and_how_it_ended_without_its_words(
    alice: FlaskClient, world: World, phone_of: PhoneOf
) -> None:
    visit, hidden = world.visit(visitors=["bob"]), world.visit(visitors=["bob"])
    held_for("no_right", world, phone_of, visit)
    press(alice, world, "file")
    held_for("author_mismatch", world, phone_of, visit)
    held_for("no_right", world, phone_of, hidden)
    world.protect(hidden)
    out = io.StringIO()
    with world.services.databases.reading() as db:
        assert export_csv(db, "held", out) == 2
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [(one["problem"], one["state"]) for one in rows] == [
        ("no_right", "file"), ("author_mismatch", "open"),
    ]  # fmt: skip
    assert "Kranen" not in out.getvalue()


def test_a_retry_uses_the_rights_of_the_sender_not_of_the_named_author(
    world: World, phone_of: PhoneOf, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a higher version number would be a way to write in a colleague's name."""
    visit, bob, charlie = world.visit(visitors=["bob"]), phone_of("bob"), phone_of("charlie")
    assert charlie.told(charlie.note(visit, by=bob.by, v=2)) == [("held", "version_newer")]
    monkeypatch.setitem(UPCASTS, ("visit.note", 1), lambda data: data)
    with app.app_context():
        assert retry_newer(world.services) == 0
        (row,) = world.held(world.user_of("alice"))
    assert row.problem == "author_mismatch"
    assert note_texts(world, visit) == []


# --- a newer version waits -------------------------------------------------------------------


def test_what_a_newer_phone_sent_is_applied_when_the_newer_server_starts(
    world: World, phone_of: PhoneOf, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, bob = world.visit(visitors=["bob"]), phone_of("bob")
    head = {"item": "", "words": "Av version 2"}
    texts = [
        bob.make("visit.note", visit, head, v=2, base=world.log_length()),
        bob.make("visit.sing", visit, {"song": "x"}, subject={"type": "choir", "id": visit}),
    ]
    assert bob.told(*texts) == [("held", "version_newer"), ("held", "unknown_kind")]
    monkeypatch.setitem(UPCASTS, ("visit.note", 1), lambda data: {"item": data["item"], "words": data["text"]})  # fmt: skip
    monkeypatch.setitem(UPCASTS, ("visit.note", 2), lambda data: {"item": data["item"], "text": data["words"]})  # fmt: skip
    newer = create_app(settings)
    services: Services = newer.extensions["troskel"]
    record = services.storage.records({("visit", visit)})["visit", visit]
    assert [one["text"] for one in record["notes"]] == ["Av version 2"]
    stored = services.databases.writer.execute("SELECT bytes FROM log ORDER BY seq DESC").fetchone()
    assert stored == (texts[0].encode(),)
    with newer.app_context():
        (left,) = world.held(world.user_of("alice"))
    assert left.problem == "unknown_kind"
    services.close()
    again = create_app(settings)
    services = again.extensions["troskel"]
    assert len(services.storage.records({("visit", visit)})["visit", visit]["notes"]) == 1
    services.close()


# --- never discarded -------------------------------------------------------------------------


def never_discarded(world: World, phone: WirePhone) -> None:
    """Everything the phone ever sent is in the log or on the held list, in its exact bytes."""
    with world.services.databases.reading() as db:
        kept = {row[0] for row in db.execute("SELECT bytes FROM log UNION SELECT bytes FROM held")}
    assert {text.encode() for text in phone.sent} <= kept


def test_never_discarded_after_a_reassignment(world: World, phone_of: PhoneOf) -> None:
    visit, bob = world.visit(visitors=["bob"]), phone_of("bob")
    base = world.log_length()
    world.desk("visit.assign", visit, {"visitors": [world.user_of("charlie").id]})
    assert bob.told(bob.note(visit, base=base)) == [("applied", "")]
    assert len(world.record(visit)["late"]) == 1
    never_discarded(world, bob)


def test_never_discarded_after_a_role_change(
    world: World, phone_of: PhoneOf, client_for: Client, alice: FlaskClient, app: Flask
) -> None:
    """Bob has become an officer; his phone still holds a visit."""
    visit, bob = world.visit(visitors=["bob"]), phone_of("bob")
    text = bob.note(visit, base=world.log_length())
    change_user(world.services, bob.by, role="officer", queue="KT")
    bob.client = client_for("bob")
    assert bob.told(text) == [("held", "no_right")]
    press(alice, world, "accept")
    assert note_texts(world, visit) == ["Kranen droppar"]
    assert bob.told(text) == [("duplicate", "")]
    never_discarded(world, bob)


def test_never_discarded_after_an_account_is_closed(
    world: World, phone_of: PhoneOf, client_for: Client, alice: FlaskClient, app: Flask
) -> None:
    """A colleague hands over what Bob's phone holds; Bob stays its author."""
    visit, bob = world.visit(visitors=["bob"]), phone_of("bob")
    text = bob.note(visit, base=world.log_length())
    set_active(world.services, bob.by, False)
    assert bob.client.post("/sync/push", data=b"{}").status_code == 401
    bob.client = client_for("charlie")
    assert bob.told(text) == [("held", "author_mismatch")]
    press(alice, world, "accept")
    assert [(one["text"], one["by"]) for one in world.record(visit)["notes"]] == [
        ("Kranen droppar", bob.by)
    ]
    assert bob.told(text) == [("duplicate", "")]
    never_discarded(world, bob)


def test_never_discarded_when_visit_or_tenancy_are_unknown(
    world: World, phone_of: PhoneOf, alice: FlaskClient
) -> None:
    bob = phone_of("bob")
    nowhere = "00000000-0000-4000-8000-00000000dead"
    opening = {"tenancy": nowhere, "kind": "short", "language": ""}
    texts = [
        bob.make("visit.open", "00000000-0000-4000-8000-00000000beef", opening),
        bob.note(nowhere),
    ]
    assert bob.told(*texts) == [("held", "unknown_subject")] * 2
    press(alice, world, "retry")
    assert len(open_keys(world)) == 2
    press(alice, world, "file")
    assert bob.told(*texts) == [("held", "filed")] * 2
    never_discarded(world, bob)


def test_never_discarded_when_the_tenancy_was_protected(
    world: World, phone_of: PhoneOf, alice: FlaskClient
) -> None:
    visit, bob = world.visit(visitors=["bob"]), phone_of("bob")
    text = bob.note(visit, base=world.log_length())
    world.protect(visit)
    assert bob.told(text) == [("held", "protected")]
    assert "Kranen droppar" not in alice.get("/desk/held").text
    clear_for(world, "alice")
    assert "Kranen droppar" in alice.get("/desk/held").text
    press(alice, world, "accept")
    assert note_texts(world, visit) == []
    never_discarded(world, bob)


@pytest.mark.parametrize(
    ("kind", "data", "state"),
    [
        ("visit.approve", {"comment": ""}, "changed"),
        ("visit.cancel", {"reason": "duplicate"}, "cancelled"),
    ],
)
def test_never_discarded_after_the_visit_was_approved_or_cancelled(
    world: World, phone_of: PhoneOf, kind: str, data: dict[str, Any], state: str
) -> None:
    visit, bob = world.visit(visitors=["bob"]), phone_of("bob")
    text = bob.note(visit, base=world.log_length())
    world.desk(kind, visit, data)
    assert bob.told(text) == [("applied", "")]
    assert note_texts(world, visit) == ["Kranen droppar"]
    assert world.row(visit)["state"] == state
    never_discarded(world, bob)


def test_i7_a_health_report_under_another_phones_name_is_rejected(
    world: World, phone_of: PhoneOf
) -> None:
    bob, charlie = phone_of("bob"), phone_of("charlie")
    bob.offer(key=KEY, health={"unsent": 3})
    charlie.device = bob.device
    charlie.offer(key="b2" * 32, health={"unsent": 0, "lost": "emptied"})
    with world.services.databases.reading() as db:
        (row,) = db.table("devices").rows
    assert (row["unsent"], row["lost_at"], row["user"]) == (3, "", bob.by)
    assert json.loads(row["health"]) == {"unsent": 3}


def test_an_operation_that_cannot_be_parsed_is_known_by_its_hash(
    world: World, phone_of: PhoneOf, alice: FlaskClient
) -> None:
    bob = phone_of("bob")
    for _ in range(2):
        (result,) = bob.offer("no JSON")
        assert (result["id"], result["problem"]) == (digest_of("no JSON"), "invalid")
    assert len(open_keys(world)) == 1
    press(alice, world, "file")
    assert bob.told("no JSON") == [("held", "filed")]
