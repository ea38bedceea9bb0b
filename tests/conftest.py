"""The cast and the world: a real data folder, a real database, people who sign in for real.

Invariant: each test has a folder of its own, copied from one made once per run. It refuses a
client that forgets what browsers send: `client_for` sends Fetch Metadata as a page of ours.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

import pwa
from pwa import create_app, initialise
from pwa.people import accounts
from pwa.services import Services
from pwa.settings import Settings
from tests.cast.people import add_user, user_named
from tests.cast.world import NOW, World

PASSWORD = "a long test password"
CAST: dict[str, dict[str, Any]] = {
    "alice": {"role": "supervisor", "languages": ["sv", "en"], "display_name": "Alice Testsson"},
    "bob": {"role": "visitor", "languages": ["sv", "ar", "en"], "display_name": "Bob Testsson"},
    "charlie": {"role": "visitor", "languages": ["sv", "so"], "display_name": "Charlie Testsson"},
    "amira": {"role": "ambassador", "languages": ["ar", "so"], "display_name": "Amira Testsson"},
    "hugo": {"role": "officer", "queue": "KT", "display_name": "Hugo Testsson"},
    "root": {"role": "administrator", "display_name": "Root Testsson"},
}
# English, because tests quote msgids; what the other languages say is tests/web/test_i18n.py's.
SAME_ORIGIN = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT_LANGUAGE": "en"}


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Argon2 with the least work; test_accounts looks at the real parameters."""
    real, accounts.HASHER = accounts.HASHER, PasswordHasher(1, 8, 1)
    yield
    accounts.HASHER = real


@pytest.fixture(scope="session", autouse=True)
def guide_read_once() -> Iterator[None]:
    """The guide of this release, which no test changes, is parsed for the first app only: with its
    languages that takes longer than all else a new app does."""
    real, pwa.load_guide = pwa.load_guide, cache(pwa.load_guide)
    yield
    pwa.load_guide = real


@pytest.fixture(scope="session")
def _cast_folder(tmp_path_factory: pytest.TempPathFactory, quick_passwords: None) -> Path:
    folder = tmp_path_factory.mktemp("cast") / "data"
    settings = Settings(data=folder)
    initialise(settings)
    app = create_app(settings)
    for name, facts in CAST.items():
        add_user(app.extensions["troskel"], name, password=PASSWORD, **facts)
    app.extensions["troskel"].close()
    return folder


@pytest.fixture
def data_dir(_cast_folder: Path, tmp_path: Path) -> Path:
    """A data folder with the cast in it."""
    return Path(shutil.copytree(_cast_folder, tmp_path / "data"))


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    """The settings of `app`; a test module may override this fixture."""
    return Settings(data=data_dir)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application, with the cast."""
    app = create_app(settings)
    app.config["TESTING"] = True
    yield app
    app.extensions["troskel"].close()


@pytest.fixture
def services(app: Flask) -> Services:
    """What the views get from `services()`."""
    services: Services = app.extensions["troskel"]
    return services


@pytest.fixture
def client_for(app: Flask) -> Callable[[str], FlaskClient]:
    """`client_for("alice")` has signed in; `client_for("")` is nobody. Both send what a browser
    sends from a page of ours."""

    def make(name: str) -> FlaskClient:
        client = app.test_client()
        client.environ_base.update(SAME_ORIGIN)
        if name:
            answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303
        return client

    return make


@pytest.fixture
def user_of(services: Services) -> Callable[[str], accounts.User]:
    """`user_of("bob")` is Bob's row."""

    return partial(user_named, services)


@pytest.fixture
def frozen() -> Iterator[None]:
    """The clock stands at NOW."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(services: Services, user_of: Callable[[str], accounts.User]) -> World:
    """A company whose visits are made through the real push."""
    # No application context around a test: Flask-Login keeps who is signed in there.
    return World(services, user_of)
