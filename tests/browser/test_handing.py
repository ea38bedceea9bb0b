"""Somebody does not come back to the phone: a colleague hands the work over, the office accepts it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.desk import Desk
from tests.browser.phone import Phone
from tests.browser.server import Server

pytestmark = pytest.mark.browser


def test_work_of_a_deactivated_person_is_handed_over_unread_and_accepted_by_a_supervisor(
    phone: Phone, server: Server, desk: Desk
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    server.stop()
    phone.save_new_visit()
    phone.expect_status("Saved on this phone · 1 unsent")
    server.execute("UPDATE users SET active = 0 WHERE name = 'bob'")
    server.end_sessions()
    server.start()
    phone.sign_in("amira")
    phone.open("/field/outbox")
    # The list of people in the response must not remove the name again.
    with phone.page.expect_response("**/sync/pull**"):
        phone.page.get_by_role("button", name="Send now").click()
    expect(phone.page.locator(".group h2")).to_have_text(["Bob Testsson"])
    expect(phone.page.locator(".outbox-what")).to_have_text(["Something that another person wrote"])
    assert violations(phone.page) == []
    phone.page.get_by_role("button", name="Hand over to the office").click()
    expect(phone.page.locator("#toast")).to_contain_text("Handed over")
    phone.expect_status("1 needs you")
    phone.open("/field/outbox")
    expect(phone.page.locator(".outbox-row")).to_contain_text("Handed over to the office.")

    desk.sign_in()
    page = desk.page
    page.goto(server.url + "/desk/held")
    expect(page.locator(".held-group")).to_contain_text("Bob Testsson")
    page.click("button[value=accept]")
    expect(page.locator("#notices")).to_contain_text("item applied")
    phone.page.locator("#send button").click()
    phone.expect_status("All sent")
    page.goto(server.url + "/desk/devices")
    assert violations(page) == []
