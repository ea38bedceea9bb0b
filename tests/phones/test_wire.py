"""The wire: who may push and pull, what an answer is, and what every refusal looks like."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pwa.homes import company
from pwa.problems import Problem
from pwa.services import Services
from pwa.visits.holding import resolve_held
from pwa.visits.submitting import Draft, load_visit, submit
from sync.limits import BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX
from sync.operations import MEDIA_TYPE, digest_of, encode
from tests.cast.people import change_user
from tests.cast.pictures import bomb, photo

ClientFor = Callable[[str], FlaskClient]
HEADERS = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}
TENANCY = "00000000-0000-4000-8000-00000000000a"
VISIT = "00000000-0000-4000-8000-000000000001"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0L9 9"/></svg>'
REGISTER: dict[str, Any] = {
    **dict.fromkeys(("ref", "object", "apartment", "street", "postcode", "city", "property",
                     "building", "area", "email", "language", "customer", "lease_end"), ""),
    "street": "Gatvägen 1", "move_in": "2026-12-01", "tenants": ["Test Testsson"], "phones": [],
}  # fmt: skip


@pytest.fixture
def planned(services: Services, app: Any, user_of: Any) -> dict[str, str]:
    """A visit assigned to Bob; name → user id."""
    ids = {name: user_of(name).id for name in ("alice", "bob", "charlie", "amira", "hugo", "root")}
    with app.app_context():
        results = submit(
            services,
            user_of("alice"),
            [
                Draft(
                    "01930000-0000-7000-8000-000000000001",
                    "tenancy.register",
                    TENANCY,
                    REGISTER,
                    type="tenancy",
                ),
                Draft(
                    "01930000-0000-7000-8000-000000000002",
                    "visit.plan",
                    VISIT,
                    {"tenancy": TENANCY, "kind": "welcome"},
                ),
                Draft(
                    "01930000-0000-7000-8000-000000000003",
                    "visit.assign",
                    VISIT,
                    {"visitors": [ids["bob"]], "date": "", "time": ""},
                ),
            ],
        )
    assert [one.result for one in results] == ["applied"] * 3
    return ids


def note(by: str, n: int = 1, **over: Any) -> str:
    return encode(
        {
            "id": f"01940000-0000-7000-8000-{n:012x}", "v": 1, "kind": "visit.note",
            "subject": {"type": "visit", "id": VISIT}, "by": by, "device": "d1", "device_seq": n,
            "at": "2026-11-22T10:00:00+01:00", "base": 3, "data": {"item": "", "text": f"Anteckning {n}"},
        } | over
    )  # fmt: skip


def send(client: FlaskClient, *texts: str, packed: bool = False, **more: Any) -> TestResponse:
    body = json.dumps(
        {"protocol": 1, "device": "d1", "operations": list(texts), "blobs": []} | more
    ).encode()
    headers = HEADERS | ({"Content-Encoding": "gzip"} if packed else {})
    return client.post("/sync/push", data=gzip.compress(body) if packed else body, headers=headers)


def read(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.data
    assert answer.mimetype == MEDIA_TYPE
    raw = (
        gzip.decompress(answer.data)
        if answer.headers.get("Content-Encoding") == "gzip"
        else answer.data
    )
    body: dict[str, Any] = json.loads(raw)
    assert body["protocol"] == 1
    assert body["server"]
    return body


@pytest.mark.parametrize("packed", [False, True])
def test_i3_push_answers_with_id_and_hash_of_each_operation(
    planned: Any, client_for: ClientFor, packed: bool
) -> None:
    text = note(planned["bob"])
    body = read(send(client_for("bob"), text, packed=packed))
    (result,) = body["results"]
    assert (result["result"], result["sha256"]) == ("applied", digest_of(text))
    assert result["seq"] == body["seq"] == 4


def test_i3_a_short_answer_proves_each_operation_with_one_hash_over_their_hashes(
    planned: Any, client_for: ClientFor
) -> None:
    bob = client_for("bob")
    known = note(planned["bob"])
    read(send(bob, known))
    texts = [known, *(note(planned["bob"], n) for n in (2, 3, 4))]
    texts.append(note(planned["bob"], 5, subject={"type": "visit", "id": VISIT[:-1] + "9"}))
    body = read(send(bob, *texts, short=True))
    assert [one["result"] for one in body["results"]] == ["duplicate", "held"]
    hashes = "".join(digest_of(text) for text in texts[1:4])
    assert body["taken"] == {"seqs": [[5, 3]], "sha256": digest_of(hashes)}
    again = read(send(bob, *texts, short=True))
    assert "taken" not in again
    assert len(again["results"]) == 5


@pytest.mark.parametrize("where", ["id", "by", "device", "kind", "subject", "data"])
def test_i6_half_a_letter_in_one_operation_never_keeps_the_others_out(
    planned: Any, client_for: ClientFor, where: str
) -> None:
    """Half a surrogate pair is text that no database and no page takes."""
    odd: Any = "\ud800"
    over = {"subject": {"type": "visit", "id": odd}, "data": {"item": "", "text": odd}}
    broken = json.dumps(json.loads(note(planned["bob"], 2)) | {where: over.get(where, odd)})
    assert "\\ud800" in broken
    texts = [note(planned["bob"]), broken, note(planned["bob"], 3)]
    body = read(send(client_for("bob"), *texts))
    assert [one["result"] for one in body["results"]] == ["applied", "held", "applied"]
    assert body["results"][1]["sha256"] == digest_of(broken)
    page = client_for("alice").get("/desk/held")
    assert page.status_code == 200
    assert "held" in page.text


@pytest.mark.parametrize(
    "over",
    [
        {"at": "2026-02-30T10:00:00+01:00"},
        {"at": "2026-11-22T10:00:00+99:99"},
        {"at": "2026-11-22T25:61:00Z"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-12:00"},
        {"data": {"item": "", "text": "half \ud800"}},
    ],
)
def test_i6_what_no_page_could_show_is_held_and_its_visit_stays_readable(
    planned: Any, client_for: ClientFor, over: dict[str, Any]
) -> None:
    body = read(send(client_for("bob"), note(planned["bob"]), note(planned["bob"], 2, **over)))
    assert [(one["result"], one["problem"]) for one in body["results"]] == [
        ("applied", ""), ("held", "invalid"),
    ]  # fmt: skip
    alice = client_for("alice")
    for page in (f"/desk/visits/{VISIT}", "/desk/held"):
        assert alice.get(page).status_code == 200


def test_a_tally_is_linked_to_no_visit_also_where_it_bears_a_visits_id(
    planned: Any, client_for: ClientFor
) -> None:
    tally = note(
        planned["bob"], 1, kind="tally.count", subject={"type": "tally", "id": VISIT},
        data={"day": "2026-11-22", "area": "Norr", "topic": "waste", "value": "yes"},
    )  # fmt: skip
    alice = client_for("alice")

    def page() -> str:
        answer = alice.get(f"/desk/visits/{VISIT}")
        assert answer.status_code == 200
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", answer.text)  # forms have ids of their own

    before = page()
    body = read(send(client_for("bob"), tally))
    assert [one["result"] for one in body["results"]] == ["applied"]
    assert page() == before


@pytest.mark.parametrize(
    "health",
    [
        {"version": "\ud800", "unsent": 2},
        {"unsent": 10**30},
        {"lost": "other", "lost_unsent": 10**30, "lost_device": "\ud800"},
        {"unsent": 1, "oldest_unsent_at": "yesterday"},
        {"unsent": 1, "oldest_unsent_at": "0001-01-01T00:00:00+14:00"},
        {"unsent": 1, "oldest_unsent_at": "2026-11-22T10:00:00"},
        {"quota": float("inf"), "usage": float("nan")},
    ],
)
def test_i6_what_a_phone_says_of_itself_never_keeps_its_work_out(
    planned: Any, client_for: ClientFor, health: dict[str, Any]
) -> None:
    body = read(send(client_for("bob"), note(planned["bob"]), health=health))
    assert [one["result"] for one in body["results"]] == ["applied"]
    assert client_for("alice").get("/desk/devices").status_code == 200


def test_i3_an_answer_comes_only_after_the_commit(
    planned: Any, client_for: ClientFor, services: Services
) -> None:
    """Another connection, which sees only what is committed, sees it once the answer is here."""
    read(send(client_for("bob"), note(planned["bob"])))
    with services.databases.reading() as db:
        assert db.execute("SELECT count(*) FROM log WHERE kind = 'visit.note'").fetchone() == (1,)


def test_pull_gives_the_visit_and_then_nothing_new(planned: Any, client_for: ClientFor) -> None:
    bob = client_for("bob")
    first = read(bob.get("/sync/pull"))
    assert [one["id"] for one in first["snapshots"]] == [VISIT]
    assert first["snapshots"][0]["tenancy_fields"]["street"] == "Gatvägen 1"
    assert {one["name"] for one in first["people"]} >= {"Bob Testsson"}
    again = read(bob.get("/sync/pull", query_string={"cursor": first["cursor"]}))
    assert again["snapshots"] == []


def test_people_who_have_left_are_still_named(
    planned: Any, client_for: ClientFor, services: Services
) -> None:
    """Their visits, and what waits on a phone they shared, would be of "Another person"."""
    with services.databases.writing() as db:
        db.execute("UPDATE users SET active = 0 WHERE name = 'bob'")
    told = read(client_for("amira").get("/sync/pull"))
    assert {one["name"] for one in told["people"]} >= {"Bob Testsson"}


def test_new_facts_of_the_company_reach_visits_that_nobody_touched(
    planned: Any, client_for: ClientFor, services: Services
) -> None:
    bob = client_for("bob")
    cursor = read(bob.get("/sync/pull"))["cursor"]
    with services.databases.writing() as db:
        company.store_settings(db, {"quiet.from": "21:00"})
    found = read(bob.get("/sync/pull", query_string={"cursor": cursor}))
    assert [one["settings"]["quiet.from"] for one in found["snapshots"]] == ["21:00"]
    assert found["reset"] is False
    again = read(bob.get("/sync/pull", query_string={"cursor": found["cursor"]}))
    assert again["snapshots"] == []


def test_another_role_sees_its_visits_anew_and_the_first_role_too(
    planned: Any, client_for: ClientFor, services: Services, app: Any, user_of: Any
) -> None:
    cursor = read(client_for("bob").get("/sync/pull"))["cursor"]
    for role in ("ambassador", "visitor"):
        change_user(services, user_of("bob").id, role=role, languages=["sv"])
        found = read(client_for("bob").get("/sync/pull", query_string={"cursor": cursor}))
        assert [one["id"] for one in found["snapshots"]] == [VISIT]
        cursor = found["cursor"]


def test_a_cursor_of_three_parts_is_answered_in_full_once(
    planned: Any, client_for: ClientFor
) -> None:
    bob = client_for("bob")
    old = ".".join(read(bob.get("/sync/pull"))["cursor"].split(".")[:3])
    found = read(bob.get("/sync/pull", query_string={"cursor": old}))
    assert len(found["snapshots"]) == 1
    assert not read(bob.get("/sync/pull", query_string={"cursor": found["cursor"]}))["snapshots"]


def test_a_log_put_back_is_told_even_when_the_facts_changed_too(
    planned: Any, client_for: ClientFor, services: Services
) -> None:
    bob = client_for("bob")
    seq, _digest, *rest = read(bob.get("/sync/pull"))["cursor"].split(".")
    with services.databases.writing() as db:
        company.store_settings(db, {"quiet.from": "21:00"})
    other = ".".join([seq, "0" * 16, *rest])
    assert read(bob.get("/sync/pull", query_string={"cursor": other}))["reset"] is True


@pytest.mark.parametrize("path", ["/sync/push", "/sync/pull", f"/sync/blobs/{'0' * 64}"])
def test_nobody_gets_json_reauth_and_never_a_redirect(client_for: ClientFor, path: str) -> None:
    client = client_for("")
    answer = (
        client.post(path, headers=HEADERS)
        if path == "/sync/push"
        else client.put(path)
        if "blobs" in path
        else client.get(path)
    )
    assert answer.status_code == 401
    assert answer.get_json()["problem"] == "reauth"


@pytest.mark.parametrize("name", ["hugo", "root"])
def test_roles_without_visits_do_not_sync(client_for: ClientFor, name: str) -> None:
    assert client_for(name).get("/sync/pull").status_code == 403


def test_i7_charlie_neither_sees_nor_changes_bobs_visit(
    planned: Any, client_for: ClientFor
) -> None:
    charlie = client_for("charlie")
    assert read(charlie.get("/sync/pull"))["snapshots"] == []
    assert read(charlie.get("/sync/pull?scope=all"))["snapshots"] == []
    (result,) = read(send(charlie, note(planned["charlie"])))["results"]
    assert (result["result"], result["problem"]) == ("held", "no_right")
    assert [one["problem"] for one in read(charlie.get("/sync/pull"))["held"]] == ["no_right"]


def test_an_operation_of_somebody_else_is_held(planned: Any, client_for: ClientFor) -> None:
    (result,) = read(send(client_for("charlie"), note(planned["bob"])))["results"]
    assert result["problem"] == "author_mismatch"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"X-Troskel-Protocol": "9"}, b"{}", 415),
        ({}, b"", 400),
        ({}, b"[]", 400),
        ({}, b"{", 400),
        ({}, b'{"protocol": 2}', 400),
        ({}, b'{"protocol": 1, "operations": [1], "device": "d"}', 400),
        ({}, b'{"protocol": 1, "operations": "x", "device": "d"}', 400),
        ({"Content-Encoding": "gzip"}, b"no gzip", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b'{"protocol": 1}', mtime=0)[:-9], 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b" " * (BATCH_BYTES_MAX + 1), mtime=0), 413),
        ({}, b" " * (BATCH_BYTES_MAX + 1), 413),
    ],
)
def test_a_body_that_is_no_push_is_refused_as_json(
    client_for: ClientFor, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = client_for("bob").post("/sync/push", data=body, headers=HEADERS | headers)
    assert answer.status_code == status
    assert answer.get_json()["problem"]


def test_a_batch_past_the_limit_is_refused_whole(planned: Any, client_for: ClientFor) -> None:
    texts = [note(planned["bob"], n) for n in range(1, BATCH_OPERATIONS_MAX + 2)]
    bob = client_for("bob")
    assert send(bob, *texts).status_code == 413
    assert read(bob.get("/sync/pull"))["snapshots"][0]["notes"] == []


def test_another_site_cannot_push(planned: Any, client_for: ClientFor) -> None:
    bob = client_for("bob")
    bob.environ_base["HTTP_SEC_FETCH_SITE"] = "cross-site"
    assert send(bob, note(planned["bob"])).status_code == 403


def consent(by: str, sha: str) -> str:
    data = {
        "purpose": "K1", "decision": "yes", "text_key": "K1.text", "text_version": "1",
        "text_sha256": "0" * 64, "text_state": "machine", "language": "ar", "recipient": "",
        "given_by": "tenant", "method": "signature", "attested": False, "signature": sha,
        "interpreter": "ambassador", "expires": "",
    }  # fmt: skip
    return note(by, kind="visit.consent", data=data)


def test_a_signature_rides_along_and_is_counted_when_it_is_here(
    planned: Any, client_for: ClientFor, services: Services
) -> None:
    sha = hashlib.sha256(SVG.encode()).hexdigest()
    bob, text = client_for("bob"), consent(planned["bob"], hashlib.sha256(SVG.encode()).hexdigest())
    assert read(send(bob, text))["missing_blobs"] == [sha]
    body = read(send(bob, text, blobs=[{"sha256": sha, "type": "image/svg+xml", "text": SVG}]))
    assert body["missing_blobs"] == []
    assert services.blobs.read(sha) == SVG.encode()


@pytest.mark.parametrize(
    "text",
    [
        "<svg><script>x</script></svg>",
        '<svg onload="x"/>',
        "<html>",
        "x",
        '<svg><a href="javascript:x"/></svg>',
    ],
)
def test_a_blob_that_could_run_is_never_stored(
    planned: Any, client_for: ClientFor, services: Services, text: str
) -> None:
    sha = hashlib.sha256(text.encode()).hexdigest()
    body = read(
        send(
            client_for("bob"),
            consent(planned["bob"], sha),
            blobs=[{"sha256": sha, "type": "image/svg+xml", "text": text}],
        )
    )
    assert body["results"][0]["result"] == "applied"
    assert body["missing_blobs"] == [sha]
    assert not services.blobs.has(sha)


def test_a_blob_in_pieces_goes_on_where_it_stopped(
    client_for: ClientFor, services: Services
) -> None:
    octets = photo()
    sha = hashlib.sha256(octets).hexdigest()
    bob = client_for("bob")

    def put(start: int, end: int) -> TestResponse:
        return bob.put(
            f"/sync/blobs/{sha}",
            data=octets[start:end],
            headers={"Content-Range": f"bytes {start}-{end - 1}/{len(octets)}"},
        )

    assert put(0, 2000).headers["Upload-Offset"] == "2000"
    assert put(0, 2000).headers["Upload-Offset"] == "2000"
    assert put(len(octets) - 9, len(octets)).headers["Upload-Offset"] == "2000"
    assert bob.head(f"/sync/blobs/{sha}").headers["Upload-Offset"] == "2000"
    assert not services.blobs.has(sha)
    last = put(2000, len(octets))
    assert (last.headers["Upload-Offset"], read(last)["complete"]) == (str(len(octets)), True)
    assert services.blobs.has(sha)
    # Only a backup that has passed a later operation holds it.
    assert read(last)["seq"] == read(put(0, 10))["seq"] == services.storage.head().seq + 1  # type: ignore[union-attr]
    assert read(put(0, 10))["complete"] is True


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (bomb(60_000, 60_000), "picture_too_large"),
        (photo()[:-900], "picture_broken"),
        (b"<html>", "blob_type"),
    ],
)
def test_a_blob_that_is_refused_says_why_and_leaves_nothing(
    client_for: ClientFor, services: Services, octets: bytes, code: str
) -> None:
    sha, bob = hashlib.sha256(octets).hexdigest(), client_for("bob")
    answer = bob.put(f"/sync/blobs/{sha}", data=octets)
    assert (answer.status_code, answer.get_json()["problem"]) == (415, code)
    assert bob.head(f"/sync/blobs/{sha}").headers["Upload-Offset"] == "0"
    assert not services.blobs.has(sha)


def test_a_blob_of_other_content_is_refused_and_can_begin_again(
    client_for: ClientFor, services: Services
) -> None:
    bob, sha = client_for("bob"), "ab" * 32
    answer = bob.put(f"/sync/blobs/{sha}", data=b"\x89PNG\r\n\x1a\nx")
    assert (answer.status_code, answer.get_json()["problem"]) == (422, "blob_mismatch")
    assert bob.head(f"/sync/blobs/{sha}").headers["Upload-Offset"] == "0"


def test_device_health_is_kept_and_a_loss_stays_said(
    planned: Any, client_for: ClientFor, services: Services
) -> None:
    bob = client_for("bob")
    read(send(bob, health={"unsent": 3, "persisted": True, "installed": True, "version": "1"}))
    read(send(bob, health={"unsent": 0, "lost": {"device": "x"}}))
    read(send(bob, health={"unsent": 0, "persisted": "rubbish"}))
    with services.databases.reading() as db:
        (row,) = db.table("devices").rows
    assert row["lost_at"]
    assert row["lost_unsent"] == 3


def test_a_held_operation_is_accepted_by_a_supervisor_once(
    planned: Any, client_for: ClientFor, services: Services, app: Any, user_of: Any
) -> None:
    charlie, text = client_for("charlie"), note(planned["charlie"])
    read(send(charlie, text))
    with app.app_context():
        alice = user_of("alice")
        key = (json.loads(text)["id"], digest_of(text))
        assert resolve_held(services, alice, *key, "ask", "Var du med?") == "asked"
        assert read(charlie.get("/sync/pull"))["held"][0]["comment"] == "Var du med?"
        assert resolve_held(services, alice, *key, "retry") == "held"
        assert resolve_held(services, alice, *key, "accept") == "applied"
        with pytest.raises(Problem):
            resolve_held(services, alice, *key, "accept")
        with services.databases.reading() as db:
            notes = load_visit(db, alice, VISIT).record["notes"]
        assert [one["text"] for one in notes] == ["Anteckning 1"]
    assert read(send(charlie, text))["results"][0]["result"] == "duplicate"


@pytest.mark.parametrize("name", ["bob", "amira", "hugo", "root"])
def test_i7_the_desks_file_of_a_visit_is_for_supervisors(
    planned: Any, services: Services, app: Any, user_of: Any, name: str
) -> None:
    with services.databases.reading() as db, pytest.raises(Problem):
        load_visit(db, user_of(name), VISIT)
