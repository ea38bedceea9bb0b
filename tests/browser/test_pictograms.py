"""Pictograms on a phone without a network: the worker stores the sprite, the page finds it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "ar"])
def test_pictograms_are_drawn_without_a_network(
    phone: Phone, server: Server, language: str
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    server.stop()
    phone.set_language(language)
    phone.new_page()
    phone.open("/field/new")
    phone.page.locator("#new-save").click()
    until(phone.page, "location.pathname.startsWith('/field/visits/')")
    visit = phone.page.evaluate("location.pathname")
    for path in ("s/s04", "tenant/item?item=i23"):
        phone.open(f"{visit}/{path}")
        pictures = phone.page.locator("main .pictogram")
        expect(pictures.first).to_be_visible()
        # A reference to nothing is an empty box: what counts is that lines are drawn.
        until(
            phone.page,
            "[...document.querySelectorAll('main .pictogram use')]"
            ".every(one => one.getBBox().width > 10)",
        )
