"""The people of the tests, by the name they sign in with.

Invariant: every display name ends in "Testsson", so nobody in a test can be taken for a real person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NotRequired, TypedDict

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from pwa.people import accounts
from pwa.people.accounts import User

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


def add_person(app: Flask, name: str, person: Person | None = None) -> User:
    """Create the account `name`: one of the cast, or as `person` says."""
    with app.app_context():
        return accounts.add_user(name, password=PASSWORD, **(person or CAST[name]))


def add_people(
    app: Flask, names: Iterable[str] = CAST, cast: Mapping[str, Person] = CAST
) -> dict[str, User]:
    """Create these accounts; name → user."""
    return {name: add_person(app, name, cast[name]) for name in names}


def find_person(app: Flask, name: str) -> User:
    """The account of that name, as the database has it now."""
    with app.app_context():
        user = accounts.find_user_by_name(name)
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
