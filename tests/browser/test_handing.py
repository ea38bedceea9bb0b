"""Somebody does not come back to the phone: a colleague hands the work over, the office takes it in."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Device, Server
from tests.browser.test_shell import AXE, make_a_visit, strip
from tests.browser.test_story import sign_in_at_the_desk

pytestmark = pytest.mark.browser

VIOLATIONS = (
    "async () => (await axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']}))"
    ".violations.map(v => [v.id, v.nodes.map(n => n.html)])"
)


def test_work_of_a_deactivated_person_is_handed_over_unread_and_taken_in_by_a_supervisor(
    phone: Device, server: Server, desk: Device
) -> None:
    phone.sign_in("bob")
    phone.kept()
    server.stop()
    make_a_visit(phone)
    strip(phone, "Saved on this phone · 1 unsent")
    with closing(sqlite3.connect(server.data / "troskel.db")) as db, db:
        db.execute("UPDATE users SET active = 0 WHERE name = 'bob'")
        db.execute("UPDATE sessions SET ended_at = created_at")
    server.start()
    phone.sign_in("amira")
    phone.open("/field/outbox")
    # What the server tells about people must not take the name away again.
    with phone.page.expect_response("**/sync/pull**"):
        phone.page.get_by_role("button", name="Send now").click()
    expect(phone.page.locator(".group h2")).to_have_text(["Bob Testsson"])
    expect(phone.page.locator(".outbox-what")).to_have_text(["Something that another person wrote"])
    phone.page.evaluate(AXE)
    assert phone.page.evaluate(VIOLATIONS) == []
    phone.page.get_by_role("button", name="Hand over to the office").click()
    expect(phone.page.locator("#toast")).to_contain_text("Handed over")
    strip(phone, "1 needs you")
    phone.open("/field/outbox")
    expect(phone.page.locator(".outbox-row")).to_contain_text("Handed over to the office.")

    page = sign_in_at_the_desk(desk)
    page.goto(server.url + "/desk/held")
    expect(page.locator(".held-group")).to_contain_text("Bob Testsson")
    page.click("button[value=accept]")
    expect(page.locator("#notices")).to_contain_text("item applied")
    phone.page.locator("#send button").click()
    strip(phone, "All sent")
    page.goto(server.url + "/desk/devices")
    page.evaluate(AXE)
    assert page.evaluate(VIOLATIONS) == []
