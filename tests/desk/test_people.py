"""The people page: an administrator changes it, a supervisor sees it, nobody else does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from pwa.people import accounts
from tests.conftest import PASSWORD

ClientFor = Callable[[str], FlaskClient]
UserOf = Callable[[str], accounts.User]
NEW = {
    "name": "dora", "password": PASSWORD, "display_name": "Dora <b>Testsson", "role": "officer",
    "queue": "FV", "languages": ["sv", "ti"],
}  # fmt: skip
ACTIONS = ("", "/password", "/active", "/sessions/end")


def test_everyone_is_listed_for_administrator_and_supervisor(client_for: ClientFor) -> None:
    for name in ("root", "alice"):
        page = client_for(name).get("/desk/people").text
        assert "Bob Testsson" in page
        assert ('<form class="stack"' in page) is (name == "root")


@pytest.mark.parametrize("name", ["bob", "amira", "hugo"])
def test_other_roles_see_nothing_of_it(client_for: ClientFor, user_of: UserOf, name: str) -> None:
    client, bob = client_for(name), user_of("bob")
    assert client.get("/desk/people").status_code == 403
    assert client.get(f"/desk/people/{bob.id}").status_code == 403


def test_it_needs_a_sign_in(client_for: ClientFor) -> None:
    assert client_for("").get("/desk/people").status_code == 303
    assert client_for("").post("/desk/people", data=NEW).status_code == 401


@pytest.mark.parametrize("name", ["alice", "bob", "hugo"])
def test_only_an_administrator_changes_anything(
    client_for: ClientFor, user_of: UserOf, name: str
) -> None:
    client, charlie = client_for(name), user_of("charlie")
    codes = [client.post("/desk/people", data=NEW).status_code]
    codes += [
        client.post(f"/desk/people/{charlie.id}{action}", data={**NEW, "active": "0"}).status_code
        for action in ACTIONS
    ]
    assert codes == [403] * 5
    assert user_of("charlie") == charlie


def test_a_person_is_added_and_can_sign_in(client_for: ClientFor, user_of: UserOf) -> None:
    client = client_for("root")
    answer = client.post("/desk/people", data=NEW)
    assert (answer.status_code, answer.location) == (303, "/desk/people")
    dora = user_of("dora")
    assert (dora.role, dora.queue, dora.languages) == ("officer", "FV", ["sv", "ti"])
    page = client.get("/desk/people").text
    assert "Dora &lt;b&gt;Testsson" in page
    assert "may sign in now" in page
    client_for("dora")


def test_sent_twice_it_is_one_person(client_for: ClientFor) -> None:
    client = client_for("root")
    assert [client.post("/desk/people", data=NEW).status_code for _ in range(2)] == [303, 409]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"name": "a b"}, 400),
        ({"name": "bob"}, 409),
        ({"role": "boss"}, 400),
        ({"queue": ""}, 400),
        ({"password": "short"}, 400),
        ({"languages": ["xx"]}, 400),
    ],
)
def test_a_rejected_form_is_shown_as_it_was_without_the_password(
    client_for: ClientFor, fault: dict[str, object], status: int
) -> None:
    answer = client_for("root").post("/desk/people", data={**NEW, **fault})
    assert answer.status_code == status
    assert 'value="Dora &lt;b&gt;Testsson"' in answer.text
    assert 'role="alert"' in answer.text
    assert PASSWORD not in answer.text


def test_a_role_is_changed_and_the_sessions_end(client_for: ClientFor, user_of: UserOf) -> None:
    bob, phone = user_of("bob"), client_for("bob")
    client = client_for("root")
    form = {
        "role": "supervisor",
        "display_name": "Bob T",
        "languages": ["en"],
        "may_see_protected": "1",
    }
    assert client.post(f"/desk/people/{bob.id}", data=form).status_code == 303
    after = user_of("bob")
    assert (after.role, after.display_name, after.languages) == ("supervisor", "Bob T", ["en"])
    assert after.may_see_protected
    assert phone.get("/session").status_code == 401


def test_a_password_is_reset(client_for: ClientFor, user_of: UserOf) -> None:
    bob, phone, client = user_of("bob"), client_for("bob"), client_for("root")
    path = f"/desk/people/{bob.id}/password"
    assert client.post(path, data={"password": "short"}).status_code == 400
    assert phone.get("/session").status_code == 200
    assert client.post(path, data={"password": "quite another one"}).status_code == 303
    assert phone.get("/session").status_code == 401
    codes = [
        client_for("").post("/sign-in", json={"name": "bob", "password": p}).status_code
        for p in (PASSWORD, "quite another one")
    ]
    assert codes == [401, 200]


def test_somebody_is_let_in_no_more_and_again(client_for: ClientFor, user_of: UserOf) -> None:
    bob, client = user_of("bob"), client_for("root")
    path = f"/desk/people/{bob.id}/active"
    for value, active in (("0", False), ("0", False), ("1", True)):
        assert client.post(path, data={"active": value}).status_code == 303
        assert user_of("bob").active is active
    assert client.post(path, data={"active": "maybe"}).status_code == 400


def test_the_last_administrator_sees_why_not(client_for: ClientFor, user_of: UserOf) -> None:
    client, root = client_for("root"), user_of("root")
    answer = client.post(f"/desk/people/{root.id}/active", data={"active": "0"})
    assert answer.status_code == 409
    assert "last administrator" in answer.text
    assert client.get("/session").status_code == 200


def test_sessions_are_shown_and_ended(client_for: ClientFor, user_of: UserOf) -> None:
    bob, phone, client = user_of("bob"), client_for("bob"), client_for("root")
    path = f"/desk/people/{bob.id}"
    assert "Unknown device" in client.get(path).text
    assert client.post(f"{path}/sessions/end").status_code == 303
    assert phone.get("/session").status_code == 401
    assert "Nowhere right now" in client.get(path).text


def test_somebody_unknown_is_not_found(client_for: ClientFor) -> None:
    client = client_for("root")
    assert client.get("/desk/people/nobody").status_code == 404
    assert [client.post(f"/desk/people/nobody{a}", data=NEW).status_code for a in ACTIONS] == [
        404
    ] * 4
