"""Fixtures of all tests: a real data folder, a real database, people who sign in for real.

Invariant: each test has a folder of its own, copied from one made once per run; every client sends
Fetch Metadata as a browser does from one of our pages.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import hypothesis
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

import pwa
from pwa import create_app
from pwa.guide import load
from pwa.people import accounts
from pwa.services import Services
from pwa.settings import Settings
from tests.cast.company import open_app, services_of
from tests.cast.operations import NOW
from tests.cast.people import add_people, client_of, find_person, quick_hashing
from tests.cast.world import World

# In CI the same examples each time, so a failure there is about the change that was pushed.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords are hashed with the least work."""
    with quick_hashing():
        yield


@pytest.fixture(scope="session", autouse=True)
def guide_read_once() -> Iterator[None]:
    """The guide of this release, which no test changes, is parsed for the first app only: with its
    languages that takes longer than all else a new app does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pwa, "load_guide", cache(load))
        yield


@pytest.fixture(scope="session")
def _cast_folder(tmp_path_factory: pytest.TempPathFactory, quick_passwords: None) -> Path:
    folder = tmp_path_factory.mktemp("cast") / "data"
    with open_app(folder) as app:
        add_people(app)
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
    services_of(app).close()


@pytest.fixture
def services(app: Flask) -> Services:
    """What the views get from `services()`."""
    return services_of(app)


@pytest.fixture
def client_for(app: Flask) -> Callable[[str], FlaskClient]:
    """`client_for("alice")` has signed in; `client_for("")` is nobody. Both send what a browser
    sends from a page of ours."""
    return lambda name: client_of(app, name)


@pytest.fixture
def user_of(app: Flask) -> Callable[[str], accounts.User]:
    """`user_of("bob")` is Bob's row."""
    return lambda name: find_person(app, name)


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
