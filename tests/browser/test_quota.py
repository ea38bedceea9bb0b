"""A phone that is full: words are saved at the cost of the space held back for them, and it is said."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Device, Server, until
from tests.browser.test_losses import store as store  # both of Chromium's stores
from tests.browser.test_shell import make_a_visit, strip

pytestmark = pytest.mark.browser


def test_a_full_phone_saves_words_and_says_that_space_is_short(
    phone: Device, server: Server
) -> None:
    phone.sign_in("bob")
    phone.kept()
    phone.page.reload()
    phone.ready()
    until(phone.page, "caches.has('troskel-ballast')")
    server.stop()
    usage = phone.page.evaluate("navigator.storage.estimate().then(one => one.usage)")
    assert usage > 20_000_000
    # A browser looks at the quota only now and then: a fresh one looks at once.
    phone.close()
    phone.reopen()
    browser = phone.context.new_cdp_session(phone.page)
    # Full to the brim: the browser refuses every further byte.
    browser.send(
        "Storage.overrideQuotaForOrigin",
        {"origin": phone.server.url, "quotaSize": usage - 1_000_000},
    )
    make_a_visit(phone)
    assert not phone.page.evaluate("caches.has('troskel-ballast')")
    strip(phone, "Little space left")
    phone.open("/field/outbox")
    expect(phone.page.locator(".outbox-what")).to_have_text(["Opened a visit"])
    assert [line for line in phone.said if "Quota" in line] == []
