"""The offline visit once in WebKit and once in Firefox, where they are installed."""

from __future__ import annotations

import pytest

from tests.engines.__main__ import ENGINES, once

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ENGINES)
def test_an_offline_visit_survives_a_kill_and_arrives_once(name: str, built: None) -> None:
    missing = ENGINES[name][1]()
    if missing:
        pytest.skip(f"{name} was not tried: {missing}")
    assert once(name) == []
