"""The people of the tests, by the name they sign in with.

Invariant: every display name ends in "Testsson", so nobody in a test can be taken for a real person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NotRequired, TypedDict

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from pwa.people import accounts
from pwa.people.accounts import User
from pwa.services import Services
from tests.cast.company import services_of

PASSWORD = "a long test password"
# English, because tests quote msgids; other languages are tests/web/test_i18n.py's subject.
SAME_ORIGIN = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT_LANGUAGE": "en"}
"""WSGI environment of a request from one of our own pages."""


class Person(TypedDict):
    """What an account is created with, beside its name and password."""

    role: str
    display_name: str
    languages: NotRequired[list[str]]
    queue: NotRequired[str]
    may_see_protected: NotRequired[bool]


CAST: dict[str, Person] = {
    "alice": {"role": "supervisor", "languages": ["sv", "en"], "display_name": "Alice Testsson"},
    "bob": {"role": "visitor", "languages": ["sv", "ar", "en"], "display_name": "Bob Testsson"},
    "charlie": {"role": "visitor", "languages": ["sv", "so"], "display_name": "Charlie Testsson"},
    "amira": {"role": "ambassador", "languages": ["ar", "so"], "display_name": "Amira Testsson"},
    "hugo": {"role": "officer", "queue": "KT", "display_name": "Hugo Testsson"},
    "root": {"role": "administrator", "display_name": "Root Testsson"},
}


def add_user(services: Services, name: str, role: str, password: str, **facts: Any) -> User:
    """A new person; `facts` as `accounts.add_user` takes them."""
    return accounts.add_user(services.databases, name, role, password, services.now(), **facts)


def add_person(app: Flask, name: str, person: Person | None = None) -> User:
    """Create the account `name`: one of the cast, or as `person` says."""
    return add_user(services_of(app), name, password=PASSWORD, **(person or CAST[name]))


def add_people(
    app: Flask, names: Iterable[str] = CAST, cast: Mapping[str, Person] = CAST
) -> dict[str, User]:
    """Create these accounts; name → user."""
    return {name: add_person(app, name, cast[name]) for name in names}


def find_person(app: Flask, name: str) -> User:
    """The account of that name, as the database has it now."""
    return user_named(services_of(app), name)


def user_named(services: Services, name: str) -> User:
    """The person who signs in as `name`, who must be there."""
    with services.databases.reading() as db:
        user = accounts.find_user_by_name(db, name)
    assert user is not None, name
    return user


def client_of(app: Flask, name: str = "") -> FlaskClient:
    """A browser on a page of ours, signed in as `name` where one is given."""
    client = app.test_client()
    client.environ_base.update(SAME_ORIGIN)
    if name:
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.status
    return client


@contextmanager
def quick_hashing() -> Iterator[None]:
    """Argon2 with the least work; tests/people/test_accounts.py checks the real parameters."""
    real, accounts.HASHER = accounts.HASHER, PasswordHasher(1, 8, 1)
    try:
        yield
    finally:
        accounts.HASHER = real


def user_with(services: Services, id: str) -> User:
    """The person with this id, who must be there."""
    with services.databases.reading() as db:
        user = accounts.find_user(db, id)
    assert user is not None, id
    return user


def change_user(services: Services, id: str, **changes: Any) -> User:
    """Change some facts of a person and keep the others."""
    user = user_with(services, id)
    facts = {
        "role": user.role,
        "queue": user.queue,
        "languages": user.languages,
        "display_name": user.display_name,
        "may_see_protected": user.may_see_protected,
    }
    with services.databases.writing() as db:
        return accounts.change_user(db, id, services.now(), **facts | changes)


def set_active(services: Services, id: str, active: bool) -> None:
    """Let a person sign in, or no longer."""
    with services.databases.writing() as db:
        accounts.set_active(db, id, active, services.now())


def set_password(services: Services, id: str, password: str) -> None:
    """A new password."""
    accounts.set_password(services.databases, id, password, services.now())
