"""Thirty kills of real browsers, in both of Chromium's stores: nothing shown as saved is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Playwright

from tests.browser import conftest
from tests.browser.kills import FLAGS, MODES, kill_often

pytestmark = pytest.mark.browser

KILLS = 15  # of each store


@pytest.mark.parametrize("backend", FLAGS)
def test_nothing_shown_as_saved_is_lost_by_a_kill(
    backend: str, built: None, playwright: Playwright, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "FLAGS", list(conftest.FLAGS))
    found = kill_often(playwright, backend, KILLS, seed=len(backend))
    assert found.wrong == []
    assert found.kills == KILLS
    assert min(found.met[mode] for mode in MODES) >= KILLS // len(MODES)
    assert found.told > 3 * KILLS  # or the kills came before there was anything to lose
