"""Accounts: what a user row may hold, and that an administrator always remains."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters

from pwa.people import accounts
from pwa.problems import Problem
from pwa.services import Services
from tests.cast.people import add_user, change_user, set_active, set_password, user_with
from tests.conftest import PASSWORD

UserOf = Callable[[str], accounts.User]


def assert_refused(services: Services, code: str, **facts: Any) -> None:
    person: dict[str, Any] = {"name": "dora", "role": "visitor", "password": PASSWORD, **facts}
    with pytest.raises(Problem) as problem:
        add_user(services, **person)
    assert problem.value.code == code
    with services.databases.reading() as db:
        assert accounts.find_user_by_name(db, "dora") is None


def check(services: Services, name: str, password: str) -> accounts.User | None:
    return accounts.check_password(services.databases, name, password)


def test_a_new_person_is_found_by_id_and_by_name_in_any_case(
    services: Services, user_of: UserOf
) -> None:
    user = add_user(services, "Dora", "officer", PASSWORD, queue="FV", display_name=" Dora T ")
    assert (user.name, user.display_name, user.queue) == ("dora", "Dora T", "FV")
    assert user_with(services, user.id) == user
    assert user_of(" DORA") == user


@pytest.mark.parametrize("name", ["", " ", "a b", "å", "-a", "a" * 33, "a/b", "<b>"])
def test_an_invalid_name_is_refused(services: Services, name: str) -> None:
    assert_refused(services, "name_invalid", name=name)


def test_a_taken_name_is_refused_in_any_case(services: Services) -> None:
    with pytest.raises(Problem, match="name_taken"):
        add_user(services, "BOB", "visitor", PASSWORD)


def test_invalid_facts_are_refused(services: Services) -> None:
    assert_refused(services, "role_unknown", role="boss")
    assert_refused(services, "queue_unknown", role="officer")
    assert_refused(services, "queue_unknown", role="officer", queue="XX")
    assert_refused(services, "language_unknown", languages=["sv", "xx"])
    assert_refused(services, "language_unknown", interface_language="xx")
    assert_refused(services, "password_short", password="1234567")
    assert_refused(services, "password_short", password="x" * 257)


def test_only_an_officer_keeps_a_queue(services: Services) -> None:
    assert add_user(services, "dora", "visitor", PASSWORD, queue="KT").queue == ""


def test_a_password_is_the_same_however_a_phone_encodes_its_letters(services: Services) -> None:
    add_user(services, "dora", "visitor", "smörgåsbord")
    assert check(services, "dora", "smo\u0308rga\u030asbord") is not None
    assert check(services, "dora", "smorgasbord") is None


def test_passwords_are_hashed_as_rfc_9106_recommends() -> None:
    parameters = extract_parameters(PasswordHasher().hash("x"))
    assert parameters.type.name == "ID"
    assert (parameters.memory_cost, parameters.time_cost) == (64 * 1024, 3)


def test_an_old_hash_is_replaced_at_sign_in(
    services: Services, monkeypatch: pytest.MonkeyPatch, user_of: UserOf
) -> None:
    def stored() -> str:
        with services.databases.reading() as db:
            return str(db.table("users").get(user_of("bob").id)["password"])

    before = stored()
    monkeypatch.setattr(accounts, "HASHER", PasswordHasher(2, 8, 1))
    assert check(services, "bob", "wrong password") is None
    assert stored() == before
    assert check(services, "bob", PASSWORD) is not None
    assert extract_parameters(stored()).time_cost == 2
    assert check(services, "bob", PASSWORD) is not None


def test_a_very_long_password_is_refused_without_hashing_it(services: Services) -> None:
    started = time.monotonic()
    assert check(services, "bob", "x" * 10_000_000) is None
    assert time.monotonic() - started < 0.5


def test_nobody_waits_for_a_password_to_be_hashed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes a tenth of a second: no transaction is open meanwhile."""

    class Watching(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            assert not services.databases.writer.conn.in_transaction
            return super().hash(password, salt=salt)

    monkeypatch.setattr(accounts, "HASHER", Watching(1, 8, 1))
    user = add_user(services, "dora", "visitor", PASSWORD)
    set_password(services, user.id, "another long password")
    monkeypatch.setattr(accounts, "HASHER", Watching(2, 8, 1))
    assert check(services, "dora", "another long password") is not None


def test_people_are_listed_by_role_and_language(services: Services) -> None:
    def names(**facts: Any) -> list[str]:
        with services.databases.reading() as db:
            return [user.name for user in accounts.list_users(db, **facts)]

    assert names(role="visitor") == ["bob", "charlie"]
    assert names(language="so") == ["amira", "charlie"]
    assert names(role="visitor", language="ar") == ["bob"]


def test_inactive_people_are_listed_only_on_request(services: Services, user_of: UserOf) -> None:
    set_active(services, user_of("bob").id, False)
    with services.databases.reading() as db:
        assert "bob" not in [user.name for user in accounts.list_users(db)]
        assert "bob" in [user.name for user in accounts.list_users(db, active_only=False)]


def test_the_last_administrator_remains(services: Services, user_of: UserOf) -> None:
    root = user_of("root")
    with pytest.raises(Problem, match="last_administrator"):
        set_active(services, root.id, False)
    with pytest.raises(Problem, match="last_administrator"):
        change_user(services, root.id, role="visitor")
    add_user(services, "dora", "administrator", PASSWORD)
    set_active(services, root.id, False)
    assert not user_of("root").active


def test_changing_an_unknown_person_is_refused(services: Services) -> None:
    with services.databases.writing() as db:
        for change in (
            lambda: set_active(services, "x", True),
            lambda: set_password(services, "x", PASSWORD),
            lambda: accounts.set_interface_language(db, "x", "sv"),
        ):
            with pytest.raises(Problem, match="not_found"):
                change()
