"""The pictograms on a phone that has no network: the worker keeps the sprite, the page finds it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Device, Server, until

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "ar"])
def test_pictograms_are_drawn_without_a_network(
    phone: Device, server: Server, language: str
) -> None:
    phone.sign_in("bob")
    phone.kept()
    server.stop()
    phone.page.evaluate(f"localStorage.setItem('troskel.language', '{language}')")
    phone.new_page()
    phone.open("/field/new")
    phone.page.locator("#new-save").click()
    until(phone.page, "location.pathname.startsWith('/field/visits/')")
    visit = phone.page.evaluate("location.pathname")
    for path in ("s/s04", "tenant/item?item=i23"):
        phone.open(f"{visit}/{path}")
        pictures = phone.page.locator("main .pictogram")
        expect(pictures.first).to_be_visible()
        # A reference that leads nowhere is an empty box: what counts is that lines are drawn.
        until(
            phone.page,
            "[...document.querySelectorAll('main .pictogram use')]"
            ".every(one => one.getBBox().width > 10)",
        )
