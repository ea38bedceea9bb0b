"""People in tests: accounts made, found and changed on a company's services."""

from __future__ import annotations

from typing import Any

from pwa.people import accounts
from pwa.people.accounts import User
from pwa.services import Services


def add_user(services: Services, name: str, role: str, password: str, **facts: Any) -> User:
    """A new person; `facts` as `accounts.add_user` takes them."""
    return accounts.add_user(services.databases, name, role, password, services.now(), **facts)


def user_named(services: Services, name: str) -> User:
    """The person who signs in as `name`, who must be there."""
    with services.databases.reading() as db:
        user = accounts.find_user_by_name(db, name)
    assert user is not None, name
    return user


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
