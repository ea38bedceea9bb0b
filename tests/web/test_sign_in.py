"""Signing in and out, and what ends a session."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from pwa.people import accounts
from pwa.people.throttle import WAIT_SECONDS_MAX, Throttle
from pwa.services import Services
from pwa.web.sign_in import own_path
from tests.cast.people import change_user, set_active, set_password
from tests.conftest import CAST, PASSWORD

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ClientFor = Callable[[str], FlaskClient]
UserOf = Callable[[str], accounts.User]


def try_password(client: FlaskClient, name: str, password: str) -> int:
    return client.post("/sign-in", json={"name": name, "password": password}).status_code


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("bob", "/field/"),
        ("amira", "/field/"),
        ("alice", "/desk/"),
        ("root", "/desk/"),
        ("hugo", "/desk/follow-ups"),
    ],
)
def test_everyone_lands_where_their_work_is(client_for: ClientFor, name: str, home: str) -> None:
    client = client_for("")
    answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, home)
    assert client.get("/").location == home


def test_the_name_is_taken_in_any_case_and_with_spaces(client_for: ClientFor) -> None:
    assert try_password(client_for(""), "  BOB ", PASSWORD) == 200


def test_a_phone_signs_in_by_json_and_is_told_who_it_is(
    client_for: ClientFor, user_of: UserOf
) -> None:
    client = client_for("")
    answer = client.post("/sign-in", json={"name": "bob", "password": PASSWORD})
    person = {
        "id": user_of("bob").id,
        "name": "Bob Testsson",
        "role": "visitor",
        "languages": ["sv", "ar", "en"],
        "interface_language": "",
    }
    assert answer.json == {"person": person}
    assert client.get("/session").json == {"person": person}


def test_a_wrong_password_is_said_without_telling_who_exists(client_for: ClientFor) -> None:
    answers = [
        client_for("").post("/sign-in", json={"name": name, "password": "wrong password"})
        for name in ("bob", "nobody")
    ]
    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].json is not None
    assert answers[0].json["problem"] == "bad_credentials"
    assert answers[0].data == answers[1].data


def test_an_unknown_name_costs_a_hash_too(
    client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
            verified.append(str(password))
            return super().verify(hash, password)  # type: ignore[return-value]

    monkeypatch.setattr(accounts, "HASHER", Counting(1, 8, 1))
    try_password(client_for(""), "nobody", "wrong password")
    assert verified == ["wrong password"]


def test_the_form_comes_back_with_the_name_and_without_the_password(client_for: ClientFor) -> None:
    answer = client_for("").post(
        "/sign-in", data={"name": "bob", "password": "wrong password", "next": "/desk/visits"}
    )
    assert answer.status_code == 401
    assert 'value="bob"' in answer.text
    assert 'value="/desk/visits"' in answer.text
    assert "wrong password" not in answer.text


@pytest.mark.parametrize("body", [[], "text", {"name": 1}, {"password": ["a"]}])
def test_a_malformed_body_is_refused(client_for: ClientFor, body: object) -> None:
    assert client_for("").post("/sign-in", json=body).status_code == 400


def test_a_session_answers_401_reauth_when_there_is_none(client_for: ClientFor) -> None:
    answer = client_for("").get("/session")
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["problem"] == "reauth"


def test_signing_in_always_makes_a_new_session_and_ends_the_old(
    client_for: ClientFor, services: Services
) -> None:
    client = client_for("bob")
    first = client.get_cookie("troskel")
    client.post("/sign-in", data={"name": "bob", "password": PASSWORD})
    second = client.get_cookie("troskel")
    assert first is not None
    assert second is not None
    assert first.value != second.value
    client.set_cookie("troskel", first.value)
    assert client.get("/session").status_code == 401
    client.set_cookie("troskel", second.value)
    assert client.get("/session").status_code == 200


def test_the_session_token_is_not_in_the_database(
    client_for: ClientFor, services: Services
) -> None:
    client = client_for("bob")
    with client.session_transaction() as session:
        token = session["_user_id"]
    assert len(token) >= 43  # 256 bits
    stored = services.databases.path.read_bytes()
    stored += services.databases.path.with_name("troskel.db-wal").read_bytes()
    assert token.encode() not in stored


def test_the_cookie_never_says_anything_of_the_address_or_the_browser(
    client_for: ClientFor,
) -> None:
    client = client_for("bob")
    with client.session_transaction() as kept:
        assert set(kept) == {"_permanent", "_user_id", "known"}
    assert client.get("/session").status_code == 200


def test_signing_out_ends_the_session_on_the_server(client_for: ClientFor) -> None:
    client = client_for("alice")
    cookie = client.get_cookie("troskel")
    assert cookie is not None
    assert client.post("/sign-out").location == "/sign-in"
    assert client.get("/session").status_code == 401
    client.set_cookie("troskel", cookie.value)
    assert client.get("/session").status_code == 401


def test_signing_out_twice_is_harmless(client_for: ClientFor) -> None:
    client = client_for("bob")
    assert [client.post("/sign-out", json={}).status_code for _ in range(2)] == [200, 200]


def test_a_session_ends_after_its_hours_however_it_is_used(client_for: ClientFor) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = client_for("alice")
        for _ in range(23):
            clock.shift(timedelta(hours=1))
            assert client.get("/session").status_code == 200
        clock.shift(timedelta(hours=1))
        assert client.get("/session").status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda services, bob: set_active(services, bob.id, False),
        lambda services, bob: set_password(services, bob.id, "another long password"),
        lambda services, bob: change_user(services, bob.id, role="ambassador"),
    ],
    ids=["deactivated", "password", "role"],
)
def test_what_lessens_a_right_ends_every_session(
    services: Services,
    client_for: ClientFor,
    user_of: UserOf,
    change: Callable[[Services, accounts.User], object],
) -> None:
    clients = [client_for("bob"), client_for("bob")]
    other = client_for("charlie")
    change(services, user_of("bob"))
    assert [client.get("/session").status_code for client in clients] == [401, 401]
    assert other.get("/session").status_code == 200


def test_new_languages_end_no_session(
    services: Services, client_for: ClientFor, user_of: UserOf
) -> None:
    client = client_for("bob")
    change_user(services, user_of("bob").id, languages=["so"])
    assert client.get("/session").status_code == 200


def test_a_deactivated_person_cannot_sign_in(
    services: Services, client_for: ClientFor, user_of: UserOf
) -> None:
    set_active(services, user_of("bob").id, False)
    assert try_password(client_for(""), "bob", PASSWORD) == 401


def test_a_session_from_before_stays_dead_when_somebody_is_let_in_again(
    services: Services, client_for: ClientFor, user_of: UserOf
) -> None:
    client = client_for("bob")
    set_active(services, user_of("bob").id, False)
    set_active(services, user_of("bob").id, True)
    assert client.get("/session").status_code == 401


def test_one_sees_and_ends_the_own_sessions_only(
    client_for: ClientFor, services: Services, user_of: UserOf
) -> None:
    here, there, other = client_for("bob"), client_for("bob"), client_for("charlie")
    with services.databases.reading() as db:
        ids = {
            owner: [
                row["id"]
                for row in db.table("sessions").rows_where(
                    "user = ? AND ended_at IS NULL", [user_of(owner).id], order_by="created_at"
                )
            ]
            for owner in ("bob", "charlie")
        }
    page = here.get("/sessions").text
    assert ids["bob"][1] in page
    assert ids["charlie"][0] not in page
    here.post("/sessions/end", data={"id": ids["charlie"][0]})
    assert other.get("/session").status_code == 200
    here.post("/sessions/end", data={"id": ids["bob"][1]})
    assert there.get("/session").status_code == 401
    assert here.get("/session").status_code == 200


def test_the_own_sessions_need_a_sign_in(client_for: ClientFor) -> None:
    assert client_for("").get("/sessions").location == "/sign-in?next=%2Fsessions"
    assert client_for("").post("/sessions/end", data={"id": "x"}).status_code == 401


def test_last_seen_is_kept_to_five_minutes(client_for: ClientFor, services: Services) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = client_for("bob")
        seen = []
        for _ in range(3):
            clock.shift(timedelta(minutes=3))
            client.get("/session")
            with services.databases.reading() as db:
                seen.append(db.execute("SELECT max(last_seen) FROM sessions").fetchone()[0])
        assert [at[14:16] for at in seen] == ["00", "06", "06"]


# --- waiting -------------------------------------------------------------------------


def test_wrong_passwords_make_a_name_wait_longer_each_time_and_never_for_good() -> None:
    throttle, waits = Throttle(), []
    for _ in range(20):
        throttle.failed("bob", NOW)
        waits.append(throttle.wait_seconds("bob", NOW))
    assert waits[:7] == [0, 0, 1, 2, 4, 8, 16]
    assert all(a <= b for a, b in pairwise(waits))
    assert waits[-1] == WAIT_SECONDS_MAX
    assert throttle.wait_seconds("bob", NOW + timedelta(seconds=WAIT_SECONDS_MAX)) == 0
    assert throttle.wait_seconds("alice", NOW) == 0
    throttle.succeeded("bob")
    assert throttle.wait_seconds("bob", NOW) == 0


def test_a_waiting_name_is_refused_even_with_the_right_password_and_then_let_in(
    client_for: ClientFor,
) -> None:
    client = client_for("")
    with time_machine.travel(NOW, tick=False) as clock:
        assert [try_password(client, "bob", "wrong password") for _ in range(4)] == [401] * 3 + [
            429
        ]
        answer = client.post("/sign-in", data={"name": "bob", "password": PASSWORD})
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "1"
        clock.shift(timedelta(seconds=1))
        assert try_password(client, "bob", PASSWORD) == 200


def test_an_unknown_name_waits_like_a_known_one(client_for: ClientFor) -> None:
    client = client_for("")
    with time_machine.travel(NOW, tick=False):
        codes = [try_password(client, "nobody", "wrong password") for _ in range(4)]
    assert codes == [401, 401, 401, 429]


def test_guessing_elsewhere_does_not_keep_bob_out_of_his_own_phone(client_for: ClientFor) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        phone, stranger = client_for("bob"), client_for("")
        clock.shift(timedelta(days=2))  # the session is over; the browser is still known
        assert phone.get("/session").status_code == 401
        for _ in range(5):
            try_password(stranger, "bob", "wrong password")
        assert try_password(stranger, "bob", PASSWORD) == 429
        assert try_password(phone, "bob", PASSWORD) == 200


# --- where to next -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/desk/visits?area=North", "/field/visits/1#x"])
def test_next_leads_to_an_own_path(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "desk", "//evil.example", "https://evil.example", "/\\evil.example", "\\/evil.example",
     "/\t/evil.example", "/\n", " /desk", "javascript:alert(1)", "/desk/å"],
)  # fmt: skip
def test_next_never_leads_elsewhere(client_for: ClientFor, path: str) -> None:
    assert own_path(path) == ""
    answer = client_for("").post(
        "/sign-in", data={"name": "alice", "password": PASSWORD, "next": path}
    )
    assert answer.location == "/desk/"


# --- the interface's language --------------------------------------------------------


def test_the_language_can_be_chosen_before_signing_in_and_is_kept(
    client_for: ClientFor, user_of: UserOf
) -> None:
    client = client_for("")
    del client.environ_base["HTTP_ACCEPT_LANGUAGE"]  # Swedish where nothing is said
    assert 'lang="sv" dir="ltr"' in client.get("/sign-in").text
    answer = client.post("/language", data={"language": "ar", "next": "/sign-in"})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert '<html lang="ar" dir="rtl">' in client.get("/sign-in").text
    client.post("/sign-in", data={"name": "bob", "password": PASSWORD})
    assert user_of("bob").interface_language == "ar"


def test_a_persons_own_language_follows_to_another_device(client_for: ClientFor) -> None:
    client_for("alice").post("/language", json={"language": "en"})
    assert '<html lang="en" dir="ltr">' in client_for("alice").get("/sessions").text


def test_accept_language_is_the_last_resort_before_swedish(client_for: ClientFor) -> None:
    client = client_for("")
    ask = {"Accept-Language": "fi, ar;q=0.5"}
    assert 'lang="ar"' in client.get("/sign-in", headers=ask).text
    assert 'lang="sv"' in client.get("/sign-in", headers={"Accept-Language": "de"}).text


def test_an_unknown_interface_language_is_refused(client_for: ClientFor) -> None:
    answer = client_for("bob").post("/language", json={"language": "xx"})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["problem"] == "language_unknown"


def test_nobody_in_the_cast_has_a_real_looking_name() -> None:
    assert all(str(facts["display_name"]).endswith(" Testsson") for facts in CAST.values()), (
        json.dumps(CAST)
    )


def test_the_database_takes_no_session_of_an_unknown_person(services: Services) -> None:
    from pwa.people.sessions import start_session

    with pytest.raises(sqlite3.IntegrityError), services.databases.writing() as db:
        start_session(db, "nobody", "", NOW, timedelta(hours=1))
