"""People: what a user row may be, and who may never disappear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from flask import Flask

from pwa.people import accounts
from pwa.problems import Problem
from tests.conftest import PASSWORD

UserOf = Callable[[str], accounts.User]


@pytest.fixture(autouse=True)
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def refused(code: str, **facts: object) -> None:
    person: dict[str, object] = {"name": "dora", "role": "visitor", "password": PASSWORD, **facts}
    with pytest.raises(Problem) as problem:
        accounts.add_user(**person)  # type: ignore[arg-type]
    assert problem.value.code == code
    assert accounts.find_user_by_name("dora") is None


def test_a_new_person_is_found_by_id_and_by_name_in_any_case() -> None:
    user = accounts.add_user("Dora", "officer", PASSWORD, queue="FV", display_name=" Dora T ")
    assert (user.name, user.display_name, user.queue) == ("dora", "Dora T", "FV")
    assert accounts.find_user(user.id) == user
    assert accounts.find_user_by_name(" DORA") == user


@pytest.mark.parametrize("name", ["", " ", "a b", "å", "-a", "a" * 33, "a/b", "<b>"])
def test_an_impossible_name_is_refused(name: str) -> None:
    refused("name_invalid", name=name)


def test_a_taken_name_is_refused_in_any_case() -> None:
    with pytest.raises(Problem, match="name_taken"):
        accounts.add_user("BOB", "visitor", PASSWORD)


def test_impossible_facts_are_refused() -> None:
    refused("role_unknown", role="boss")
    refused("queue_unknown", role="officer")
    refused("queue_unknown", role="officer", queue="XX")
    refused("language_unknown", languages=["sv", "xx"])
    refused("language_unknown", interface_language="xx")
    refused("password_short", password="1234567")
    refused("password_short", password="x" * 257)


def test_only_an_officer_keeps_a_queue() -> None:
    assert accounts.add_user("dora", "visitor", PASSWORD, queue="KT").queue == ""


def test_a_password_is_the_same_typed_on_any_phone() -> None:
    accounts.add_user("dora", "visitor", "smörgåsbord")
    assert accounts.check_password("dora", "smo\u0308rga\u030asbord") is not None
    assert accounts.check_password("dora", "smorgasbord") is None


def test_passwords_are_hashed_as_rfc_9106_says() -> None:
    parameters = extract_parameters(PasswordHasher().hash("x"))
    assert parameters.type.name == "ID"
    assert (parameters.memory_cost, parameters.time_cost) == (64 * 1024, 3)


def test_an_old_hash_is_made_anew_at_sign_in(
    monkeypatch: pytest.MonkeyPatch, user_of: UserOf
) -> None:
    def stored() -> str:
        with accounts.get_services().databases.reading() as db:
            return str(db.table("users").get(user_of("bob").id)["password"])

    before = stored()
    monkeypatch.setattr(accounts, "HASHER", PasswordHasher(2, 8, 1))
    assert accounts.check_password("bob", "wrong password") is None
    assert stored() == before
    assert accounts.check_password("bob", PASSWORD) is not None
    assert extract_parameters(stored()).time_cost == 2
    assert accounts.check_password("bob", PASSWORD) is not None


def test_a_very_long_password_is_refused_without_hashing_it() -> None:
    started = time.monotonic()
    assert accounts.check_password("bob", "x" * 10_000_000) is None
    assert time.monotonic() - started < 0.5


def test_people_are_listed_by_role_and_language() -> None:
    def names(**facts: object) -> list[str]:
        return [user.name for user in accounts.list_users(**facts)]  # type: ignore[arg-type]

    assert names(role="visitor") == ["bob", "charlie"]
    assert names(language="so") == ["amira", "charlie"]
    assert names(role="visitor", language="ar") == ["bob"]


def test_the_inactive_are_listed_only_when_asked_for(user_of: UserOf) -> None:
    accounts.set_active(user_of("bob").id, False)
    assert "bob" not in [user.name for user in accounts.list_users()]
    assert "bob" in [user.name for user in accounts.list_users(active_only=False)]


def test_the_last_administrator_stays(user_of: UserOf) -> None:
    root = user_of("root")
    with pytest.raises(Problem, match="last_administrator"):
        accounts.set_active(root.id, False)
    with pytest.raises(Problem, match="last_administrator"):
        accounts.change_user(
            root.id,
            role="visitor",
            queue="",
            languages=[],
            display_name="",
            may_see_protected=False,
        )
    accounts.add_user("dora", "administrator", PASSWORD)
    accounts.set_active(root.id, False)
    assert not user_of("root").active


def test_changing_somebody_unknown_is_refused() -> None:
    for change in (
        lambda: accounts.set_active("x", True),
        lambda: accounts.set_password("x", PASSWORD),
        lambda: accounts.set_interface_language("x", "sv"),
    ):
        with pytest.raises(Problem, match="not_found"):
            change()
