"""Thirty kills of real browsers, in both of Chromium's stores: nothing shown as saved is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Playwright

from tests.browser.kills import BACKENDS, MODES, kill_often

pytestmark = pytest.mark.browser

KILLS = 15  # of each store


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_shown_as_saved_is_lost_by_a_kill(
    backend: str, built: None, playwright: Playwright
) -> None:
    found = kill_often(playwright, backend, KILLS, seed=len(backend))
    assert found.wrong == []
    assert found.kills == KILLS
    assert min(found.met[mode] for mode in MODES) >= KILLS // len(MODES)
    assert found.shown > 3 * KILLS  # otherwise the kills came before there was anything to lose
