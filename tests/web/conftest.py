"""The desk's world for its tests: a frozen clock, and visits made through the real push."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine

from pwa.accounts import User
from pwa.services import Services
from tests.web.desk_world import NOW, World


@pytest.fixture
def frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(services: Services, user_of: Callable[[str], User]) -> World:
    # No application context around a test: Flask-Login keeps who is signed in there.
    return World(services, user_of)
