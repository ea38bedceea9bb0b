"""axe-core on a page: the rules of WCAG that a program can check."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.server import ROOT

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")
WCAG = "'wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'"
RUN = "async () => (await axe.run({%s})).violations.map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html)])"


def violations(page: Page, *, strict: bool = False) -> list[Any]:
    """[rule, the first elements that break it] of the page as it is; `strict`: axe's best practice and
    enhanced contrast too."""
    options = f"runOnly: [{WCAG}]"
    if strict:
        options = f"runOnly: [{WCAG}, 'best-practice'], rules: {{'color-contrast-enhanced': {{enabled: true}}}}"
    page.evaluate(AXE)
    found: list[Any] = page.evaluate(RUN % options)
    return found
