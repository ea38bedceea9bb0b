"""A full phone saves texts in the space reserved for them, and shows that space is short."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server
from tests.browser.test_losses import flags as flags  # both of Chromium's stores
from tests.browser.test_losses import store as store

pytestmark = pytest.mark.browser


def test_a_full_phone_saves_texts_and_shows_that_space_is_short(
    phone: Phone, server: Server
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    phone.page.reload()
    phone.ready()
    until(phone.page, "caches.has('troskel-ballast')")
    server.stop()
    usage = phone.page.evaluate("navigator.storage.estimate().then(one => one.usage)")
    assert usage > 20_000_000
    # A browser checks the quota only now and then: a fresh one checks at once.
    phone.close()
    phone.reopen()
    browser = phone.context.new_cdp_session(phone.page)
    # Full: the browser refuses every further byte.
    browser.send(
        "Storage.overrideQuotaForOrigin",
        {"origin": phone.server.url, "quotaSize": usage - 1_000_000},
    )
    phone.save_new_visit()
    assert not phone.page.evaluate("caches.has('troskel-ballast')")
    phone.expect_status("Little space left")
    phone.open("/field/outbox")
    expect(phone.page.locator(".outbox-what")).to_have_text(["Opened a visit"])
    assert [line for line in phone.console if "Quota" in line] == []
